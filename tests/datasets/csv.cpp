#include "datasets/csv.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "datasets/batches.hpp"
#include "datasets/normalizer.hpp"
#include "gzip.hpp"
#include "temporary_folder.hpp"
#include "tests/testing.hpp"

BOOST_AUTO_TEST_SUITE(datasets_csv)

namespace {

using namespace xgrad;
using datasets::CsvDataset;
using datasets::CsvOptions;
using datasets::read_csv;
using testing::check_throws;
using testing::elements;
using testing::write_bytes;

using Names = std::vector<std::string>;

const std::string irises =
    "length,width,species\n"
    "5.1,3.5,setosa\n"
    "7.0,3.2,versicolor\n"
    "4.9,-3e0,setosa\n"
    "6.3,3.3,virginica\n";
const CsvOptions species{.target = "species", .categorical = {"species"}};

}  // namespace

struct Fixture : testing::TemporaryFolder {
  std::filesystem::path file = folder / "table.csv";

  CsvDataset read(const std::string& text, const CsvOptions& options = {}) const {
    write_bytes(file, text);
    return read_csv(file, options);
  }
  void check_rejected(const std::string& text, std::initializer_list<std::string_view> parts,
                      const CsvOptions& options = {}) const {
    check_throws<FileError>([&] { read(text, options); }, parts);
  }
};

BOOST_FIXTURE_TEST_CASE(reads_numbers_and_classes, Fixture) {
  const CsvDataset data = read(irises, species);
  BOOST_TEST((data.features().shape() == Shape{4, 2}));
  BOOST_TEST(elements<float>(data.features()) == (std::vector<float>{5.1f, 3.5f, 7.0f, 3.2f, 4.9f, -3.0f, 6.3f, 3.3f}),
             boost::test_tools::per_element());
  BOOST_TEST(elements<std::int64_t>(data.targets()) == (std::vector<std::int64_t>{0, 1, 0, 2}),
             boost::test_tools::per_element());
  BOOST_TEST((data.targets().shape() == Shape{4}));
  BOOST_TEST((data.feature_names() == Names{"length", "width"}));
  BOOST_TEST(data.target_name == "species");
  BOOST_TEST((data.class_names() == Names{"setosa", "versicolor", "virginica"}));
  BOOST_TEST(datasets::Batches(data, {.batch_size = 2}).count() == 2);
}

BOOST_FIXTURE_TEST_CASE(reads_numbers_to_be_predicted, Fixture) {
  const CsvDataset data = read("1,2,3\n4,5,6\n", {.header = false, .target = 1});
  BOOST_TEST(elements<float>(data.features()) == (std::vector<float>{1, 3, 4, 6}), boost::test_tools::per_element());
  BOOST_TEST((data.targets().shape() == Shape{2, 1}));
  BOOST_TEST(elements<float>(data.targets()) == (std::vector<float>{2, 5}), boost::test_tools::per_element());
  BOOST_TEST((data.feature_names() == Names{"0", "2"}));
  BOOST_TEST(data.class_names().empty());
  BOOST_TEST(elements<float>(read("1,2,3\n4,5,6\n", {.header = false}).targets())[1] == 6.0f);
  BOOST_TEST(elements<float>(read("1,2,3\n4,5,6\n", {.header = false, .target = -3}).targets())[1] == 4.0f);
}

BOOST_FIXTURE_TEST_CASE(categories_become_one_feature_each, Fixture) {
  const CsvDataset data = read(
      "colour,size,kind,price\n"
      "red,10,2,1.5\n"
      "blue,20,10,2.5\n"
      "red,30,2,3.5\n",
      {.target = "price", .categorical = {"colour", 2}});
  BOOST_TEST((data.feature_names() == Names{"colour=blue", "colour=red", "size", "kind=2", "kind=10"}));
  BOOST_TEST(elements<float>(data.features()) == (std::vector<float>{0, 1, 10, 1, 0, 1, 0, 20, 0, 1, 0, 1, 30, 1, 0}),
             boost::test_tools::per_element());
  BOOST_TEST((data.categories.at("kind") == Names{"2", "10"}));  // by value, not as text
}

BOOST_FIXTURE_TEST_CASE(other_files_are_numbered_alike, Fixture) {
  const CsvDataset train = read(irises, species);
  CsvOptions options = species;
  options.known = train.categories;
  const CsvDataset test = read("length,width,species\n1,2,virginica\n", options);
  BOOST_TEST(elements<std::int64_t>(test.targets())[0] == 2);
  BOOST_TEST((test.class_names() == train.class_names()));
  check_rejected("length,width,species\n1,2,setosa\n1,2,rose\n",
                 {"line 3, column 3 (species)", "known categories setosa, versicolor, virginica", "found `rose`"},
                 options);
  options.known = {{"species", {"virginica", "setosa"}}};
  BOOST_TEST(elements<std::int64_t>(read("length,width,species\n1,2,setosa\n", options).targets())[0] == 1);
  options.known = {{"species", {"setosa", "setosa"}}};
  check_throws<ValueError>([&] { read(irises, options); }, {"`setosa` twice"});
}

