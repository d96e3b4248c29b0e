#include "nn/metrics.hpp"

#include <cmath>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/ops/ops.hpp"
#include "nn/losses.hpp"
#include "tests/testing.hpp"

BOOST_AUTO_TEST_SUITE(nn_metrics)

namespace {

using namespace xgrad;
using testing::check_throws;
using testing::make_tensor;

void check_close(double actual, double expected) { BOOST_TEST(std::abs(actual - expected) < 1e-14); }

/// The value over two uneven batches of the rows of both, and that nothing else counts after a reset.
template <class M>
double streamed(M metric, const Tensor& predictions, const Tensor& targets) {
  metric.update(predictions, targets);
  metric.reset();
  metric.update(predictions[range(0, 1)], targets[range(0, 1)]);
  metric.update(predictions[range(1)], targets[range(1)]);
  metric.update(predictions[range(0, 0)], targets[range(0, 0)]);
  return metric.value();
}

const Tensor labels = {0, 0, 0, 0, 0, 1, 1, 1, 2, 2};

// A metric of a user's, with no more than what a metric must have.
struct LargestError {
  double largest = 0;
  void update(const Tensor& predictions, const Tensor& targets) {
    largest = std::max(largest, amax(abs(predictions - targets)).item());
  }
  double value() const { return largest; }
  void reset() { largest = 0; }
  const char* name() const { return "largest_error"; }
};

static_assert(nn::MetricLike<LargestError> && nn::MetricLike<nn::F1> && nn::MetricLike<nn::R2> &&
              nn::MetricLike<nn::Accuracy> && nn::MetricLike<nn::Metric> && !nn::MetricLike<nn::ConfusionMatrix>);

}  // namespace

BOOST_AUTO_TEST_CASE(accuracy_counts_rows_whose_largest_score_is_the_label) {
  const Tensor scores = {{0.1, 0.9, 0.0}, {5.0, -1.0, 4.0}, {0.0, 0.0, 1.0}, {2.0, 2.0, 1.0}};
  for (const DType dtype : {DType::uint8, DType::int32, DType::int64}) {
    check_close(nn::accuracy(scores, make_tensor({1, 2, 2, 0}, {4}, dtype)), 0.75);  // the first of two largest counts
    check_close(nn::accuracy(scores, make_tensor({0, 1, 1, 1}, {4}, dtype)), 0);
  }
  BOOST_TEST(std::isnan(nn::accuracy(zeros({0, 3}), make_tensor({}, {0}, DType::int64))));
}

BOOST_AUTO_TEST_CASE(accuracy_refuses_other_shapes) {
  const auto line = std::to_string(__LINE__ + 1);
  const auto call = [] { nn::accuracy(zeros({4, 3}), labels); };
  check_throws<ShapeError>(call, {"[accuracy] ", "(4,)", "(10,)", "metrics.cpp:" + line});
}

BOOST_AUTO_TEST_CASE(accuracy_streams_over_batches) {
  const Tensor scores = {{0.1, 0.9, 0.0}, {5.0, -1.0, 4.0}, {0.0, 0.0, 1.0}, {2.0, 2.0, 1.0}};
  check_close(streamed(nn::Accuracy(), scores, Tensor{1, 2, 2, 0}), 0.75);
  const Tensor mixed = {{0.3, 0.7, 0.0}, {0.0, 0.4, 0.6}, {0.0, 0.1, 0.9}, {1.0, 0.0, 0.0}};
  check_close(streamed(nn::Accuracy(), scores, mixed), 0.75);
  BOOST_TEST(std::isnan(nn::Accuracy().value()));
  BOOST_TEST(nn::Accuracy().name() == "accuracy");
  nn::Accuracy metric;
  const auto line = std::to_string(__LINE__ + 1);
  const auto call = [&] { metric.update(zeros({4, 3}), labels); };
  check_throws<ShapeError>(call, {"[accuracy] ", "(4,)", "(10,)", "metrics.cpp:" + line});
}

