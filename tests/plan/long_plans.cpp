#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "autograd/plan/passes/step_order.hpp"
#include "autograd/plan/schedule/packing.hpp"
#include "tests/testing.hpp"

/// \file
/// Plans of very many steps: what a step costs, in time and memory, does not depend on how many there are.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(long_plans)

namespace {

using testing::check_elements;

using Function = std::function<Tensor(const Tensor&)>;

/// Euler's method for s' = sin s.
Function steps(int count) {
  return [count](const Tensor& start) {
    Tensor s = start;
    for (int i = 0; i < count; ++i) {
      s = s + 0.001 * sin(s);
    }
    return sum(s);
  };
}

/// All steps read the same value.
Function iterations(int count) {
  return [count](const Tensor& x) {
    Tensor y = x;
    for (int i = 0; i < count; ++i) {
      y = tanh(y + x * 1e-6);
    }
    return sum(y);
  };
}

/// Steps of two states, each of which needs both of the step before, with a product of matrices in each.
Function recurrence(int count) {
  return [count](const Tensor& x) {
    const Tensor weights = full({8, 8}, 0.01, DType::float64);
    Tensor h = x;
    Tensor c = x;
    for (int i = 0; i < count; ++i) {
      const Tensor gate = sigmoid(matmul(h, weights) + h);
      c = gate * c + (1 - gate) * tanh(h);
      h = gate * tanh(c);
    }
    return sum(h);
  };
}

Tensor start() { return linspace(-1, 1, 8, DType::float64); }

std::size_t count_kernels(const Plan& plan) {
  std::istringstream lines(plan.text());
  std::string line;
  std::size_t count = 0;
  while (std::getline(lines, line)) {
    count += line.find(" = ") != std::string::npos && line.find("->") == std::string::npos;
  }
  return count;
}

struct Seconds {
  double planning = 1e9;
  double run = 1e9;
};

/// Of the compiled gradient, the best of several.
Seconds measure(const Function& f) {
  const Tensor x = start();
  Seconds seconds;
  const auto take = [](double& best, auto&& what) {
    const auto begin = std::chrono::steady_clock::now();
    what();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  };
  for (int i = 0; i < 2; ++i) {
    const auto compiled = compile(grad(f));
    take(seconds.planning, [&] { compiled(x).array(); });
    for (int k = 0; k < 10; ++k) {
      take(seconds.run, [&] { compiled(x).array(); });
    }
  }
  return seconds;
}

}  // namespace

BOOST_AUTO_TEST_CASE(compute_what_shorter_ones_do) {
  const Tensor x = start();
  for (const Function& f : {steps(2500), iterations(2500)}) {
    const Tensor reference = grad(f)(x);
    BOOST_TEST(allclose(compile(grad(f))(x), reference, 1e-13, 1e-13));
  }
  const Tensor rows = reshape(linspace(-1, 1, 32, DType::float64), {4, 8});
  BOOST_TEST(allclose(compile(grad(recurrence(600)))(rows), grad(recurrence(600))(rows), 1e-12, 1e-12));
}

BOOST_AUTO_TEST_CASE(chains_of_other_names_for_one_value_are_short) {
  const auto f = compile([](const Tensor& x) {
    Tensor y = x;
    for (int i = 0; i < 50'000; ++i) {
      y = reshape(reshape(y, {2, 4}), {8});
    }
    return y + 1;
  });
  BOOST_TEST(allclose(f(start()), start() + 1));
}

BOOST_AUTO_TEST_CASE(are_fused_to_their_end) {
  const Tensor x = start();
  for (const auto& make : {steps, iterations}) {
    const std::size_t few = count_kernels(compile(grad(make(500))).plan(x));
    const std::size_t many = count_kernels(compile(grad(make(5000))).plan(x));
    BOOST_TEST(few < 150U);
    BOOST_TEST(many <= 11 * few);
  }
  const Tensor rows = reshape(linspace(-1, 1, 32, DType::float64), {4, 8});
  const std::size_t few = count_kernels(compile(grad(recurrence(20))).plan(rows));
  const std::size_t many = count_kernels(compile(grad(recurrence(400))).plan(rows));
  BOOST_TEST(many <= 22 * few);
}

