#include <array>
#include <atomic>
#include <cmath>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "autograd/plan/plan_cache.hpp"
#include "autograd/runtime/pool.hpp"
#include "tests/graph/user_ops.hpp"
#include "tests/testing.hpp"

/// \file
/// Plans outside of compile: graphs that are built again find the plan of the first.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(plan_cache)

namespace {

using testing::check_elements;
using testing::elements;
using testing::random_tensor;

/// The plan that evaluating \p output would use, all other tensors being scratch.
std::shared_ptr<const plan::Executable> plan_of(const Tensor& output) {
  const Description graph(std::span(&output, 1));
  const std::array wanted{graph.value_of(output)};
  return plan::find_plan(graph, wanted);
}

/// x in the other direction; cannot be compared with another of its kind, and has no attributes.
struct Negated {
  static constexpr std::string_view name = "negated";
  std::function<double(double)> f;

  Spec infer(Inputs in) const { return {in[0].shape(), in[0].dtype()}; }
  void eval(ConstViews in, Views out) const {
    for (std::int64_t i = 0; i < in[0].size(); ++i) {
      out[0].as<double>()[i] = f(in[0].as<double>()[i]);
    }
  }
};

/// x plus a number that stands in no table.
class Shifted {
 public:
  static constexpr std::string_view name = "shifted";
  explicit Shifted(double shift) : sign(1), shift_(shift) {}

  double sign;
  static constexpr auto attributes = fields("sign", &Shifted::sign);

  Spec infer(Inputs in) const { return {in[0].shape(), in[0].dtype()}; }
  void eval(ConstViews in, Views out) const {
    for (std::int64_t i = 0; i < in[0].size(); ++i) {
      out[0].as<double>()[i] = in[0].as<double>()[i] + sign * shift_;
    }
  }

 private:
  double shift_;
};

/// Numbers that are printed without all of their digits, and cannot be compared.
struct Rounded {
  double number;
};
std::string attribute_text(const Rounded& rounded) { return std::to_string(static_cast<int>(rounded.number)); }

/// count · factor · x plus such a number; with attributes of small types.
struct Affine {
  static constexpr std::string_view name = "affine";
  int count;
  float factor;
  Rounded shift;
  static constexpr auto attributes =
      fields("count", &Affine::count, "factor", &Affine::factor, "shift", &Affine::shift);

  Spec infer(Inputs in) const { return {in[0].shape(), in[0].dtype()}; }
  void eval(ConstViews in, Views out) const {
    for (std::int64_t i = 0; i < in[0].size(); ++i) {
      out[0].as<double>()[i] = count * static_cast<double>(factor) * in[0].as<double>()[i] + shift.number;
    }
  }
};

/// x in another direction. Somebody decides whether two of them are equal, and may do something meanwhile.
struct Observed {
  static constexpr std::string_view name = "observed";
  std::function<bool()>* compare;

  friend bool operator==(const Observed& a, const Observed&) { return (*a.compare)(); }
  Spec infer(Inputs in) const { return {in[0].shape(), in[0].dtype()}; }
  void eval(ConstViews in, Views out) const {
    for (std::int64_t i = 0; i < in[0].size(); ++i) {
      out[0].as<double>()[i] = -in[0].as<double>()[i];
    }
  }
};

/// Enough nodes for a plan; the slope is an attribute.
Tensor long_chain(const Tensor& x, double slope) {
  Tensor y = x;
  for (int i = 0; i < 8; ++i) {
    y = leaky_relu(sin(y), slope);
    y = sum(expand_dims(y, 0), {0});
  }
  return y;
}

std::vector<double> expected_chain(std::vector<double> x, double slope) {
  for (double& each : x) {
    for (int i = 0; i < 8; ++i) {
      each = std::sin(each) * (each < 0 ? slope : 1);
    }
  }
  return x;
}

}  // namespace

BOOST_AUTO_TEST_CASE(graphs_of_one_structure_share_a_plan) {
  const Tensor a = random_tensor({3, 5}, -1, 1, 1);
  const Tensor b = random_tensor({3, 5}, -1, 1, 2);
  const auto first = plan_of(long_chain(a, 0.9));
  BOOST_TEST((first != nullptr));
  BOOST_TEST((plan_of(long_chain(b, 0.9)) == first));
  BOOST_TEST((plan_of(long_chain(a, 0.8)) != first));                                 // another attribute
  BOOST_TEST((plan_of(long_chain(random_tensor({5, 3}), 0.9)) != first));             // another shape
  BOOST_TEST((plan_of(long_chain(cast(a, DType::float32).detach(), 0.9)) != first));  // another dtype
  BOOST_TEST((plan_of(long_chain(Variable(a), 0.9)) != first));                       // a variable is cut for reuse
  BOOST_TEST((plan_of(long_chain(b, 0.9)) == first));
}

