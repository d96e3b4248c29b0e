#include "datasets/batches.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>
#include <map>
#include <numeric>
#include <ranges>
#include <set>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "tests/testing.hpp"

BOOST_AUTO_TEST_SUITE(datasets_batches)

namespace {

using namespace xgrad;
using datasets::Batch;
using datasets::Batches;
using datasets::Dataset;
using datasets::Epoch;
using testing::check_throws;

static_assert(std::ranges::forward_range<const Epoch>);
static_assert(std::input_iterator<Epoch::Iterator>);
static_assert(std::same_as<std::ranges::range_value_t<Epoch>, Batch>);

/// n images of 2 x 3: element i of image p is (6 p + i) mod 256. The labels number the images.
Dataset make_data(std::int64_t n) {
  Array images({n, 2, 3}, DType::uint8);
  Array labels({n}, DType::int64);
  for (std::int64_t i = 0; i < 6 * n; ++i) {
    images.data<std::uint8_t>()[i] = static_cast<std::uint8_t>(i % 256);
  }
  std::iota(labels.data<std::int64_t>(), labels.data<std::int64_t>() + n, std::int64_t{0});
  return {images, labels};
}

std::vector<std::int64_t> labels_of(const Epoch& epoch) {
  std::vector<std::int64_t> result;
  for (const auto& [images, labels] : epoch) {
    const std::int64_t* first = labels.data<std::int64_t>();
    result.insert(result.end(), first, first + labels.size());
  }
  return result;
}

std::vector<std::int64_t> sizes_of(const Epoch& epoch) {
  std::vector<std::int64_t> result;
  for (const auto& [images, labels] : epoch) {
    BOOST_TEST((images.shape() == Shape{labels.size(), 6}));
    result.push_back(labels.size());
  }
  return result;
}

std::vector<std::int64_t> ascending(std::int64_t n) {
  std::vector<std::int64_t> result(static_cast<std::size_t>(n));
  std::iota(result.begin(), result.end(), std::int64_t{0});
  return result;
}

}  // namespace

BOOST_AUTO_TEST_CASE(images_are_flattened_and_scaled) {
  const Batches batches(make_data(50), {.batch_size = 8});
  for (const auto& [images, labels] : batches.epoch(0)) {
    BOOST_TEST((images.dtype() == DType::float32));
    BOOST_TEST((labels.dtype() == DType::int64));
    const float* elements = images.data<float>();
    for (std::int64_t i = 0; i < images.size(); ++i) {
      const auto grey = static_cast<double>((6 * labels.data<std::int64_t>()[i / 6] + i % 6) % 256);
      // The scale and the product are each rounded once: at most one unit in the last place from grey / 255.
      const double exact = grey / 255;
      BOOST_TEST(std::abs(static_cast<double>(elements[i]) - exact) <= exact * std::numeric_limits<float>::epsilon());
      BOOST_TEST(elements[i] <= 1.0f);
      BOOST_TEST((grey != 255 || elements[i] == 1.0f));
    }
  }
}

BOOST_AUTO_TEST_CASE(every_sample_comes_once_in_an_epoch) {
  for (std::int64_t n : {1, 2, 63, 64, 65, 1000}) {
    const Batches batches(make_data(n), {.batch_size = 64, .seed = 3});
    for (int epoch = 0; epoch < 3; ++epoch) {
      std::vector<std::int64_t> seen = labels_of(batches.epoch(epoch));
      std::sort(seen.begin(), seen.end());
      BOOST_TEST((seen == ascending(n)));
    }
  }
}

BOOST_AUTO_TEST_CASE(order_depends_on_seed_and_epoch_alone) {
  const Dataset data = make_data(500);
  const auto order = [&](std::uint64_t seed, std::int64_t epoch, std::int64_t batch_size) {
    return labels_of(Batches(data, {.batch_size = batch_size, .seed = seed}).epoch(epoch));
  };
  BOOST_TEST((order(7, 2, 64) == order(7, 2, 64)));
  BOOST_TEST((order(7, 2, 64) == order(7, 2, 17)));

  std::set<std::vector<std::int64_t>> orders = {ascending(500)};
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    for (std::int64_t epoch = 0; epoch < 4; ++epoch) {
      orders.insert(order(seed, epoch, 64));
    }
  }
  BOOST_TEST(orders.size() == 17u);

  const Batches batches(data, {.seed = 7});
  labels_of(batches.epoch(0));  // an epoch leaves no trace on the others
  BOOST_TEST((labels_of(batches.epoch(2)) == order(7, 2, 32)));
}

