#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <xtensor/xview.hpp>

#include "autograd/autograd.hpp"
#include "tests/printed.hpp"
#include "tests/provenance/story.hpp"
#include "tests/testing.hpp"

/// \file
/// Where numbers that are not finite come from, through all that graphs are made of.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(provenance_stories)

namespace {

using testing::check_elements;
using testing::check_parts;
using testing::check_story;
using testing::elements;
using testing::error_of;
using testing::Printed;

const double infinite = std::numeric_limits<double>::infinity();

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string line(int number) { return "stories.cpp:" + std::to_string(number); }

}  // namespace

BOOST_AUTO_TEST_CASE(a_tensor_without_a_plan_is_explained) {
  BOOST_TEST(debug::explain_not_finite(Tensor{1.0, 2.0}).empty());
  const Tensor x = {1.0, 4.0, 0.0};
  const Tensor y = log(x);
  const int at = __LINE__ - 1;
  y.array();  // known now, but its history is there
  const Tensor z = sum(y * 2.0);
  z.array();
  const std::string text = debug::explain_not_finite(z);
  BOOST_TEST(holds(text, "born in [log] at "), text);
  BOOST_TEST(holds(text, line(at) + ": log(0) is -inf, element (2,) of float64(3,)"), text);
  BOOST_TEST(holds(debug::explain_not_finite(x / 0.0), "1 / 0 is inf"));
  BOOST_TEST(holds(debug::explain_not_finite(Tensor{1.0, infinite}), "not finite to begin with: a constant"));
  check_story<NotFiniteError>([&] { (debug::require_finite(y, "y") + 1.0).array(); },
                              [&] {
                                return std::vector<std::string>{"[require_finite] y is not finite: float64(3,)",
                                                                "born in [log]", "log(0) is -inf"};
                              });
  check_elements(debug::require_finite(x, "x"), {3}, {1, 4, 0});
  check_elements(grad([](const Tensor& t) { return sum(square(debug::require_finite(t))); })(x), {3}, {2, 8, 0});
  check_elements(vmap([](const Tensor& t) { return debug::require_finite(t) * 2.0; })(x), {3}, {2, 8, 0});
}

BOOST_AUTO_TEST_CASE(bfloat16_is_looked_at) {
  const auto narrow = [](const Tensor& t) { return cast(t, DType::bfloat16); };
  const Tensor x = {1.0F, 2.0F, 3.4e38F};  // the last one is nearer to 2¹²⁸ than to any number of bfloat16
  const Tensor good = {1.0F, 2.0F, 3e38F};
  const std::string text = debug::explain_not_finite(narrow(x));
  check_parts(text, {"born in [cast]", "it gives inf of finite numbers", "element (2,) of bfloat16(3,)"});
  const auto moved = [&](const Tensor& t) { return debug::require_finite(flip(narrow(t)), "the stored"); };
  check_elements(moved(good), {3}, elements(flip(narrow(good))));
  check_parts(error_of<NotFiniteError>([&] { moved(x).array(); }),
              {"[require_finite] the stored is not finite: bfloat16(3,) from 1 to 2, 1 infinite", "born in [cast]"});
  check_parts(error_of<NotFiniteError>([&] { compile(moved)(x).array(); }), {"the stored is not finite", "[cast]"});
  check_parts(debug::explain_not_finite(cast(flip(narrow(Tensor{std::nanf(""), 1.0F})), DType::float32)),
              {"not finite to begin with"});
  const auto checked = compile(narrow, {.plan = {.check_finite = true, .verify = true}});
  check_elements(checked(good), {3}, elements(narrow(good)));
  testing::check_throws<ValueError>([&] { checked(x); }, {"[cast]", "NaN or infinite"});
}

// The first argument has another number of rows, which bring nothing about.
BOOST_AUTO_TEST_CASE(rows_are_those_of_any_argument) {
  const auto f =
      compile([](const Tensor& c, const Tensor& x) { return debug::require_finite(sum(log(sum(x * c, 1)))); },
              {.argument_names = {"c", "x"}});
  xt::xarray<double> x = xt::ones<double>({64, 10});
  xt::view(x, 37, xt::all()) = 0;
  const std::string text = error_of<NotFiniteError>([&] { f(ones({10}, DType::float64), Tensor(x)); });
  BOOST_TEST(holds(text, "row 37 of x brings it about"), text);
}

