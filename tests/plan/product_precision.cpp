#include <sstream>
#include <string>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "tests/testing.hpp"

namespace xgrad {

BOOST_AUTO_TEST_SUITE(plan_product_precision)

namespace {

using testing::check_elements;
using testing::elements;

constexpr CompileOptions rough() {
  CompileOptions options;
  options.products = ProductPrecision::bfloat16;
  return options;
}

/// Whole numbers of which rounding takes the last bit of some, and sums of products are exact in float32.
Tensor whole_numbers(const Shape& shape, unsigned seed, double size = 300) {
  return cast(round(testing::random_tensor(shape, -size, size, seed)), DType::float32);
}

Tensor rounded(const Tensor& x) { return cast(cast(x, DType::bfloat16), DType::float32); }

void check_same(const Tensor& tensor, const Tensor& expected) {
  check_elements(tensor, expected.shape(), elements(expected));
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

}  // namespace

BOOST_AUTO_TEST_CASE(products_take_rounded_factors) {
  const Tensor a = whole_numbers({20, 50}, 1);
  const Tensor b = whole_numbers({50, 30}, 2);
  const auto product = [](const Tensor& x, const Tensor& y) { return matmul(x, y); };
  check_same(compile(product, rough())(a, b), matmul(rounded(a), rounded(b)));
  check_same(compile(product)(a, b), matmul(a, b));
  BOOST_TEST(elements(matmul(a, b)) != elements(matmul(rounded(a), rounded(b))));
  const Tensor large = whole_numbers({50, 30}, 3, 10'000);  // in two parts, as 14 bits
  const auto fine = compile(product, {.products = ProductPrecision::bfloat16_3x});
  const Tensor small = whole_numbers({20, 50}, 4, 20);  // in one
  check_same(fine(small, large), matmul(small, large));
  const Tensor x = cast(a, DType::float64);
  const Tensor y = cast(b, DType::float64);
  check_same(compile(product, rough())(x, y), matmul(x, y));
  BOOST_TEST(count(print_graph(compile(product, rough()).trace(x, y).outputs[0]), "products") == 0U);
}

BOOST_AUTO_TEST_CASE(so_do_batches_einsum_and_vectors) {
  const Tensor a = whole_numbers({3, 4, 5}, 1);
  const Tensor b = whole_numbers({3, 5, 6}, 2);
  const auto product = [](const Tensor& x, const Tensor& y) { return matmul(x, y); };
  check_same(compile(product, rough())(a, b), matmul(rounded(a), rounded(b)));
  const auto contraction = [](const Tensor& x, const Tensor& y) { return einsum("bij,bjk->ik", {x, y}); };
  check_same(compile(contraction, rough())(a, b), contraction(rounded(a), rounded(b)));
  const auto mapped = [&](const Tensor& x, const Tensor& y) { return vmap(product)(x, y); };
  check_same(compile(mapped, rough())(a, b), matmul(rounded(a), rounded(b)));
  const Tensor row = whole_numbers({50}, 3);
  const Tensor matrix = whole_numbers({50, 7}, 4);
  check_same(compile(product, rough())(row, matrix), matmul(rounded(row), rounded(matrix)));
}

BOOST_AUTO_TEST_CASE(derivatives_of_any_order_inherit_it) {
  const auto f = [](const Tensor& x, const Tensor& w) { return sum(square(tanh(matmul(x, w)))); };
  const auto second = [&](const Tensor& x, const Tensor& w) {
    return grad([&](const Tensor& v) { return sum(square(grad(f(x, v), v))); })(w);
  };
  const Tensor x = whole_numbers({4, 5}, 1);
  const Tensor w = whole_numbers({5, 3}, 2);
  const auto traced = compile(second, rough()).trace(x, w);
  const std::string text = print_graph(traced.outputs[0]);
  BOOST_TEST(count(text, "matmul(") >= 4U);
  BOOST_TEST(count(text, "products=bfloat16") == count(text, "matmul("));
  BOOST_TEST(count(print_graph(compile(second).trace(x, w).outputs[0]), "products") == 0U);

  const auto gradient = [](const Tensor& v, const Tensor& y) { return grad(sum(square(matmul(y, v))), v); };
  const Tensor y = rounded(x);
  const Tensor expected = matmul(transpose(y), rounded(2 * matmul(y, rounded(w))));
  check_same(compile(gradient, rough())(w, x), expected);
}

BOOST_AUTO_TEST_CASE(derivatives_of_factorisations_are_exact) {
  const Tensor a = cast(testing::random_tensor({5, 5}) + 4 * eye(5, DType::float64), DType::float32);
  const Tensor b = cast(testing::random_tensor({5, 2}), DType::float32);
  const auto slope = [](const Tensor& x, const Tensor& y) { return grad(sum(square(linalg::solve(x, y))), x); };
  check_same(compile(slope, rough())(a, b), compile(slope)(a, b));
}

BOOST_AUTO_TEST_CASE(functions_keep_theirs_inside_of_others) {
  const Tensor a = whole_numbers({4, 5}, 1);
  const Tensor b = whole_numbers({5, 3}, 2);
  const auto product = [](const Tensor& x, const Tensor& y) { return matmul(x, y); };
  const Tensor expected = matmul(rounded(a), rounded(b));
  const auto inner = compile(product, rough());
  const auto exact = compile(product);
  check_same(compile([&](const Tensor& x, const Tensor& y) { return inner(x, y); })(a, b), expected);
  check_same(compile([&](const Tensor& x, const Tensor& y) { return exact(x, y); }, rough())(a, b), matmul(a, b));
  const Tensor dx = grad([&](const Tensor& x) { return sum(inner(x, b)); })(a);
  check_same(dx, matmul(ones({4, 3}), transpose(rounded(b))));
  check_same(vmap([&](const Tensor& x) { return inner(reshape(x, {1, 5}), b); })(a), reshape(expected, {4, 1, 3}));
}

BOOST_AUTO_TEST_CASE(loops_branches_and_checkpoints_have_that_of_the_function) {
  const Tensor a = whole_numbers({4, 4}, 1);
  const Tensor xs = whole_numbers({3, 2, 4}, 2);
  const auto steps = [&](const Tensor& w, const Tensor& all) {
    return scan([&](const Tensor& carry, const Tensor& x) { return std::pair(carry + matmul(x, w), matmul(x, w)); },
                zeros({2, 4}), all)
        .first;
  };
  const Tensor total = sum(matmul(rounded(xs), rounded(a)), 0);
  check_same(compile(steps, rough())(a, xs), total);
  const auto slope = [&](const Tensor& w, const Tensor& all) { return grad(sum(steps(w, all)), w); };
  const Tensor ones_rows = ones({2, 4});
  check_same(compile(slope, rough())(a, xs), matmul(transpose(reshape(rounded(xs), {6, 4})), ones({6, 4})));
  const auto branch = [&](const Tensor& w) {
    return cond(
        sum(w) > sum(w) - 1, [&] { return matmul(w, w); }, [&] { return w; });
  };
  check_same(compile(branch, rough())(a), matmul(rounded(a), rounded(a)));
  const auto again = [&](const Tensor& w) { return checkpoint([](const Tensor& v) { return matmul(v, v); })(w); };
  check_same(compile(again, rough())(a), matmul(rounded(a), rounded(a)));
}

BOOST_AUTO_TEST_CASE(plans_cut_rounded_products_and_say_what_they_are) {
  const Variable w(whole_numbers({512, 300}, 1), "w");
  const auto f = compile([&](const Tensor& x) { return matmul(x, w); }, rough());
  const Tensor x = whole_numbers({64, 512}, 2);
  check_elements(f(x), {64, 300}, elements(matmul(rounded(x), rounded(w))));
  std::ostringstream text;
  text << f.plan(x);
  BOOST_TEST(count(text.str(), "bfloat16") >= 1U);
}

BOOST_AUTO_TEST_CASE(names) {
  for (const char* name : {"float32", "bfloat16_3x", "bfloat16"}) {
    BOOST_TEST(to_string(product_precision(name)) == name);
  }
  testing::check_throws<ValueError>([] { product_precision("tf32"); },
                                    {"[product_precision]", "`tf32`", "bfloat16_3x"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