BOOST_FIXTURE_TEST_CASE(columns_in_another_order_are_found_by_name, Fixture) {
  CsvOptions options = {.target = "y", .categorical = {"colour"}};
  const CsvDataset train = read("a,colour,b,y\n1,red,2,3\n4,blue,5,6\n", options);
  options.known = train.categories;
  const CsvDataset test = read("y,b,a,colour\n30,20,10,blue\n", options);
  BOOST_TEST((test.feature_names() == train.feature_names()));
  BOOST_TEST((test.feature_names() == Names{"a", "colour=blue", "colour=red", "b"}));
  BOOST_TEST(elements<float>(test.features()) == (std::vector<float>{10, 1, 0, 20}), boost::test_tools::per_element());
  BOOST_TEST(elements<float>(test.targets())[0] == 30.0f);
  BOOST_TEST((test.categories.columns == Names{"a", "colour", "b"}));

  check_throws<ValueError>([&] { read("a,colour,y\n1,red,2\n", options); }, {"no column `b`", "a, colour, y"});
  check_throws<ValueError>([&] { read("a,colour,b,c,y\n1,red,2,3,4\n", options); },
                           {"column `c` is no feature of the known file", "a, colour, b"});
  options.ignored = {"b"};
  check_throws<ValueError>([&] { read("a,colour,b,y\n1,red,2,3\n", options); }, {"column `b`", "ignored"});
}

BOOST_FIXTURE_TEST_CASE(names_stay_with_the_features, Fixture) {
  const CsvDataset data = read(irises, species);
  const Names names = {"length", "width"};
  const auto [train, test] = datasets::split(data, {.fraction = 0.5});
  BOOST_TEST((train.feature_names() == names));
  BOOST_TEST((test.feature_names() == names));
  BOOST_TEST((datasets::fold(data, 0, {.folds = 2}).train.feature_names() == names));
  BOOST_TEST((datasets::Normalizer::mean_std(data.features())(train).feature_names() == names));
  const datasets::Dataset plain(data.features(), data.targets());
  BOOST_TEST(plain.feature_names().empty());
  BOOST_TEST((plain.named({"a", "b"}).feature_names() == Names{"a", "b"}));
  check_throws<ValueError>([&] { plain.named({"a"}); }, {"1 names for 2 features", "csv.cpp:"});
}

BOOST_FIXTURE_TEST_CASE(many_categories_are_no_features, Fixture) {
  std::string text = "name,y\n";
  for (int i = 0; i < 1001; ++i) {
    text += "id" + std::to_string(i) + ",1\n";
  }
  check_throws<ValueError>([&] { read(text, {.categorical = {"name"}}); },
                           {"[read_csv] ", file.native(), "column 1 (name) has more than 1000 categories", "ignore"});
  BOOST_TEST((read(text, {.categorical = {"name"}, .max_categories = 1001}).features().shape() == Shape{1001, 1001}));
  BOOST_TEST((read(text, {.target = "name", .categorical = {"name"}}).class_names().size() == 1001U));
}

// A terminal would do what some bytes say, and nobody reads a megabyte.
BOOST_FIXTURE_TEST_CASE(what_is_quoted_is_short_and_harmless, Fixture) {
  try {
    read("x,y\n1," + std::string(5'000'000, 'a') + "\n");
    BOOST_ERROR("nothing was thrown");
  } catch (const FileError& error) {
    BOOST_TEST(std::string(error.what()).size() < 400U);
    BOOST_TEST(std::string(error.what()).find("aaa... (5000000 bytes)") != std::string::npos);
  }
  check_rejected("x,y\n1,\x1b[2Jab\x7f\xff\xc2\x9bü\n", {"found `\\x1b[2Jab\\x7f\\xff\\xc2\\x9bü`"});
  check_rejected("x\x1b[2J,y\na,2\n", {"column 1 (x\\x1b[2J)"});
  check_throws<ValueError>([&] { read("x\x1b[2J,y\n1,2\n", {.target = "z"}); }, {"columns are x\\x1b[2J, y"});
}

BOOST_FIXTURE_TEST_CASE(columns_can_be_left_out, Fixture) {
  const CsvDataset data = read("id,x,y\nA1,2,3\nB2,5,6\n", {.ignored = {"id"}});
  BOOST_TEST(elements<float>(data.features()) == (std::vector<float>{2, 5}), boost::test_tools::per_element());
  BOOST_TEST((data.feature_names() == Names{"x"}));
}