BOOST_AUTO_TEST_CASE(top_k_counts_labels_among_the_largest) {
  // The example of scikit-learn's top_k_accuracy_score: 0.5 for k = 1, 0.75 for k = 2.
  const Tensor scores = {{0.5, 0.2, 0.2}, {0.3, 0.4, 0.2}, {0.2, 0.4, 0.3}, {0.7, 0.2, 0.1}};
  const Tensor right = {0, 1, 2, 2};
  check_close(streamed(nn::TopKAccuracy(1), scores, right), 0.5);
  check_close(streamed(nn::TopKAccuracy(2), scores, right), 0.75);
  check_close(streamed(nn::TopKAccuracy(3), scores, right), 1);
  check_close(streamed(nn::TopKAccuracy(5), scores, cast(right, DType::uint8)), 1);
  const double nan = std::nan("");
  check_close(streamed(nn::TopKAccuracy(3), Tensor{{nan, nan}, {1.0, 0.0}}, Tensor{0, 0}), 0.5);
  BOOST_TEST(nn::TopKAccuracy().name() == "top_5_accuracy");
  check_throws<ValueError>([] { nn::TopKAccuracy(0); }, {"[top_k_accuracy] ", "k is 0"});
  check_throws<ShapeError>([&] { nn::TopKAccuracy().update(scores, labels); }, {"(4, 3)", "(10,)"});
  check_throws<ValueError>(
      [&] {
        nn::TopKAccuracy().update(scores, Tensor{0, 1, 2, 3});
      },
      {"[top_k_accuracy] the label of row 3 of 4 is 3, outside [0, 3)"});
  check_throws<ValueError>(
      [&] {
        nn::TopKAccuracy().update(scores, Tensor{0, 1, 2, -1});
      },
      {"the label of row 3 of 4 is -1"});
}

// Of equal scores the first is the largest, as argmax has it: a model that finds all alike is right for k classes.
BOOST_AUTO_TEST_CASE(ties_do_not_count_for_the_model) {
  const Tensor alike = ones({4, 4});
  const Tensor right = {0, 1, 2, 3};
  check_close(streamed(nn::Accuracy(), alike, right), 0.25);
  for (const std::int64_t k : {1, 2, 3, 4}) {
    check_close(streamed(nn::TopKAccuracy(k), alike, right), static_cast<double>(k) / 4);
  }
  const Tensor scores = {{1.0, 3.0, 3.0, 2.0}, {3.0, 2.0, 2.0, 2.0}};
  check_close(streamed(nn::TopKAccuracy(2), scores, Tensor{2, 1}), 1);
  check_close(streamed(nn::TopKAccuracy(2), scores, Tensor{3, 2}), 0);
}

BOOST_AUTO_TEST_CASE(scores_that_are_nan_are_never_right) {
  const double nan = std::nan("");
  const Tensor scores = {{nan, nan, nan}, {1.0, nan, 0.0}, {0.0, 1.0, 2.0}};
  check_close(nn::accuracy(scores, Tensor{0, 0, 2}), 1.0 / 3);
  check_close(nn::accuracy(scores, Tensor{0, 1, 2}), 1.0 / 3);
  check_close(streamed(nn::Accuracy(), scores, Tensor{0, 1, 2}), 1.0 / 3);
  check_close(streamed(nn::TopKAccuracy(3), scores, Tensor{0, 0, 2}), 1.0 / 3);
  const auto line = std::to_string(__LINE__ + 2);
  nn::ConfusionMatrix matrix(3);
  const auto call = [&] { matrix.update(scores, Tensor{0, 0, 2}); };
  check_throws<ValueError>(call, {"[confusion_matrix] ", "NaN", "row 0, of 2 rows", "metrics.cpp:" + line});
  BOOST_TEST(matrix.total() == 0);
}