BOOST_AUTO_TEST_CASE(all_orders_are_equally_likely) {
  const Batches batches(make_data(4), {.batch_size = 4, .seed = 11});
  constexpr int epochs = 24'000;
  std::map<std::vector<std::int64_t>, int> counts;
  for (int epoch = 0; epoch < epochs; ++epoch) {
    ++counts[labels_of(batches.epoch(epoch))];
  }
  BOOST_TEST(counts.size() == 24u);
  double chi_squared = 0;
  for (const auto& [order, count] : counts) {
    chi_squared += std::pow(count - epochs / 24.0, 2) / (epochs / 24.0);
  }
  BOOST_TEST(chi_squared < 49.73);  // 23 degrees of freedom: exceeded by chance once in a thousand seeds
}

BOOST_AUTO_TEST_CASE(unshuffled_batches_keep_the_order) {
  const Batches batches(make_data(100), {.batch_size = 32, .shuffle = false});
  BOOST_TEST((labels_of(batches.epoch(0)) == ascending(100)));
  BOOST_TEST((labels_of(batches.epoch(5)) == ascending(100)));
}

BOOST_AUTO_TEST_CASE(the_last_batch_is_kept_or_dropped) {
  const Dataset data = make_data(10);
  const auto check = [&](std::int64_t batch_size, bool drop_last, const std::vector<std::int64_t>& sizes) {
    const Batches batches(data, {.batch_size = batch_size, .drop_last = drop_last});
    BOOST_TEST(sizes_of(batches.epoch(0)) == sizes, boost::test_tools::per_element());
    BOOST_TEST(batches.count() == static_cast<std::int64_t>(sizes.size()));
    BOOST_TEST(batches.samples() == 10);
  };
  check(4, false, {4, 4, 2});
  check(4, true, {4, 4});
  check(5, false, {5, 5});
  check(5, true, {5, 5});
  check(10, true, {10});
  check(11, false, {10});
  check(11, true, {});
  check(std::numeric_limits<std::int64_t>::max(), false, {10});
}

BOOST_AUTO_TEST_CASE(parts_follow_each_other_and_make_up_the_batch) {
  const Batches batches(make_data(25), {.batch_size = 10, .seed = 3});
  const Epoch epoch = batches.epoch(2);
  for (const std::int64_t parts : {1, 2, 3, 4, 8}) {
    std::vector<std::int64_t> together;
    for (std::int64_t index = 0; index < 3; ++index) {
      for (std::int64_t part = 0; part < parts; ++part) {
        const Batch one = epoch.part(index, part, parts);
        const std::int64_t each = (10 + parts - 1) / parts;
        const std::int64_t size = std::clamp<std::int64_t>(epoch.samples(index) - part * each, 0, each);
        BOOST_TEST(one.targets.size() == size);
        BOOST_TEST((one.features.shape() == Shape{size, 6}));
        const auto* first = one.targets.data<std::int64_t>();
        together.insert(together.end(), first, first + size);
      }
    }
    BOOST_TEST(together == labels_of(epoch));
  }
  BOOST_TEST(epoch.samples(2) == 5);
  check_throws<ValueError>([&] { epoch.part(3, 0, 2); }, {"batch 3 of 3"});
  check_throws<ValueError>([&] { epoch.part(0, 2, 2); }, {"part 2 of 2"});
}

BOOST_AUTO_TEST_CASE(parts_are_augmented_each_by_itself) {
  const Batches batches(make_data(8), {.batch_size = 8, .shuffle = false, .augment = {datasets::mixup(1, 8)}});
  const Epoch epoch = batches.epoch(0);
  const Batch first = epoch.part(0, 0, 2), second = epoch.part(0, 1, 2), again = epoch.part(0, 1, 2);
  // Probabilities are of a part's own labels, and blended by numbers of its own.
  for (std::int64_t i = 0; i < 4; ++i) {
    const float* row = first.targets.data<float>() + 8 * i;
    BOOST_TEST(row[i] + row[3 - i] == 1, boost::test_tools::tolerance(1e-6F));
    const float* other = second.targets.data<float>() + 8 * i;
    BOOST_TEST(row[i] != other[4 + i]);
    BOOST_TEST(other[4 + i] == again.targets.data<float>()[8 * i + 4 + i]);
  }
}

BOOST_AUTO_TEST_CASE(batches_are_fresh_arrays) {
  const Batches batches(make_data(6), {.batch_size = 3, .shuffle = false});
  std::vector<Batch> kept;
  std::ranges::copy(batches.epoch(0), std::back_inserter(kept));
  BOOST_TEST(kept.size() == 2u);
  BOOST_TEST(kept[0].features.data() != kept[1].features.data());
  BOOST_TEST(kept[0].targets.data<std::int64_t>()[0] == 0);
  BOOST_TEST(kept[1].targets.data<std::int64_t>()[0] == 3);
}

