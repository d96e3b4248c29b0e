#include "nn/losses.hpp"

#include <cmath>
#include <functional>
#include <string>

#include <boost/test/unit_test.hpp>

#include "autograd/ops/ops.hpp"
#include "autograd/transforms/check_grads.hpp"
#include "autograd/transforms/grad.hpp"
#include "tests/testing.hpp"

BOOST_AUTO_TEST_SUITE(nn_losses)

namespace {

using namespace xgrad;
using nn::Reduction;
using testing::check_elements;
using testing::check_throws;
using testing::elements;
using testing::random_tensor;

using Loss = std::function<Tensor(const Tensor& prediction, const Tensor& target, Reduction reduction)>;

const Shape shape = {3, 4};
Tensor predictions() { return random_tensor(shape, -2, 2, 1); }

/// Whether the loss of every element is by its definition, for all reductions, and its derivatives by differences.
void check_loss(const Loss& loss, const Tensor& target, const std::function<double(double, double)>& definition) {
  const std::vector<double> p = elements(predictions());
  const std::vector<double> t = elements(target);
  std::vector<double> expected;
  double sum = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    expected.push_back(definition(p[i], t[i]));
    sum += expected.back();
  }
  check_elements(loss(predictions(), target, Reduction::none), shape, expected, 1e-13);
  check_elements(loss(predictions(), target, Reduction::sum), {}, {sum}, 1e-13);
  check_elements(loss(predictions(), target, Reduction::mean), {}, {sum / 12}, 1e-13);
  const Tensor single = loss(cast(predictions(), DType::float32), cast(target, DType::float32), Reduction::mean);
  BOOST_TEST(single.dtype() == DType::float32);
  check_elements(single, {}, {sum / 12}, 1e-6);
  for (const Reduction reduction : {Reduction::none, Reduction::mean}) {
    BOOST_CHECK_NO_THROW(
        check_grads([&](const Tensors& x) { return loss(x[0], x[1], reduction); }, {predictions(), target}));
  }
  check_throws<ShapeError>([&] { loss(zeros({5, 1}), zeros({5}), Reduction::mean); }, {"(5, 1)", "(5,)"});
  BOOST_TEST(std::isnan(loss(zeros({0}), zeros({0}), Reduction::mean).item()));
  BOOST_TEST(loss(zeros({0}), zeros({0}), Reduction::sum).item() == 0);
}

Tensor targets() { return random_tensor(shape, -2, 2, 2); }
Tensor probabilities() { return random_tensor(shape, 0.1, 0.9, 3); }
Tensor signs() { return sign(targets()).detach(); }

double sigmoid_of(double x) { return 1 / (1 + std::exp(-x)); }

}  // namespace

BOOST_AUTO_TEST_CASE(mse_by_its_definition) {
  const Loss loss = [](const Tensor& p, const Tensor& t, Reduction r) { return nn::mse(p, t, r); };
  check_loss(loss, targets(), [](double p, double t) { return (p - t) * (p - t); });
}

BOOST_AUTO_TEST_CASE(mse_value_and_gradient) {
  const Tensor prediction = {{1.0, 2.0}, {3.0, 4.0}};
  const Tensor target = {{1.0, 0.0}, {0.0, 8.0}};
  const Tensor loss = nn::mse(prediction, target);
  check_elements(loss, {}, {(0 + 4 + 9 + 16) / 4.0});
  check_elements(grad(loss, prediction), {2, 2}, {0, 1, 1.5, -2});
}

BOOST_AUTO_TEST_CASE(losses_do_not_broadcast) {
  const auto line = std::to_string(__LINE__ + 1);
  const auto call = [] { nn::mse(zeros({5, 1}), zeros({5})); };
  check_throws<ShapeError>(call, {"[mse] ", "(5, 1)", "(5,)", "losses.cpp:" + line});
}

BOOST_AUTO_TEST_CASE(mae_by_its_definition) {
  const Loss loss = [](const Tensor& p, const Tensor& t, Reduction r) { return nn::mae(p, t, r); };
  check_loss(loss, targets(), [](double p, double t) { return std::abs(p - t); });
  const Tensor p = {1.0, 2.0, 3.0};
  check_elements(grad(nn::mae(p, Tensor{2.0, 2.0, 2.0}, Reduction::sum), p), {3}, {-1, 0, 1});
}

