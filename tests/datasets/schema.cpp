#include "datasets/schema.hpp"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "datasets/fields.hpp"
#include "gzip.hpp"
#include "temporary_folder.hpp"
#include "tests/testing.hpp"

BOOST_AUTO_TEST_SUITE(datasets_schema)

namespace {

using namespace xgrad;
using namespace xgrad::datasets;
using testing::check_elements;
using testing::check_throws;
using testing::elements;
using testing::write_bytes;

using Names = std::vector<std::string>;

const std::string customers =
    "customer, age ,city,member,since,spent,churned\n"
    "a1,20,Rome,yes,2020-01-01,\"1,000\",no\n"
    "a2,,Oslo,no,2020-01-03,\"2,000.5\",yes\n"
    "a3,40,,yes,NA,500,no\n"
    "a4,60,Rome,,2020-01-02T12:00:00Z,\"12,000\",yes\n";
const SchemaOptions churn{.target = "churned", .kept = {"customer"}, .thousands = ','};

}  // namespace

struct Tables : testing::TemporaryFolder {
  std::filesystem::path file = folder / "table.csv";

  Schema fit(const std::string& text, const SchemaOptions& options) const {
    write_bytes(file, text);
    return Schema::fit(file, options);
  }
  TableRows read(const Schema& schema, const std::string& text) const {
    write_bytes(file, text);
    return schema.read_rows(file);
  }
  template <class E>
  void check_refused(const std::string& text, const SchemaOptions& options,
                     std::initializer_list<std::string_view> parts) const {
    check_throws<E>([&] { fit(text, options); }, parts);
  }
};

BOOST_FIXTURE_TEST_CASE(types_are_found_out, Tables) {
  const Schema schema = fit(customers, churn);
  BOOST_REQUIRE(schema.columns().size() == 5u);
  const std::vector<ColumnType> types = {ColumnType::number, ColumnType::category, ColumnType::boolean,
                                         ColumnType::time, ColumnType::number};
  for (std::size_t i = 0; i < types.size(); ++i) {
    BOOST_TEST((schema.columns()[i].type == types[i]), schema.columns()[i].name);
  }
  BOOST_TEST(
      (schema.feature_names() == Names{"age", "city=Oslo", "city=Rome", "city=(other)", "member", "since", "spent"}));
  BOOST_TEST((schema.class_names() == Names{"no", "yes"}));
  BOOST_TEST(schema.feature_count() == 7);
}

BOOST_FIXTURE_TEST_CASE(rows_are_scaled_filled_and_labelled, Tables) {
  const TableRows rows = read(fit(customers, churn), customers);
  BOOST_TEST((rows.features.shape() == Shape{4, 7}));
  BOOST_TEST((rows.features.dtype() == DType::float32));
  check_elements(Tensor(rows.targets), {4}, {0, 1, 0, 1});
  BOOST_TEST((rows.kept == std::vector<Names>{{"a1"}, {"a2"}, {"a3"}, {"a4"}}));
  BOOST_TEST((rows.records == std::vector<std::int64_t>{0, 1, 2, 3}));

  const double age = std::sqrt(800.0 / 3);  // of 20, 40, 60; the median stands in
  check_elements(Tensor(rows.features)[{all(), 0}], {4}, {-20 / age, 0, 0, 20 / age}, 1e-6);
  check_elements(Tensor(rows.features)[{all(), range(1, 4)}], {4, 3}, {0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 1, 0});
  check_elements(Tensor(rows.features)[{all(), 4}], {4}, {1, 0, 1, 1});
  // Days 0, 2, 1.5 after the first: mean 7/6, and the median is 1.5.
  const double deviation = std::sqrt((49 + 25 + 4) / 36. / 3);
  check_elements(Tensor(rows.features)[{all(), 5}], {4},
                 {-7 / 6. / deviation, 5 / 6. / deviation, 2 / 6. / deviation, 2 / 6. / deviation}, 1e-6);
  check_elements(sum(Tensor(rows.features)[{all(), 6}]), {}, {0}, 1e-6);
}

