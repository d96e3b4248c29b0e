#include <cstdint>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "tests/testing.hpp"

/// \file
/// Derivatives go through bfloat16 as if nothing were rounded: each is compared with that of the same function without the
/// casts, at numbers that bfloat16 holds.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(graph_bfloat16_derivatives)

namespace graph_bfloat16_derivatives {

using testing::check_elements;
using testing::check_throws;
using testing::elements;

Tensor narrow(const Tensor& x) { return cast(x, DType::bfloat16); }
Tensor wide(const Tensor& x) { return cast(x, DType::float32); }

/// float32 numbers that are bfloat16 numbers, all different.
Tensor numbers(const Shape& shape) {
  return reshape(cast(arange(static_cast<double>(shape.element_count())), DType::float32) - 5.0F, shape);
}

/// The gradient and the tangent of both functions are the same.
template <class F>
void check_same_derivatives(const F& f, const Shape& shape = {3, 4}) {
  const Tensor x = numbers(shape);
  const auto rounded = [&](const Tensor& t) { return wide(f(narrow(t))); };
  const Tensor y = f(x);
  const Tensor z = rounded(x);
  check_elements(z, y.shape(), elements(y));
  const Tensor cotangent = cast(testing::random_tensor(y.shape()), DType::float32);
  const Tensor expected = vjp(y, {x}, cotangent)[0];
  const Tensor actual = vjp(z, {x}, cotangent)[0];
  BOOST_TEST(actual.dtype() == DType::float32);
  check_elements(actual, x.shape(), elements(expected));
  const Tensor tangent = cast(testing::random_tensor(shape), DType::float32);
  check_elements(jvp(z, {x}, {tangent}), y.shape(), elements(jvp(y, {x}, {tangent})));
}

}  // namespace graph_bfloat16_derivatives

using namespace graph_bfloat16_derivatives;

BOOST_AUTO_TEST_CASE(there_and_back_has_derivative_1) {
  const Tensor x = {0.1F, -3.3F, 1e-20F};
  const Tensor weight = {0.1F, 1.0F, 1e-3F};  // not rounded on its way
  check_elements(grad(sum(weight * wide(narrow(x))), x), {3}, elements(weight));
  check_elements(jvp(wide(narrow(x)), {x}, {weight}), {3}, elements(weight));
  const Tensor twice = {0.1, -3.3};
  const Tensor gradient = grad(sum(square(cast(narrow(twice), DType::float64))), twice);
  BOOST_TEST(gradient.dtype() == DType::float64);
  check_elements(gradient, {2}, {2 * static_cast<double>(BFloat16(0.1)), 2 * static_cast<double>(BFloat16(-3.3))});
}

BOOST_AUTO_TEST_CASE(second_derivatives_are_those_of_what_was_rounded) {
  const Tensor x = {1.0F, 2.0F};
  const auto f = [](const Tensor& t) { return sum(wide(narrow(t)) * square(wide(narrow(t)))); };
  check_elements(hessian(f)(x), {2, 2}, {6, 0, 0, 12});
  check_elements(grad(sum(grad(f(x), x)), x), {2}, {6, 12});
}

