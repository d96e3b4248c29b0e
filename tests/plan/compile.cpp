#include "autograd/plan/compile.hpp"

#include <array>
#include <cmath>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "tests/testing.hpp"

namespace xgrad {

BOOST_AUTO_TEST_SUITE(plan_compile)

namespace {

using testing::check_elements;
using testing::check_throws;
using testing::elements;
using testing::random_tensor;

/// The content of the variables after some calls of \p f, and what the calls gave, in a row.
template <class F>
std::vector<double> history(const std::vector<Variable>& variables, int calls, const F& f) {
  std::vector<double> numbers;
  for (int call = 0; call < calls; ++call) {
    const Tensor result = f();
    numbers.push_back(sum(result).item());
    for (const Variable& variable : variables) {
      const std::vector<double> content = elements(variable);
      numbers.insert(numbers.end(), content.begin(), content.end());
    }
  }
  return numbers;
}

/// Whether a function of two variables does the same, call by call, compiled and define-by-run.
template <class F>
void check_same_as_define_by_run(const F& f) {
  const auto run = [&](bool compiled) {
    const Variable a(Tensor{1.0, 2.0}, "a");
    const Variable b(Tensor{10.0, 20.0}, "b");
    const auto plain = [&] { return f(a, b); };
    const auto step = compile(plain);
    return compiled ? history({a, b}, 3, step) : history({a, b}, 3, plain);
  };
  const std::vector<double> expected = run(false);
  const std::vector<double> actual = run(true);
  BOOST_TEST(actual == expected, boost::test_tools::per_element());
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_function_of_its_arguments_gives_the_same_values) {
  const auto f = [](const Tensor& x, const Tensor& y) { return sum(exp(x) * y, {1}); };
  const auto step = compile(f);
  for (const unsigned seed : {1u, 2u, 3u}) {
    const Tensor x = random_tensor({2, 3}, -1, 1, seed);
    const Tensor y = random_tensor({2, 3}, -1, 1, seed + 10);
    check_elements(step(x, y), {2}, elements(f(x, y)), 1e-14);
  }
  check_elements(step(Tensor{{0.0, 0.0}}, Tensor{{3.0, 4.0}}), {1}, {7}, 1e-15);
}

BOOST_AUTO_TEST_CASE(results_are_leaves_without_history) {
  const auto step = compile([](const Tensor& x) { return x * 2.0; }, {.name = "twice"});
  const Tensor y = step(Tensor{1.0, 2.0});
  BOOST_TEST(y.node().has_value(0));
  BOOST_TEST(y.node().inputs().empty());
  BOOST_TEST(y.node().name() == "compiled");
  BOOST_TEST((print_graph(y).find("compiled name=twice : float64(2,)") != std::string::npos));
}

BOOST_AUTO_TEST_CASE(results_may_be_tensors_lists_pairs_tuples_and_arrays_of_them) {
  const Tensor x = {1.0, 2.0};
  const auto list = compile([](const Tensor& t) { return Tensors{t, t * 2.0, sum(t)}; })(x);
  BOOST_TEST(list.size() == 3u);
  check_elements(list[1], {2}, {2, 4});
  check_elements(list[2], {}, {3});
  const auto [first, rest] = compile([](const Tensor& t) {
    return std::pair(t + 1.0, std::tuple(Tensors{}, t + 2.0, std::array{t + 3.0, t + 4.0}));
  })(x);
  check_elements(first, {2}, {2, 3});
  BOOST_TEST(std::get<0>(rest).empty());
  check_elements(std::get<1>(rest), {2}, {3, 4});
  check_elements(std::get<2>(rest)[0], {2}, {4, 5});
  check_elements(std::get<2>(rest)[1], {2}, {5, 6});
}

BOOST_AUTO_TEST_CASE(a_function_may_return_nothing) {
  const Variable total(Tensor(0.0));
  const auto add = compile([&](const Tensor& x) { total.assign(total + x); });
  static_assert(std::is_void_v<decltype(add(Tensor(1.0)))>);
  add(Tensor(1.0));
  add(Tensor(2.5));
  BOOST_TEST(total.item() == 3.5);
}

BOOST_AUTO_TEST_CASE(arguments_may_be_whatever_ops_take) {
  const auto step = compile([](const Tensor& a, const Tensor& b, const Tensor& c) { return a * b + c; });
  const Variable w(xt::xarray<float>{1, 2}, "w");
  const xt::xarray<float> array{3, 4};
  const Tensor unevaluated = exp(zeros({2}));
  check_elements(step(w, array, 0.5), {2}, {3.5, 8.5});
  check_elements(step(array + 1.0f, unevaluated, w), {2}, {5, 7});
  BOOST_TEST(step(unevaluated, 2.0, 1.0).dtype() == DType::float32);
}

BOOST_AUTO_TEST_CASE(a_function_is_traced_only_for_new_shapes_and_dtypes) {
  int calls = 0;
  const auto step = compile([&](const Tensor& x) {
    ++calls;
    return sum(x);
  });
  BOOST_TEST(step.trace_count() == 0u);
  for (int repetition = 0; repetition < 3; ++repetition) {
    step(Tensor{1.0, 2.0});
    step(Tensor{1.0, 2.0, 3.0});
    step(Tensor{1.0f, 2.0f});
    step(Tensor{{1.0, 2.0}});
  }
  BOOST_TEST(step.trace_count() == 4u);
  BOOST_TEST(calls == 4);
  const auto copy = step;
  copy(Tensor{5.0, 6.0});
  BOOST_TEST(calls == 4);
}

BOOST_AUTO_TEST_CASE(a_variable_that_changes_does_not_retrace) {
  const Variable rate(0.1f, "rate");
  const auto step = compile([&](const Tensor& x) { return x * rate; });
  const Tensor x = ones({1});
  check_elements(step(x), {1}, {0.1}, 1e-7);
  rate.assign(0.25);
  check_elements(step(x), {1}, {0.25});
  BOOST_TEST(step.trace_count() == 1u);
}

BOOST_AUTO_TEST_CASE(variables_are_read_and_assigned_at_every_call) {
  check_same_as_define_by_run([](const Variable& a, const Variable& b) {
    a.assign(a * 2.0 + b);
    return a + 0.0;
  });
}

BOOST_AUTO_TEST_CASE(two_variables_are_swapped) {
  check_same_as_define_by_run([](const Variable& a, const Variable& b) {
    assign({{a, b}, {b, a}});
    return a * 1.0;
  });
  check_same_as_define_by_run([](const Variable& a, const Variable& b) {
    const Tensor old = a;
    a.assign(b);
    b.assign(old);
    return a - b;
  });
}

BOOST_AUTO_TEST_CASE(one_tensor_is_assigned_to_two_variables) {
  check_same_as_define_by_run([](const Variable& a, const Variable& b) {
    const Tensor both = a + b;
    assign({{a, both}, {b, both}});
    return both;
  });
  check_same_as_define_by_run([](const Variable& a, const Variable& b) {
    a.assign(b);
    return Tensor(b);
  });
}

BOOST_AUTO_TEST_CASE(a_read_sees_the_latest_assignment) {
  check_same_as_define_by_run([](const Variable& a, const Variable& b) {
    a.assign(a + 1.0);
    b.assign(a * b);
    a.assign(a + b);
    return a + b;
  });
}

BOOST_AUTO_TEST_CASE(an_assigned_value_may_be_returned_too) {
  check_same_as_define_by_run([](const Variable& a, const Variable&) {
    const Tensor next = a * 3.0;
    a.assign(next);
    return next;
  });
  check_same_as_define_by_run([](const Variable& a, const Variable&) {
    const Tensor old = a;
    a.assign(a * 3.0);
    return old;
  });
  check_same_as_define_by_run([](const Variable& a, const Variable&) {
    a.assign(a * 3.0);
    return a.read();
  });
}

BOOST_AUTO_TEST_CASE(reading_gives_the_same_tensor_until_the_next_assignment) {
  const Variable w(Tensor{1.0}, "w");
  compile([&] {
    const Tensor first = w;
    BOOST_TEST(w.read().same_as(first));
    w.assign(w + 1.0);
    const Tensor second = w;
    BOOST_TEST(!second.same_as(first));
    BOOST_TEST(w.read().same_as(second));
    BOOST_TEST(w.shape() == Shape{1});
    BOOST_TEST(w.dtype() == DType::float64);
  })();
  BOOST_TEST(w.item() == 2);
}

BOOST_AUTO_TEST_CASE(an_argument_is_assigned_to_a_variable) {
  const Variable w(Tensor{0.0, 0.0}, "w");
  const auto store = compile([&](const Tensor& x) {
    w.assign(x);
    return w * 2.0;
  });
  const Tensor x = {1.0, 2.0};
  check_elements(store(x), {2}, {2, 4});
  check_elements(w, {2}, {1, 2});
  check_elements(store(Tensor{5.0, 6.0}), {2}, {10, 12});
  check_elements(w, {2}, {5, 6});
  check_elements(x, {2}, {1, 2});
}

BOOST_AUTO_TEST_CASE(a_value_that_is_held_across_calls_never_changes) {
  const Variable w(Tensor{1.0, 2.0}, "w");
  const auto step = compile([&](const Tensor& x) {
    w.assign(w + x);
    return w * 1.0;
  });
  const Tensor one = {1.0, 1.0};
  step(one);
  const auto value = w.value<double>();
  const Tensor leaf = w;
  const Tensor later = leaf * 10.0;
  const Tensor result = step(one);
  const auto result_value = result.value<double>();
  for (int call = 0; call < 5; ++call) {
    step(one);
  }
  BOOST_TEST(value(0) == 2);
  check_elements(leaf, {2}, {2, 3});
  check_elements(later, {2}, {20, 30});
  check_elements(result, {2}, {3, 4});
  BOOST_TEST(result_value(1) == 4);
  check_elements(w, {2}, {8, 9});
}

BOOST_AUTO_TEST_CASE(arguments_that_are_borrowed_are_never_written) {
  std::vector<double> memory{1, 2};
  const Variable w(borrow(memory.data(), {2}), "w");
  const auto step = compile([&](const Tensor& x) {
    w.assign(w + x);
    return x + 1.0;
  });
  for (int call = 0; call < 3; ++call) {
    step(borrow(memory.data(), {2}));
  }
  BOOST_TEST(memory == (std::vector<double>{1, 2}), boost::test_tools::per_element());
  check_elements(w, {2}, {4, 8});
}

BOOST_AUTO_TEST_CASE(captured_tensors_are_constants) {
  std::vector<Tensor> captured{Tensor{1.0, 2.0}, exp(Tensor{0.0, 0.0}), Tensor{5.0, 5.0}};
  captured[2].array();
  const auto step = compile([&](const Tensor& x) { return x * captured[0] + captured[1] + captured[2] * 2.0; });
  check_elements(step(Tensor{1.0, 1.0}), {2}, {12, 13});
  captured.assign(3, Tensor{100.0, 100.0});
  check_elements(step(Tensor{1.0, 1.0}), {2}, {12, 13});
}

BOOST_AUTO_TEST_CASE(captured_numbers_are_frozen) {
  double factor = 2;
  const auto step = compile([&](const Tensor& x) { return x * factor; });
  BOOST_TEST(step(Tensor(1.0)).item() == 2);
  factor = 3;
  BOOST_TEST(step(Tensor(1.0)).item() == 2);
  check_elements(step(Tensor{1.0}), {1}, {3});
}

BOOST_AUTO_TEST_CASE(a_result_may_be_an_argument_or_a_constant) {
  const Tensor constant = {7.0};
  const auto step = compile([&](const Tensor& x) { return std::tuple(x, constant, ones({2}), x); });
  const auto [a, b, c, d] = step(Tensor{1.0});
  check_elements(a, {1}, {1});
  check_elements(b, {1}, {7});
  check_elements(c, {2}, {1, 1});
  check_elements(d, {1}, {1});
  const auto again = step(Tensor{2.0});
  check_elements(std::get<0>(again), {1}, {2});
  check_elements(a, {1}, {1});
}

BOOST_AUTO_TEST_CASE(a_compiled_function_inside_another_is_inlined) {
  const Variable w(Tensor(1.0), "w");
  const auto inner = compile([&](const Tensor& x) {
    w.assign(w + x);
    return x * w;
  });
  const auto outer = compile([&](const Tensor& x) { return inner(x) + inner(x * 2.0); });
  BOOST_TEST(outer(Tensor(1.0)).item() == 10);  // 1 · 2 + 2 · 4
  BOOST_TEST(outer(Tensor(1.0)).item() == 19);  // 1 · 5 + 2 · 7
  BOOST_TEST(w.item() == 7);
  BOOST_TEST(inner.trace_count() == 0u);
  BOOST_TEST(outer.trace_count() == 1u);
}

BOOST_AUTO_TEST_CASE(a_variable_that_a_function_makes_and_drops_begins_anew_at_each_call) {
  const auto step = compile([](const Tensor& x) {
    const Variable sum_so_far(zeros_like(x), "sum so far");
    for (int i = 0; i < 3; ++i) {
      sum_so_far.assign(sum_so_far + x);
    }
    return sum_so_far * 1.0;
  });
  check_elements(step(Tensor{1.0, 2.0}), {2}, {3, 6});
  check_elements(step(Tensor{1.0, 2.0}), {2}, {3, 6});
}

BOOST_AUTO_TEST_CASE(a_variable_that_a_function_makes_and_keeps_goes_on) {
  std::vector<Variable> state;
  const auto step = compile([&](const Tensor& x) {
    if (state.empty()) {
      state.emplace_back(zeros_like(x), "state");
    }
    state[0].assign(state[0] + x);
    return state[0] * 10.0;
  });
  check_elements(step(Tensor{1.0}), {1}, {10});
  check_elements(step(Tensor{2.0}), {1}, {30});
  check_elements(state[0], {1}, {3});
}

BOOST_AUTO_TEST_CASE(the_plan_of_some_arguments_can_be_run_by_itself) {
  const Variable w(Tensor{1.0, 1.0}, "w");
  const auto step = compile([&](const Tensor& x) {
    w.assign(w * 2.0);
    return x + w;
  });
  const Plan plan = step.plan(Tensor{0.0, 0.0});
  BOOST_TEST(step.trace_count() == 1u);
  BOOST_TEST(w.value<double>()(0) == 1);  // asking for the plan runs nothing
  const std::vector<Array> results = plan.run(std::vector<Array>{Tensor{1.0, 2.0}.array()});
  check_elements(results.at(0), {2}, {3, 4});
  check_elements(w, {2}, {2, 2});
  check_throws<ValueError>([&] { plan.run({}); }, {"[plan] 0 arguments", "traced with 1"});
  check_throws<ShapeError>([&] { plan.run(std::vector<Array>{ones({3}).array()}); }, {"float32(3,)", "float64(2,)"});
  check_throws<DTypeError>([&] { plan.run(std::vector<Array>{ones({2}).array()}); }, {"float32(2,)", "float64(2,)"});
}

BOOST_AUTO_TEST_CASE(two_threads_run_one_compiled_function) {
  const auto step = compile([](const Tensor& x) { return sum(exp(x) * x); });
  std::array<int, 2> wrong{};
  const auto work = [&](std::size_t thread) {
    for (int call = 0; call < 200; ++call) {
      const Tensor x = full({4 + call % 3}, static_cast<double>(thread), DType::float64);
      const double expected = thread == 0 ? 0.0 : std::exp(1.0) * static_cast<double>(x.size());
      wrong[thread] += std::abs(step(x).item() - expected) > 1e-12 ? 1 : 0;
    }
  };
  std::thread other(work, 1);
  work(0);
  other.join();
  BOOST_TEST(wrong[0] == 0);
  BOOST_TEST(wrong[1] == 0);
  BOOST_TEST(step.trace_count() == 3u);
}

BOOST_AUTO_TEST_CASE(two_threads_trace_and_run_functions_of_their_own) {
  std::array<double, 2> last{};
  const auto work = [&](std::size_t thread) {
    const Variable w(Tensor(0.0), "w");
    for (int made = 0; made < 20; ++made) {
      const auto step = compile([&](const Tensor& x) {
        w.assign(w + x);
        return w * 1.0;
      });
      for (int call = 0; call < 10; ++call) {
        last[thread] = step(Tensor(static_cast<double>(thread + 1))).item();
      }
    }
  };
  std::thread other(work, 1);
  work(0);
  other.join();
  BOOST_TEST(last[0] == 200);
  BOOST_TEST(last[1] == 400);
}

BOOST_AUTO_TEST_CASE(a_function_has_an_outline) {
  const Variable w(ones({3}), "w");
  const auto outline_of_step = [&](double rate, const Tensor& x) {
    return compile([=](const Tensor& y) { w.assign(w - rate * y); }).outline(x);
  };
  const Outline outline = outline_of_step(0.5, ones({3}));
  BOOST_TEST_REQUIRE(outline.assigned.size() == 1u);
  BOOST_TEST(outline.assigned.front().same_as(w));
  w.assign(full({3}, 7));
  BOOST_TEST(outline_of_step(0.5, zeros({3})).hash ==
             outline.hash);  // neither what variables hold nor what arguments do
  BOOST_TEST(w.read().value<float>()(0) == 7);
  BOOST_TEST(outline_of_step(0.25, ones({3})).hash != outline.hash);
  BOOST_TEST(outline_of_step(0.5, ones({1})).hash != outline.hash);
  BOOST_TEST(compile([&](const Tensor& x) { return x + w; }).outline(ones({3})).assigned.empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