BOOST_AUTO_TEST_CASE(an_epoch_outlives_its_batches) {
  const Epoch epoch = Batches(make_data(10), {.batch_size = 4}).epoch(1);
  BOOST_TEST((labels_of(epoch) == labels_of(Batches(make_data(10), {.batch_size = 4}).epoch(1))));
  BOOST_TEST(epoch[2].targets.size() == 2);
  BOOST_TEST(epoch[0].targets.data<std::int64_t>()[0] == epoch.order().data<std::int64_t>()[0]);
  check_throws<ValueError>([&] { epoch[3]; }, {"[Epoch] ", "batch 3 of 3"});
  check_throws<ValueError>([&] { epoch[-1]; }, {"batch -1"});
}

BOOST_AUTO_TEST_CASE(an_empty_data_set_has_no_batches) {
  const Batches batches(make_data(0), {.batch_size = 4});
  BOOST_TEST(batches.count() == 0);
  BOOST_TEST(batches.samples() == 0);
  BOOST_TEST(labels_of(batches.epoch(0)).empty());
}

BOOST_AUTO_TEST_CASE(labels_of_any_integer_type_become_int64) {
  const Array images = make_data(3).features();
  const auto labels = [&](const auto& targets) { return labels_of(Batches(Dataset(images, targets)).epoch(0)); };
  BOOST_TEST(labels(xt::xarray<std::uint8_t>{200, 200, 200}) == (std::vector<std::int64_t>(3, 200)));
  BOOST_TEST(labels(xt::xarray<std::int32_t>{-5, -5, -5}) == (std::vector<std::int64_t>(3, -5)));
  BOOST_TEST(labels(xt::xarray<bool>{true, true, true}) == (std::vector<std::int64_t>(3, 1)));
  const Array boxes = to_array(xt::xarray<std::int32_t>{{1, 2}, {3, 4}, {5, 6}});
  const Batch batch = Batches(Dataset(images, boxes), {.batch_size = 2, .shuffle = false}).epoch(0)[1];
  BOOST_TEST((batch.targets.shape() == Shape{1, 2}));
  BOOST_TEST(batch.targets.data<std::int64_t>()[1] == 6);
}

BOOST_AUTO_TEST_CASE(floating_data_become_float32_unless_told) {
  const xt::xarray<double> features = {{0.1, 1.0}, {0.2, 2.0}, {0.3, 3.0}};
  const xt::xarray<float> targets = {{-1, 1}, {-2, 2}, {-3, 3}};
  const Dataset data(features, targets);
  const Batches batches(data, {.batch_size = 3, .seed = 2});
  const Epoch epoch = batches.epoch(4);
  for (std::int64_t j = 0; j < 3; ++j) {
    const auto sample = static_cast<std::size_t>(epoch.order().data<std::int64_t>()[j]);
    BOOST_TEST(epoch[0].features.data<float>()[2 * j] == static_cast<float>(features(sample, 0)));
    BOOST_TEST(epoch[0].features.data<float>()[2 * j + 1] == static_cast<float>(features(sample, 1)));
    BOOST_TEST(epoch[0].targets.data<float>()[2 * j + 1] == targets(sample, 1));
  }
  BOOST_TEST((epoch[0].targets.shape() == Shape{3, 2}));

  const Batch exact = Batches(data, {.shuffle = false, .dtype = DType::float64}).epoch(0)[0];
  BOOST_TEST(exact.features.data<double>()[4] == 0.3);
  BOOST_TEST(exact.targets.data<double>()[5] == 3.0);
  const Batch images = Batches(make_data(2), {.shuffle = false, .dtype = DType::float64}).epoch(0)[0];
  BOOST_TEST(images.features.data<double>()[11] == static_cast<double>(11 * (1.0f / 255.0f)));
}

BOOST_AUTO_TEST_CASE(integer_features_stay_and_axes_are_kept_when_told) {
  const xt::xarray<std::int32_t> words = {{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}};
  const Dataset data(words, xt::xarray<int>{0, 1});
  BOOST_TEST((Batches(data).epoch(0)[0].features.shape() == Shape{2, 4}));
  const Batch batch = Batches(data, {.shuffle = false, .flatten = false}).epoch(0)[0];
  BOOST_TEST((batch.features.shape() == Shape{2, 2, 2}));
  BOOST_TEST(batch.features.data<std::int32_t>()[7] == 8);
}

BOOST_AUTO_TEST_CASE(rejects_what_cannot_be_cut) {
  const Dataset data = make_data(3);
  check_throws<ValueError>([&] { Batches(data, {.batch_size = 0}); }, {"[Batches] ", "batch size is 0"});
  check_throws<ValueError>([&] { Batches(data, {.batch_size = -4}); }, {"batch size is -4"});
  check_throws<DTypeError>([&] { Batches(data, {.dtype = DType::int64}); }, {"dtype is int64"});
  check_throws<ShapeError>(
      [] {
        Batches(Dataset(xt::xarray<float>{{1, 2}, {3, 4}}, xt::xarray<int>{0, 1}), {.augment = {datasets::shift(1)}});
      },
      {"[Batches] ", "(2, 2) are no images"});
}

BOOST_AUTO_TEST_SUITE_END()
