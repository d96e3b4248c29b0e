#include "datasets/augmentation.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <numeric>
#include <set>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "datasets/batches.hpp"
#include "tests/runtime/threads.hpp"
#include "tests/testing.hpp"

BOOST_AUTO_TEST_SUITE(datasets_augmentation)

namespace {

using namespace xgrad;
using datasets::Augmentation;
using datasets::Batch;
using datasets::Batches;
using datasets::Dataset;
using datasets::Image;
using testing::check_throws;

constexpr std::int64_t rows = 5;
constexpr std::int64_t columns = 7;
constexpr std::int64_t pixels = rows * columns;

/// n times the image whose pixels are 1, 2, ..., 35, so that each pixel tells where it came from.
template <class T>
Dataset same_images(std::int64_t n) {
  Array images({n, rows, columns}, dtype_of<T>());
  for (std::int64_t i = 0; i < n * pixels; ++i) {
    images.data<T>()[i] = static_cast<T>(i % pixels + 1);
  }
  Array labels({n}, DType::int64);
  std::fill_n(labels.data<std::int64_t>(), n, std::int64_t{0});
  return {images, labels};
}

using Picture = std::vector<int>;

/// The images of one batch of all samples, as the numbers that the pixels had.
std::vector<Picture> pictures(const Dataset& data, const std::vector<Augmentation>& augment, std::uint64_t seed = 0,
                              std::int64_t epoch = 0) {
  const Batch batch =
      Batches(data, {.batch_size = data.size(), .seed = seed, .shuffle = false, .augment = augment}).epoch(epoch)[0];
  const float scale = data.features().dtype() == DType::uint8 ? 255.0f : 1.0f;
  const float* pixel = batch.features.data<float>();
  std::vector<Picture> result(static_cast<std::size_t>(data.size()));
  for (Picture& picture : result) {
    for (std::int64_t i = 0; i < pixels; ++i) {
      picture.push_back(static_cast<int>(std::lround(*pixel++ * scale)));
    }
  }
  return result;
}

int original(std::int64_t row, std::int64_t column) {
  const bool inside = row >= 0 && row < rows && column >= 0 && column < columns;
  return inside ? static_cast<int>(row * columns + column + 1) : 0;
}

template <class F>
Picture make_picture(const F& pixel) {
  Picture picture;
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < columns; ++column) {
      picture.push_back(pixel(row, column));
    }
  }
  return picture;
}

/// Rows and columns, the last ones included; no rows when nothing is 0.
struct Part {
  std::int64_t top = rows, bottom = -1, left = columns, right = -1;
};

/// Where a picture is 0, which must be one rectangle; elsewhere it must be as it was.
Part erased_part(const Picture& picture) {
  Part part;
  for (std::int64_t i = 0; i < pixels; ++i) {
    if (picture[static_cast<std::size_t>(i)] == 0) {
      part = {std::min(part.top, i / columns), std::max(part.bottom, i / columns), std::min(part.left, i % columns),
              std::max(part.right, i % columns)};
    }
  }
  const Picture expected = make_picture([&](std::int64_t r, std::int64_t c) {
    return r >= part.top && r <= part.bottom && c >= part.left && c <= part.right ? 0 : original(r, c);
  });
  BOOST_REQUIRE((picture == expected));
  return part;
}

/// Whether a count of \p trials events of \p probability is within five standard deviations.
bool is_likely(double count, double trials, double probability) {
  return std::abs(count - trials * probability) < 5 * std::sqrt(trials * probability * (1 - probability)) + 1e-9;
}

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(shift_moves_by_every_distance_alike, T, decltype(std::tuple<std::uint8_t, float>())) {
  std::map<Picture, int> counts;
  for (const Picture& picture : pictures(same_images<T>(5000), {datasets::shift(2)})) {
    ++counts[picture];
  }
  BOOST_TEST(counts.size() == 25u);
  for (std::int64_t down = -2; down <= 2; ++down) {
    for (std::int64_t right = -2; right <= 2; ++right) {
      const Picture expected =
          make_picture([&](std::int64_t r, std::int64_t c) { return original(r - down, c - right); });
      BOOST_TEST(is_likely(counts[expected], 5000, 1.0 / 25), down << ", " << right);
    }
  }
}