BOOST_AUTO_TEST_CASE(attributes_shapes_and_dtypes_that_change_give_no_wrong_results) {
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 40; ++i) {  // more attributes than plans are kept of one structure
      const double factor = 0.5 + 0.01 * i;
      const Tensor x = random_tensor({1 + i % 4, 3}, -1, 1, static_cast<unsigned>(i));
      check_elements(long_chain(x, factor), x.shape(), expected_chain(elements(x), factor), 1e-14);
    }
  }
}

BOOST_AUTO_TEST_CASE(leaves_that_change_places_give_no_wrong_results) {
  const Tensor a = {1.0, 2.0};
  const Tensor b = {3.0, 5.0};
  const auto f = [](const Tensor& x, const Tensor& y, const Tensor& z) {
    Tensor result = x - y * z;
    for (int i = 0; i < 7; ++i) {
      result = sum(expand_dims(result - y, 0), {0});
    }
    return result;
  };
  check_elements(f(a, b, a), {2}, {1 - 3.0 - 21, 2 - 10.0 - 35});
  check_elements(f(b, a, a), {2}, {3 - 1.0 - 7, 5 - 4.0 - 14});
  check_elements(f(a, a, b), {2}, {1 - 3.0 - 7, 2 - 10.0 - 14});
  check_elements(f(a, a, a), {2}, {1 - 1.0 - 7, 2 - 4.0 - 14});
  check_elements(f(a, b, a), {2}, {1 - 3.0 - 21, 2 - 10.0 - 35});
}

BOOST_AUTO_TEST_CASE(what_is_held_is_computed_once_with_a_plan_too) {
  std::atomic<int> computed = 0;
  const Tensor x = random_tensor({4});
  for (int round = 1; round <= 3; ++round) {
    const Tensor held = testing::own_softsign(long_chain(x, 0.7), &computed);
    const Tensor y = long_chain(held, 0.6);
    y.array();
    BOOST_TEST(computed == round);
    held.array();
    (held + y).array();
    BOOST_TEST(computed == round);
  }
}

BOOST_AUTO_TEST_CASE(operations_that_cannot_be_compared_are_computed_node_by_node) {
  const Tensor x = random_tensor({4});
  for (const double factor : {1.0, 2.0, 3.0}) {
    const Tensor y = apply_op(Negated{[factor](double each) { return -factor * each; }}, {long_chain(x, 0.9)});
    BOOST_TEST((plan_of(y) == nullptr));
    std::vector<double> expected = expected_chain(elements(x), 0.9);
    for (double& each : expected) {
      each *= -factor;
    }
    check_elements(y, {4}, expected, 1e-14);
  }
}

BOOST_AUTO_TEST_CASE(operations_with_private_members_equal_nothing_but_themselves) {
  const Tensor x = {1.0, 2.0};
  for (const double shift : {10.0, 20.0, 30.0}) {
    const std::vector<double> chain = expected_chain({1, 2}, 0.5);
    check_elements(long_chain(x, 0.5) + apply_op(Shifted(shift), {x}), {2},
                   {chain[0] + 1 + shift, chain[1] + 2 + shift});
  }
}

BOOST_AUTO_TEST_CASE(attributes_that_cannot_be_compared_are_not_taken_for_equal) {
  const Tensor x = {1.0, 2.0};
  for (const double shift : {0.25, 0.5, 0.75}) {
    const Tensor shifted = apply_op(Affine{2, 0.5F, {shift}}, {x});
    BOOST_TEST(attributes_text(shifted.node().operation()) == "count=2, factor=0.5, shift=0");
    const std::vector<double> chain = expected_chain({1, 2}, 0.5);
    check_elements(long_chain(x, 0.5) + shifted, {2}, {chain[0] + 1 + shift, chain[1] + 2 + shift}, 1e-14);
  }
}

BOOST_AUTO_TEST_CASE(random_numbers_do_not_make_every_step_another_graph) {
  const Tensor x = ones({2000}, DType::float64).detach();
  for (std::uint64_t i = 0; i < 30; ++i) {
    const Tensor noise = random::uniform(random::Key(i), {2000}, 0, 1, DType::float64);
    const std::vector<double> numbers = elements(random::uniform(random::Key(i), {2000}, 0, 1, DType::float64));
    check_elements(long_chain(x * noise, 0.9), {2000}, expected_chain(numbers, 0.9), 1e-14);
  }
}

// Plans are no longer made for a graph whose attributes change every time, but tried again now and then.
BOOST_AUTO_TEST_CASE(graphs_that_settle_get_plans_again) {
  int planned = 0;
  int first_without = 0;
  for (int i = 0; i < 1500; ++i) {
    const bool has_plan = plan_of(long_chain(Tensor{0.5, -0.5, 0.25, 0.125, 1.0}, 1e-5 * (i + 1))) != nullptr;
    planned += has_plan;
    first_without += first_without == 0 && !has_plan ? i : 0;
  }
  BOOST_TEST(first_without > 0);
  BOOST_TEST(first_without < 100);
  BOOST_TEST(planned == 2 * first_without);  // once more after 1,024 graphs
}

