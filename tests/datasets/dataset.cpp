#include "datasets/dataset.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "datasets/batches.hpp"
#include "tests/testing.hpp"

BOOST_AUTO_TEST_SUITE(datasets_dataset)

namespace {

using namespace xgrad;
using datasets::Dataset;
using datasets::fold;
using datasets::Split;
using testing::check_throws;

/// n samples: feature i is 10 i; target i is the class that `label` gives for i.
template <class F>
Dataset make_data(std::int64_t n, const F& label) {
  Array features({n, 1}, DType::float32);
  Array targets({n}, DType::int32);
  for (std::int64_t i = 0; i < n; ++i) {
    features.data<float>()[i] = static_cast<float>(10 * i);
    targets.data<std::int32_t>()[i] = static_cast<std::int32_t>(label(i));
  }
  return {features, targets};
}

std::vector<float> features_of(const Dataset& data) {
  const float* first = data.features().data<float>();
  return {first, first + data.features().size()};
}

std::int64_t count_class(const Dataset& data, std::int32_t label) {
  const std::int32_t* first = data.targets().data<std::int32_t>();
  return std::count(first, first + data.size(), label);
}

/// Whether the two parts hold every sample once, in the order of the data set, each with its target.
template <class F>
bool divides(const Split& parts, std::int64_t n, const F& label) {
  std::vector<float> all;
  for (const Dataset* part : {&parts.train, &parts.test}) {
    const std::vector<float> features = features_of(*part);
    if (!std::is_sorted(features.begin(), features.end())) {
      return false;
    }
    for (std::size_t i = 0; i < features.size(); ++i) {
      if (part->targets().data<std::int32_t>()[i] != label(static_cast<std::int64_t>(features[i]) / 10)) {
        return false;
      }
    }
    all.insert(all.end(), features.begin(), features.end());
  }
  std::sort(all.begin(), all.end());
  std::vector<float> expected(static_cast<std::size_t>(n));
  std::generate(expected.begin(), expected.end(), [x = -10.0f]() mutable { return x += 10; });
  return all == expected;
}

// 60 % are of class 0, 30 % of class 1 and 10 % of class 2.
std::int64_t uneven(std::int64_t i) { return i % 10 < 6 ? 0 : i % 10 < 9 ? 1 : 2; }

}  // namespace

BOOST_AUTO_TEST_CASE(is_made_from_arrays_and_xtensor) {
  const xt::xarray<double> table = {{1, 2}, {3, 4}, {5, 6}};
  const Array labels = to_array(xt::xarray<std::int64_t>{7, 8, 9});
  const Dataset data(2.0 * table, labels);
  BOOST_TEST((data.features().shape() == Shape{3, 2}));
  BOOST_TEST(data.features().data<double>()[5] == 12.0);
  BOOST_TEST(data.targets().data() == labels.data());
  BOOST_TEST(data.size() == 3);

  xt::xarray<float> adopted = {{1, 2}, {3, 4}};
  const float* memory = adopted.data();
  BOOST_TEST(Dataset(std::move(adopted), xt::xarray<int>{0, 1}).features().data<float>() == memory);
  BOOST_TEST(Dataset().size() == 0);
}

BOOST_AUTO_TEST_CASE(needs_a_target_for_every_sample) {
  const xt::xarray<int> three = {1, 2, 3};
  const auto line = std::to_string(__LINE__ + 1);
  const auto call = [&] { Dataset(three, xt::xarray<int>{1, 2}); };
  check_throws<ShapeError>(call, {"[Dataset] ", "(3,)", "(2,)", "dataset.cpp:" + line});
  const Dataset data(three, three);
  check_throws<ValueError>([&] { datasets::split(data, {.fraction = 2}); }, {"[split] ", "dataset.cpp:"});
  check_throws<ValueError>([&] { datasets::fold(data, 9, {.folds = 2}); }, {"[fold] ", "dataset.cpp:"});
  check_throws<ValueError>([&] { datasets::Batches(data, {.batch_size = 0}); }, {"[Batches] ", "dataset.cpp:"});
  check_throws<ShapeError>([&] { Dataset(three, Array({}, DType::int32)); }, {"targets of shape ()"});
  check_throws<ShapeError>([&] { Dataset(Array({}, DType::int32), Array({}, DType::int32)); }, {"shape ()"});
  check_throws<ValueError>([&] { Dataset(Array(), three); }, {"the features hold no memory"});
  check_throws<ValueError>([&] { Dataset(three, Array()); }, {"the targets hold no memory"});
}