BOOST_AUTO_TEST_CASE(shift_may_be_wider_than_the_image) {
  for (const Picture& picture : pictures(same_images<std::uint8_t>(500), {datasets::shift(9)})) {
    bool found = false;
    for (std::int64_t down = -9; down <= 9; ++down) {
      for (std::int64_t right = -9; right <= 9; ++right) {
        found = found ||
                picture == make_picture([&](std::int64_t r, std::int64_t c) { return original(r - down, c - right); });
      }
    }
    BOOST_REQUIRE(found);
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(flip_mirrors_with_its_probability, T, decltype(std::tuple<std::uint8_t, float>())) {
  const Picture as_it_was = make_picture(original);
  const Picture mirrored = make_picture([](std::int64_t r, std::int64_t c) { return original(r, columns - 1 - c); });
  for (const double probability : {0.0, 0.3, 1.0}) {
    int flipped = 0;
    for (const Picture& picture : pictures(same_images<T>(2000), {datasets::horizontal_flip(probability)})) {
      BOOST_REQUIRE((picture == as_it_was || picture == mirrored));
      flipped += picture == mirrored ? 1 : 0;
    }
    BOOST_TEST(is_likely(flipped, 2000, probability));
  }
}

BOOST_AUTO_TEST_CASE(erasing_clears_one_rectangle) {
  const datasets::ErasingOptions options{.probability = 0.4, .smallest_area = 0.2, .largest_area = 0.5, .aspect = 2};
  std::set<Picture> distinct;
  int erased = 0;
  for (const Picture& picture : pictures(same_images<std::uint8_t>(2000), {datasets::random_erasing(options)})) {
    const auto [top, bottom, left, right] = erased_part(picture);
    if (bottom >= 0) {
      ++erased;
      distinct.insert(picture);
      const auto height = static_cast<double>(bottom - top + 1);
      const auto width = static_cast<double>(right - left + 1);
      // Between (√(0.2 · 35 / 2) - ½)² and (√(0.5 · 35) + ½)² pixels, for sides are rounded to whole pixels.
      BOOST_TEST(height * width >= std::pow(std::sqrt(7.0) - 0.5, 2));
      BOOST_TEST(height * width <= std::pow(std::sqrt(17.5) + 0.5, 2) + 2);
      BOOST_TEST((height == rows || height / width <= 2 * 1.5));
      BOOST_TEST((width == columns || width / height <= 2 * 1.5));
    }
  }
  BOOST_TEST(is_likely(erased, 2000, 0.4));
  BOOST_TEST(distinct.size() > 50u);
}

BOOST_AUTO_TEST_CASE(rectangles_that_are_longer_than_the_image_are_cut) {
  const datasets::ErasingOptions options{.probability = 1, .smallest_area = 0.5, .largest_area = 0.5, .aspect = 10};
  int all_rows = 0, all_columns = 0;
  for (const Picture& picture : pictures(same_images<std::uint8_t>(500), {datasets::random_erasing(options)})) {
    const auto [top, bottom, left, right] = erased_part(picture);
    all_rows += bottom - top + 1 == rows ? 1 : 0;
    all_columns += right - left + 1 == columns ? 1 : 0;
  }
  BOOST_TEST(all_rows > 100);  // heights from √(0.5 · 35 / 10) to ten times as much
  BOOST_TEST(all_columns > 100);
}

BOOST_AUTO_TEST_CASE(erasing_everything_leaves_nothing) {
  const auto all = datasets::random_erasing({.probability = 1, .smallest_area = 1, .largest_area = 1, .aspect = 1});
  Array image({3, 4, 4}, DType::uint8);
  std::memset(image.data(), 200, image.bytes());
  const Batch batch = Batches(Dataset(image, xt::xarray<int>{0, 0, 0}), {.augment = {all}}).epoch(0)[0];
  BOOST_TEST(std::count(batch.features.data<float>(), batch.features.data<float>() + 48, 0.0f) == 48);
}

BOOST_AUTO_TEST_CASE(augmentation_is_pure_in_seed_epoch_and_batch) {
  const Dataset data = same_images<std::uint8_t>(300);
  const std::vector<Augmentation> augment = {datasets::shift(2), datasets::horizontal_flip(),
                                             datasets::random_erasing()};
  const auto first = pictures(data, augment, 7, 2);
  BOOST_TEST((first == pictures(data, augment, 7, 2)));
  BOOST_TEST((first != pictures(data, augment, 8, 2)));
  BOOST_TEST((first != pictures(data, augment, 7, 3)));

  const auto batches = Batches(data, {.batch_size = 100, .seed = 7, .shuffle = false, .augment = augment}).epoch(2);
  const auto same = [](const Array& a, const Array& b) { return std::memcmp(a.data(), b.data(), a.bytes()) == 0; };
  BOOST_TEST(!same(batches[0].features, batches[1].features));
  BOOST_TEST(same(batches[1].features, batches[1].features));

  for (const int count : {1, 3}) {
    const testing::Threads threads(count);
    BOOST_TEST((first == pictures(data, augment, 7, 2)));
  }
}

BOOST_AUTO_TEST_CASE(changes_are_applied_in_order_and_draw_independently) {
  // A flip after a shift to one side moves to the other: with twice the same flip the order shows.
  const auto one_right = Augmentation("right", 0, [](const Image& image, std::span<const double>) {
    auto* pixel = reinterpret_cast<std::uint8_t*>(image.data);
    for (std::int64_t r = 0; r < image.rows; ++r, pixel += image.columns) {
      std::copy_backward(pixel, pixel + image.columns - 1, pixel + image.columns);
      *pixel = 0;
    }
  });
  const Dataset data = same_images<std::uint8_t>(1);
  const auto flip = datasets::horizontal_flip(1);
  BOOST_TEST((pictures(data, {one_right, flip})[0] ==
              make_picture([](std::int64_t r, std::int64_t c) { return original(r, columns - 2 - c); })));
  BOOST_TEST((pictures(data, {flip, one_right})[0] ==
              make_picture([](std::int64_t r, std::int64_t c) { return c == 0 ? 0 : original(r, columns - c); })));

  int same = 0;
  std::vector<std::vector<double>> seen(2);
  const auto record = [&](std::size_t i) {
    return Augmentation("record", 1, [&seen, i](const Image&, std::span<const double> d) { seen[i].push_back(d[0]); });
  };
  const testing::Threads one(1);  // so that both record in the same order
  pictures(same_images<std::uint8_t>(100), {record(0), record(1)});
  for (std::size_t i = 0; i < 100; ++i) {
    same += seen[0][i] == seen[1][i] ? 1 : 0;
    BOOST_TEST((seen[0][i] >= 0 && seen[0][i] < 1));
  }
  BOOST_TEST(same == 0);

  std::set<std::uint64_t> keys;
  const Augmentation note("note", [&keys](Batch&, std::uint64_t key) { keys.insert(key); });
  pictures(data, {note, note});
  BOOST_TEST(keys.size() == 2u);
}

BOOST_AUTO_TEST_CASE(all_channels_of_an_image_change_alike) {
  Array images({20, 3, 2, 4}, DType::uint8);
  for (std::int64_t i = 0; i < images.size(); ++i) {
    images.data<std::uint8_t>()[i] = static_cast<std::uint8_t>(i % 8 + 1 + 8 * (i / 8 % 3));
  }
  Array labels({20}, DType::int64);
  std::fill_n(labels.data<std::int64_t>(), 20, std::int64_t{0});
  const Batch batch =
      Batches(Dataset(images, labels),
              {.batch_size = 20,
               .flatten = false,
               .augment = {datasets::shift(1), datasets::horizontal_flip(), datasets::random_erasing()}})
          .epoch(0)[0];
  BOOST_TEST((batch.features.shape() == Shape{20, 3, 2, 4}));
  const float* pixel = batch.features.data<float>();
  for (std::int64_t j = 0; j < 20; ++j) {
    for (std::int64_t i = 0; i < 8; ++i) {
      const auto at = [&](std::int64_t channel) { return std::lround(pixel[(j * 3 + channel) * 8 + i] * 255); };
      const bool empty = at(0) == 0;
      BOOST_TEST(at(1) == (empty ? 0 : at(0) + 8));
      BOOST_TEST(at(2) == (empty ? 0 : at(0) + 16));
    }
  }
}

BOOST_AUTO_TEST_CASE(mixup_blends_pairs_and_their_labels) {
  // Sample i has the features (10^i, 2 · 10^i) and label i.
  const Dataset data(xt::xarray<double>{{1, 2}, {10, 20}, {100, 200}, {1000, 2000}, {10000, 20000}},
                     xt::xarray<int>{0, 1, 2, 3, 4});
  const Batches batches(data, {.batch_size = 5, .dtype = DType::float64, .augment = {datasets::mixup(0.4, 5)}});
  const auto epoch = batches.epoch(1);
  const Batch batch = epoch[0];
  BOOST_TEST((batch.targets.shape() == Shape{5, 5}));
  const std::int64_t* order = epoch.order().data<std::int64_t>();
  for (std::int64_t j = 0; j < 5; ++j) {
    const std::int64_t own = order[j];
    const std::int64_t partner = order[4 - j];
    const double* p = batch.targets.data<double>() + 5 * j;
    const double weight = own == partner ? 1.0 : p[own];
    BOOST_TEST((weight >= 0 && weight <= 1));
    for (std::int64_t c = 0; c < 5; ++c) {
      const double expected = c == own ? weight : c == partner ? 1 - weight : 0;
      BOOST_TEST(std::abs(p[c] - expected) < 1e-15);
    }
    const double blended = weight * std::pow(10, own) + (1 - weight) * std::pow(10, partner);
    BOOST_TEST(std::abs(batch.features.data<double>()[2 * j] - blended) < 1e-11);
    BOOST_TEST(std::abs(batch.features.data<double>()[2 * j + 1] - 2 * blended) < 1e-11);
  }
}

BOOST_AUTO_TEST_CASE(mixup_weights_have_the_moments_of_beta) {
  // Features 1 in the first half and 0 in the second: the first half shows its weights.
  constexpr std::int64_t n = 40'000;
  Array features({n, 1}, DType::float64);
  std::fill_n(features.data<double>(), n, 0.0);
  std::fill_n(features.data<double>(), n / 2, 1.0);
  for (const double alpha : {0.2, 1.0, 4.0}) {
    const Batches batches(
        Dataset(features, features),
        {.batch_size = n, .shuffle = false, .dtype = DType::float64, .augment = {datasets::mixup(alpha)}});
    const Batch batch = batches.epoch(0)[0];
    const double* weight = batch.features.data<double>();
    double mean = 0;
    double square = 0;
    for (std::int64_t i = 0; i < n / 2; ++i) {
      BOOST_REQUIRE(batch.targets.data<double>()[i] == weight[i]);
      mean += weight[i] / (n / 2);
      square += weight[i] * weight[i] / (n / 2);
    }
    const double variance = 1 / (4 * (2 * alpha + 1));  // of Beta(α, α)
    BOOST_TEST(std::abs(mean - 0.5) < 5 * std::sqrt(variance / (n / 2)));
    BOOST_TEST(std::abs(square - mean * mean - variance) < 0.05 * variance);
  }
}

// With so small an α, both of the numbers that a weight is made of may underflow.
BOOST_AUTO_TEST_CASE(mixup_weights_are_numbers_for_any_alpha) {
  Array ramp({1000}, DType::float64);
  std::iota(ramp.data<double>(), ramp.data<double>() + 1000, 0.0);
  const Batches batches(Dataset(ramp.reshaped({1000, 1}), ramp),
                        {.batch_size = 1000, .dtype = DType::float64, .augment = {datasets::mixup(1e-3)}});
  const Batch batch = batches.epoch(0)[0];
  for (std::int64_t i = 0; i < 1000; ++i) {
    const double x = batch.targets.data<double>()[i];
    BOOST_TEST((x >= 0 && x < 1000));
  }
}

BOOST_AUTO_TEST_CASE(mixup_follows_changes_to_images) {
  const Dataset data = same_images<std::uint8_t>(4);
  const auto flip = datasets::horizontal_flip(1);
  const auto mixed = pictures(data, {datasets::mixup(1, 2), flip});  // equal images: mixing them changes nothing
  BOOST_TEST((mixed == pictures(data, {flip})));
}

BOOST_AUTO_TEST_CASE(wrong_parameters_are_errors) {
  check_throws<ValueError>([] { datasets::shift(-1); }, {"[shift] ", "-1 pixels", "augmentation.cpp:"});
  check_throws<ValueError>([] { datasets::shift(std::numeric_limits<std::int64_t>::max()); }, {"[shift] ", "in [0, "});
  check_throws<ValueError>([] { datasets::mixup(0.2, -1); }, {"[mixup] -1 classes", "augmentation.cpp:"});
  for (const double p : {-0.1, 1.1, std::nan("")}) {
    check_throws<ValueError>([&] { datasets::horizontal_flip(p); }, {"[horizontal_flip] ", "probability"});
    check_throws<ValueError>([&] { datasets::random_erasing({.probability = p}); }, {"[random_erasing] "});
    check_throws<ValueError>([&] { datasets::random_erasing({.largest_area = p}); }, {"[random_erasing] ", "areas"});
  }
  check_throws<ValueError>([] { datasets::random_erasing({.smallest_area = 0.5, .largest_area = 0.4}); }, {"areas"});
  check_throws<ValueError>([] { datasets::random_erasing({.aspect = 0.5}); }, {"aspect is 0.5"});
  for (const double alpha : {0.0, -1.0, std::nan(""), HUGE_VAL}) {
    check_throws<ValueError>([&] { datasets::mixup(alpha, 2); }, {"[mixup] ", "alpha"});
  }
  check_throws<ValueError>([] { Augmentation("mine", -1, [](const Image&, std::span<const double>) {}); },
                           {"[Augmentation] ", "mine draws -1"});
}

BOOST_AUTO_TEST_CASE(mixup_refuses_what_cannot_be_blended) {
  const auto mix = [](const Dataset& data) { Batches(data, {.augment = {datasets::mixup(0.2, 2)}}).epoch(0)[0]; };
  const xt::xarray<float> features = {{1, 2}, {3, 4}};
  check_throws<ValueError>([&] { mix(Dataset(features, xt::xarray<int>{0, 2})); }, {"[mixup] ", "label 2", "[0, 2)"});
  check_throws<ValueError>([&] { mix(Dataset(features, xt::xarray<int>{0, -1})); }, {"label -1"});
  check_throws<ShapeError>(
      [&] {
        mix(Dataset(features, xt::xarray<int>{{0, 1}, {1, 0}}));
      },
      {"labels are int64 (2, 2)"});
  check_throws<DTypeError>([&] { mix(Dataset(xt::xarray<int>{{1, 2}, {3, 4}}, xt::xarray<int>{0, 1})); }, {"int32"});
}

BOOST_AUTO_TEST_SUITE_END()