BOOST_AUTO_TEST_CASE(the_way_back_goes_through_operations_that_move_elements) {
  const Tensor x = xt::xarray<double>{{1, 2, 3}, {4, 0, 6}};
  const Tensor y = log(x);
  const std::vector<Tensor> ways = {
      transpose(y),
      y[range(1)] * 2.0,
      concatenate({x, y}),
      matmul(y, ones({3, 2}, DType::float64)),
      matmul(ones({5, 2}, DType::float64), y),
      sum(y, 0),
      mean(broadcast_to(reshape(y, {2, 3, 1}), {2, 3, 4})),
      softmax(y * -1.0, 1),
      take(y, Tensor{std::int64_t{1}}, 0),
      cumsum(y, 1),
      amin(y),
  };
  for (const Tensor& way : ways) {
    const std::string text = debug::explain_not_finite(way);
    BOOST_TEST(holds(text, "log(0) is -inf, element (1, 1) of float64(2, 3)"), way.node().name() << '\n' << text);
  }
}

BOOST_AUTO_TEST_CASE(infinities_that_are_meant_are_not_to_blame) {
  int at = 0;
  const auto masked = compile([&](const Tensor& scores, const Tensor& mask) {
    const Tensor kept = where(mask, scores, -infinite);
    const Tensor weights = softmax(kept, 1);
    at = __LINE__ + 1;
    return debug::require_finite(sum(log(weights[0])), "the loss");
  });
  const Tensor scores = xt::xarray<double>{{800, 0}, {1, 2}};
  const Tensor mask = xt::xarray<bool>{{true, true}, {true, false}};
  check_story<NotFiniteError>(
      [&] { masked(scores, mask); },
      [&] {
        return std::vector<std::string>{"born in [log] at ", line(at), "log(0) is -inf", "behind it: [slice] at "};
      });
  const auto lost = compile([&](const Tensor& x) {
    const Tensor least = full({3}, -infinite, DType::float64);
    at = __LINE__ + 1;
    return debug::require_finite(sum(x - least + least), "the sum");
  });
  check_story<NotFiniteError>(
      [&] {
        lost(Tensor{1.0, 2.0, 3.0});
      },
      [&] {
        return std::vector<std::string>{"born in [add] at ", line(at), "inf + (-inf) is nan"};
      });
}

BOOST_AUTO_TEST_CASE(infinities_in_formulas) {
  const Formula lost([](Scalar a) { return where(a > 0, -infinite, a) * 2; }, "lost");
  const std::string text = debug::explain_not_finite(sum(map(lost, {Tensor{-1.0, 1.0}})));
  check_parts(text, {"not finite to begin with: a constant of [lost] at ", "is -inf, element (1,) of float64(2,)",
                     "formula: (a) -> ", "operand a: 1, of float64(2,) from -1 to 1"});
  // What is not chosen is not to blame.
  const Formula chosen([](Scalar a, Scalar b) { return where(a > 0, log(a), b / a); }, "chosen");
  check_parts(debug::explain_not_finite(map(chosen, {Tensor{1.0, 0.0}, Tensor{3.0, 2.0}})),
              {"born in [chosen]", "2 / 0 is inf, element (1,)", "division by 0"});
}

BOOST_AUTO_TEST_CASE(checks_of_every_result_tell_the_same) {
  const auto f = compile(
      [](const Tensor& x) {
        const Tensor low = x - 1.0;
        return sum(map([](Scalar a) { return 2 * log(a * 3) + a; }, low));
      },
      {.plan = {.check_finite = true}, .argument_names = {"x"}});
  const int at = __LINE__ - 3;
  check_parts(error_of<ValueError>([&] {
                f(Tensor{2.0, 1.0});
              }),
              {"[map] NaN or infinite: log(0) is -inf, element (1,) of float64(2,)", line(at),
               "formula: (a) -> 2 * log(a * 3) + a", "operand a: 0, of float64(2,) from 0 to 1",
               "behind it: [subtract] at ", "behind that: x, from 1 to 2", "row 1 of x brings it about"});
}

BOOST_AUTO_TEST_CASE(programs_inside_are_looked_into) {
  int at = 0;
  const auto inner = compile(
      [&](const Tensor& x) {
        at = __LINE__ + 1;
        return log(x) * 2.0;
      },
      {.name = "inner"});
  const auto outer = compile([&](const Tensor& x) { return debug::require_finite(sum(inner(x * 2.0)), "the sum"); });
  check_story<NotFiniteError>(
      [&] {
        outer(Tensor{1.0, 0.0});
      },
      [&] {
        return std::vector<std::string>{"born in [log] at ", line(at), "log(0) is -inf", "behind it: [multiply] at "};
      });
  const auto again = compile([&](const Tensor& x) {
    return debug::require_finite(grad([&](const Tensor& y) {
                                   return sum(checkpoint([&](const Tensor& z) {
                                     at = __LINE__ + 1;
                                     return sqrt(z) * z;
                                   })(y));
                                 })(x),
                                 "the gradient");
  });
  check_story<NotFiniteError>(
      [&] {
        again(Tensor{1.0, 0.0});
      },
      [&] {
        return std::vector<std::string>{"in the gradient of [sqrt] at ", line(at), "inside [", "0 / 0 is nan"};
      });
  // The tensor that has to be finite stands inside, and what is wrong comes from outside.
  const auto guarded = compile([&](const Tensor& x) {
    return scan([](const Tensor& c,
                   const Tensor& row) { return std::pair(debug::require_finite(c + row, "the carry"), row); },
                Tensor(0.0), 1.0 / x)
        .first;
  });
  check_story<NotFiniteError>(
      [&] {
        guarded(Tensor{1.0, 2.0, 0.0, 4.0});
      },
      [&] {
        return std::vector<std::string>{"the carry is inf", "in step 2 of a loop", "born in [divide] at ",
                                        "1 / 0 is inf", "element (2,) of float64(4,)"};
      });
}

