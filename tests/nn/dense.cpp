#include "nn/dense.hpp"

#include <string>

#include <boost/test/unit_test.hpp>
#include <xtensor-blas/xlinalg.hpp>

#include "autograd/ops/ops.hpp"
#include "autograd/transforms/check_grads.hpp"
#include "autograd/transforms/grad.hpp"
#include "nn/activations.hpp"
#include "tests/testing.hpp"

BOOST_AUTO_TEST_SUITE(nn_dense)

namespace {

using namespace xgrad;
using testing::check_elements;
using testing::check_throws;
using testing::elements;
using testing::random_tensor;

nn::DenseOptions in_double(bool bias = true) {
  return {.bias = bias, .initializer = nn::init::normal(), .dtype = DType::float64};
}

nn::Dense make_dense(std::int64_t in, std::int64_t out) {
  const nn::Dense dense(in, out, in_double());
  dense.bias()->assign(random_tensor({out}, -1, 1, 7));
  return dense;
}

template <class T>
void check_forward(DType dtype, double tolerance) {
  nn::DenseOptions options = in_double();
  options.dtype = dtype;
  const nn::Dense dense(5, 3, options);
  dense.bias()->assign(cast(Tensor{0.5, -1.0, 2.0}, dtype));
  const Tensor x = cast(random_tensor({4, 5}), dtype);
  const xt::xarray<T> expected = xt::linalg::dot(x.value<T>(), dense.weight().value<T>()) + dense.bias()->value<T>();
  BOOST_TEST(dense(x).dtype() == dtype);
  check_elements(dense(x), {4, 3}, {expected.begin(), expected.end()}, tolerance);
}

}  // namespace

BOOST_AUTO_TEST_CASE(forward_matches_xtensor_blas) {
  check_forward<double>(DType::float64, 1e-14);
  check_forward<float>(DType::float32, 1e-6);
}

BOOST_AUTO_TEST_CASE(gradients_match_xtensor_blas) {
  const nn::Dense dense = make_dense(5, 3);
  const Tensor x = random_tensor({4, 5});
  const Tensor ct = random_tensor({4, 3}, -1, 1, 2);
  const Tensors gradients = vjp(dense(x), {x, dense.weight(), *dense.bias()}, ct);

  const auto c = ct.value<double>();
  const xt::xarray<double> dx = xt::linalg::dot(c, xt::transpose(dense.weight().value<double>()));
  const xt::xarray<double> dw = xt::linalg::dot(xt::transpose(x.value<double>()), c);
  const xt::xarray<double> db = xt::sum(c, {0});
  check_elements(gradients[0], {4, 5}, {dx.begin(), dx.end()}, 1e-14);
  check_elements(gradients[1], {5, 3}, {dw.begin(), dw.end()}, 1e-14);
  check_elements(gradients[2], {3}, {db.begin(), db.end()}, 1e-14);
}

BOOST_AUTO_TEST_CASE(differentiable_twice) {
  const nn::Dense first = make_dense(3, 4);
  const nn::Dense second = make_dense(4, 2);
  BOOST_CHECK_NO_THROW(
      check_grads([&](const Tensors& x) { return second(tanh(first(x[0]))); }, {random_tensor({5, 3}, -1, 1)}));
}

BOOST_AUTO_TEST_CASE(without_bias) {
  const nn::Dense dense(5, 3, in_double(false));
  BOOST_TEST(!dense.bias().has_value());
  BOOST_TEST(dense.parameter_count() == 15);
  const Tensor x = random_tensor({4, 5});
  check_elements(dense(x), {4, 3}, elements(matmul(x, dense.weight())));
}

BOOST_AUTO_TEST_CASE(leading_axes_are_samples) {
  const nn::Dense dense = make_dense(5, 3);
  const Tensor x = random_tensor({2, 4, 5});
  const std::vector<double> expected = elements(dense(reshape(x, {8, 5})));
  check_elements(dense(x), {2, 4, 3}, expected, 1e-14);
  const Tensor one_sample = dense(x[{0, 0}]);
  check_elements(one_sample, {3}, {expected.begin(), expected.begin() + 3}, 1e-14);
  BOOST_TEST(to_string(dense(zeros({0, 5}, DType::float64)).shape()) == "(0, 3)");

  const Tensor ct = random_tensor({2, 4, 3}, -1, 1, 2);
  const Tensor flat_gradient = vjp(dense(reshape(x, {8, 5})), {dense.weight()}, reshape(ct, {8, 3})).front();
  check_elements(vjp(dense(x), {dense.weight()}, ct).front(), {5, 3}, elements(flat_gradient), 1e-14);
}

BOOST_AUTO_TEST_CASE(wrong_input_names_the_sizes_and_the_users_line) {
  const nn::Dense dense(784, 128);
  const Tensor images = zeros({64, 28, 28});
  const auto line = std::to_string(__LINE__ + 1);
  const auto call = [&] { dense(images); };
  check_throws<ShapeError>(
      call, {"[dense] ", "784 features", "(64, 28, 28)", "reshape(x, {-1, 784})", "nn/dense.cpp:" + line});
  check_throws<ShapeError>([&] { dense(1.0); }, {"[dense] ", "784 features", "()"});
  // Six samples of four features are no eight samples of three.
  check_throws<ShapeError>([] { nn::Dense(3, 2)(zeros({6, 4})); }, {"(6, 4) has 4", "give one of shape (.., 3)"});
  check_throws<DTypeError>(
      [&] {
        dense(zeros({2, 784}, DType::float64));
      },
      {"[dense] ", "float64", "float32", "cast", "dense.cpp:"});
}

BOOST_AUTO_TEST_CASE(refuses_sizes_below_one) {
  check_throws<ValueError>([] { nn::Dense(0, 10); }, {"[dense] ", "0 inputs and 10 outputs"});
  check_throws<ValueError>([] { nn::Dense(10, -1); }, {"[dense] ", "10 inputs and -1 outputs"});
}

BOOST_AUTO_TEST_CASE(begins_as_its_initializer_and_key_say) {
  const nn::Dense dense(20, 30, {.initializer = nn::init::he_normal, .key = random::Key(5)});
  check_elements(dense.weight(), {20, 30}, elements(nn::init::he_normal(random::Key(5), {20, 30})));
  check_elements(*dense.bias(), {30}, std::vector<double>(30, 0.0));
  check_elements(nn::Dense(20, 30).weight(), {20, 30}, elements(nn::init::glorot_uniform(random::Key(0), {20, 30})));
}

BOOST_AUTO_TEST_CASE(draw_starts_anew) {
  nn::Dense dense = make_dense(6, 4);
  dense.draw(random::Key(9));
  check_elements(dense.weight(), {6, 4}, elements(random::normal(random::Key(9), {6, 4}, 0, 1, DType::float64)));
  check_elements(*dense.bias(), {4}, std::vector<double>(4, 0.0));
}

BOOST_AUTO_TEST_SUITE_END()
