#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "autograd/formula/formula.hpp"
#include "autograd/runtime/pool.hpp"
#include "tests/testing.hpp"

/// \file
/// Which formulas are one object, what they remember, and what is left of that when memory is released.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(formula_table)

namespace {

Formula times(double factor) {
  return Formula([=](Scalar a) { return factor * a * a; });
}

bool one_object(const Formula& a, const Formula& b) { return &a.program() == &b.program(); }

std::string derivative(const Formula& formula) { return to_string(formula.partial(0)->formula); }

BOOST_AUTO_TEST_CASE(equal_formulas_are_one_object_while_they_are_remembered) {
  const Formula kept = times(2);
  BOOST_TEST(one_object(kept, times(2)));
  BOOST_TEST(!one_object(kept, times(3)));
  const Formula partial = kept.partial(0)->formula;
  BOOST_TEST(one_object(partial, kept.partial(0)->formula));
  for (int i = 0; i < 10'000; ++i) {
    times(1000 + i);
  }
  BOOST_TEST((kept == times(2)), "the table has forgotten it, but they are equal");
  BOOST_TEST(!one_object(kept, times(2)));
  BOOST_TEST(one_object(times(2), times(2)));
  BOOST_TEST(one_object(partial, kept.partial(0)->formula), "somebody holds it");
}

BOOST_AUTO_TEST_CASE(a_formula_in_use_stays) {
  const Formula kept = times(2);
  for (int i = 0; i < 10'000; ++i) {
    times(1000 + i);
    BOOST_REQUIRE(one_object(kept, times(2)));
  }
}

BOOST_AUTO_TEST_CASE(releasing_memory_empties_the_table) {
  const Formula kept = times(7);
  BOOST_TEST(one_object(kept, times(7)));
  runtime::release_cached_memory();
  BOOST_TEST(!one_object(kept, times(7)));
  BOOST_TEST((kept == times(7)));
}

BOOST_AUTO_TEST_CASE(derivatives_are_found_again) {
  const Formula kept = times(5);
  const std::string before = derivative(kept);
  const auto arguments = kept.partial(0)->arguments;
  runtime::release_cached_memory();
  BOOST_TEST(derivative(kept) == before);
  BOOST_TEST(kept.partial(0)->arguments.data() == arguments.data(), "they stay where they are");
  BOOST_TEST(!Formula([](Scalar a) { return floor(a); }).partial(0));
  const Tensor x = {1.0, 2.0};
  testing::check_elements(grad(sum(map(kept, {x})), x), {2}, {10, 20});
}

BOOST_AUTO_TEST_CASE(nodes_of_a_formula_that_never_changes_share_its_operation) {
  const Tensor x = {1.0, 2.0};
  const Tensor y = x + 1;
  const auto same_operation_object = [](const Tensor& a, const Tensor& b) {
    return &a.node().operation() == &b.node().operation();
  };
  const auto cube = [](Scalar a) { return a * a * a; };
  BOOST_TEST(same_operation_object(tanh(x), tanh(y)));
  BOOST_TEST(same_operation_object(x * y, y * y));
  BOOST_TEST(same_operation_object(map(cube, x), map(cube, y)));
  BOOST_TEST(!same_operation_object(tanh(x), exp(x)));
  testing::check_elements(map(cube, y), {2}, {8, 27});
}

// It would keep itself alive, which the sanitizers would report.
BOOST_AUTO_TEST_CASE(a_formula_that_is_its_own_derivative) {
  {
    const Formula product([](Scalar a, Scalar b) { return b * a; });
    BOOST_TEST((product.partial(0)->formula == product));
    BOOST_TEST((product.partial(1)->formula == product));
  }
  runtime::release_cached_memory();
}

BOOST_AUTO_TEST_CASE(threads_find_derivatives_while_memory_is_released) {
  std::atomic<bool> over = false;
  std::atomic<int> wrong = 0;
  std::thread releasing([&] {
    while (!over) {
      runtime::release_cached_memory();
      std::this_thread::yield();
    }
  });
  const Formula shared([](Scalar a) { return tanh(a); });
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 1000; ++i) {
        wrong += derivative(shared) != "(a, b) -> b * (1 - a * a)";
        wrong += derivative(times(t)).empty();
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  over = true;
  releasing.join();
  BOOST_TEST(wrong == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

}  // namespace xgrad
