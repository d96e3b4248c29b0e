#include "datasets/normalizer.hpp"

#include <cmath>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "datasets/npy.hpp"
#include "temporary_folder.hpp"
#include "tests/testing.hpp"

BOOST_AUTO_TEST_SUITE(datasets_normalizer)

namespace {

using namespace xgrad;
using datasets::Dataset;
using datasets::Normalizer;
using testing::check_throws;

// Columns (1, 3, 5), constant 5, and (10, 20, 30).
const Array samples = to_array(xt::xarray<double>{{1, 5, 10}, {3, 5, 20}, {5, 5, 30}});
const double deviation = std::sqrt(8.0 / 3);  // of (1, 3, 5): (4 + 0 + 4) / 3

void check_close(const Array& actual, const std::vector<double>& expected) {
  BOOST_TEST(actual.size() == static_cast<std::int64_t>(expected.size()));
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double x =
        actual.dtype() == DType::float64 ? actual.data<double>()[i] : static_cast<double>(actual.data<float>()[i]);
    const double tolerance = actual.dtype() == DType::float64 ? 1e-14 : 1e-6;
    BOOST_TEST(std::abs(x - expected[i]) <= tolerance * std::max(1.0, std::abs(expected[i])));
  }
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(mean_std_gives_mean_0_and_deviation_1, testing::TemporaryFolder) {
  const Normalizer normalizer = Normalizer::mean_std(samples);
  check_close(normalizer.offset(), {3, 5, 20});
  check_close(normalizer.scale(), {deviation, 1, 5 * deviation});
  const double one = 2 / deviation;
  check_close(normalizer(samples), {-one, 0, -one, 0, 0, 0, one, 0, one});
  // Data of another set keep the scale of those fitted to; a feature that was constant is only moved.
  check_close(normalizer(to_array(xt::xarray<double>{{3 + deviation, 7, 20}})), {1, 2, 0});
}

// The sum of equal numbers is rounded, so that their mean is not they.
BOOST_FIXTURE_TEST_CASE(constants_get_scale_1_whatever_their_rounding, testing::TemporaryFolder) {
  for (const double constant : {14.62, 0.1, -1e300, 3e-310}) {
    const Normalizer normalizer =
        Normalizer::mean_std(to_array(xt::xarray<double>(constant * xt::ones<double>({1000, 1}))));
    BOOST_TEST(normalizer.offset().data<double>()[0] == constant);
    BOOST_TEST(normalizer.scale().data<double>()[0] == 1);
  }
  const Normalizer of_all = Normalizer::mean_std(to_array(xt::xarray<float>(xt::ones<float>({7, 11}) * 0.1F)), false);
  BOOST_TEST(of_all.scale().data<double>()[0] == 1);
}

// Deviations that are small beside the mean, and those whose squares do not fit.
BOOST_FIXTURE_TEST_CASE(scales_of_any_size_are_right, testing::TemporaryFolder) {
  xt::xarray<double> x = xt::zeros<double>({1000, 3});
  for (std::size_t i = 0; i < 1000; ++i) {
    const double sign = i % 2 == 0 ? 1 : -1;
    x(i, 0) = 1e9 + sign * 0.0078125;
    x(i, 1) = sign * 1e200;
    x(i, 2) = sign * 1e-200;
  }
  const Normalizer normalizer = Normalizer::mean_std(to_array(x));
  const std::vector<double> expected = {0.0078125, 1e200, 1e-200};
  for (std::size_t i = 0; i < 3; ++i) {
    BOOST_TEST(normalizer.scale().data<double>()[i] == expected[i], boost::test_tools::tolerance(1e-12));
  }
  BOOST_TEST(normalizer.offset().data<double>()[0] == 1e9);
}

BOOST_FIXTURE_TEST_CASE(min_max_gives_0_to_1, testing::TemporaryFolder) {
  const Normalizer normalizer = Normalizer::min_max(samples);
  check_close(normalizer.offset(), {1, 5, 10});
  check_close(normalizer.scale(), {4, 1, 20});
  check_close(normalizer(samples), {0, 0, 0, 0.5, 0, 0.5, 1, 0, 1});
  check_close(normalizer(to_array(xt::xarray<double>{{9, 4, 10}})), {2, -1, 0});
}

BOOST_FIXTURE_TEST_CASE(one_mean_over_all_elements_when_told, testing::TemporaryFolder) {
  const Normalizer normalizer = Normalizer::min_max(samples, false);
  BOOST_TEST((normalizer.offset().shape() == Shape{}));
  check_close(normalizer.offset(), {1});
  check_close(normalizer.scale(), {29});
  check_close(Normalizer::mean_std(samples, false).offset(), {84.0 / 9});
  check_close(normalizer(to_array(xt::xarray<double>{30, 1})), {1, 0});
}

BOOST_FIXTURE_TEST_CASE(takes_images_and_keeps_shapes, testing::TemporaryFolder) {
  const Array images = to_array(xt::xarray<std::uint8_t>{{{0, 10}}, {{100, 30}}});
  const Normalizer normalizer = Normalizer::mean_std(images);
  BOOST_TEST((normalizer.offset().shape() == Shape{1, 2}));
  const Array normalized = normalizer(images);
  BOOST_TEST((normalized.dtype() == DType::float32));
  BOOST_TEST((normalized.shape() == Shape{2, 1, 2}));
  check_close(normalized, {-1, -1, 1, 1});
  const Dataset data = normalizer(Dataset(images, xt::xarray<int>{4, 5}));
  check_close(data.features(), {-1, -1, 1, 1});
  BOOST_TEST(data.targets().data<int>()[1] == 5);
  BOOST_TEST(normalizer(Array({0, 1, 2}, DType::uint8)).size() == 0);
}

BOOST_FIXTURE_TEST_CASE(large_offsets_cost_no_digits, testing::TemporaryFolder) {
  const Array far = to_array(xt::xarray<double>{{1e9 + 1, 0}, {1e9 + 3, 0}, {1e9 + 5, 0}});
  check_close(Normalizer::mean_std(far).scale(), {deviation, 1});
}

BOOST_FIXTURE_TEST_CASE(inverse_undoes, testing::TemporaryFolder) {
  for (const Normalizer& normalizer : {Normalizer::mean_std(samples), Normalizer::min_max(samples, false)}) {
    const Array back = normalizer.inverse(normalizer(samples));
    check_close(back, {1, 5, 10, 3, 5, 20, 5, 5, 30});
  }
}

BOOST_FIXTURE_TEST_CASE(is_saved_and_printed, testing::TemporaryFolder) {
  const auto file = folder / "normalizer.npy";
  for (const Normalizer& normalizer : {Normalizer::mean_std(samples), Normalizer::min_max(samples, false)}) {
    normalizer.save(file);
    const Normalizer loaded = Normalizer::load(file);
    BOOST_TEST((loaded.offset().shape() == normalizer.offset().shape()));
    BOOST_TEST(to_string(loaded) == to_string(normalizer));
    BOOST_TEST(loaded.scale().data<double>()[0] == normalizer.scale().data<double>()[0]);
  }
  BOOST_TEST(to_string(Normalizer::min_max(samples)) ==
             "feature        offset         scale\n"
             "      0             1             4\n"
             "      1             5             1\n"
             "      2            10            20\n");
}

BOOST_FIXTURE_TEST_CASE(rejects_what_does_not_fit, testing::TemporaryFolder) {
  const Normalizer normalizer = Normalizer::mean_std(samples);
  check_throws<ShapeError>([&] { normalizer(Array({2, 4}, DType::float64)); }, {"[Normalizer] ", "(2, 4)", "(3,)"});
  check_throws<ShapeError>([&] { normalizer.inverse(Array({}, DType::float64)); }, {"shape ()"});
  check_throws<ShapeError>([] { Normalizer::mean_std(Array({0, 3}, DType::float32)); }, {"(0, 3)"});
  check_throws<ShapeError>([] { Normalizer::min_max(Array({3, 0}, DType::float32)); }, {"(3, 0)"});
  check_throws<ShapeError>([] { Normalizer::min_max(Array({}, DType::float32)); }, {"()"});
  datasets::write_npy(folder / "other.npy", samples);
  check_throws<FileError>([&] { Normalizer::load(folder / "other.npy"); },
                          {"[Normalizer::load] ", "other.npy", "float64 (3, 3)"});
}

BOOST_AUTO_TEST_SUITE_END()