BOOST_AUTO_TEST_CASE(loops_that_begin_with_infinities) {
  int at = 0;
  // The running maximum begins at -inf, as it may; the fault is in the third step.
  const auto f = compile([&](const Tensor& xs) {
    const auto [last, all] = scan(
        [&](const Tensor& c, const Tensor& x) {
          const Tensor most = maximum(c, x);
          at = __LINE__ + 1;
          return std::pair(most, sqrt(x - 2.0) + most);
        },
        Tensor(-infinite), xs);
    return debug::require_finite(sum(all), "the sum") + last;
  });
  check_story<NotFiniteError>(
      [&] {
        f(Tensor{3.0, 2.5, 1.0, 4.0});
      },
      [&] {
        return std::vector<std::string>{"born in [sqrt] at ", line(at), "sqrt(-1) is nan", "in step 2 of the loop at ",
                                        "behind it: [subtract]"};
      });
  const auto stops = compile([&](const Tensor& x) {
    const Tensor last = while_loop([](const Tensor& c) { return c < 1e3; },
                                   [&](const Tensor& c) {
                                     at = __LINE__ + 1;
                                     return exp(c * c);
                                   },
                                   x, {.max_steps = 10})
                            .carry;
    return debug::require_finite(last, "the last");
  });
  check_story<NotFiniteError>(
      [&] { stops(2.0); },
      [&] {
        return std::vector<std::string>{"born in [exp] at ", line(at), "in step 1 of the loop", "is inf"};
      });
}

BOOST_AUTO_TEST_CASE(effects_do_not_happen_again_and_random_numbers_are_the_same) {
  Printed printed;
  const Variable seen(Tensor(0.0), "seen");
  const auto f = compile([&](const Tensor& x) {
    debug::print("x {}", x);
    const Tensor dropped = where(random::uniform(random::Key(3), {4}, 0, 1, DType::float64) < 0.5, x, 1.0);
    seen.assign(seen + 1.0);
    return debug::require_finite(sum(log(debug::print("dropped {}", dropped))), "the sum");
  });
  f(Tensor{1.0, 1.0, 1.0, 1.0});
  const std::string good = printed.take();
  check_story<NotFiniteError>(
      [&] {
        f(Tensor{0.0, 0.0, 0.0, 0.0});
      },
      [&] { return std::vector<std::string>{"log(0) is -inf"}; });
  const std::string bad = printed.take();
  BOOST_TEST(std::count(good.begin(), good.end(), '\n') == 2);
  BOOST_TEST(std::count(bad.begin(), bad.end(), 'x') == 1);  // the step has failed by itself before the other line
  BOOST_TEST(std::count(bad.begin(), bad.end(), '\n') <= 2);
  BOOST_TEST(seen.item() == 1);
}

BOOST_AUTO_TEST_CASE(operations_of_ones_own) {
  const auto logarithm = xtensor_op<double>(
      "logarithm", [](const xt::xarray<double>& x) { return xt::xarray<double>(xt::log(x)); },
      [](const xt::xarray<double>& x, const xt::xarray<double>&, const xt::xarray<double>& ct) {
        return xt::xarray<double>(ct / x);
      });
  const Tensor x = {1.0, 0.0, 2.0};
  const std::string text = debug::explain_not_finite(sum(logarithm(x)));
  check_parts(text,
              {"born in [logarithm] at ", "it gives -inf of finite numbers, element (1,) of float64(3,)",
               "input 0: float64(3,) from 0 to 2", "likely cause: [logarithm] has no finite result for these numbers"});
  const Tensor large = full({2, 2}, 1e200, DType::float64);
  check_parts(debug::explain_not_finite(matmul(large, large)),
              {"born in [matmul] at ", "it gives inf of finite numbers", "likely cause: the numbers have grown"});
}

BOOST_AUTO_TEST_CASE(matrices_that_are_singular) {
  const auto f =
      compile([](const Tensor& a) { return debug::require_finite(linalg::det(a) / linalg::det(a), "the ratio"); });
  check_story<NotFiniteError>(
      [&] {
        f(zeros({2, 2}, DType::float64));
      },
      [&] {
        return std::vector<std::string>{"born in [divide]", "0 / 0 is nan", "behind it: [linalg::det]"};
      });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
