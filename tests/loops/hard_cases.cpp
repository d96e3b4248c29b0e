#include <cmath>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "tests/testing.hpp"

/// \file
/// Loops and branches in hard cases, against closed forms.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(loops_hard_cases)

namespace {

using testing::check_elements;
using testing::check_throws;

constexpr DType f64 = DType::float64;

const Tensor three = xt::xarray<double>{1, 2, 3};

// The square root of a by Newton's method, until it does not change any more.
WhileResult<Tensor> newton(const Tensor& a) {
  return while_loop([&](const Tensor& x) { return abs(x * x - a) > 1e-13 * a; },
                    [&](const Tensor& x) { return 0.5 * (x + a / x); }, ones({}, f64), {.max_steps = 60});
}

}  // namespace

BOOST_AUTO_TEST_CASE(structures_of_carries_slices_and_results) {
  using Pair = std::pair<Tensor, Tensors>;
  const auto [last, results] = scan(
      [](const Pair& c, const std::array<Tensor, 2>& x) {
        return std::pair(Pair{c.first + x[0], Tensors{c.second[0] * x[1]}}, std::tuple(x[0], Tensors{x[1], c.first}));
      },
      Pair{0.0, {1.0}}, std::array{Tensor{1.0, 2.0, 3.0}, Tensor{4.0, 5.0, 6.0}});
  check_elements(last.first, {}, {6});
  check_elements(last.second[0], {}, {120});
  check_elements(std::get<0>(results), {3}, {1, 2, 3});
  check_elements(std::get<1>(results)[0], {3}, {4, 5, 6});
  check_elements(std::get<1>(results)[1], {3}, {0, 1, 3});
}

BOOST_AUTO_TEST_CASE(results_of_a_loop_backwards_stay_with_their_slices) {
  const auto [last, sums] = scan([](const Tensor& c, const Tensor& x) { return std::pair(c + x, c + x); },
                                 zeros({}, f64), three, {.reverse = true});
  check_elements(last, {}, {6});
  check_elements(sums, {3}, {6, 5, 3});
}

BOOST_AUTO_TEST_CASE(what_a_while_gives_beside_its_carry) {
  const auto doubled = [](std::int64_t most) {
    return while_loop([](const Tensor& c) { return c < 100.0; }, [](const Tensor& c) { return 2.0 * c; }, 3.0,
                      {.max_steps = most});
  };
  check_elements(doubled(50).carry, {}, {192});
  check_elements(doubled(50).steps, {}, {6});
  BOOST_TEST(doubled(50).finished.item<bool>());
  check_elements(doubled(4).carry, {}, {48});
  check_elements(doubled(4).steps, {}, {4});
  BOOST_TEST(!doubled(4).finished.item<bool>());
  check_elements(doubled(0).carry, {}, {3});
  check_elements(doubled(0).steps, {}, {0});
}

