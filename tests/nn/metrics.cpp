#include "nn/metrics.hpp"

#include <array>
#include <cmath>
#include <string>

#include <boost/test/unit_test.hpp>

#include "autograd/ops.hpp"
#include "tests/autograd/testing.hpp"

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

nn::ConfusionMatrix hand_counted() {
  nn::ConfusionMatrix matrix(3);
  matrix.add(predictions, labels);
  return matrix;
}

void check_close(double actual, double expected) { BOOST_TEST(std::abs(actual - expected) < 1e-15); }

}  // namespace

BOOST_AUTO_TEST_SUITE(nn_metrics)

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
  matrix.add(predictions[range(0, 4)], cast(labels[range(0, 4)], DType::uint8));
  matrix.add(predictions[range(4)], labels[range(4)]);
  matrix.add(make_tensor({}, {0}, DType::int64), make_tensor({}, {0}, DType::int64));
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
  const auto call = [&] { matrix.add(Tensor{0, 3}, Tensor{0, 1}); };
  check_throws<ValueError>(call, {"[confusion_matrix] ", "class 3", "[0, 3)", "metrics.cpp:" + line});
  check_throws<ValueError>([&] { matrix.add(Tensor{0, 1}, Tensor{0, -1}); }, {"class -1"});
  check_throws<ShapeError>([&] { matrix.add(Tensor{0, 1}, Tensor{0, 1, 2}); }, {"(2,)", "(3,)"});
  check_throws<ValueError>([] { nn::ConfusionMatrix(0); }, {"[confusion_matrix] ", "got 0"});
  BOOST_TEST(matrix.total() == 10);
}

BOOST_AUTO_TEST_SUITE_END()
