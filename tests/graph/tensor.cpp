#include "autograd/graph/tensor.hpp"

#include <cstdint>
#include <sstream>
#include <type_traits>
#include <vector>

#include <boost/test/unit_test.hpp>

#if __has_include(<xtensor/containers/xtensor.hpp>)
#include <xtensor/containers/xtensor.hpp>
#include <xtensor/core/xmath.hpp>
#include <xtensor/views/xview.hpp>
#else
#include <xtensor/xmath.hpp>
#include <xtensor/xtensor.hpp>
#include <xtensor/xview.hpp>
#endif

#include "autograd/autograd.hpp"
#include "tests/testing.hpp"

namespace xgrad {

BOOST_AUTO_TEST_SUITE(graph_tensor)

namespace {

using testing::check_elements;
using testing::check_throws;

}  // namespace

BOOST_AUTO_TEST_CASE(an_array_given_as_lvalue_is_copied) {
  xt::xarray<float> a = {{1, 2}, {3, 4}};
  const Tensor x = a;
  a(0, 0) = 100;
  check_elements(x, {2, 2}, {1, 2, 3, 4});
  BOOST_TEST(x.dtype() == DType::float32);
  const xt::xarray<double>& constant = xt::xarray<double>{5};
  check_elements(Tensor(constant), {1}, {5});
}

// Beside the operation `!` on what becomes a tensor, as an array does.
BOOST_AUTO_TEST_CASE(an_array_says_whether_it_is_empty) {
  Array a;
  BOOST_TEST(!a);
  a = Array({2}, DType::float32);
  BOOST_TEST(!!a);
}

BOOST_AUTO_TEST_CASE(an_array_given_as_rvalue_is_adopted) {
  xt::xarray<double> a = {{1, 2, 3}, {4, 5, 6}};
  const double* data = a.data();
  const Tensor x = std::move(a);
  BOOST_TEST(x.array().data<double>() == data);
  check_elements(x * 2, {2, 3}, {2, 4, 6, 8, 10, 12});
}

BOOST_AUTO_TEST_CASE(other_xtensor_types_and_expressions_are_evaluated) {
  const xt::xarray<double> a = {{1, 2, 3}, {4, 5, 6}};
  check_elements(Tensor(xt::sin(a) + 1), {2, 3},
                 {1 + std::sin(1), 1 + std::sin(2), 1 + std::sin(3), 1 + std::sin(4), 1 + std::sin(5), 1 + std::sin(6)},
                 1e-15);
  const xt::xtensor<std::int32_t, 2> fixed = {{1, 2}, {3, 4}};
  const Tensor from_fixed = fixed;
  BOOST_TEST(from_fixed.dtype() == DType::int32);
  check_elements(from_fixed, {2, 2}, {1, 2, 3, 4});
  check_elements(Tensor(xt::view(a, xt::all(), 1)), {2}, {2, 5});
  check_elements(Tensor(xt::view(a, 1, xt::range(0, 3, 2))), {2}, {4, 6});
  check_elements(Tensor(a > 2.0), {2, 3}, {0, 0, 1, 1, 1, 1});
  const xt::xarray<float, xt::layout_type::column_major> columns = {{1, 2, 3}, {4, 5, 6}};
  check_elements(Tensor(columns), {2, 3}, {1, 2, 3, 4, 5, 6});
  xt::xarray<float, xt::layout_type::column_major> moved = {{1, 2, 3}, {4, 5, 6}};
  check_elements(Tensor(std::move(moved)), {2, 3}, {1, 2, 3, 4, 5, 6});
  const xt::xarray<bool> truths = {true, false};
  BOOST_TEST(Tensor(truths).dtype() == DType::boolean);
  const auto empty = xt::xarray<float>::from_shape({0, 3});
  check_elements(Tensor(empty), {0, 3}, {});
  const xt::xarray<std::int64_t> number = 7;
  check_elements(Tensor(number), {}, {7});
}

BOOST_AUTO_TEST_CASE(numbers_have_no_axes_and_the_dtype_of_their_type) {
  BOOST_TEST(Tensor(2.5).dtype() == DType::float64);
  BOOST_TEST(Tensor(2.5f).dtype() == DType::float32);
  BOOST_TEST(Tensor(2).dtype() == DType::int32);
  BOOST_TEST(Tensor(std::int64_t{2}).dtype() == DType::int64);
  BOOST_TEST(Tensor(true).dtype() == DType::boolean);
  BOOST_TEST(Tensor(std::uint8_t{2}).dtype() == DType::uint8);
  const Tensor x = 2.5;
  BOOST_TEST(x.ndim() == 0u);
  BOOST_TEST(x.size() == 1);
}

BOOST_AUTO_TEST_CASE(nested_lists) {
  const Tensor one = {1.0, 2.0, 3.0};
  const Tensor two = {{1.0f, 2.0f}, {3.0f, 4.0f}, {5.0f, 6.0f}};
  const Tensor three = {{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}};
  check_elements(one, {3}, {1, 2, 3});
  check_elements(two, {3, 2}, {1, 2, 3, 4, 5, 6});
  check_elements(three, {2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  BOOST_TEST(two.dtype() == DType::float32);
  BOOST_TEST(three.dtype() == DType::int32);
  check_elements(Tensor{7.0}, {1}, {7});
  check_throws<ShapeError>([] { return Tensor{{1.0, 2.0}, {3.0}}; }, {"(2,)", "(1,)", "tensor.cpp:"});
  check_throws<ShapeError>([] { return Tensor{{{1, 2}}, {{3, 4}, {5, 6}}}; }, {"(1, 2)", "(2, 2)"});
}

BOOST_AUTO_TEST_CASE(borrowed_memory_is_read_in_place) {
  std::vector<float> memory = {0, 1, 2, 3, 4, 5, 6};
  const Tensor x = borrow(memory.data() + 1, {2, 3});
  BOOST_TEST(x.array().data<float>() == memory.data() + 1);
  memory[1] = 10;
  check_elements(x + 1, {2, 3}, {11, 3, 4, 5, 6, 7});
}

BOOST_AUTO_TEST_CASE(value_shares_memory_and_outlives_the_tensor) {
  Tensor x = Tensor{1.0, 2.0, 3.0} * 2.0;
  const auto value = x.value<double>();
  BOOST_TEST(value.data() == x.array().data<double>());
  const auto* data = value.data();
  x = Tensor();
  for (int i = 0; i < 100; ++i) {
    BOOST_TEST((Tensor{7.0, 7.0, 7.0} + 1.0).array().data<double>() != data);  // the pool has not got it back
  }
  BOOST_TEST(value(0) == 2);
  BOOST_TEST(value(2) == 6);
  const xt::xarray<double> copy = value;
  BOOST_TEST(copy.dimension() == 1u);
  const xt::xarray<double> sum = value + copy;
  BOOST_TEST(sum(1) == 8);
  static_assert(std::is_const_v<std::remove_reference_t<decltype(value(0))>>);
}

BOOST_AUTO_TEST_CASE(value_of_another_type_is_an_error) {
  const Tensor x = {1.0f};
  check_throws<DTypeError>([&] { x.value<double>(); }, {"[value]", "float32", "float64", "cast"});
  check_throws<DTypeError>([&] { x.value<std::int32_t>(); }, {"float32", "int32"});
  check_throws<ShapeError>([] { return Tensor{1, 2}.item(); }, {"[item]", "(2,)", "2 elements"});
  check_throws<ShapeError>([] { return zeros({0}).item(); }, {"[item]", "0 elements"});
  BOOST_TEST(Tensor{{{2.75}}}.item<int>() == 2);
  BOOST_TEST(Tensor{2.75}.item() == 2.75);
}

BOOST_AUTO_TEST_CASE(an_undefined_handle_is_an_error) {
  const Tensor nothing;
  BOOST_TEST(!nothing.defined());
  check_throws<ValueError>([&] { nothing.shape(); }, {"empty"});
  check_throws<ValueError>([&] { nothing.array(); }, {"empty"});
  check_throws<ValueError>([&] { nothing + 1; }, {"empty", "tensor.cpp:"});
  check_throws<ValueError>([&] { nothing[0]; }, {"empty"});
  check_throws<ValueError>([&] { nothing.detach(); }, {"empty"});
  check_throws<ValueError>([&] { grad(nothing, nothing); }, {"empty"});
  check_throws<ValueError>([&] { evaluate(Tensors{nothing}); }, {"empty"});
  check_throws<ValueError>([&] { print_graph(nothing); }, {"empty"});
  check_throws<ValueError>([&] { to_dot(nothing); }, {"empty"});
  const auto gives_nothing = [](const Tensor&) { return Tensor(); };
  check_throws<ValueError>([&] { vmap(gives_nothing)(ones({2})); }, {"empty", "tensor.cpp:"});
  check_throws<ValueError>([&] { grad(gives_nothing)(ones({2})); }, {"empty", "tensor.cpp:"});
  check_throws<ValueError>([&] { jacobian(gives_nothing)(ones({2})); }, {"empty", "tensor.cpp:"});
  check_throws<ValueError>([&] { checkpoint(gives_nothing)(ones({2})); }, {"empty"});
  check_throws<ValueError>([&] { custom_vjp(gives_nothing, {})(ones({2})); }, {"empty"});
}

BOOST_AUTO_TEST_CASE(at_most_eight_axes) {
  check_throws<ShapeError>([] { zeros({1, 1, 1, 1, 1, 1, 1, 1, 1}); }, {"8 axes", "9"});
  check_throws<ShapeError>([] { expand_dims(zeros({1, 1, 1, 1, 1, 1, 1, 1}), 0); }, {"8 axes", "9"});
}

BOOST_AUTO_TEST_CASE(more_elements_than_can_be_counted_are_refused_when_the_graph_is_built) {
  constexpr std::int64_t half = std::int64_t{1} << 32;  // half² = 2^64
  const auto line = std::to_string(__LINE__ + 1);
  check_throws<ShapeError>([] { zeros({half, half}); }, {"(4294967296, 4294967296)", "2^63", "tensor.cpp:" + line});
  check_throws<ShapeError>([] { zeros({3, 6148914691236517205}); }, {"2^63"});  // 2^64 - 1
  check_throws<ShapeError>([] { reshape(zeros({0}), {half, half}); }, {"2^63"});
  check_throws<ShapeError>([] { reshape(zeros({4}), {-1, half, half}); }, {"2^63"});
  const Tensor row = broadcast_to(Tensor(1.0), {half});
  check_throws<ShapeError>([&] { row* expand_dims(row, 1); }, {"2^63", "tensor.cpp:"});
  check_throws<ShapeError>([] { repeat(zeros({4}), std::int64_t{1} << 61, 0); }, {"2^63"});
  check_throws<ShapeError>([] { tile(zeros({4}), {std::int64_t{1} << 61}); }, {"2^63"});
  check_throws<ShapeError>([] { zeros({std::int64_t{1} << 61}, DType::float64); }, {"2305843009213693952", "8 bytes"});
  check_throws<ShapeError>([] { cast(zeros({std::int64_t{1} << 60}, DType::uint8), DType::float64); }, {"2^63"});
  BOOST_TEST(zeros({0, half, half / 2}).size() == 0);
  BOOST_TEST(zeros({half, half, 0}).size() == 0);
  BOOST_TEST(sum(zeros({half, half, 0}), {0, 2}).shape() == Shape({half}));
}

BOOST_AUTO_TEST_CASE(sizes_that_no_array_has_are_refused) {
  check_throws<ShapeError>([] { Array({-1}, DType::float32); }, {"[shape]", "(-1,)"});
  check_throws<ShapeError>([] { Array({2, -3}, DType::uint8); }, {"(2, -3)"});
  const double number = 1;
  check_throws<ShapeError>([&] { borrow(&number, {-1}); }, {"(-1,)"});
  check_throws<ShapeError>([] { zeros({-1}); }, {"-1", "tensor.cpp:"});
}

BOOST_AUTO_TEST_CASE(memory_that_there_is_not_is_an_error_with_shape_bytes_and_line) {
  const auto line = std::to_string(__LINE__ + 1);
  const Tensor large = zeros({std::int64_t{1} << 40, 1024}, DType::float64);
  check_throws<MemoryError>([&] { large.array(); },
                            {"float64(1099511627776, 1024)", "9007199254740992 bytes", "tensor.cpp:" + line});
  const auto step = compile([](const Tensor& x) {
    const Tensor squared = exp(x) + sin(expand_dims(x, 1));
    return sum(matmul(squared, squared));
  });
  check_throws<MemoryError>([&] { step(zeros({std::int64_t{1} << 22}).detach()); }, {"[plan]", "bytes", "tensor.cpp:"});
}

BOOST_AUTO_TEST_CASE(shape_of_one_axis) {
  const Tensor x = zeros({2, 3});
  BOOST_TEST(x.shape(0) == 2);
  BOOST_TEST(x.shape(-1) == 3);
  check_throws<ValueError>([&] { x.shape(2); }, {"[shape]", "axis 2"});
}

// Every operator, with xtensor containers and expressions, tensors, variables and numbers on either side.
template <class Left, class Right>
void check_operators(const Left& a, const Right& b) {
  check_elements(a + b, {2}, {5, 8});
  check_elements(a - b, {2}, {1, -4});
  check_elements(a * b, {2}, {6, 12});
  check_elements(a / b, {2}, {1.5, 2 / 6.0}, 1e-7);
  check_elements(a < b, {2}, {0, 1});
  check_elements(a <= b, {2}, {0, 1});
  check_elements(a > b, {2}, {1, 0});
  check_elements(a >= b, {2}, {1, 0});
  check_elements(a == b, {2}, {0, 0});
  check_elements(a != b, {2}, {1, 1});
  static_assert(std::same_as<decltype(a + b), Tensor> && std::same_as<decltype(a == b), Tensor>);
}

BOOST_AUTO_TEST_CASE(operators_take_arrays_tensors_and_variables_in_either_order) {
  const xt::xarray<float> left = {3, 2};
  const xt::xarray<float> right = {2, 6};
  const Tensor a = left;
  const Tensor b = right;
  const Variable v(a);
  const Variable w(b);
  check_operators(a, b);
  check_operators(left, b);
  check_operators(a, right);
  check_operators(v, w);
  check_operators(v, b);
  check_operators(a, w);
  check_operators(v, right);
  check_operators(left, w);
  check_operators(left * 1.0f, b);
  check_operators(a, right + 0.0f);
  check_operators(xt::xtensor<float, 1>(left), b);
  check_elements(-v, {2}, {-3, -2});
  check_elements(!(v > 2), {2}, {0, 1});
  check_elements(2 * left * b, {2}, {12, 24});
  check_elements(xt::xarray<float>{1, 1} + a, {2}, {4, 3});
}

BOOST_AUTO_TEST_CASE(operators_take_numbers_in_either_order) {
  const Tensor x = {4.0, 8.0};
  check_elements(2 + x, {2}, {6, 10});
  check_elements(x + 2, {2}, {6, 10});
  check_elements(2 - x, {2}, {-2, -6});
  check_elements(2 * x, {2}, {8, 16});
  check_elements(2 / x, {2}, {0.5, 0.25});
  check_elements(4 < x, {2}, {0, 1});
  check_elements(4 <= x, {2}, {1, 1});
  check_elements(4 > x, {2}, {0, 0});
  check_elements(4 >= x, {2}, {1, 0});
  check_elements(4 == x, {2}, {1, 0});
  check_elements(x != 4, {2}, {0, 1});
}

BOOST_AUTO_TEST_CASE(functions_are_found_by_argument_and_take_arrays) {
  const Tensor x = {0.0, 1.0};
  check_elements(exp(x), {2}, {1, std::exp(1)}, 1e-15);
  check_elements(xgrad::maximum(x, xt::xarray<double>{0.5, 0.5}), {2}, {0.5, 1});
  check_elements(xgrad::sum(xt::xarray<double>{1, 2}), {}, {3});
}

BOOST_AUTO_TEST_CASE(functions_that_xtensor_has_too_take_tensors_and_arrays_together) {
  const xt::xarray<double> a = {1, 2, 3};
  const Tensor x = {3.0, 2.0, 1.0};
  const Variable v(x);
  check_elements(maximum(a, x), {3}, {3, 2, 3});
  check_elements(minimum(x, a), {3}, {1, 2, 1});
  check_elements(maximum(v, 2.0 * a), {3}, {3, 4, 6});
  check_elements(pow(a, x), {3}, {1, 4, 3});
  check_elements(remainder(a, x), {3}, {1, 0, 0});
  check_elements(hypot(x, a), {3}, {std::sqrt(10), std::sqrt(8), std::sqrt(10)}, 1e-15);
  check_elements(atan2(a, x)[1], {}, {std::atan(1)}, 1e-15);
  check_elements(less(a, x), {3}, {1, 0, 0});
  check_elements(less_equal(a, x), {3}, {1, 1, 0});
  check_elements(greater(a, x), {3}, {0, 0, 1});
  check_elements(greater_equal(a, x), {3}, {0, 1, 1});
  check_elements(equal(a, v), {3}, {0, 1, 0});
  check_elements(not_equal(x, a), {3}, {1, 0, 1});
  check_elements(where(a > 1.5, x, 0.0), {3}, {0, 2, 1});
  check_elements(where(x > 1.5, a, x), {3}, {1, 2, 1});
  check_elements(where(a > 1.5, 7.0, v), {3}, {3, 7, 7});
  check_elements(grad(sum(maximum(a, x)), x), {3}, {1, 0.5, 0});
}

BOOST_AUTO_TEST_CASE(detach_forgets_history) {
  const Tensor x = {1.0, 2.0};
  const Tensor y = (x * 3.0).detach();
  check_elements(y, {2}, {3, 6});
  BOOST_TEST(y.node().inputs().empty());
  check_elements(grad(sum(x * y), x), {2}, {3, 6});
  check_throws<GradientError>([&] { grad(sum(y), x); }, {"does not depend"});
}

BOOST_AUTO_TEST_CASE(copies_share_the_node) {
  const Tensor x = {1.0};
  const Tensor y = x;
  BOOST_TEST(y.same_as(x));
  BOOST_TEST(!Tensor{1.0}.same_as(x));
  Tensor moved = y;
  const Tensor z = std::move(moved);
  BOOST_TEST(z.same_as(x));
}

BOOST_AUTO_TEST_CASE(only_names_are_assigned_to) {
  static_assert(!std::is_assignable_v<Tensor, Tensor>);
  static_assert(std::is_assignable_v<Tensor&, Tensor>);
  static_assert(std::is_nothrow_move_assignable_v<Tensor>);
  Tensor a = {1.0};
  const Tensor b = {2.0};
  a = b;
  BOOST_TEST(a.item() == 2);
}

BOOST_AUTO_TEST_CASE(shapes_in_streams) {
  std::ostringstream out;
  out << zeros({64, 784}).shape() << Shape{3} << Shape();
  BOOST_TEST(out.str() == "(64, 784)(3,)()");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
