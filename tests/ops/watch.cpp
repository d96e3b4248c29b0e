#include <cmath>
#include <limits>
#include <string>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "tests/printed.hpp"
#include "tests/testing.hpp"

/// \file
/// Looking at tensors, and stopping, while functions run.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(ops_watch)

namespace {

using debug::Show;
using testing::check_elements;
using testing::check_throws;
using testing::Printed;

const double infinite = std::numeric_limits<double>::infinity();

std::string line(int number) { return "watch.cpp:" + std::to_string(number); }

}  // namespace

BOOST_AUTO_TEST_CASE(watch_shows_a_tensor_and_gives_it_on) {
  Printed printed;
  const Tensor x = {1.0, 2.0, 3.0, 6.0};
  BOOST_TEST(sum(debug::watch(x, "x") * 2.0).item() == 24);
  BOOST_TEST(printed.take() == "x: float64(4,) from 1 to 6, mean 3, deviation 1.87083\n");
  debug::watch(x, "x", {.show = Show::range});
  BOOST_TEST(printed.take() == "x: float64(4,) from 1 to 6\n");
  debug::watch(x, "x", {.show = Show::values});
  BOOST_TEST(printed.take() == "x = { 1.,  2.,  3.,  6.}\n");
  debug::watch(Tensor{1.0, std::nan(""), infinite, 2.0}, "bad", {.show = Show::range});
  BOOST_TEST(printed.take() == "bad: float64(4,) from 1 to 2, 1 NaN, 1 infinite\n");
  debug::watch(Tensor(0.5F), "loss");
  BOOST_TEST(printed.take() == "loss: float32() 0.5\n");
  debug::watch(Tensor{true, false}, "flags", {.show = Show::range});
  BOOST_TEST(printed.take() == "flags: boolean(2,) from 0 to 1\n");
  debug::watch(zeros({0, 3}), "none");
  BOOST_TEST(printed.take() == "none: float32(0, 3) no elements\n");
  debug::watch(full({2}, 1e308, DType::float64) * Tensor{1.0, -1.0}, "huge");
  BOOST_TEST(printed.take().find("from -1e+308 to 1e+308, mean 0, deviation 1e+308") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(watch_works_in_compiled_functions_and_shows_cotangents) {
  Printed printed;
  const auto f = [](const Tensor& x) {
    const Tensor y = debug::watch(x * x, "y", {.show = Show::values, .gradient = true});
    return sum(3.0 * y);
  };
  const auto step = compile([&](const Tensor& x) {
    debug::print("begin");
    return grad(f)(x);
  });
  const Tensor x = {1.0, 2.0};
  for (int i = 0; i < 2; ++i) {
    check_elements(step(x), {2}, {6, 12});
    BOOST_TEST(printed.take() == "begin\ny = { 1.,  4.}\ngradient of y = { 3.,  3.}\n");
  }
  check_elements(grad(f)(x), {2}, {6, 12});
  BOOST_TEST(printed.take() == "y = { 1.,  4.}\ngradient of y = { 3.,  3.}\n");
  check_elements(jvp(f, {x}, {x}).second, {}, {30});
  BOOST_TEST(printed.take() == "y = { 1.,  4.}\n");
  check_elements(vmap([&](const Tensor& one) { return debug::watch(one, "one", {.show = Show::range}) * 2.0; })(x), {2},
                 {2, 4});
  BOOST_TEST(printed.take() == "one: float64(2,) from 1 to 2\n");
  const auto g = [](const Tensor& t) {
    return sum(square(debug::watch(t, "t", {.show = Show::values, .gradient = true})));
  };
  check_elements(vmap(grad(g))(Tensor{{1.0, 2.0}, {3.0, 4.0}}), {2, 2}, {2, 4, 6, 8});
  BOOST_TEST(printed.take() == "t = {{ 1.,  2.},\n { 3.,  4.}}\ngradient of t = {{ 2.,  4.},\n { 6.,  8.}}\n");
}

BOOST_AUTO_TEST_CASE(watch_in_loops_shows_each_step_and_each_cotangent) {
  Printed printed;
  const auto f = [](const Tensor& x) {
    return fori(
        3,
        [](const Tensor&, const Tensor& c) {
          return debug::watch(c, "c", {.show = Show::values, .gradient = true}) * 2.0;
        },
        x);
  };
  BOOST_TEST(compile(f)(1.0).item() == 8);
  BOOST_TEST(printed.take() == "c = 1\nc = 2\nc = 4\n");
  BOOST_TEST(compile([&](const Tensor& x) { return grad(f)(x); })(1.0).item() == 8);
  BOOST_TEST(printed.take() == "c = 1\nc = 2\nc = 4\ngradient of c = 2\ngradient of c = 4\ngradient of c = 8\n");
}

BOOST_AUTO_TEST_CASE(cotangents_are_shown_once_in_programs_of_all_kinds) {
  Printed printed;
  const auto body = [](const Tensor& y) {
    return sum(square(debug::watch(y, "y", {.show = Show::values, .gradient = true})));
  };
  const auto in_branch = [&](const Tensor& x) {
    return cond(
        sum(x) > 0.0, [&](const Tensor& y) { return body(y); }, [](const Tensor& y) { return sum(y); }, x);
  };
  const auto in_checkpoint = [&](const Tensor& x) { return checkpoint(body)(x); };
  const auto inner = compile(body);
  const auto in_compiled = [&](const Tensor& x) { return inner(x); };
  const Tensor x = {1.0, 2.0};
  const auto check = [&](const auto& f) {
    check_elements(grad(f)(x), {2}, {2, 4});
    BOOST_TEST(printed.take() == "y = { 1.,  2.}\ngradient of y = { 2.,  4.}\n");
    check_elements(compile([&](const Tensor& t) { return grad(f)(t); })(x), {2}, {2, 4});
    BOOST_TEST(printed.take() == "y = { 1.,  2.}\ngradient of y = { 2.,  4.}\n");
  };
  check(in_branch);
  check(in_checkpoint);
  check(in_compiled);
  check_elements(grad([&](const Tensor& t) { return sum(grad(body)(t)); })(x), {2}, {2, 2});
  BOOST_TEST(printed.take() == "y = { 1.,  2.}\ngradient of y = { 2.,  4.}\ngradient of y = { 2.,  2.}\n");
}

BOOST_AUTO_TEST_CASE(break_if_throws_before_anything_is_written) {
  const Variable w(Tensor{1.0, 2.0}, "w");
  int at = 0;
  const auto step = compile([&](const Tensor& x) {
    w.assign(w + x);
    at = __LINE__ + 1;
    debug::break_if(x > 10.0, "x is {}, its sum {:.1f}", x, sum(x));
    return sum(w.read());
  });
  BOOST_TEST(step(Tensor{1.0, 1.0}).item() == 5);
  step(Tensor{1.0, 1.0});  // in place by now
  for (int i = 0; i < 2; ++i) {
    check_throws<debug::BreakError>(
        [&] {
          step(Tensor{1.0, 20.5});
        },
        {"[break_if] x is {  1. ,  20.5}, its sum 21.5 (element (1,) of boolean(2,))", line(at)});
    check_elements(w, {2}, {3, 4});
  }
  debug::break_if(Tensor{false, false}, "never");
  check_throws<debug::BreakError>([] { debug::break_if(Tensor(true), "at once"); },
                                  {"[break_if] at once; ", "watch.cpp:"});
  check_throws<DTypeError>([] { debug::break_if(Tensor(1.0), "no"); },
                           {"[break_if] the predicate is float64()", "compare it"});
  check_throws<ValueError>([] { debug::break_if(Tensor(true), "{} {}", Tensor(1.0)); },
                           {"[break_if] ", "2 places for 1"});
}

BOOST_AUTO_TEST_CASE(break_if_in_loops_gradients_and_vmap) {
  const auto f = [](const Tensor& x) {
    return fori(
        5,
        [](const Tensor& i, const Tensor& c) {
          debug::break_if(c > 100.0, "c = {} in step {}", c, i);
          return c * c;
        },
        x);
  };
  BOOST_TEST(compile(f)(1.0).item() == 1);
  check_throws<debug::BreakError>([&] { compile(f)(2.0); }, {"c = 256 in step 3", "watch.cpp:"});
  BOOST_TEST(compile([&](const Tensor& x) { return grad(f)(x); })(1.0).item() == 32);
  check_throws<debug::BreakError>([&] { compile([&](const Tensor& x) { return grad(f)(x); })(2.0); },
                                  {"c = 256 in step 3"});
  const auto sample = [](const Tensor& x) {
    debug::break_if(x < 0.0, "negative {}", x);
    return sqrt(x);
  };
  check_elements(vmap(sample)(Tensor{4.0, 9.0}), {2}, {2, 3});
  check_throws<debug::BreakError>(
      [&] {
        vmap(sample)(Tensor{4.0, -9.0});
      },
      {"negative { 4., -9.} (element (1,) of boolean(2,))"});
  check_throws<debug::BreakError>(
      [&] {
        compile([&](const Tensor& x) { return vmap(sample)(x); })(Tensor{4.0, -9.0});
      },
      {"negative { 4., -9.}", "watch.cpp:"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