// The most probable class is the label, for every metric of classes.
BOOST_AUTO_TEST_CASE(probabilities_are_labels_for_all_metrics_of_classes) {
  const Tensor scores = {{0.1, 0.9, 0.0}, {5.0, -1.0, 4.0}, {0.0, 0.0, 1.0}, {2.0, 1.0, 1.5}};
  const Tensor mixed = {{0.3, 0.7, 0.0}, {0.0, 0.4, 0.6}, {0.0, 0.1, 0.9}, {0.0, 1.0, 0.0}};
  const Tensor classes = {1, 2, 2, 1};
  for (const nn::Metric& metric :
       std::vector<nn::Metric>{nn::Accuracy(), nn::TopKAccuracy(2), nn::F1(3), nn::Recall(3), nn::Precision(3)}) {
    check_close(streamed(metric, scores, mixed), streamed(metric, scores, classes));
  }
  nn::ConfusionMatrix matrix(3);
  matrix.update(scores, mixed);
  BOOST_TEST(matrix.count(2, 0) == 1);
  BOOST_TEST(matrix.count(1, 0) == 1);
  for (nn::Metric& metric : std::vector<nn::Metric>{nn::Accuracy(), nn::TopKAccuracy(2), nn::F1(3)}) {
    check_throws<DTypeError>(
        [&] {
          metric.update(scores, Tensor{0.0, 1.0, 1.0, 2.0});
        },
        {"targets are float64 of shape (4,), scores of shape (4, 3)", "integer labels"});
  }
}

BOOST_AUTO_TEST_CASE(mean_weighs_batches_by_their_samples) {
  const Tensor z = {{1.0, 2.0}, {0.5, -1.0}, {3.0, 0.0}};
  const Tensor y = {0, 1, 0};
  const nn::Mean loss("loss", [](const Tensor& p, const Tensor& t) { return nn::cross_entropy(p, t); });
  check_close(streamed(loss, z, y), nn::cross_entropy(z, y).item());
  const nn::Mean right("binary_accuracy", [](const Tensor& p, const Tensor& t) { return (p > 0.0) == (t > 0.5); });
  check_close(streamed(right, Tensor{1.0, -1.0, 2.0}, Tensor{1.0, 1.0, 1.0}), 2.0 / 3);
  nn::Mean single("single", [](const Tensor& p, const Tensor&) { return p; });
  BOOST_TEST(std::isnan(single.value()));
  single.update(2.0, 0.0);
  single.update(4.0, 0.0);
  check_close(single.value(), 3);
}

BOOST_AUTO_TEST_CASE(errors_of_regression_by_hand) {
  // scikit-learn's examples of mean_squared_error and mean_absolute_error.
  const Tensor y = {3.0, -0.5, 2.0, 7.0};
  const Tensor p = {2.5, 0.0, 2.0, 8.0};
  check_close(streamed(nn::MeanSquaredError(), p, y), 0.375);
  check_close(streamed(nn::MeanAbsoluteError(), p, y), 0.5);
  const Tensor two_y = {{0.5, 1.0}, {-1.0, 1.0}, {7.0, -6.0}};
  const Tensor two_p = {{0.0, 2.0}, {-1.0, 2.0}, {8.0, -5.0}};
  check_close(streamed(nn::MeanSquaredError(), two_p, two_y), 4.25 / 6);
  check_close(streamed(nn::MeanAbsoluteError(), two_p, two_y), 0.75);
  BOOST_TEST(std::isnan(nn::MeanSquaredError().value()));
  BOOST_TEST(nn::MeanSquaredError().name() == "mean_squared_error");
  BOOST_TEST(nn::MeanAbsoluteError().name() == "mean_absolute_error");
  check_throws<ShapeError>([&] { nn::MeanSquaredError().update(p, y[range(1)]); }, {"[mean_squared_error] ", "(3,)"});
  check_throws<ShapeError>([&] { nn::MeanAbsoluteError().update(expand_dims(p, 1), y); }, {"(4, 1)", "(4,)"});
}