BOOST_AUTO_TEST_CASE(takes_samples_by_position) {
  const Dataset data = make_data(5, uneven);
  const std::vector<std::int64_t> positions = {4, 0, 4};
  const Dataset taken = data.take(positions);
  BOOST_TEST(features_of(taken) == (std::vector<float>{40, 0, 40}), boost::test_tools::per_element());
  BOOST_TEST(taken.targets().size() == 3);
  BOOST_TEST(data.take({}).size() == 0);
  for (const std::int64_t wrong : {-1, 5}) {
    const std::vector<std::int64_t> one = {0, wrong};
    check_throws<ValueError>([&] { data.take(one); }, {"[Dataset::take] ", std::to_string(wrong), "position 1"});
  }
}

BOOST_AUTO_TEST_CASE(split_divides_by_fraction) {
  for (const std::int64_t n : {0, 1, 10, 99, 1000}) {
    const Dataset data = make_data(n, uneven);
    for (const double fraction : {0.1, 0.25, 0.5, 0.9}) {
      for (const bool stratified : {false, true}) {
        const Split parts = split(data, {.fraction = fraction, .seed = 3, .stratified = stratified});
        BOOST_TEST(parts.test.size() == std::llround(static_cast<double>(n) * fraction));
        BOOST_TEST(divides(parts, n, uneven));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(split_depends_on_the_seed_alone) {
  const Dataset data = make_data(100, uneven);
  const Dataset other = make_data(100, [](std::int64_t) { return 0; });
  std::set<std::vector<float>> chosen;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const std::vector<float> test = features_of(split(data, {.seed = seed}).test);
    BOOST_TEST((test == features_of(split(other, {.seed = seed}).test)));
    chosen.insert(test);
  }
  BOOST_TEST(chosen.size() == 10u);
}

BOOST_AUTO_TEST_CASE(a_stratified_split_gives_every_class_its_share) {
  const Dataset data = make_data(1000, uneven);
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const Split parts = split(data, {.fraction = 0.2, .seed = seed, .stratified = true});
    BOOST_TEST(count_class(parts.test, 0) == 120);
    BOOST_TEST(count_class(parts.test, 1) == 60);
    BOOST_TEST(count_class(parts.test, 2) == 20);
  }
  const auto rare = [](std::int64_t i) { return i < 3 ? 1 : 0; };
  const Split parts = split(make_data(100, rare), {.fraction = 0.34, .stratified = true});
  BOOST_TEST(count_class(parts.test, 1) >= 1);
  BOOST_TEST(count_class(parts.test, 1) <= 2);
}

BOOST_AUTO_TEST_CASE(folds_test_every_sample_once) {
  const Dataset data = make_data(103, uneven);
  for (const bool stratified : {false, true}) {
    std::vector<float> tested;
    for (std::int64_t i = 0; i < 4; ++i) {
      const Split parts = fold(data, i, {.folds = 4, .seed = 9, .stratified = stratified});
      BOOST_TEST((parts.test.size() == 25 || parts.test.size() == 26));
      BOOST_TEST(divides(parts, 103, uneven));
      if (stratified) {  // of 63, 30 and 10
        BOOST_TEST(std::abs(static_cast<double>(count_class(parts.test, 0)) - 63 / 4.0) < 1);
        BOOST_TEST(std::abs(static_cast<double>(count_class(parts.test, 1)) - 30 / 4.0) < 1);
        BOOST_TEST(std::abs(static_cast<double>(count_class(parts.test, 2)) - 10 / 4.0) < 1);
      }
      const std::vector<float> test = features_of(parts.test);
      tested.insert(tested.end(), test.begin(), test.end());
    }
    BOOST_TEST(tested.size() == 103u);
    BOOST_TEST(std::set<float>(tested.begin(), tested.end()).size() == 103u);
  }
}

BOOST_AUTO_TEST_CASE(wrong_divisions_are_errors) {
  const Dataset data = make_data(4, uneven);
  for (const double fraction : {0.0, 1.0, -0.5, 2.0, std::nan("")}) {
    check_throws<ValueError>([&] { split(data, {.fraction = fraction}); }, {"[split] ", "fraction for testing"});
  }
  check_throws<ValueError>([&] { fold(data, 0, {.folds = 1}); }, {"[fold] ", "1 folds of 4 samples"});
  check_throws<ValueError>([&] { fold(data, 0, {.folds = 5}); }, {"5 folds of 4 samples"});
  check_throws<ValueError>([&] { fold(data, 4, {.folds = 4}); }, {"fold 4 of 4"});
  check_throws<ValueError>([&] { fold(data, -1, {.folds = 4}); }, {"fold -1 of 4"});
  const Dataset regression(data.features(), data.features());
  check_throws<DTypeError>([&] { split(regression, {.stratified = true}); }, {"[split] ", "got float32"});
  const Dataset boxes(data.features(), Array({4, 2}, DType::int32));
  check_throws<ShapeError>([&] { fold(boxes, 0, {.folds = 2, .stratified = true}); }, {"[fold] ", "(4, 2)"});
}

BOOST_AUTO_TEST_SUITE_END()