BOOST_FIXTURE_TEST_CASE(later_files_are_read_by_name, Tables) {
  const Schema schema = fit(customers, churn);
  const TableRows first = read(schema, customers);
  const TableRows later = read(schema,
                               "churned,spent,extra,since,member,city,age,customer\n"
                               "no,\"1,000\",x,2020-01-01,yes,Rome,20,a1\n");
  check_elements(Tensor(later.features), {1, 7}, elements(Tensor(first.features)[{range(0, 1), all()}]));

  const TableRows unknown = read(schema, "customer,age,city,member,since,spent\nb1,30,Bern,no,2021-06-01,7\n");
  BOOST_TEST(!static_cast<bool>(unknown.targets));
  check_elements(Tensor(unknown.features)[{0, range(1, 4)}], {3}, {0, 0, 1});
  check_throws<ValueError>([&] { schema.read(file); }, {"[Schema] ", "`churned`", "its columns are customer, age"});
  check_throws<ValueError>([&] { read(schema, "customer,age,city,member,since\nb1,1,Rome,no,2021-06-01\n"); },
                           {"`spent`"});
}

BOOST_FIXTURE_TEST_CASE(every_fill, Tables) {
  const std::string text = "x,y\n1,5\n2,6\n,7\n2,8\n7,9\n";
  const auto filled = [&](const ColumnOptions& x) {
    SchemaOptions options{
        .target = "y", .columns = {{"x", x}, {"y", {.type = ColumnType::number}}}, .scale = Scale::none};
    return elements(Tensor(read(fit(text, options), text).features));
  };
  BOOST_TEST((filled({.fill = Fill::mean}) == std::vector<double>{1, 2, 3, 2, 7}));
  BOOST_TEST((filled({.fill = Fill::median}) == std::vector<double>{1, 2, 2, 2, 7}));
  BOOST_TEST((filled({}) == std::vector<double>{1, 2, 2, 2, 7}));
  BOOST_TEST((filled({.fill = Fill::most_frequent}) == std::vector<double>{1, 2, 2, 2, 7}));
  BOOST_TEST((filled({.fill = Fill::constant, .constant = "-1"}) == std::vector<double>{1, 2, -1, 2, 7}));
  BOOST_TEST((filled({.fill = Fill::drop_row}) == std::vector<double>{1, 2, 2, 7}));
  BOOST_TEST((filled({.fill = Fill::constant, .constant = "0", .indicator = true}) ==
              std::vector<double>{1, 0, 2, 0, 0, 1, 2, 0, 7, 0}));
  check_throws<FileError>([&] { filled({.fill = Fill::error}); }, {"line 4, column 1 (x)", "nothing", ".fill"});
  check_throws<ValueError>([&] { filled({.fill = Fill::constant, .constant = "many"}); }, {"`x`", "`many`"});
  check_refused<ValueError>("c\na\nb\n\"\"\n", {.columns = {{"c", {.fill = Fill::mean}}}}, {"`c`", "neither mean"});

  const TableRows rows = read(fit(text, {.target = "y", .columns = {{"x", {.fill = Fill::drop_row}}}}), text);
  BOOST_TEST((rows.records == std::vector<std::int64_t>{0, 1, 3, 4}));
  check_elements(Tensor(rows.targets), {4, 1}, {5, 6, 8, 9});
}

BOOST_FIXTURE_TEST_CASE(scales, Tables) {
  const std::string text = "x,c\n2,7\n4,7\n10,7\n";
  const auto scaled = [&](Scale scale) { return elements(Tensor(read(fit(text, {.scale = scale}), text).features)); };
  BOOST_TEST((scaled(Scale::none) == std::vector<double>{2, 7, 4, 7, 10, 7}));
  BOOST_TEST((scaled(Scale::min_max) == std::vector<double>{0, 0, 0.25, 0, 1, 0}));
  const double deviation = std::sqrt((100 + 16 + 196) / 27.);  // of 2, 4 and 10 around 16 / 3; those of 7 are equal
  check_elements(Tensor(fit(text, {}).read_rows(file).features), {3, 2},
                 {-10 / 3. / deviation, 0, -4 / 3. / deviation, 0, 14 / 3. / deviation, 0}, 1e-6);
}

BOOST_FIXTURE_TEST_CASE(categories_can_be_rare_unknown_or_too_many, Tables) {
  const std::string text = "c,y\nb,1.5\na,2\nb,3\nb,4\na,5\nz,6\n";
  const auto options = [](const ColumnOptions& c) { return SchemaOptions{.target = "y", .columns = {{"c", c}}}; };
  BOOST_TEST((fit(text, options({})).feature_names() == Names{"c=a", "c=b", "c=z", "c=(other)"}));
  BOOST_TEST((fit(text, options({.least_records = 2})).feature_names() == Names{"c=a", "c=b", "c=(other)"}));
  const Schema closed = fit(text, options({.other = false}));
  BOOST_TEST((closed.feature_names() == Names{"c=a", "c=b", "c=z"}));
  check_throws<FileError>([&] { read(closed, "c,y\na,1\nnew\x1b[31m,2\n"); },
                          {"[Schema] ", "line 3, column 1 (c)", "3 categories", "new\\x1b[31m"});

  SchemaOptions few = options({});
  few.max_categories = 2;
  check_throws<ValueError>([&] { fit(text, few); }, {"`c`", "more than 2 categories", ".least_records"});
  const Schema numbers = fit("c\n10\n9\n-1\n", {.columns = {{"c", {.type = ColumnType::category, .other = false}}}});
  BOOST_TEST((numbers.feature_names() == Names{"c=-1", "c=9", "c=10"}));
}

