#include "nn/inspect/report.hpp"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "datasets/datasets.hpp"
#include "nn/inspect/statistics.hpp"
#include "nn/nn.hpp"
#include "tests/datasets/temporary_folder.hpp"
#include "tests/testing.hpp"

BOOST_AUTO_TEST_SUITE(inspect_report)

namespace {

using namespace xgrad;
using inspect::difference_of;
using inspect::statistics_of;
using testing::check_throws;
namespace fs = std::filesystem;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

Array numbers(const std::vector<double>& elements, DType dtype = DType::float64) {
  return testing::make_tensor(elements, {static_cast<std::int64_t>(elements.size())}, dtype).array();
}

std::string text_of(const std::optional<inspect::Number>& number) {
  return number ? inspect::to_string(*number) : "none";
}

/// That the report has this line, whatever the blanks in it.
void check_line(const std::string& report, const std::string& line) {
  std::string lines = "\n";
  for (const char letter : report) {
    if (letter != ' ' || lines.back() != ' ') {
      lines += letter;
    }
  }
  BOOST_TEST(lines.find("\n" + line + "\n") != std::string::npos, report << "should have the line: " << line);
}

}  // namespace

struct Place : testing::TemporaryFolder {
  std::string differences(const fs::path& one, const fs::path& other) const {
    return inspect::differences(inspect::open(folder / one), inspect::open(folder / other));
  }
};

BOOST_AUTO_TEST_CASE(statistics_are_of_finite_elements) {
  const inspect::Statistics all = statistics_of(numbers({3, nan, -1, infinity, 4, -infinity, nan}));
  BOOST_TEST(text_of(all.minimum) == "-1");
  BOOST_TEST(text_of(all.maximum) == "4");
  BOOST_TEST(all.mean.value() == 2.0);
  BOOST_TEST(all.nan == 2);
  BOOST_TEST(all.infinite == 2);
  for (const Array& none : {numbers({}), numbers({nan, infinity})}) {
    const inspect::Statistics statistics = statistics_of(none);
    BOOST_TEST((!statistics.minimum && !statistics.maximum && !statistics.mean));
  }
  BOOST_TEST(statistics_of(numbers({1e308, 1e308, 1e308})).mean.value() == 1e308);
  BOOST_TEST(text_of(statistics_of(numbers({0.1, 0.7}, DType::float32)).maximum) == "0.7");
  BOOST_TEST(text_of(statistics_of(numbers({0, 1, 1, 1}, DType::boolean)).maximum) == "1");
  BOOST_TEST(statistics_of(numbers({0, 1, 1, 1}, DType::boolean)).mean.value() == 0.75);
  BOOST_TEST(text_of(statistics_of(numbers({0, 255}, DType::uint8)).maximum) == "255");
}

BOOST_AUTO_TEST_CASE(integers_are_exact) {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
  const Array a = to_array(xt::xarray<std::int64_t>{most, least, 5});
  const Array b = to_array(xt::xarray<std::int64_t>{most - 1, most, 5});
  BOOST_TEST(text_of(statistics_of(a).minimum) == "-9223372036854775808");
  BOOST_TEST(text_of(statistics_of(a).maximum) == "9223372036854775807");
  BOOST_TEST(difference_of(a, b).elements == 2);
  BOOST_TEST(inspect::to_string(difference_of(a, b).greatest) == "18446744073709551615");
  BOOST_TEST(inspect::to_string(difference_of(b, a).greatest) == "18446744073709551615");
  const Array small = to_array(xt::xarray<std::int32_t>{-2000000000, 3});
  const Array large = to_array(xt::xarray<std::int32_t>{2000000000, 3});
  BOOST_TEST(inspect::to_string(difference_of(small, large).greatest) == "4000000000");
}

BOOST_AUTO_TEST_CASE(elements_that_differ_are_counted) {
  const auto difference = [](const std::vector<double>& a, const std::vector<double>& b) {
    const inspect::Difference found = difference_of(numbers(a), numbers(b));
    return std::to_string(found.elements) + " by " + inspect::to_string(found.greatest);
  };
  BOOST_TEST(difference({1, 2, 3}, {1, 2, 3}) == "0 by 0");
  BOOST_TEST(difference({1, 2, 3}, {1.5, 2, -3}) == "2 by 6");
  BOOST_TEST(difference({nan, 0.0, infinity}, {nan, -0.0, infinity}) == "0 by 0");
  BOOST_TEST(difference({nan, 1}, {0, 9}) == "2 by nan");
  BOOST_TEST(difference({1, nan}, {9, 0}) == "2 by nan");
  BOOST_TEST(difference({infinity, 1}, {0, 2}) == "2 by inf");
  BOOST_TEST(difference({}, {}) == "0 by 0");
}

