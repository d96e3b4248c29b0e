#include <cstdint>
#include <string_view>
#include <utility>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "tests/printed.hpp"
#include "tests/testing.hpp"

/// \file
/// Effects in loops and branches: in each step, in order, and once.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(loops_effects)

namespace {

using testing::check_elements;
using testing::check_throws;
using testing::Printed;

const Tensor three = xt::xarray<double>{1, 2, 3};

int happened = 0;

/// Doubles its input, and counts how often it did: an effect with a result, whose derivatives have it, too, and which may be
/// computed again.
struct Doubled {
  static constexpr std::string_view name = "doubled";
  static constexpr std::string_view effect = "count";
  static constexpr bool linear = true;
  static constexpr bool maps_leading_axes = true;

  Doubled without_effect() const { return *this; }
  Spec infer(Inputs in) const { return {in[0].shape(), in[0].dtype()}; }
  void eval(ConstViews in, Views out) const {
    ++happened;
    for (std::int64_t i = 0; i < in[0].size(); ++i) {
      out[0].as<double>()[i] = 2 * in[0].as<double>()[i];
    }
  }
  Tensors vjp(const Node&, const Cotangents& ct) const { return {apply_op(Doubled(), {ct[0]})}; }
};

Tensor doubled(const Tensor& x) { return apply_op(Doubled(), {x}); }

// How often it has happened since the last call.
int count() { return std::exchange(happened, 0); }

}  // namespace

BOOST_AUTO_TEST_CASE(effects_happen_in_each_step_and_once) {
  Printed printed;
  const auto g = compile([&](const Tensor& x) {
    const Tensor last = fori(
        3,
        [](const Tensor& i, const Tensor& c) {
          debug::print("{} {}", i, c);
          return c * 2;
        },
        x);
    debug::print("after {}", last);
    return last;
  });
  g(1.0);
  BOOST_TEST(printed.take() == "0 1\n1 2\n2 4\nafter 8\n");
  fori(
      3,
      [](const Tensor& i, const Tensor& c) {
        debug::print("{} {}", i, c);
        return c * 2;
      },
      Tensor(1.0))
      .item();
  BOOST_TEST(printed.take() == "0 1\n1 2\n2 4\n");
  const auto loss = [](const Tensor& x) {
    return fori(
        2,
        [](const Tensor& i, const Tensor& c) {
          debug::print("{}", i);
          return c * c;
        },
        x);
  };
  BOOST_TEST(compile([&](const Tensor& x) { return grad(loss)(x); })(2.0).item() == 32);
  BOOST_TEST(printed.take() == "0\n1\n");
  const Tensor shown = cond(
      Tensor(true), [](const Tensor& c) { return debug::print("yes {}", c); },
      [](const Tensor& c) { return debug::print("no {}", c); }, 5);
  BOOST_TEST(shown.item() == 5);
  BOOST_TEST(printed.take() == "yes 5\n");
}

BOOST_AUTO_TEST_CASE(effects_on_captured_operands) {
  Printed printed;
  const auto f = compile([](const Tensor& x, const Tensor& taken) {
    const Tensor last = fori(
        2,
        [&](const Tensor&, const Tensor& c) {
          debug::print("x {}", x);
          return c + x;
        },
        x);
    return cond(
        taken,
        [&] {
          debug::print("taken {}", x);
          return last;
        },
        [&] { return last * 2; });
  });
  BOOST_TEST(f(1.0, Tensor(false)).item() == 6);
  BOOST_TEST(printed.take() == "x 1\nx 1\n");
  BOOST_TEST(f(1.0, Tensor(true)).item() == 3);
  BOOST_TEST(printed.take() == "x 1\nx 1\ntaken 1\n");
  const auto nested = [](const Tensor& x) {
    return fori(
        2,
        [](const Tensor&, const Tensor& c) {
          return fori(
              2,
              [&](const Tensor&, const Tensor& d) {
                debug::print("{}", c);
                return d + 1;
              },
              c);
        },
        x);
  };
  nested(0.0).item();
  BOOST_TEST(printed.take() == "0\n0\n2\n2\n");
  // Derivatives through a loop that prints in a loop print nothing of their own.
  BOOST_TEST(grad(nested)(0.0).item() == 1);
  BOOST_TEST(printed.take() == "0\n0\n2\n2\n");
  BOOST_TEST(compile([&](const Tensor& x) { return jvp(nested, {x}, {x}).second; })(5.0).item() == 5);
}

BOOST_AUTO_TEST_CASE(effects_in_a_branch_that_all_samples_take) {
  Printed printed;
  const auto f = [](const Tensor& x) {
    return cond(
        Tensor(true), [](const Tensor& y) { return debug::print("{}", y) * 2; }, [](const Tensor& y) { return y; }, x);
  };
  check_elements(vmap(f)(Tensor{1.0, 2.0}), {2}, {2, 4});
  BOOST_TEST(printed.take() == "{ 1.,  2.}\n");
}

BOOST_AUTO_TEST_CASE(effects_with_results_and_rules_of_their_own) {
  const auto steps = [](const Tensor& x) {
    return fori(
        3, [](const Tensor&, const Tensor& c) { return square(doubled(c)) / 4; }, x);
  };
  // c ← c², three times: x⁸.
  BOOST_TEST(steps(2.0).item() == 256);
  BOOST_TEST(count() == 3);
  BOOST_TEST(grad(steps)(Tensor(2.0)).item() == 8 * 128);
  BOOST_TEST(count() == 6);  // three steps there and three back
  const auto second = compile(grad(grad(steps)));
  BOOST_TEST(second(Tensor(2.0)).item() == 56 * 64);
  const int once = count();
  second(Tensor(2.0));
  BOOST_TEST(count() == once);
  BOOST_TEST(jvp(steps, {Tensor(2.0)}, {Tensor(1.0)}).second.item() == 8 * 128);
  check_elements(vmap(grad(steps))(Tensor{1.0, 2.0}), {2}, {8, 8 * 128});
  count();

  const auto branch = [](const Tensor& x) {
    return cond(
        Tensor(true), [](const Tensor& c) { return square(doubled(c)); }, [](const Tensor& c) { return c; }, x);
  };
  BOOST_TEST(grad(branch)(Tensor(3.0)).item() == 24);
  BOOST_TEST(count() > 0);
  BOOST_TEST(grad(grad(branch))(Tensor(3.0)).item() == 8);
}

BOOST_AUTO_TEST_CASE(effects_that_are_computed_again) {
  const auto f = [](const Tensor& x) { return square(doubled(x)); };
  const auto checkpointed = [&](const Tensor& x) { return checkpoint(f)(x) + 1; };
  const Tensor gradient = grad(checkpointed)(Tensor(3.0));
  const int before = count();
  BOOST_TEST(before > 0);
  BOOST_TEST(gradient.item() == 24);
  BOOST_TEST(count() == 0);  // all of it has happened before somebody reads the result
  const auto compiled = compile(grad(checkpointed));
  BOOST_TEST(compiled(Tensor(3.0)).item() == 24);
  count();
  BOOST_TEST(compiled(Tensor(5.0)).item() == 40);
  BOOST_TEST(count() > 0);
}

BOOST_AUTO_TEST_CASE(an_effect_in_a_branch_that_samples_take_or_not) {
  const auto f = [](const Tensor& x) {
    return cond(
        x > 0.0, [](const Tensor& y) { return debug::print("{}", y); }, [](const Tensor& y) { return y; }, x);
  };
  check_throws<ValueError>([&] { vmap(f)(three); }, {"[cond]", "there is an effect"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