BOOST_AUTO_TEST_CASE(they_go_through_everything_that_moves_and_selects) {
  check_same_derivatives([](const Tensor& t) { return transpose(t); });
  check_same_derivatives([](const Tensor& t) { return reshape(t, {4, 3}); });
  check_same_derivatives([](const Tensor& t) { return t[{range(1), range(3, 0, -2)}]; });
  check_same_derivatives([](const Tensor& t) { return concatenate({t, t[range(0, 1)], t}); });
  check_same_derivatives([](const Tensor& t) { return stack({t, t}, 1); });
  check_same_derivatives([](const Tensor& t) { return take(t, Tensor{2, 0, 2}, 1); });
  check_same_derivatives([](const Tensor& t) { return take_along_axis(t, Tensor{{1}, {0}, {1}}, 1); });
  check_same_derivatives([](const Tensor& t) { return broadcast_to(expand_dims(t, 1), {3, 2, 4}); });
  check_same_derivatives([](const Tensor& t) { return flip(roll(t, 1, 0), 1); });
  check_same_derivatives([](const Tensor& t) { return pad(t, {1, 0}, {0, 2}, 3.0); });
  check_same_derivatives([](const Tensor& t) { return where(t > 0, t, 0); });
  check_same_derivatives([](const Tensor& t) { return where(t > 0, t, flip(t)); });
  check_same_derivatives([](const Tensor& t) { return clip(t, -2, 4); });
  check_same_derivatives([](const Tensor& t) { return sort(t, 1, true); });
  check_same_derivatives([](const Tensor& t) { return amax(t, 0); });
  check_same_derivatives([](const Tensor& t) { return cummax(t, 1).values; });
  check_same_derivatives([](const Tensor& t) { return tril(t); });
  check_same_derivatives([](const Tensor& t) { return diagonal(t); });
  check_same_derivatives([](const Tensor& t) {
    return scatter(t, Tensor{{0}, {2}, {1}}, flip(t)[{all(), range(0, 1)}], 1);
  });
}

BOOST_AUTO_TEST_CASE(they_go_through_the_largest_and_smallest_of_updates) {
  const Tensor columns = Tensor{{0, 1}, {2, 2}, {1, 1}};
  const Tensor rows = Tensor{{0}, {1}, {2}};
  const Tensor none = zeros({0, 4}, DType::int64);
  const auto no_rows = [](const Tensor& t) { return take(t, zeros({0}, DType::int64), 0); };
  for (const Scatter how : {Scatter::maximum, Scatter::minimum}) {
    check_same_derivatives([&](const Tensor& t) { return scatter(t, columns, flip(t)[{all(), range(0, 2)}], 1, how); });
    check_same_derivatives([&](const Tensor& t) {  // updates that are what is there already
      return scatter(t, rows, t[{all(), range(0, 1)}], 0, how);
    });
    check_same_derivatives([&](const Tensor& t) { return scatter_nd(t, rows, flip(t), how); });
    check_same_derivatives([&](const Tensor& t) { return scatter(t, none, no_rows(t), 0, how); });
    const Tensor x = numbers({3, 4});
    const Tensor updates = zeros({0, 4}, DType::float32);
    const Tensor y = wide(scatter(narrow(x), none, narrow(updates), 0, how));
    check_elements(grad(sum(y), updates), {0, 4}, {});
    // One of the two has a derivative.
    const Tensor tangent = ones({3, 2}, DType::float32);
    const Tensor given = numbers({3, 2}) + 1.0F;
    const auto of_updates = [&](const Tensor& t, const Tensor& u) { return scatter(t, columns, u, 1, how); };
    const Tensor expected = jvp(of_updates(x, given), {given}, {tangent});
    check_elements(jvp(wide(of_updates(narrow(x), narrow(given))), {given}, {tangent}), {3, 4}, elements(expected));
  }
}

// A slice that is read twice: what comes back is added, in float32.
BOOST_AUTO_TEST_CASE(cotangents_of_one_tensor_are_added_in_float32) {
  const Tensor x = {1.0F, 2.0F};
  const Tensor b = narrow(x);
  const Tensor y = sum(wide(b) * 0.1F) + sum(wide(b) * 1e-4F) + sum(wide(b[range(0, 1)]) * 1e-4F);
  const auto expected = static_cast<double>(0.1F + 1e-4F);
  check_elements(grad(y, x), {2}, {expected + 1e-4, expected}, 1e-7);
}

