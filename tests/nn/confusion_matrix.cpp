#include "nn/confusion_matrix.hpp"

#include <array>
#include <cmath>
#include <string>

#include <boost/test/unit_test.hpp>

#include "autograd/ops/ops.hpp"
#include "tests/testing.hpp"

BOOST_AUTO_TEST_SUITE(nn_confusion_matrix)

namespace {

using namespace xgrad;
using testing::check_throws;
using testing::make_tensor;

// Of 10 samples:      predicted 0  1  2
//   label 0 (5)                 3  1  1
//   label 1 (3)                 1  2  0
//   label 2 (2)                 2  0  0
const Tensor labels = {0, 0, 0, 0, 0, 1, 1, 1, 2, 2};
const Tensor predictions = {0, 0, 0, 1, 2, 0, 1, 1, 0, 0};
// In numbers of scikit-learn's documentation:
//   precision  3/6  2/3  0      macro 7/18    weighted (5 · 3/6 + 3 · 2/3) / 10
//   recall     3/5  2/3  0      macro 19/45   weighted 1/2
//   f1         6/11 2/3  0      macro 40/99   weighted (5 · 6/11 + 3 · 2/3) / 10

nn::ConfusionMatrix hand_counted() {
  nn::ConfusionMatrix matrix(3);
  matrix.update(predictions, labels);
  return matrix;
}

void check_close(double actual, double expected) { BOOST_TEST(std::abs(actual - expected) < 1e-15); }

}  // namespace

BOOST_AUTO_TEST_CASE(confusion_matrix_counts_pairs) {
  const nn::ConfusionMatrix matrix = hand_counted();
  constexpr std::array<std::array<std::int64_t, 3>, 3> expected{{{3, 1, 1}, {1, 2, 0}, {2, 0, 0}}};
  for (std::int64_t label = 0; label < 3; ++label) {
    for (std::int64_t prediction = 0; prediction < 3; ++prediction) {
      BOOST_TEST(matrix.count(label, prediction) ==
                 expected[static_cast<std::size_t>(label)][static_cast<std::size_t>(prediction)]);
    }
  }
  BOOST_TEST(matrix.classes() == 3);
  BOOST_TEST(matrix.total() == 10);
  BOOST_TEST(matrix.support(0) == 5);
  BOOST_TEST(matrix.support(1) == 3);
  BOOST_TEST(matrix.support(2) == 2);
}

BOOST_AUTO_TEST_CASE(precision_recall_and_f1_by_hand) {
  const nn::ConfusionMatrix matrix = hand_counted();
  check_close(matrix.accuracy(), 0.5);
  check_close(matrix.precision(0), 3.0 / 6);
  check_close(matrix.recall(0), 3.0 / 5);
  check_close(matrix.f1(0), 6.0 / 11);
  check_close(matrix.precision(1), 2.0 / 3);
  check_close(matrix.recall(1), 2.0 / 3);
  check_close(matrix.f1(1), 2.0 / 3);
  check_close(matrix.precision(2), 0);
  check_close(matrix.recall(2), 0);
  check_close(matrix.f1(2), 0);
}

BOOST_AUTO_TEST_CASE(batches_add_up) {
  nn::ConfusionMatrix matrix(3);
  matrix.update(predictions[range(0, 4)], cast(labels[range(0, 4)], DType::uint8));
  matrix.update(predictions[range(4)], labels[range(4)]);
  matrix.update(make_tensor({}, {0}, DType::int64), make_tensor({}, {0}, DType::int64));
  BOOST_TEST(matrix.table() == hand_counted().table());
}

BOOST_AUTO_TEST_CASE(nothing_counted_gives_zeros) {
  const nn::ConfusionMatrix matrix(2);
  BOOST_TEST(matrix.total() == 0);
  BOOST_TEST(matrix.accuracy() == 0);
  BOOST_TEST(matrix.precision(1) == 0);
  BOOST_TEST(matrix.recall(1) == 0);
  BOOST_TEST(matrix.f1(1) == 0);
}

BOOST_AUTO_TEST_CASE(reports_are_tables) {
  constexpr std::array<std::string_view, 3> names = {"cat", "dog", "fox"};
  BOOST_TEST(hand_counted().report(names) ==
             "class          precision    recall        f1   support\n"
             "cat                0.500     0.600     0.545         5\n"
             "dog                0.667     0.667     0.667         3\n"
             "fox                0.000     0.000     0.000         2\n");
  BOOST_TEST(hand_counted().table(names) ==
             "label               0      1      2   predicted\n"
             "cat                 3      1      1\n"
             "dog                 1      2      0\n"
             "fox                 2      0      0\n");
  BOOST_TEST(hand_counted().table().find("\n1                   1      2      0\n") != std::string::npos);
  check_throws<ValueError>([] { hand_counted().report(std::array<std::string_view, 1>{"cat"}); },
                           {"[confusion_matrix] ", "1 names for 3 classes"});
}

