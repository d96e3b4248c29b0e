#include "autograd/loops/segments.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numeric>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "programs.hpp"
#include "tests/testing.hpp"

/// \file
/// How loops are cut into segments, and what that costs.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(loops_segments)

namespace {

using detail::choose_segments;
using detail::Segments;

std::int64_t product_of(const Segments& segments) {
  return std::accumulate(segments.counts.begin(), segments.counts.end(), std::int64_t{1}, std::multiplies<>());
}

double binomial(std::int64_t n, std::int64_t k) {
  double result = 1;
  for (std::int64_t i = 1; i <= k; ++i) {
    result *= static_cast<double>(n - k + i) / static_cast<double>(i);
  }
  return result;
}

// The least number of steps that are evaluated without their derivatives, for that many places for carries: t T - (s + t over
// t - 1), where t is the least with T <= (s + t over s) (Griewank and Walther, 2000: Algorithm 799, revolve).
double least_evaluations(std::int64_t steps, std::int64_t places) {
  std::int64_t t = 0;
  while (binomial(places + t, places) < static_cast<double>(steps)) {
    ++t;
  }
  return t == 0 ? 0 : static_cast<double>(t * steps) - binomial(places + t, t - 1);
}

}  // namespace

BOOST_AUTO_TEST_CASE(segments_cover_the_steps_and_fit) {
  for (const std::int64_t steps : {1, 2, 7, 100, 1000, 12'345, 1'000'000}) {
    for (const std::int64_t step_bytes : {8, 100}) {
      for (const std::int64_t bytes : {1'000, 10'000, 1'000'000}) {
        const Segments segments = choose_segments(steps, 16, step_bytes, bytes);
        BOOST_TEST(product_of(segments) >= steps);
        BOOST_TEST(segments.bytes <= bytes);
        std::int64_t kept = segments.counts.back() * step_bytes;
        for (std::size_t i = 0; i + 1 < segments.counts.size(); ++i) {
          kept += segments.counts[i] * 16;
        }
        BOOST_TEST(segments.bytes == kept);
      }
    }
  }
  BOOST_TEST(choose_segments(1000, 16, 100, 100'000).counts.size() == 1);
  BOOST_TEST(choose_segments(1'000'000, 16, 16, 100).bytes > 100);
}

// Evaluations of steps with and without derivatives: the forward pass, and each level but the last segment of one above.
double evaluations(const Segments& segments, std::int64_t steps) {
  double sweeps = segments.counts.size() == 1 ? 1 : 2;
  for (std::size_t level = 1; level + 1 < segments.counts.size(); ++level) {
    sweeps += 1 - 1 / static_cast<double>(segments.counts[level]);
  }
  return sweeps * static_cast<double>(steps);
}

BOOST_AUTO_TEST_CASE(segments_are_near_the_best_schedule) {
  for (const std::int64_t steps : {100, 1'000, 9'973, 10'000, 100'000, 1'000'000, 100'000'000}) {
    const std::int64_t least = choose_segments(steps, 1, 1, 0).bytes;
    for (std::int64_t places = least; places <= 10'000; places += 1 + places / 20) {
      const Segments segments = choose_segments(steps, 1, 1, places);
      BOOST_TEST_CONTEXT(steps << " steps, " << places << " places") {
        BOOST_TEST(segments.bytes <= places);
        BOOST_TEST(evaluations(segments, steps) <=
                   1.5 * (least_evaluations(steps, places) + static_cast<double>(steps)));
      }
    }
  }
}

// tanh, which counts how often it is computed.
struct Counted {
  static constexpr std::string_view name = "counted";
  static inline std::int64_t evaluations = 0;

  Spec infer(Inputs in) const { return {in[0].shape(), in[0].dtype()}; }
  void eval(ConstViews in, Views out) const {
    ++evaluations;
    *out[0].as<double>() = std::tanh(*in[0].as<double>());
  }
  Tensors vjp(const Node& node, const Cotangents& ct) const { return {ct[0] * (1 - square(node.output(0)))}; }
};

BOOST_AUTO_TEST_CASE(a_run_evaluates_as_many_steps_as_its_segments_say) {
  const std::int64_t steps = 1'024;
  const Tensor start = 0.7;
  const auto run = [&](const ScanOptions& options) {
    const auto step = [](const Tensor& carry, const Tensor&) {
      return std::pair(apply_op(Counted(), {carry}), Tensors());
    };
    const Tensor last = scan(step, start, steps, options).first;
    const Tensor gradient = grad(last, start);
    evaluate({last, gradient});
    return gradient.item();
  };
  const double expected = run({});
  for (const std::int64_t places : {20, 24, 32, 40, 50, 64, 100}) {
    Counted::evaluations = 0;
    BOOST_TEST(run({.memory = 8 * places}) == expected);
    BOOST_TEST_CONTEXT(places << " places") {
      const auto found = static_cast<double>(Counted::evaluations);
      BOOST_TEST(found <= 1.5 * (least_evaluations(steps, places) + static_cast<double>(steps)));
      // The same, but for what does not fill a segment.
      BOOST_TEST(std::abs(found - evaluations(choose_segments(steps, 8, 8, 8 * places), steps)) <= 0.01 * found);
    }
  }
}

// A step is a loop of its own in each level; the lowest has the steps themselves.
BOOST_AUTO_TEST_CASE(limits_of_memory_make_levels) {
  const Tensors in = testing::loop_arguments(1);
  const auto levels_of = [&](std::string_view name) {
    const auto found = std::find_if(testing::loop_programs().begin(), testing::loop_programs().end(),
                                    [&](const testing::LoopProgram& program) { return program.name == name; });
    BOOST_REQUIRE(found != testing::loop_programs().end());
    std::vector<std::size_t> open;  // indents of the loops around a line
    std::size_t levels = 0;
    std::istringstream lines(print_graph(found->function(testing::Written::looped, in)));
    for (std::string line; std::getline(lines, line);) {
      const std::size_t indent = line.find_first_not_of(' ');
      while (!open.empty() && open.back() >= indent) {
        open.pop_back();
      }
      if (line.find(" = loop(") != std::string::npos) {
        open.push_back(indent);
        levels = std::max(levels, open.size());
      }
    }
    return levels;
  };
  BOOST_TEST(levels_of("within_enough_memory") == 1);
  BOOST_TEST(levels_of("within_two_levels") == 2);
  BOOST_TEST(levels_of("within_two_levels_backwards") == 2);
  BOOST_TEST(levels_of("within_three_levels") == 3);
  BOOST_TEST(levels_of("by_index_within_two_levels") == 2);
  BOOST_TEST(levels_of("by_index_within_three_levels") == 3);
}

// What a plan takes beside what does not depend on the number of steps.
BOOST_AUTO_TEST_CASE(plans_keep_to_the_limit) {
  const Tensor x = xt::xarray<double>{1, 2, 3};
  for (const std::int64_t limit : {2'000, 5'000, 20'000, 100'000}) {
    const auto gradient = compile([limit](const Tensor& start) {
      return grad([limit](const Tensor& s) {
        return sum(
            scan([](const Tensor& c, const Tensor&) { return c + 0.001 * sin(c * c); }, s, 4'000, {.memory = limit}));
      })(start);
    });
    constexpr std::size_t fixed = 8'000;
    BOOST_TEST(gradient.plan(x).peak_bytes() < static_cast<std::size_t>(limit) + fixed);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
