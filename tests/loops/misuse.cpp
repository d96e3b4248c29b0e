#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "tests/testing.hpp"

/// \file
/// What goes wrong in loops and branches, and what is said about it.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(loops_misuse)

namespace {

using testing::check_throws;

const Tensor three = xt::xarray<double>{1, 2, 3};

Tensor same(const Tensor& c, const Tensor&) { return c; }

}  // namespace

BOOST_AUTO_TEST_CASE(a_carry_that_changes_its_shape) {
  check_throws<ShapeError>(
      [] {
        scan([](const Tensor& c, const Tensor&) { return concatenate({c, c}); }, three, 4);
      },
      {"[scan]", "carry 0 is float64(3,) before a step and float64(6,) after it", "misuse.cpp"});
  check_throws<ShapeError>(
      [] {
        fori(
            4,
            [](const Tensor&, const Tensors& c) {
              return Tensors{c[0], sum(c[1])};
            },
            Tensors{three, three});
      },
      {"[fori]", "carry 1 is float64(3,) before a step and float64()"});
}

BOOST_AUTO_TEST_CASE(a_carry_that_changes_its_dtype) {
  check_throws<DTypeError>(
      [] {
        scan([](const Tensor& c, const Tensor& i) { return cast(c, DType::float64) + cast(i, DType::float64); }, 0.5,
             4);
      },
      {"[scan]", "carry 0 is float32() before a step and float64() after it", "cast what the step gives to float32"});
  check_throws<DTypeError>(
      [] { while_loop([](const Tensor& c) { return sum(c) < 9; }, [](const Tensor& c) { return c > 0; }, three); },
      {"[while_loop]", "float64(3,) before a step and boolean(3,)"});
}

BOOST_AUTO_TEST_CASE(a_list_of_carries_that_changes_its_length) {
  check_throws<ValueError>(
      [] {
        scan([](const Tensors& c, const Tensor&) { return Tensors{c[0]}; }, Tensors{three, three}, 4);
      },
      {"[scan]", "given 2 carries and returns 1"});
}

BOOST_AUTO_TEST_CASE(slices_that_do_not_fit) {
  const auto step = [](const Tensor& c, const Tensors&) { return c; };
  check_throws<ShapeError>(
      [&] {
        scan(step, three, Tensors{ones({4, 2}), ones({5})});
      },
      {"[scan]", "4 slices in a tensor of shape (4, 2) and 5 in one of shape (5,)"});
  check_throws<ShapeError>([&] { scan(step, three, Tensors{ones({})}); }, {"[scan]", "shape (), which has no slices"});
  check_throws<ValueError>([&] { scan(step, three, Tensors{}); }, {"[scan]", "there are no slices"});
}

BOOST_AUTO_TEST_CASE(numbers_that_make_no_sense) {
  check_throws<ValueError>([] { scan(same, three, -1); }, {"[scan]", "the number of steps is -1"});
  check_throws<ValueError>(
      [] {
        fori(
            -2, [](const Tensor&, const Tensor& c) { return c; }, three);
      },
      {"[fori]", "-2"});
  check_throws<ValueError>(
      [] {
        while_loop([](const Tensor& c) { return sum(c) < 9; }, [](const Tensor& c) { return c + 1; }, three,
                   {.max_steps = -3});
      },
      {"[while_loop]", "max_steps is -3"});
  check_throws<ValueError>([] { scan([](const Tensors& c, const Tensor&) { return c; }, Tensors{}, 3); },
                           {"[scan]", "there is no carry"});
  check_throws<ValueError>([] { scan(same, three, 100, {.memory = -1}); }, {"[scan]", "memory is -1 bytes"});
}

BOOST_AUTO_TEST_CASE(a_condition_that_is_no_truth_value) {
  const auto step = [](const Tensor& c) { return c + 1; };
  check_throws<ShapeError>([&] { while_loop([](const Tensor& c) { return c < 9; }, step, three); },
                           {"[while_loop]", "the condition is boolean(3,)", "any() or all()", "misuse.cpp"});
  check_throws<DTypeError>([&] { while_loop([](const Tensor& c) { return sum(c); }, step, three); },
                           {"[while_loop]", "the condition is float64()", "x > 0"});
  check_throws<ShapeError>([&] { cond(three > 0, step, step, three); }, {"[cond]", "boolean(3,)", "where()"});
  check_throws<DTypeError>([&] { cond(sum(three), step, step, three); }, {"[cond]", "the predicate is float64()"});
}