BOOST_AUTO_TEST_CASE(explained_parts_by_hand) {
  // scikit-learn's examples of r2_score and explained_variance_score, and their formulas.
  const Tensor y = {3.0, -0.5, 2.0, 7.0};
  const Tensor p = {2.5, 0.0, 2.0, 8.0};
  const double squares = 3 * 3 + 0.5 * 0.5 + 2 * 2 + 7 * 7 - 4 * 2.875 * 2.875;  // Σ (y - 2.875)²
  check_close(streamed(nn::R2(), p, y), 1 - 1.5 / squares);
  check_close(streamed(nn::ExplainedVariance(), p, y), 1 - (1.5 - 4 * 0.25 * 0.25) / squares);
  const Tensor two_y = {{0.5, 1.0}, {-1.0, 1.0}, {7.0, -6.0}};
  const Tensor two_p = {{0.0, 2.0}, {-1.0, 2.0}, {8.0, -5.0}};
  const double first = 0.25 + 1 + 49 - 3 * std::pow(6.5 / 3, 2);
  const double second = 1 + 1 + 36 - 3 * std::pow(4.0 / 3, 2);
  check_close(streamed(nn::R2(), two_p, two_y), 1 - (1.25 / first + 3 / second) / 2);
  check_close(streamed(nn::ExplainedVariance(), two_p, two_y), 1 - (1.25 - 0.25 / 3) / first / 2);
  check_close(streamed(nn::R2(), Tensor{3.0, 2.0, 1.0}, Tensor{1.0, 2.0, 3.0}), -3);  // worse than the mean
  check_close(streamed(nn::R2(), Tensor{2.0, 2.0, 2.0}, Tensor{1.0, 2.0, 3.0}), 0);
  check_close(streamed(nn::ExplainedVariance(), Tensor{2.0, 3.0, 4.0}, Tensor{1.0, 2.0, 3.0}), 1);
  BOOST_TEST(nn::R2().name() == "r2");
  BOOST_TEST(nn::ExplainedVariance().name() == "explained_variance");
}

BOOST_AUTO_TEST_CASE(explained_parts_where_nothing_varies) {
  const Tensor same = {4.0, 4.0, 4.0};
  check_close(streamed(nn::R2(), same, same), 1);
  check_close(streamed(nn::R2(), same + 1.0, same), 0);
  check_close(streamed(nn::ExplainedVariance(), same + 1.0, same), 1);
  check_close(streamed(nn::ExplainedVariance(), Tensor{4.0, 5.0, 6.0}, same), 0);
  BOOST_TEST(std::isnan(nn::R2().value()));
  BOOST_TEST(std::isnan(nn::ExplainedVariance().value()));
  nn::R2 single;
  single.update(Tensor{1.0}, Tensor{1.0});
  BOOST_TEST(std::isnan(single.value()));
}

BOOST_AUTO_TEST_CASE(explained_parts_keep_their_digits_and_shapes) {
  const Tensor y = {1e8 + 3.0, 1e8 - 0.5, 1e8 + 2.0, 1e8 + 7.0};
  const Tensor p = {1e8 + 2.5, 1e8 + 0.0, 1e8 + 2.0, 1e8 + 8.0};
  BOOST_TEST(std::abs(streamed(nn::R2(), p, y) - (1 - 1.5 / 29.1875)) < 1e-8);
  nn::R2 metric;
  metric.update(zeros({2, 3}), ones({2, 3}));
  const auto line = std::to_string(__LINE__ + 1);
  const auto call = [&] { metric.update(zeros({2, 4}), ones({2, 4})); };
  check_throws<ShapeError>(call, {"[regression metric] ", "(4,)", "(3,)", "metrics.cpp:" + line});
  check_throws<ShapeError>([&] { metric.update(zeros({2}), ones({2, 3})); }, {"(2,)", "(2, 3)"});
  metric.reset();
  metric.update(zeros({2, 4}), ones({2, 4}));
  check_close(metric.value(), 0);
}

BOOST_AUTO_TEST_CASE(any_metric_is_a_metric) {
  const Tensor p = {2.5, 0.0, 2.0, 8.0};
  const Tensor y = {3.0, -0.5, 2.0, 7.0};
  std::vector<nn::Metric> metrics = {LargestError(), nn::MeanSquaredError(), nn::R2()};
  const nn::Metric copy = metrics[0];
  for (nn::Metric& metric : metrics) {
    metric.update(p, y);
  }
  check_close(metrics[0].value(), 1);
  check_close(copy.value(), 1);
  check_close(metrics[1].value(), 0.375);
  BOOST_TEST(metrics[0].name() == "largest_error");
  BOOST_TEST(metrics[2].name() == "r2");
  const auto line = std::to_string(__LINE__ + 1);
  const auto call = [&] { metrics[1].update(p, zeros({2})); };
  check_throws<ShapeError>(call, {"[mean_squared_error] ", "metrics.cpp:" + line});
  metrics[0].reset();
  check_close(copy.value(), 0);
}

BOOST_AUTO_TEST_SUITE_END()