BOOST_AUTO_TEST_CASE(loops_branches_and_checkpoints_carry_them) {
  const Tensor xs = {1.0F, 2.0F, 4.0F};
  const auto step = [](const Tensor& h, const Tensor& x) {
    const Tensor next = narrow(wide(h) * 0.5F + x);
    return std::pair(next, next);
  };
  const auto last_of = [&](const Tensor& t) { return wide(scan(step, narrow(zeros({})), t).first); };
  check_elements(last_of(xs), {}, {5.25});
  check_elements(grad(last_of(xs), xs), {3}, {0.25, 0.5, 1});
  check_elements(jvp(last_of(xs), {xs}, {Tensor{4.0F, 0.0F, 1.0F}}), {}, {2});
  const auto all_of = [&](const Tensor& t) { return sum(wide(scan(step, narrow(zeros({})), t).second)); };
  check_elements(grad(all_of(xs), xs), {3}, {1.75, 1.5, 1});
  check_elements(grad(compile(all_of))(xs), {3}, {1.75, 1.5, 1});

  const auto branched = [](const Tensor& t) {
    const auto chosen = cond(
        t[0] > 0, [](const Tensor& a) { return a; }, [](const Tensor& a) { return flip(a); }, narrow(t));
    return sum(wide(chosen) * Tensor{1.0F, 10.0F, 100.0F});
  };
  check_elements(grad(branched(xs), xs), {3}, {1, 10, 100});
  check_elements(grad(branched(-xs), xs), {3}, {-100, -10, -1});

  const auto saved = checkpoint([](const Tensor& t) { return narrow(square(wide(narrow(t)))); });
  check_elements(grad(sum(wide(saved(xs))), xs), {3}, {2, 4, 8});
  check_elements(vmap(grad([](const Tensor& t) { return square(wide(narrow(t))); }))(xs), {3}, {2, 4, 8});
}

BOOST_AUTO_TEST_CASE(rules_of_ones_own_see_float32) {
  const auto halved = custom_vjp([](const Tensor& b) { return wide(b); },
                                 [](const Tensors&, const Tensor&, const Tensor& ct) { return Tensors{ct * 0.5F}; });
  const Tensor x = {1.0F, 3.0F};
  check_elements(grad(sum(halved(narrow(x))), x), {2}, {0.5, 0.5});
  const auto tripled = custom_jvp([](const Tensor& b) { return wide(b); },
                                  [](const Tensors&, const Tensor&, const Tensors& t) { return t[0] * 3.0F; });
  check_elements(jvp(tripled(narrow(x)), {x}, {Tensor{1.0F, 2.0F}}), {2}, {3, 6});
  check_elements(grad(sum(tripled(narrow(x))), x), {2}, {3, 3});
  const auto wrong = custom_vjp([](const Tensor& b) { return wide(b); },
                                [](const Tensors&, const Tensor&, const Tensor& ct) { return Tensors{narrow(ct)}; });
  check_throws<GradientError>([&] { grad(sum(wrong(narrow(x))), x); }, {"bfloat16(2,)", "float32(2,)"});
}

BOOST_AUTO_TEST_CASE(outputs_have_cotangents_of_float32_and_inputs_are_floating) {
  const Tensor x = {1.0F, 2.0F};
  check_elements(vjp(narrow(x), {x}, Tensor{3.0F, 0.1F})[0], {2}, {3, static_cast<double>(0.1F)});
  check_throws<DTypeError>([&] { vjp(narrow(x), {x}, narrow(x)); }, {"[vjp] ", "bfloat16", "float32"});
  BOOST_TEST(jvp(narrow(x), {x}, {x}).dtype() == DType::float32);
  const Tensor other = {1.0F};
  BOOST_TEST(jvp(narrow(x), {other}, {other}).dtype() == DType::float32);
  const Tensor b = narrow(x);
  check_throws<DTypeError>([&] { grad(sum(wide(b)), b); }, {"[grad] ", "not floating", "cast"});
  check_throws<DTypeError>([&] { grad(narrow(sum(x)), x); }, {"[grad] ", "not floating"});
}

// Comparisons and integers stop derivatives, with bfloat16 in between as without.
BOOST_AUTO_TEST_CASE(what_has_no_derivative_has_none_behind_bfloat16) {
  const Tensor x = {1.0F, 2.0F};
  check_throws<GradientError>([&] { grad(sum(wide(narrow(x) > 1.5)), x); }, {"[grad] ", "does not depend"});
  check_throws<GradientError>([&] { grad(sum(wide(cast(narrow(x), DType::int32))), x); },
                              {"[grad] ", "does not depend"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