BOOST_AUTO_TEST_CASE(branches_that_differ) {
  const Tensor yes = sum(three) > 0;
  check_throws<ShapeError>(
      [&] {
        cond(
            yes, [](const Tensor& x) { return x; }, [](const Tensor& x) { return sum(x); }, three);
      },
      {"[cond]", "result 0 is float64(3,) in the first branch and float64() in the second", "misuse.cpp"});
  check_throws<DTypeError>(
      [&] {
        cond(
            yes, [](const Tensor& x) { return x; }, [](const Tensor& x) { return x > 0; }, three);
      },
      {"[cond]", "float64(3,) in the first branch and boolean(3,)"});
  check_throws<ValueError>(
      [&] {
        cond(
            yes, [](const Tensor& x) { return Tensors{x}; },
            [](const Tensor& x) {
              return Tensors{x, x};
            },
            three);
      },
      {"[cond]", "1 and 2 tensors"});
}

BOOST_AUTO_TEST_CASE(reading_an_element_inside) {
  check_throws<ValueError>([] { scan([](const Tensor& c, const Tensor&) { return c * c.item(); }, 1.0, 3); },
                           {"[scan]", "stands for values that are given later"});
  check_throws<ValueError>([] { scan([](const Tensor&, const Tensor&) { return Tensor(); }, 1.0, 3); },
                           {"[scan]", "returned an empty tensor"});
}

BOOST_AUTO_TEST_CASE(assigning_a_variable_inside) {
  const Variable v(three, "counter");
  const auto step = [&](const Tensor& c, const Tensor&) {
    v.assign(c);
    return c;
  };
  check_throws<ValueError>([&] { scan(step, three, 3); },
                           {"[scan]", "variable 'counter' is assigned", "assign it outside"});
  const auto compiled = compile([&](const Tensor& x) { return scan(step, x, 3); });
  check_throws<ValueError>([&] { compiled(three); }, {"[scan]", "'counter'"});
  const auto assigns = compile([&](const Tensor& x) {
    v.assign(x);
    return x * 2;
  });
  check_throws<ValueError>([&] { scan([&](const Tensor& c, const Tensor&) { return assigns(c); }, three, 3); },
                           {"'counter'"});
  check_throws<ValueError>(
      [&] {
        cond(
            sum(three) > 0,
            [&](const Tensor& x) {
              v.assign(x);
              return x;
            },
            [](const Tensor& x) { return x; }, three);
      },
      {"[cond]", "'counter'"});
  testing::check_elements(v, {3}, {1, 2, 3});
}

BOOST_AUTO_TEST_CASE(a_gradient_through_a_while_without_a_limit) {
  const auto f = [](const Tensor& x) {
    return while_loop([](const Tensor& c) { return c < 100; }, [](const Tensor& c) { return c * 2; }, x).carry;
  };
  check_throws<GradientError>([&] { grad(f)(3.0); }, {"[while_loop]", "max_steps", "jvp", "misuse.cpp"});
  BOOST_TEST(jvp(f, {Tensor(3.0)}, {Tensor(1.0)}).second.item() == 64);
}

BOOST_AUTO_TEST_CASE(too_little_memory_says_how_much_it_takes) {
  const auto step = [](const Tensor& c, const Tensor&) { return sin(c); };
  check_throws<ValueError>([&] { scan(step, three, 1'000'000, {.memory = 100}); },
                           {"[scan]", "100 bytes are too few", "give "});
}

// An index that is out of range in some step: the line of the body, and the step.
BOOST_AUTO_TEST_CASE(an_error_in_a_step) {
  const Variable v(zeros({}, DType::float64), "v");
  const auto f = compile([&](const Tensor& x) {
    const Tensor last = scan([&](const Tensor& c, const Tensor& i) { return c + take(x, i); }, sum(x) * 0, 5);
    v.assign(last);
    return last;
  });
  check_throws<ValueError>([&] { f(three); }, {"3", "misuse.cpp", "in step 3 of a loop"});
  BOOST_TEST(v.read().item() == 0);
  check_throws<ValueError>(
      [&] {
        scan([&](const Tensor& c, const Tensor& i) { return c + take(three, i); }, zeros({}, DType::float64), 40)
            .item();
      },
      {"misuse.cpp", "of a loop"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