BOOST_AUTO_TEST_CASE(an_error_in_a_plan_names_the_line_of_the_user) {
  const Tensor labels = {0, 7};
  for (int round = 0; round < 2; ++round) {
    const Tensor y = long_chain(one_hot(labels, 3, DType::float64), 0.9);
    testing::check_throws<ValueError>([&] { y.array(); }, {"7", "plan_cache.cpp:"});
  }
}

BOOST_AUTO_TEST_CASE(plans_that_are_kept_hold_no_memory) {
  const std::size_t before = runtime::pool_status().in_use;
  for (std::int64_t size = 100'000; size < 100'008; ++size) {  // a plan each, of which every step needs memory
    const Tensor x = ones({size, 4}, DType::float64);
    Tensor y = x;
    for (int i = 0; i < 8; ++i) {
      y = softmax(exp(y), 1);
    }
    BOOST_TEST(sum(y).item() == static_cast<double>(size), boost::test_tools::tolerance(1e-9));
  }
  BOOST_TEST(runtime::pool_status().in_use < before + 2'000'000);
}

BOOST_AUTO_TEST_CASE(threads_evaluate_graphs_of_one_structure_at_once) {
  std::array<int, 3> wrong{};
  const auto work = [&](std::size_t thread) {
    for (unsigned i = 0; i < 150; ++i) {
      const Tensor x = random_tensor({3 + i % 5, 40}, -1, 1, i + 1000 * static_cast<unsigned>(thread));
      const double factor = 0.5 + 0.1 * (i % 3);
      const std::vector<double> expected = expected_chain(elements(x), factor);
      const std::vector<double> actual = elements(long_chain(x, factor));
      for (std::size_t k = 0; k < expected.size(); ++k) {
        wrong[thread] += std::abs(actual[k] - expected[k]) > 1e-13;
      }
    }
  };
  std::thread second(work, 1);
  std::thread third(work, 2);
  work(0);
  second.join();
  third.join();
  BOOST_TEST(wrong[0] + wrong[1] + wrong[2] == 0);
}

// While a plan is made, others compute parts of the same graph. What they computed is part of this graph's run alone.
BOOST_AUTO_TEST_CASE(what_is_computed_meanwhile_is_no_constant) {
  std::function<bool()> compare;
  const auto build = [&](const Tensor& x) {
    const Tensor inner = long_chain(x, 0.3) * 2;
    return std::pair(inner, long_chain(apply_op(Observed{&compare}, {inner}), 0.4));
  };
  const auto expected = [](std::vector<double> x) {
    x = expected_chain(std::move(x), 0.3);
    for (double& each : x) {
      each *= -2;
    }
    return expected_chain(std::move(x), 0.4);
  };
  for (const bool on_another_thread : {false, true}) {
    check_elements(build(Tensor{0.5, 0.6, -0.7}).second, {3}, expected({0.5, 0.6, -0.7}), 1e-15);
    {
      const auto [inner, outer] = build(Tensor{0.1, -0.2, 0.3});
      bool computed = false;
      compare = [&, part = inner] {  // while the graph looks for the plan of the one above
        on_another_thread ? std::thread([&] { part.array(); }).join() : static_cast<void>(part.array());
        computed = true;
        return false;  // so that a plan is made
      };
      check_elements(outer, {3}, expected({0.1, -0.2, 0.3}), 1e-15);
      BOOST_TEST(computed);
    }
    compare = [] { return true; };
    check_elements(build(Tensor{-0.9, 0.8, 0.7}).second, {3}, expected({-0.9, 0.8, 0.7}), 1e-15);
  }
}

BOOST_AUTO_TEST_CASE(threads_that_share_parts_of_graphs_get_their_own_numbers) {
  constexpr int rounds = 300;
  int wrong = 0;
  for (int round = 0; round < rounds; ++round) {
    const double slope = 0.001 * round;  // a structure of its own, so that each round plans
    const Tensor x = {0.1 * (round % 7), -0.3, 0.5};
    const Tensor shared = long_chain(x, slope);
    const std::array<Tensor, 4> outputs = {long_chain(shared, slope), long_chain(shared * 2, slope), shared,
                                           long_chain(shared + 1, slope)};
    std::vector<std::thread> threads;
    for (const Tensor& output : outputs) {
      threads.emplace_back([&output] { output.array(); });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    const Tensor again = {0.7, 0.2 + 0.1 * (round % 5), -0.6};
    const std::vector<double> of_shared = expected_chain(elements(again), slope);
    const Tensor shared_again = long_chain(again, slope);
    const Tensor last = long_chain(shared_again, slope);
    const std::vector<double> given = elements(last);
    const std::vector<double> right = expected_chain(of_shared, slope);
    for (std::size_t i = 0; i < right.size(); ++i) {
      wrong += std::abs(given[i] - right[i]) > 1e-14;
    }
  }
  BOOST_TEST(wrong == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