BOOST_AUTO_TEST_CASE(huber_by_its_definition) {
  for (const double delta : {0.7, 1.0, 5.0}) {
    const Loss loss = [=](const Tensor& p, const Tensor& t, Reduction r) { return nn::huber(p, t, delta, r); };
    check_loss(loss, targets(), [=](double p, double t) {
      const double d = std::abs(p - t);
      return d <= delta ? d * d / 2 : delta * (d - delta / 2);
    });
  }
  const Tensor p = {-1e4F, 0.0F, 1e4F};
  check_elements(grad(nn::huber(p, zeros({3}), 2, Reduction::sum), p), {3}, {-2, 0, 2});
  // At the kink the second derivative is that of the straight part, as PyTorch's.
  const Tensor around = {-2.0, -1.9, 1.9, 2.0, 2.1};
  const Tensor first = grad(nn::huber(around, zeros({5}, DType::float64), 2, Reduction::sum), around);
  check_elements(first, {5}, {-2, -1.9, 1.9, 2, 2});
  check_elements(grad(sum(first), around), {5}, {0, 1, 1, 0, 0});
  const auto line = std::to_string(__LINE__ + 1);
  const auto call = [] { nn::huber(zeros({2}), zeros({2}), 0); };
  check_throws<ValueError>(call, {"[huber] ", "got 0", "losses.cpp:" + line});
}

BOOST_AUTO_TEST_CASE(smooth_l1_by_its_definition) {
  for (const double beta : {0.0, 0.7, 5.0}) {
    const Loss loss = [=](const Tensor& p, const Tensor& t, Reduction r) { return nn::smooth_l1(p, t, beta, r); };
    check_loss(loss, targets(), [=](double p, double t) {
      const double d = std::abs(p - t);
      return d < beta ? d * d / (2 * beta) : d - beta / 2;
    });
  }
  check_throws<ValueError>([] { nn::smooth_l1(zeros({2}), zeros({2}), -1); }, {"[smooth_l1] ", "-1"});
}

BOOST_AUTO_TEST_CASE(binary_cross_entropy_by_its_definition) {
  for (const double weight : {1.0, 3.0}) {
    const Loss loss = [=](const Tensor& z, const Tensor& t, Reduction r) {
      return nn::binary_cross_entropy_with_logits(z, t,
                                                  {.reduction = r, .positive_weight = weight == 1 ? Tensor() : weight});
    };
    check_loss(loss, probabilities(), [=](double z, double t) {
      return -weight * t * std::log(sigmoid_of(z)) - (1 - t) * std::log(1 - sigmoid_of(z));
    });
  }
}

BOOST_AUTO_TEST_CASE(positive_weights_broadcast_to_the_logits) {
  const Tensor weights = {0.5, 1.0, 2.0, 4.0};
  const Tensor rows = nn::binary_cross_entropy_with_logits(predictions(), probabilities(),
                                                           {.reduction = Reduction::none, .positive_weight = weights});
  for (std::int64_t j = 0; j < 4; ++j) {
    const Tensor column =
        nn::binary_cross_entropy_with_logits(predictions()[{all(), j}], probabilities()[{all(), j}],
                                             {.reduction = Reduction::none, .positive_weight = weights[j]});
    check_elements(rows[{all(), j}], {3}, elements(column), 1e-14);
  }
  check_throws<ShapeError>(
      [&] {
        nn::binary_cross_entropy_with_logits(zeros({4}), zeros({4}), {.positive_weight = ones({3, 4})});
      },
      {"positive_weight", "(3, 4)", "(4,)"});
}

BOOST_AUTO_TEST_CASE(binary_cross_entropy_of_extreme_logits) {
  const Tensor z = {-1e4F, -1e4F, 0.0F, 1e4F, 1e4F};
  const Tensor t = {0.0F, 1.0F, 0.5F, 0.0F, 1.0F};
  for (const Tensor& weight : {Tensor(), Tensor(2.0F)}) {
    const double w = weight.defined() ? 2 : 1;
    const Tensor losses =
        nn::binary_cross_entropy_with_logits(z, t, {.reduction = Reduction::none, .positive_weight = weight});
    check_elements(losses, {5}, {0, w * 1e4, (w + 1) / 2 * std::log(2), 1e4, 0}, 1e-6);
    check_elements(grad(sum(losses), z), {5}, {0, -w, (1 - w) / 4, 1, 0}, 1e-6);
  }
}