BOOST_FIXTURE_TEST_CASE(slips_are_told_from_words, Tables) {
  std::string text = "x\n";
  for (int i = 0; i < 30; ++i) {
    text += std::to_string(i) + "\n";
  }
  check_refused<ValueError>(text + "12x\n", {}, {"`x`", "31 fields", "30 are numbers", "line 32", "`12x`", ".missing"});
  SchemaOptions listed;
  listed.missing.push_back("12x");
  BOOST_TEST((fit(text + "12x\n", listed).columns()[0].type == ColumnType::number));
  BOOST_TEST((fit("x\n1\n2\nlow\nhigh\n", {}).columns()[0].type == ColumnType::category));
  check_refused<FileError>("x\n1\nnan3\n", {.columns = {{"x", {.type = ColumnType::number}}}},
                           {"line 3, column 1 (x)", "a number", "`nan3`"});
  check_refused<FileError>("x\n2020-01-01\n2020-02-30\n", {.columns = {{"x", {.type = ColumnType::time}}}},
                           {"line 3", "a date", "2020-02-30"});
}

BOOST_FIXTURE_TEST_CASE(targets, Tables) {
  const std::string text = "x,y\n1,0\n2,1\n3,\n4,1\n";
  check_refused<FileError>(text, {.target = "y"}, {"line 4, column 2 (y)", "a target", "drop_row"});
  const SchemaOptions dropping{.target = "y", .columns = {{"y", {.fill = Fill::drop_row}}}};
  const Schema schema = fit(text, dropping);
  const Dataset data = schema.read(file);
  check_elements(Tensor(data.targets()), {3}, {0, 1, 1});
  BOOST_TEST((data.targets().dtype() == DType::int64));
  const Schema words = fit("x,y\n1,b\n2,a\n3,b\n", {.target = "y"});
  check_elements(Tensor(words.read(file).targets()), {3}, {1, 0, 1});
  check_throws<FileError>([&] { read(words, "x,y\n1,c\n"); }, {"(y)", "2 categories", "`c`"});
  check_refused<ValueError>(text, {.target = "z"}, {"no column `z`", "its columns are x, y"});
  check_refused<ValueError>(text, {.target = "y", .columns = {{"w", {}}}}, {"no column `w`"});
  check_refused<ValueError>(text, {.ignored = {"w"}}, {"no column `w`"});
  BOOST_TEST(fit("x\n1\n2\n", {}).class_names().empty());
  check_throws<ValueError>([&] { fit("x\n1\n2\n", {}).read(file); }, {"no target"});
}

BOOST_FIXTURE_TEST_CASE(json_keeps_everything, Tables) {
  SchemaOptions options = churn;
  options.columns["age"] = {.fill = Fill::mean, .indicator = true};
  options.columns["city"] = {.fill = Fill::constant, .constant = "R\"ome, \xc3\xa9\n"};
  const Schema schema = fit(customers, options);
  const Schema again = Schema::from_json(schema.json());
  BOOST_TEST(again.json() == schema.json());
  check_elements(Tensor(read(again, customers).features), {4, 8}, elements(Tensor(read(schema, customers).features)));

  schema.write(folder / "schema.json");
  BOOST_TEST(Schema::load(folder / "schema.json").json() == schema.json());
  check_throws<FileError>([&] { Schema::load(folder / "none.json"); }, {"none.json"});
  for (const std::string_view broken : {"", "{", "[]", "{\"xgrad_schema\": 2}", "{\"xgrad_schema\": 1}"}) {
    check_throws<ValueError>([&] { Schema::from_json(broken); }, {"[Schema] this is no schema"});
  }
  std::string other = schema.json();
  other.replace(other.find("\"mean\""), 6, "\"mode\"");
  check_throws<ValueError>([&] { Schema::from_json(other); }, {"`mode`"});
  check_throws<ValueError>([&] { fit("c\n\xff\na\n", {}).json(); }, {"UTF-8"});
}