BOOST_FIXTURE_TEST_CASE(every_kind_is_told_by_its_bytes, Place) {
  const Array array = numbers({0, 1, 2, 3}, DType::float32).reshaped({2, 2});
  datasets::write_npy(folder / "1", array);
  datasets::write_npy(folder / "1.gz", array);
  datasets::write_idx(folder / "2", array);
  datasets::write_idx(folder / "2.gz", array);
  nn::write_safetensors(folder / "3", {{"array", array}});
  nn::write_state(folder / "4", {{"array", array}});
  nn::write_npz(folder / "5", {{"array", array}});
  const std::vector<std::pair<std::string, std::string>> kinds = {
      {"1", "NPY file"},         {"1.gz", "NPY file"},         {"2", "IDX file"}, {"2.gz", "IDX file"},
      {"3", "safetensors file"}, {"4", "folder of NPY files"}, {"5", "NPZ file"},
  };
  for (const auto& [name, kind] : kinds) {
    const std::string report = inspect::describe(name, inspect::open(folder / name));
    check_line(report, name + ": " + kind + ", 1 array, 4 elements, 16 bytes");
    check_line(report, "name dtype shape bytes minimum maximum mean NaN Inf");
    check_line(report, "array float32 (2, 2) 16 0 3 1.5 0 0");
    BOOST_TEST(differences("1", name) == "");
  }
  testing::write_bytes(folder / "letter", "dear\x1b[2J");
  testing::write_bytes(folder / "empty", "");
  check_throws<FileError>([&] { inspect::open(folder / "letter"); },
                          {"[xgrad-inspect] ", "letter: expected a safetensors, ", "begins with `dear\\x1b[2J`"});
  check_throws<FileError>([&] { inspect::open(folder / "empty"); }, {"[xgrad-inspect] ", "empty"});
  check_throws<FileError>([&] { inspect::open(folder / "none"); }, {"[xgrad-inspect] ", "none"});
}

// Each begins as the other may.
BOOST_FIXTURE_TEST_CASE(idx_and_safetensors_are_told_apart, Place) {
  datasets::write_idx(folder / "idx", to_array(xt::xarray<std::uint8_t>{'{', '}', 3}));
  BOOST_TEST(inspect::open(folder / "idx").kind == "IDX file");
  nn::Metadata metadata = {{"text", std::string(0x010800 - 100, 'x')}};
  nn::write_safetensors(folder / "small", {}, metadata);
  const auto header = [&](const fs::path& path) { return testing::read_bytes(path).size() - 8; };
  metadata["text"] += std::string(0x080000 - header(folder / "small"), 'x');  // the header has 00 00 08 bytes
  nn::write_safetensors(folder / "large", {}, metadata);
  BOOST_TEST(testing::read_bytes(folder / "large").substr(0, 4) == std::string("\0\0\x08\0", 4));
  BOOST_TEST(inspect::open(folder / "large").kind == "safetensors file");
}

BOOST_FIXTURE_TEST_CASE(names_and_metadata_are_shown, Place) {
  nn::write_safetensors(folder / "a",
                        {{"w\x1b[2J", numbers({1, nan})}, {"\u00e9", numbers({-2.5})}, {"none", numbers({})}},
                        {{"made\n", "by \x07 me"}, {"long", std::string(1000, 'x')}});
  const std::string report = inspect::describe("a", inspect::open(folder / "a"));
  check_line(report, "w\\x1b[2J float64 (2,) 16 1 1 1 1 0");
  check_line(report, "\u00e9 float64 (1,) 8 -2.5 -2.5 -2.5 0 0");
  check_line(report, "none float64 (0,) 0 - - - 0 0");
  check_line(report, "metadata");
  check_line(report, " made\\x0a by \\x07 me");
  BOOST_TEST(report.find("... (1000 bytes)") != std::string::npos);
  // Columns are aligned although é has two bytes.
  const auto column = [&](const std::string& line) {
    const std::size_t at = report.find(line);
    BOOST_TEST_REQUIRE(at != std::string::npos);
    return report.find("float64", at) - at;
  };
  BOOST_TEST(column("\u00e9 ") == column("none ") + 1);
}

BOOST_FIXTURE_TEST_CASE(differences_are_a_line_each, Place) {
  nn::write_safetensors(folder / "a",
                        {{"changed", numbers({1, 2, 3})},
                         {"dtype", numbers({1})},
                         {"first", numbers({1})},
                         {"same", numbers({nan, 2})},
                         {"shape", numbers({1, 2})}},
                        {{"epoch", "1"}, {"old", "x"}, {"same", "y"}});
  nn::write_safetensors(folder / "b",
                        {{"changed", numbers({1, 2.5, 1})},
                         {"dtype", numbers({1}, DType::float32)},
                         {"same", numbers({nan, 2})},
                         {"second\n", numbers({1})},
                         {"shape", numbers({1, 2}).reshaped({1, 2})}},
                        {{"epoch", "2"}, {"new", "x"}, {"same", "y"}});
  BOOST_TEST(differences("a", "b") ==
             "changed: 2 of 3 elements differ, by 2 at most\n"
             "dtype: dtypes float64 and float32\n"
             "first: only in the first\n"
             "second\\x0a: only in the second\n"
             "shape: shapes (2,) and (1, 2)\n"
             "metadata epoch: `1` and `2`\n"
             "metadata new: only in the second\n"
             "metadata old: only in the first\n");
  BOOST_TEST(differences("a", "a") == "");
}

BOOST_AUTO_TEST_SUITE_END()
