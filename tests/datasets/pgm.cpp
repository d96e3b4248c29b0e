#include "datasets/pgm.hpp"

#include <cmath>
#include <limits>
#include <string>

#include <boost/test/unit_test.hpp>

#include "temporary_folder.hpp"
#include "tests/testing.hpp"

BOOST_AUTO_TEST_SUITE(datasets_pgm)

namespace {

using namespace xgrad;
using datasets::write_pgm;
using testing::check_throws;

// Three images of one row and two columns.
const Array letters = to_array(xt::xarray<std::uint8_t>{{{'a', 'b'}}, {{'c', 'd'}}, {{'e', 'f'}}});

}  // namespace

struct Fixture : testing::TemporaryFolder {
  std::filesystem::path file = folder / "grid.pgm";

  std::string written(const Array& images, std::int64_t per_row = 0) const {
    write_pgm(file, images, per_row);
    return testing::read_bytes(file);
  }
};

BOOST_FIXTURE_TEST_CASE(lays_images_out_in_a_grid, Fixture) {
  using namespace std::string_literals;
  BOOST_TEST(written(letters) == "P5\n4 2\n255\nabcdef\0\0"s);
  BOOST_TEST(written(letters, 1) == "P5\n2 3\n255\nabcdef");
  BOOST_TEST(written(letters, 3) == "P5\n6 1\n255\nabcdef");
  BOOST_TEST(written(letters, 4) == "P5\n8 1\n255\nabcdef\0\0"s);
  const Array tall = to_array(xt::xarray<std::uint8_t>{{{'a', 'b'}, {'c', 'd'}}, {{'e', 'f'}, {'g', 'h'}}});
  BOOST_TEST(written(tall, 2) == "P5\n4 2\n255\nabefcdgh");
}

BOOST_FIXTURE_TEST_CASE(floating_grey_levels_are_rounded_and_cut, Fixture) {
  const xt::xarray<double> levels = {{{0.0, 1.0, 65 / 255.0, 65.4 / 255, 65.6 / 255, -3.0, 7.0, std::nan("")}}};
  const std::string expected = {'\0', '\xff', 'A', 'A', 'B', '\0', '\xff', '\0'};
  BOOST_TEST(written(to_array(levels)).substr(11) == expected);
  const Array two = to_array(xt::xarray<float>{{{0.0f, 1.0f}}});
  BOOST_TEST(written(two).substr(11) == expected.substr(0, 2));
  BOOST_TEST(written(cast(Tensor(two), DType::bfloat16).array()).substr(11) == expected.substr(0, 2));
}

BOOST_FIXTURE_TEST_CASE(rejects_what_is_no_list_of_images, Fixture) {
  check_throws<ShapeError>([&] { written(Array({4, 4}, DType::uint8)); }, {"[write_pgm] ", "(4, 4)"});
  check_throws<ShapeError>([&] { written(Array({0, 4, 4}, DType::uint8)); }, {"(0, 4, 4)"});
  check_throws<ShapeError>([&] { written(Array()); }, {"()"});
  check_throws<DTypeError>([&] { written(Array({1, 4, 4}, DType::int32)); }, {"images are int32"});
  check_throws<ValueError>([&] { written(letters, -1); }, {"-1 images side by side"});
  for (const std::int64_t many : {std::int64_t{1} << 30, std::numeric_limits<std::int64_t>::max()}) {
    check_throws<ValueError>([&] { written(letters, many); },
                             {"[write_pgm] ", "images of (1, 2) side by side", "pixels"});
  }
  check_throws<FileError>([&] { write_pgm(folder / "absent" / "a.pgm", letters); }, {"[write_pgm] ", "absent"});
  BOOST_TEST(std::filesystem::is_empty(folder));
}

BOOST_AUTO_TEST_SUITE_END()