BOOST_AUTO_TEST_CASE(derivatives_through_a_solver_with_step_control) {
  const auto root = [](const Tensor& a) { return newton(a).carry; };
  const Tensor a = 7.0;
  const double r = std::sqrt(7.0);
  BOOST_TEST(root(a).item() == r, boost::test_tools::tolerance(1e-14));
  BOOST_TEST(grad(root)(a).item() == 0.5 / r, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(grad(grad(root))(a).item() == -0.25 / (r * r * r), boost::test_tools::tolerance(1e-10));
  BOOST_TEST(grad(grad(grad(root)))(a).item() == 0.375 / std::pow(r, 5), boost::test_tools::tolerance(1e-8));
}

BOOST_AUTO_TEST_CASE(samples_that_stop_at_different_times) {
  const Tensor a = xt::xarray<double>{3, 2, 900, 1e-4};
  const auto solve = [](const Tensor& x) {
    const auto found = newton(x);
    return std::pair(found.carry, found.steps);
  };
  const auto [roots, steps] = vmap(solve)(a);
  check_elements(roots, {4}, {std::sqrt(3.0), std::sqrt(2.0), 30, 0.01}, 1e-13);
  for (std::int64_t i = 0; i < 4; ++i) {
    BOOST_TEST(steps[i].item<int>() == solve(a[i]).second.item<int>());
  }
  check_elements(vmap(grad([](const Tensor& x) { return newton(x).carry; }))(a), {4},
                 {0.5 / std::sqrt(3.0), 0.5 / std::sqrt(2.0), 0.5 / 30, 50}, 1e-10);
}

// Steps behind the end of a sample would divide by 0: they do not happen to it.
BOOST_AUTO_TEST_CASE(a_finished_sample_meets_no_infinity) {
  const auto f = [](const Tensor& x) {
    return while_loop([](const Tensor& c) { return c > 0.0; },
                      [](const Tensor& c) { return c - 1.0 / sqrt(c) * sqrt(c); }, x, {.max_steps = 10})
        .carry;
  };
  const Tensor x = xt::xarray<double>{1, 4, 2};
  check_elements(vmap(f)(x), {3}, {0, 0, 0}, 1e-12);
  check_elements(vmap(grad(f))(x), {3}, {1, 1, 1}, 1e-12);
  check_elements(grad([&](const Tensor& y) { return sum(vmap(f)(y)); })(x), {3}, {1, 1, 1}, 1e-12);
}

BOOST_AUTO_TEST_CASE(a_branch_that_is_not_taken_has_no_part_in_derivatives) {
  const auto f = [](const Tensor& x) {
    return cond(
        x > 0.0,
        [](const Tensor& y) {
          return sum(sqrt(stack({y, y})));
        },
        [](const Tensor& y) {
          return sum(stack({y, y}) * 3.0);
        },
        x);
  };
  const Tensor x = xt::xarray<double>{4, 0, -1};
  check_elements(vmap(f)(x), {3}, {4, 0, -6});
  check_elements(vmap(grad(f))(x), {3}, {0.5, 6, 6});
  check_elements(grad([&](const Tensor& y) { return sum(vmap(f)(y)); })(x), {3}, {0.5, 6, 6});
  check_elements(vmap(grad(grad(f)))(x), {3}, {-0.0625, 0, 0});
  check_elements(jvp([&](const Tensor& y) { return vmap(f)(y); }, {x}, {ones_like(x)}).second, {3}, {0.5, 6, 6});
}

BOOST_AUTO_TEST_CASE(only_one_branch_runs) {
  const auto f = [](const Tensor& x, const Tensor& i) {
    return cond(
        sum(x) > 0, [&](const Tensor& y) { return take(y, i); }, [](const Tensor& y) { return sum(y); }, x);
  };
  BOOST_TEST(f(-three, 7).item() == -6);
  check_throws<ValueError>([&] { f(three, 7).item(); }, {"7", "hard_cases.cpp"});
  const auto compiled = compile(f);
  BOOST_TEST(compiled(-three, 7).item() == -6);
  BOOST_TEST(compiled(three, 1).item() == 2);
}

BOOST_AUTO_TEST_CASE(branches_without_operands_and_with_numbers) {
  const Variable w(three, "w");
  const auto f = [&](const Tensor& p) {
    return cond(
        p, [&] { return sum(w * 2.0); }, [&] { return sum(w); });
  };
  BOOST_TEST(f(Tensor(true)).item() == 12);
  BOOST_TEST(cond(
                 false, [] { return Tensor(1); }, [] { return Tensor(2); })
                 .item() == 2);
  BOOST_TEST(f(Tensor(false)).item() == 6);
  check_elements(grad(f(Tensor(true)), w), {3}, {2, 2, 2});
}

BOOST_AUTO_TEST_CASE(captured_variables_have_gradients) {
  const Variable w(xt::xarray<double>{0.5, 0.25, 2}, "w");
  const auto loss = [&] {
    return sum(fori(
        3, [&](const Tensor&, const Tensor& c) { return c * w; }, ones({3}, f64)));
  };
  check_elements(grad(loss(), w), {3}, {0.75, 0.1875, 12});
  const auto step = compile([&] {
    const Tensor l = loss();
    w.assign(w - 0.1 * grad(l, w));
    return l;
  });
  BOOST_TEST(step().item() == 0.125 + 1.0 / 64 + 8);
  check_elements(w, {3}, {0.425, 0.23125, 0.8}, 1e-15);
}

BOOST_AUTO_TEST_CASE(per_sample_gradients_of_a_recurrent_cell) {
  const Tensor xs = testing::random_tensor({6, 5, 3});
  const Tensor w = testing::random_tensor({3, 3}, -1, 1, 2);
  const auto loss = [&](const Tensor& weight, const Tensor& x) {
    return sum(square(
        scan([&](const Tensor& h, const Tensor& s) { return tanh(matmul(h, weight) + s); }, zeros({3}, f64), x)));
  };
  const Tensor all = vmap(grad(loss), {unmapped, 0})(w, xs);
  for (std::int64_t i = 0; i < 6; ++i) {
    BOOST_TEST(allclose(all[i], grad(loss)(w, xs[i]), 1e-10, 1e-12));
  }
}

BOOST_AUTO_TEST_CASE(empty_batches_and_empty_carries) {
  const auto f = [](const Tensor& h, const Tensor& w, const Tensor& xs) {
    return sum(scan([&](const Tensor& c, const Tensor& x) { return tanh(matmul(c, w) + x); }, h, xs));
  };
  const Tensor w = testing::random_tensor({3, 3});
  const Tensor h = zeros({0, 3}, f64);
  const Tensor xs = zeros({4, 0, 3}, f64);
  check_elements(f(h, w, xs), {}, {0});
  check_elements(grad(f, 1)(h, w, xs), {3, 3}, std::vector<double>(9, 0));
  const auto root = [](const Tensor& a) { return newton(a).carry; };
  check_elements(vmap(root)(zeros({0}, f64)), {0}, {});
  check_elements(vmap(grad(root))(zeros({0}, f64)), {0}, {});
}

// A key that depends on neither the carry nor the index gives the same numbers in every step.
BOOST_AUTO_TEST_CASE(random_numbers_in_a_loop) {
  const random::Key key(3);
  const auto [a, same] =
      scan([&](const Tensor& c, const Tensor&) { return std::pair(c, random::uniform(key, {2})); }, 0.0, 3);
  BOOST_TEST(allclose(same[0], same[1]));
  const auto [b, different] =
      scan([&](const Tensor& c, const Tensor& i) { return std::pair(c, random::uniform(key.fold(i), {2})); }, 0.0, 3);
  BOOST_TEST(!allclose(different[0], different[1]));
}

// What they print belongs to the loop or branch, whosever operands they are given.
BOOST_AUTO_TEST_CASE(functions_are_called_once) {
  int conditions = 0;
  int calls = 0;
  const auto found = while_loop(
      [&](const Tensor& c) {
        ++conditions;
        return c < 10.0;
      },
      [&](const Tensor& c) {
        ++calls;
        return c + 1.0;
      },
      0.0, {.max_steps = 20});
  BOOST_TEST(found.carry.item() == 10);
  BOOST_TEST(conditions == 1);
  BOOST_TEST(calls == 1);
  const Variable v(zeros({}), "v");
  check_throws<ValueError>(
      [&] {
        while_loop(
            [&](const Tensor& c) {
              v.assign(c);
              return c < 10.0;
            },
            [](const Tensor& c) { return c + 1.0; }, 5.0);
      },
      {"[while_loop]", "'v'"});
  BOOST_TEST(v.read().item() == 0);
}

// What could throw is not computed where no step runs, though it is the same in all of them.
BOOST_AUTO_TEST_CASE(a_loop_that_does_not_run_cannot_fail) {
  const Tensor i = 7;
  const auto f = [&](const Tensor& x) {
    return while_loop([](const Tensor& c) { return c < 0.0; }, [&](const Tensor& c) { return c + take(three, i); }, x)
        .carry;
  };
  BOOST_TEST(f(1.0).item() == 1);
  BOOST_TEST(compile(f)(Tensor(1.0)).item() == 1);
  check_throws<ValueError>([&] { f(-1.0).item(); }, {"7"});
  BOOST_TEST(fori(
                 0, [&](const Tensor&, const Tensor& c) { return c + take(three, i); }, zeros({}, f64))
                 .item() == 0);
}

BOOST_AUTO_TEST_CASE(a_limit_of_steps_that_nobody_has_memory_for) {
  const auto f = [](const Tensor& x) {
    return while_loop([](const Tensor& c) { return sum(c) < 10.0; }, [](const Tensor& c) { return c + 1.0; }, x,
                      {.max_steps = std::int64_t{1} << 60})
        .carry;
  };
  check_elements(f(zeros({2}, f64)), {2}, {5, 5});
}

BOOST_AUTO_TEST_CASE(a_loop_prints_as_one_operation) {
  const Tensor last = fori(
      1000, [](const Tensor&, const Tensor& c) { return sin(c) * 2; }, three);
  const std::string text = print_graph(last);
  BOOST_TEST(text.find("steps=1000") != std::string::npos);
  BOOST_TEST(text.find("hard_cases.cpp") != std::string::npos);
  BOOST_TEST(text.find("float64(1000") == std::string::npos);
  const auto f = compile([](const Tensor& x) {
    return fori(
        1000, [](const Tensor&, const Tensor& c) { return sin(c) * 2; }, x);
  });
  const std::string plan = f.plan(three).text();
  BOOST_TEST(plan.find("1000 times") != std::string::npos);
  BOOST_TEST(plan.find("sin") != std::string::npos);
}

// Tracing, planning and memory do not depend on the number of steps; a step allocates nothing.
BOOST_AUTO_TEST_CASE(a_long_loop_takes_no_more_memory_than_a_short_one) {
  const auto peak = [](std::int64_t steps) {
    return compile([&](const Tensor& x) {
             return fori(
                 steps, [](const Tensor&, const Tensor& c) { return sin(c); }, x);
           })
        .plan(three)
        .peak_bytes();
  };
  BOOST_TEST(peak(100) == peak(1'000'000));
}

BOOST_AUTO_TEST_CASE(little_memory_for_a_gradient_of_many_steps) {
  const auto gradient = [](std::int64_t memory) {
    return compile([memory](const Tensor& x) {
      return grad([memory](const Tensor& y) {
        return sum(
            scan([](const Tensor& c, const Tensor&) { return c + 0.01 * sin(c); }, y, 10'000, {.memory = memory}));
      })(x);
    });
  };
  const auto all = gradient(ScanOptions().memory);
  const auto little = gradient(10'000);
  BOOST_TEST(all.plan(three).peak_bytes() > 200'000);
  BOOST_TEST(little.plan(three).peak_bytes() < 40'000);
  BOOST_TEST(allclose(all(three), little(three), 1e-12, 0));
}

BOOST_AUTO_TEST_CASE(central_differences_agree) {
  const auto f = [](const Tensors& in) {
    const auto step = [&](const Tensor& c, const Tensor& i) {
      return cond(
          remainder(i, 2) == 0, [](const Tensor& d) { return sin(d) * 1.5; }, [](const Tensor& d) { return d * d; }, c);
    };
    return sum(scan(step, in[0], 6));
  };
  BOOST_CHECK_NO_THROW(check_grads(f, {three * 0.3}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