BOOST_FIXTURE_TEST_CASE(records_come_in_batches, Tables) {
  std::string text = "x,y\n";
  for (int i = 0; i < 1000; ++i) {
    text += std::to_string(i) + ",\"" + (i % 3 == 0 ? "a\nb" : "c") + "\"\n";
  }
  const Schema schema = fit(text, {.target = "y", .scale = Scale::none});
  testing::write_bytes(folder / "table.csv.gz", testing::gzip_stored(text));
  for (const auto& path : {file, folder / "table.csv.gz"}) {
    std::int64_t next = 0;
    std::vector<std::int64_t> sizes;
    schema.read_rows(path, 300, [&](const TableRows& rows) {
      sizes.push_back(rows.features.shape()[0]);
      for (std::size_t i = 0; i < rows.records.size(); ++i, ++next) {
        BOOST_REQUIRE(rows.records[i] == next);
        BOOST_REQUIRE(rows.features.data<float>()[i] == static_cast<float>(next));
        BOOST_REQUIRE(rows.targets.data<std::int64_t>()[i] == (next % 3 == 0 ? 0 : 1));
      }
    });
    BOOST_TEST((sizes == std::vector<std::int64_t>{300, 300, 300, 100}));
  }
  check_throws<ValueError>([&] { schema.read_rows(file, 0, [](const TableRows&) {}); }, {"0 records"});
}

BOOST_FIXTURE_TEST_CASE(files_without_sense_are_refused, Tables) {
  check_refused<FileError>("", {}, {"[Schema] ", "header"});
  check_refused<FileError>("x,y\n", {}, {"no records"});
  check_refused<ValueError>("x, x\n1,2\n", {}, {"two columns called `x`"});
  check_refused<FileError>("x,y\n1,2\n3\n", {}, {"line 3", "2 fields", "found 1"});
  check_refused<ValueError>("x,y\n1,\n2,NA\n", {}, {"`y`", "nothing but missing"});
  check_refused<FileError>("x\n\"1\n", {}, {"closing quote"});
}

BOOST_AUTO_TEST_CASE(numbers_in_fields) {
  BOOST_TEST((number_in("-1.5e3", '\0') == -1500.0));
  BOOST_TEST((number_in("+7", '\0') == 7.0));
  BOOST_TEST((number_in("1,234,567.25", ',') == 1234567.25));
  BOOST_TEST((number_in("-12'345", '\'') == -12345.0));
  for (const std::string_view wrong :
       {"", "1,23", "1,2345", ",123", "1,,234", "12,345,6", "1.5,000", "1234,567", "abc"}) {
    BOOST_TEST(!number_in(wrong, ','), wrong);
  }
  for (const std::string_view wrong : {"", "1,234", "inf", "nan", "0x10", "1 2", "+-1", "1e999"}) {
    BOOST_TEST(!number_in(wrong, '\0'), wrong);
  }
}

BOOST_AUTO_TEST_CASE(times_in_fields) {
  BOOST_TEST((time_in("1970-01-01") == 0.0));
  BOOST_TEST((time_in("1969-12-31") == -1.0));
  BOOST_TEST((time_in("2000-03-01") == 11017.0));
  BOOST_TEST((time_in("1970-01-02T06:00") == 1.25));
  BOOST_TEST((time_in("1970-01-02 06:00:00Z") == 1.25));
  BOOST_TEST((time_in("1970-01-02t06:00:00.000+06:00") == 1.0));
  BOOST_TEST((time_in("1970-01-02T06:00:00-0600") == 1.5));
  BOOST_TEST((time_in("1970-01-01T00:00:43.2") == 0.0005));
  for (const std::string_view wrong :
       {"", "1970", "1970-1-1", "1970-02-29", "1970-13-01", "1970-01-01T", "1970-01-01T25:00", "1970-01-01T10:60",
        "1970-01-01T10:00x", "01.02.1970", "1970-01-01T24:30"}) {
    BOOST_TEST(!time_in(wrong), wrong);
  }
}

BOOST_AUTO_TEST_CASE(booleans_in_fields) {
  for (const std::string_view yes : {"true", "True", "YES", "t", "y", "1"}) {
    BOOST_TEST((boolean_in(yes) == 1.0), yes);
  }
  for (const std::string_view no : {"false", "No", "F", "n", "0"}) {
    BOOST_TEST((boolean_in(no) == 0.0), no);
  }
  for (const std::string_view other : {"", "2", "truely", "nope", "on"}) {
    BOOST_TEST(!boolean_in(other), other);
  }
}

BOOST_AUTO_TEST_SUITE_END()