BOOST_FIXTURE_TEST_CASE(reads_quoted_fields, Fixture) {
  const CsvDataset data =
      read("name,\"x, \"\"exact\"\"\"\n\"a,b\",1\n\"line\nbreak\",\"2\"\n\"say \"\"hi\"\"\",3\n\"\",4",
           {.target = 0, .categorical = {0}});
  BOOST_TEST((data.feature_names() == Names{"x, \"exact\""}));
  BOOST_TEST((data.class_names() == Names{"", "a,b", "line\nbreak", "say \"hi\""}));
  BOOST_TEST(elements<float>(data.features()) == (std::vector<float>{1, 2, 3, 4}), boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(takes_all_usual_ways_to_write_a_file, Fixture) {
  const std::vector<float> expected = {1, 3};
  for (const char* text : {"x,y\n1,2\n3,4\n", "x,y\n1,2\n3,4", "x,y\r\n1,2\r\n3,4\r\n", "\xef\xbb\xbfx,y\n1,2\n3,4\n",
                           "\nx,y\n\n1,2\n\r\n3,4\n\n", "x,y\n 1 ,2\n+3,\t4\n"}) {
    const CsvDataset data = read(text, {.target = "y"});
    BOOST_TEST(elements<float>(data.features()) == expected, boost::test_tools::per_element());
    BOOST_TEST((data.feature_names() == Names{"x"}));
  }
  BOOST_TEST(elements<float>(read("1;2\n3;4\n", {.header = false, .separator = ';'}).features()) == expected,
             boost::test_tools::per_element());
  write_bytes(folder / "table.csv.gz", testing::gzip_stored("x,y\n1,2\n3,4\n"));
  BOOST_TEST(elements<float>(read_csv(folder / "table.csv.gz").features()) == expected,
             boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(names_the_field_that_is_no_number, Fixture) {
  for (const char* wrong : {"abc", "1.2.3", "1 2", "nan", "inf", "1e39", "0x10", "--1", "+-1", "1,"}) {
    const std::string field = std::string(wrong) == "1," ? "\"1,\"" : wrong;
    check_rejected("x,y\n1,2\n\n" + field + ",4\n", {"[read_csv] ", file.native(), "line 4, column 1 (x)",
                                                     "a finite number", "found `" + std::string(wrong) + "`"});
  }
  check_rejected("x,y\n1,\n", {"line 2, column 2 (y)", "found nothing"});
  check_rejected("1,2\n3,x\n", {"line 2, column 2 (1)"}, {.header = false});
  // A field with line ends inside moves the lines after it.
  check_rejected("x,y\n\"a\nb\",1\nc,z\n", {"line 4, column 2 (y)"}, {.categorical = {"x"}});
}

BOOST_FIXTURE_TEST_CASE(names_the_line_that_is_malformed, Fixture) {
  check_rejected("x,y\n1,2\n1,2,3\n", {"line 3: expected 2 fields", "found 3"});
  check_rejected("x,y\n1\n", {"line 2: expected 2 fields", "found 1"});
  check_rejected("x,y\n1,2\n3,\"4\n5,6\n", {"line 3, column 2: expected a closing quote"});
  check_rejected("x,y\n1,\"2\"3\n", {"line 2, column 2: expected a separator", "found `3`"});
  check_rejected("x,y\n1,2\"\n", {"line 2, column 2", "a quote inside"});
  check_rejected("", {"line 1: expected a record, found an empty file"});
  check_rejected("x,y\n", {"expected records after the header, found none"});
  check_throws<FileError>([&] { read_csv(folder / "absent.csv"); }, {"[read_csv] ", "absent.csv", "readable file"});
}

BOOST_FIXTURE_TEST_CASE(columns_that_are_not_there_are_errors, Fixture) {
  check_throws<ValueError>([&] { read(irises, {.target = "colour"}); },
                           {"[read_csv] ", "no column `colour`", "length, width, species"});
  check_throws<ValueError>([&] { read(irises, {.target = 3}); }, {"has 3 columns", "no column 3", "[-3, 3)"});
  check_throws<ValueError>([&] { read(irises, {.target = -4}); }, {"no column -4"});
  check_throws<ValueError>([&] { read(irises, {.categorical = {"colour"}}); }, {"no column `colour`"});
  check_throws<ValueError>([&] { read(irises, {.ignored = {"colour"}}); }, {"no column `colour`"});
  check_throws<ValueError>([&] { read(irises, {.target = "width", .ignored = {1}}); },
                           {"width is the target and ignored"});
  check_throws<ValueError>([&] { read("x,x,y\n1,2,3\n", {.categorical = {0}}); }, {"more than one column `x`"});
  BOOST_TEST(read("x,x,y\n1,2,3\n").features().size() == 2);
}

BOOST_AUTO_TEST_SUITE_END()