BOOST_AUTO_TEST_CASE(a_class_out_of_range_counts_nothing) {
  nn::ConfusionMatrix matrix = hand_counted();
  const auto line = std::to_string(__LINE__ + 1);
  const auto call = [&] { matrix.update(Tensor{0, 3}, Tensor{0, 1}); };
  check_throws<ValueError>(call, {"[confusion_matrix] ", "class 3", "[0, 3)", "confusion_matrix.cpp:" + line});
  check_throws<ValueError>([&] { matrix.update(Tensor{0, 1}, Tensor{0, -1}); }, {"class -1"});
  check_throws<ShapeError>([&] { matrix.update(Tensor{0, 1}, Tensor{0, 1, 2}); }, {"(2,)", "(3,)"});
  check_throws<ValueError>([] { nn::ConfusionMatrix(0); }, {"[confusion_matrix] ", "got 0"});
  BOOST_TEST(matrix.total() == 10);
}

BOOST_AUTO_TEST_CASE(scores_stand_for_their_largest_class) {
  nn::ConfusionMatrix matrix(3);
  matrix.update(one_hot(predictions, 3, DType::float32) * 5.0 - 1.0, labels);
  BOOST_TEST(matrix.table() == hand_counted().table());
  check_throws<ShapeError>([&] { matrix.update(zeros({4, 3}), labels); }, {"(4,)", "(10,)"});
  matrix.reset();
  BOOST_TEST(matrix.total() == 0);
}

BOOST_AUTO_TEST_CASE(averages_by_hand) {
  const auto value = [](auto metric) {
    metric.update(predictions[range(0, 4)], labels[range(0, 4)]);
    metric.update(predictions[range(4)], labels[range(4)]);
    return metric.value();
  };
  using nn::Average;
  check_close(value(nn::Precision(3)), 7.0 / 18);
  check_close(value(nn::Precision(3, Average::weighted)), (5 * 3.0 / 6 + 3 * 2.0 / 3) / 10);
  check_close(value(nn::Precision(3, Average::micro)), 0.5);
  check_close(value(nn::Recall(3)), 19.0 / 45);
  check_close(value(nn::Recall(3, Average::weighted)), 0.5);
  check_close(value(nn::Recall(3, Average::micro)), 0.5);
  check_close(value(nn::F1(3)), 40.0 / 99);
  check_close(value(nn::F1(3, Average::weighted)), (5 * 6.0 / 11 + 3 * 2.0 / 3) / 10);
  check_close(value(nn::F1(3, Average::micro)), 0.5);
  check_close(value(nn::Precision::of_class(3, 1)), 2.0 / 3);
  check_close(value(nn::Recall::of_class(3, 0)), 3.0 / 5);
  check_close(value(nn::F1::of_class(3, 0)), 6.0 / 11);
  check_close(value(nn::F1::of_class(3, 2)), 0);

  nn::F1 f1(3);
  f1.update(predictions, labels);
  check_close(f1.value(1), 2.0 / 3);
  BOOST_TEST(f1.matrix().total() == 10);
}

BOOST_AUTO_TEST_CASE(classes_that_never_occur_do_not_count_in_the_mean) {
  nn::Precision precision(7);
  nn::Recall recall(7);
  nn::F1 weighted(7, nn::Average::weighted);
  for (auto* metric : {static_cast<nn::ClassMetric*>(&precision), static_cast<nn::ClassMetric*>(&recall),
                       static_cast<nn::ClassMetric*>(&weighted)}) {
    metric->update(predictions, labels);
  }
  check_close(precision.value(), 7.0 / 18);
  check_close(recall.value(), 19.0 / 45);
  check_close(weighted.value(), (5 * 6.0 / 11 + 3 * 2.0 / 3) / 10);
  check_close(precision.value(6), 0);

  // Class 1 is predicted but never right, class 0 is never predicted: both count, as 0.
  nn::Precision wrong(3);
  wrong.update(Tensor{1, 1}, Tensor{0, 0});
  check_close(wrong.value(), 0);
}

BOOST_AUTO_TEST_CASE(one_class_and_no_samples) {
  for (const auto average : {nn::Average::macro, nn::Average::weighted, nn::Average::micro}) {
    nn::F1 f1(1, average);
    check_close(f1.value(), 0);
    f1.update(Tensor{0, 0}, Tensor{0, 0});
    check_close(f1.value(), 1);
    f1.reset();
    check_close(f1.value(), 0);
  }
}

BOOST_AUTO_TEST_CASE(class_metrics_have_names_and_limits) {
  BOOST_TEST(nn::Precision(3).name() == "precision_macro");
  BOOST_TEST(nn::Recall(3, nn::Average::weighted).name() == "recall_weighted");
  BOOST_TEST(nn::F1(3, nn::Average::micro).name() == "f1_micro");
  BOOST_TEST(nn::F1::of_class(3, 2).name() == "f1_of_2");
  check_throws<ValueError>([] { nn::Recall(0); }, {"got 0"});
  check_throws<ValueError>([] { nn::Recall::of_class(3, 3); }, {"class 3", "[0, 3)"});
  check_throws<ValueError>([] { nn::Recall::of_class(3, -1); }, {"class -1"});
}

BOOST_AUTO_TEST_SUITE_END()