BOOST_AUTO_TEST_CASE(kl_divergence_by_its_definition) {
  const Loss loss = [](const Tensor& z, const Tensor& t, Reduction r) {
    return nn::kl_divergence(z, t, {.reduction = r});
  };
  check_loss(loss, probabilities(), [](double z, double t) { return t * (std::log(t) - z); });
  const Loss of_logarithms = [](const Tensor& z, const Tensor& t, Reduction r) {
    return nn::kl_divergence(z, t, {.reduction = r, .log_target = true});
  };
  check_loss(of_logarithms, targets(), [](double z, double t) { return std::exp(t) * (t - z); });
}

BOOST_AUTO_TEST_CASE(kl_divergence_of_distributions) {
  const Tensor p = softmax(random_tensor({2, 5}, -1, 1, 1));
  const Tensor q = softmax(random_tensor({2, 5}, -1, 1, 2));
  BOOST_TEST(nn::kl_divergence(log(q), p, {.reduction = Reduction::sum}).item() > 0);
  BOOST_TEST(std::abs(nn::kl_divergence(log(p), p, {.reduction = Reduction::sum}).item()) < 1e-15);
  // What cannot happen costs nothing.
  const Tensor z = log(Tensor{0.5, 0.25, 0.25});
  const Tensor certain = {1.0, 0.0, 0.0};
  check_elements(nn::kl_divergence(z, certain, {.reduction = Reduction::sum}), {}, {std::log(2)}, 1e-15);
  check_elements(grad(nn::kl_divergence(z, certain, {.reduction = Reduction::sum}), z), {3}, {-1, 0, 0});
}

BOOST_AUTO_TEST_CASE(hinge_by_its_definition) {
  const Loss loss = [](const Tensor& s, const Tensor& t, Reduction r) { return nn::hinge(s, t, r); };
  check_loss(loss, signs(), [](double s, double t) { return std::max(0.0, 1 - t * s); });
}

BOOST_AUTO_TEST_CASE(cosine_similarity_by_its_definition) {
  const std::vector<double> a = elements(predictions()), b = elements(targets());
  std::vector<double> expected;
  for (std::size_t row = 0; row < 3; ++row) {
    double ab = 0, aa = 0, bb = 0;
    for (std::size_t i = 4 * row; i < 4 * row + 4; ++i) {
      ab += a[i] * b[i];
      aa += a[i] * a[i];
      bb += b[i] * b[i];
    }
    expected.push_back(ab / std::sqrt(aa * bb));
  }
  check_elements(nn::cosine_similarity(predictions(), targets()), {3}, expected, 1e-14);
  check_elements(nn::cosine_similarity(transpose(predictions()), transpose(targets()), 0), {3}, expected, 1e-14);
  BOOST_CHECK_NO_THROW(
      check_grads([](const Tensors& x) { return nn::cosine_similarity(x[0], x[1]); }, {predictions(), targets()}));
  check_throws<ShapeError>([] { nn::cosine_similarity(zeros({2}), zeros({3})); },
                           {"[cosine_similarity] ", "(2,)", "(3,)"});
}

BOOST_AUTO_TEST_CASE(cosine_similarity_of_nothing) {
  const Tensor zero = zeros({2}, DType::float64);
  const Tensor b = {3.0, 4.0};
  check_elements(nn::cosine_similarity(zero, b), {}, {0});
  check_elements(grad(nn::cosine_similarity(zero, b, -1, 0.5), zero), {2}, {0.6 / 0.5, 0.8 / 0.5}, 1e-15);
}

BOOST_AUTO_TEST_CASE(cosine_embedding_by_its_definition) {
  const Tensor t = {1.0, -1.0, -1.0};
  const std::vector<double> s = elements(nn::cosine_similarity(predictions(), targets()));
  const std::vector<double> expected = {1 - s[0], std::max(0.0, s[1] + 0.9), std::max(0.0, s[2] + 0.9)};
  check_elements(nn::cosine_embedding(predictions(), targets(), t, {.reduction = Reduction::none, .margin = -0.9}), {3},
                 expected, 1e-14);
  check_elements(nn::cosine_embedding(predictions(), targets(), t, {.margin = -0.9}), {},
                 {(expected[0] + expected[1] + expected[2]) / 3}, 1e-14);
  BOOST_CHECK_NO_THROW(
      check_grads([&](const Tensors& x) { return nn::cosine_embedding(x[0], x[1], t, {.margin = -0.9}); },
                  {predictions(), targets()}));
  check_throws<ShapeError>([] { nn::cosine_embedding(predictions(), targets(), Tensor{1.0}); },
                           {"[cosine_embedding] ", "(3, 4)", "(3,)", "(1,)"});
}

BOOST_AUTO_TEST_SUITE_END()