BOOST_AUTO_TEST_CASE(need_the_memory_of_what_is_alive) {
  constexpr int count = 5000;
  const std::size_t bytes = compile(grad(steps(count))).plan(start()).peak_bytes();
  BOOST_TEST(bytes >= count * 64U);
  BOOST_TEST(bytes <= count * 64U * 5 / 4);
}

BOOST_AUTO_TEST_CASE(cost_the_same_per_step) {
  constexpr int few = 500;
  constexpr int many = 16 * few;
  for (const auto& make : {steps, iterations}) {
    const Seconds a = measure(make(few));
    const Seconds b = measure(make(many));
    BOOST_TEST(b.planning / many <= 4 * a.planning / few,
               few << " steps are planned in " << a.planning << " s, " << many << " in " << b.planning);
    BOOST_TEST(b.run / many <= 8 * a.run / few, few << " steps run in " << a.run << " s, " << many << " in " << b.run);
  }
}

BOOST_AUTO_TEST_CASE(order_is_kept_while_steps_move) {
  constexpr std::uint32_t count = 60;
  std::mt19937 random(7);
  std::vector<std::uint32_t> reference(count);
  std::generate(reference.begin(), reference.end(), [i = std::uint32_t{0}]() mutable { return i++; });
  plan::StepOrder order(count);
  const auto check = [&] {
    bool kept = true;
    for (std::uint32_t i = 0; i + 1 < count; ++i) {
      kept = kept && order.before(reference[i], reference[i + 1]) && !order.before(reference[i + 1], reference[i]);
    }
    BOOST_TEST_REQUIRE(kept);
  };
  check();
  for (int round = 0; round < 5000; ++round) {
    // Often in the same places, where it becomes crowded.
    const std::uint32_t step = static_cast<std::uint32_t>(random()) % count;
    const std::uint32_t other = round % 3 == 0 ? static_cast<std::uint32_t>(random()) % count : round % 3 == 1 ? 5 : 6;
    if (step == other) {
      continue;
    }
    const bool behind = random() % 2 == 0;
    reference.erase(std::find(reference.begin(), reference.end(), step));
    const auto place = std::find(reference.begin(), reference.end(), other) + (behind ? 1 : 0);
    reference.insert(place, step);
    if (behind) {
      order.move_behind(step, other);
    } else {
      order.move_ahead(step, other);
    }
    check();
  }
}

BOOST_AUTO_TEST_CASE(nothing_shares_what_both_need) {
  std::mt19937 random(3);
  for (const std::size_t count : {std::size_t{200}, std::size_t{3000}}) {
    std::vector<plan::Request> requests;
    std::vector<std::size_t> alive(count + 40);
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint32_t last = i + static_cast<std::uint32_t>(random()) % 40;
      const std::size_t bytes = random() % 8 * 64;
      requests.push_back({i, bytes, i, last});
      for (std::uint32_t t = i; t <= last; ++t) {
        alive[t] += bytes;
      }
    }
    const std::size_t total = plan::pack(requests, true);
    BOOST_TEST(total >= *std::max_element(alive.begin(), alive.end()));
    BOOST_TEST(total <= *std::max_element(alive.begin(), alive.end()) * 3 / 2);
    std::size_t mistakes = 0;
    for (const plan::Request& a : requests) {
      mistakes += a.offset + a.bytes > total;
      for (const plan::Request& b : requests) {
        const bool at_once = a.value != b.value && a.first <= b.last && b.first <= a.last;
        mistakes += at_once && a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
      }
    }
    BOOST_TEST(mistakes == 0U);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
