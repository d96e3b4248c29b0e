#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/graph/variable.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/plan/compile.hpp"
#include "autograd/transforms/grad.hpp"
#include "nn/losses.hpp"
#include "tests/testing.hpp"

/// \file
/// Losses at infinities and where floating numbers end.

BOOST_AUTO_TEST_SUITE(nn_extreme_losses)

namespace {

using namespace xgrad;
using nn::Reduction;
using testing::check_elements;

constexpr double infinity = std::numeric_limits<double>::infinity();

}  // namespace

BOOST_AUTO_TEST_CASE(kl_divergence_is_0_where_the_target_is) {
  const Tensor z = {-infinity, std::log(0.25), -infinity};
  const Tensor t = {0.0, 1.0, 0.5};
  const Tensor losses = nn::kl_divergence(z, t, {.reduction = Reduction::none});
  check_elements(losses, {3}, {0, std::log(4), infinity}, 1e-15);
  check_elements(grad(sum(losses), z), {3}, {0, -1, -0.5});

  const Tensor log_t = {-infinity, 0.0, -infinity};
  const Tensor from_logarithms = nn::kl_divergence(Tensor{-infinity, std::log(0.25), -1.0}, log_t,
                                                   {.reduction = Reduction::none, .log_target = true});
  check_elements(from_logarithms, {3}, {0, std::log(4), 0}, 1e-15);
  check_elements(grad(sum(from_logarithms), log_t), {3}, {0, std::log(4) + 1, 0}, 1e-15);
}

// log(1 + e⁻ᶻ), at both sides of 0, to the last digits of float32.
BOOST_AUTO_TEST_CASE(binary_cross_entropy_of_large_logits_keeps_its_digits) {
  const Tensor z = {15.0F, 12.0F, -15.0F, 0.0F, 30.0F, 300.0F};
  const Tensor t = {1.0F, 1.0F, 0.0F, 0.25F, 0.75F, 0.0F};
  const double at_15 = std::log1p(std::exp(-15.0));
  const double at_12 = std::log1p(std::exp(-12.0));
  const Tensor losses = nn::binary_cross_entropy_with_logits(z, t, {.reduction = Reduction::none});
  const std::vector<double> expected = {at_15, at_12, at_15, std::log(2), 7.5, 300};
  const std::vector<double> actual = testing::elements(losses);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    BOOST_TEST(actual[i] == expected[i], boost::test_tools::tolerance(1e-6));
  }
  const Tensor gradient = grad(sum(losses), z);
  check_elements(gradient, {6}, {-3.059e-7, -6.1442e-6, 3.059e-7, 0.25, 0.25, 1}, 1e-7);
  check_elements(grad(sum(gradient), z), {6}, {3.059e-7, 6.1442e-6, 3.059e-7, 0.25, 0, 0}, 1e-7);
}

BOOST_AUTO_TEST_CASE(binary_cross_entropy_of_infinite_logits_is_0_or_infinite) {
  const Tensor z = {infinity, -infinity, infinity, -infinity};
  const Tensor t = {1.0, 0.0, 0.0, 1.0};
  for (const Tensor& weight : {Tensor(), Tensor(2.0)}) {
    const Tensor losses =
        nn::binary_cross_entropy_with_logits(z, t, {.reduction = Reduction::none, .positive_weight = weight});
    check_elements(losses, {4}, {0, 0, infinity, infinity});
    check_elements(grad(sum(losses), z), {4}, {0, 0, 1, weight.defined() ? -2.0 : -1.0});
  }
}

BOOST_AUTO_TEST_CASE(cross_entropy_of_logits_as_far_apart_as_can_be_has_a_gradient) {
  const Tensor z = xt::xarray<float>{{3.4e38F, -3.4e38F, 0}, {3.4e38F, -3.4e38F, 0}};
  const Tensor labels = {std::int64_t{1}, std::int64_t{0}};
  const Tensor losses = nn::cross_entropy(z, labels, {.reduction = Reduction::none});
  check_elements(losses, {2}, {infinity, 0});
  check_elements(grad(sum(losses), z), {2, 3}, {1, -1, 0, 0, 0, 0});
  const Tensor smoothed = nn::cross_entropy(z, labels, {.reduction = Reduction::sum, .label_smoothing = 0.3});
  check_elements(grad(smoothed, z), {2, 3}, {0.9, -0.8, -0.1, 0.2, -0.1, -0.1}, 1e-6);

  const Tensor far = xt::xarray<double>{{1.7e308, -1.7e308}};
  check_elements(grad(nn::cross_entropy(far, Tensor{std::int64_t{1}}), far), {1, 2}, {1, -1});
  const Tensor tied = xt::xarray<float>{{-3e38F, -3e38F}};
  const Tensor of_tied = nn::cross_entropy(tied, Tensor{std::int64_t{1}});
  check_elements(of_tied, {}, {std::log(2)}, 1e-6);
  check_elements(grad(of_tied, tied), {1, 2}, {0.5, -0.5});
}

BOOST_AUTO_TEST_CASE(an_impossible_class_of_weight_0_costs_nothing) {
  const Tensor z = xt::xarray<double>{{-infinity, 1}};
  const Tensor weights = {0.0, 1.0};
  const Tensor label = {std::int64_t{0}};
  check_elements(nn::cross_entropy(z, label, {.reduction = Reduction::sum, .class_weights = weights}), {}, {0});
  check_elements(
      nn::cross_entropy(z, label, {.reduction = Reduction::sum, .label_smoothing = 0.1, .class_weights = weights}), {},
      {0});
  check_elements(nn::nll(z, label, {.reduction = Reduction::sum, .class_weights = weights}), {}, {0});
}

// Also in a plan, which cuts a large batch into pieces.
BOOST_AUTO_TEST_CASE(a_bad_label_is_named_by_its_row_in_the_batch) {
  std::vector<double> labels(4000, 1);
  labels[3990] = 12;
  const Tensor y = testing::make_tensor(labels, {4000}, DType::uint8);
  const Tensor x = testing::random_tensor({4000, 3});
  const Variable w(testing::random_tensor({3, 10}), "w");
  for (const auto& loss : std::vector<std::function<Tensor(const Tensor&, const Tensor&)>>{
           [](const Tensor& z, const Tensor& t) { return nn::cross_entropy(z, t); },
           [](const Tensor& z, const Tensor& t) { return nn::nll(log_softmax(z, -1), t); }}) {
    const auto step = compile([&](const Tensor& features, const Tensor& targets) {
      const Tensor result = loss(matmul(features, w), targets);
      w.assign(w - grad(result, w));
      return result;
    });
    testing::check_throws<ValueError>([&] { step(x, y); },
                                      {"] the label of row 3990 of 4000 is 12, outside [0, 10)", "extreme_losses.cpp"});
    testing::check_throws<ValueError>([&] { loss(matmul(x, w), y).item(); }, {"row 3990 of 4000 is 12"});
  }
}

BOOST_AUTO_TEST_CASE(cosine_similarity_is_never_beyond_1) {
  double beyond = 0;
  for (unsigned seed = 0; seed < 200; ++seed) {
    const Tensor x = cast(testing::random_tensor({1, 7}, -1, 1, seed), DType::float32);
    beyond = std::max(beyond, nn::cosine_similarity(x, 3.0F * x).item() - 1);
    beyond = std::max(beyond, -1 - nn::cosine_similarity(x, -3.0F * x).item());
    BOOST_TEST(nn::cosine_embedding(x, x, Tensor{1.0F}).item() >= 0);
  }
  BOOST_TEST(beyond == 0);
}

BOOST_AUTO_TEST_SUITE_END()
