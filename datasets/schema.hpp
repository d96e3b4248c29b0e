#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/array/array.hpp"
#include "datasets/dataset.hpp"

/// \file
/// Schema: what was learned about the columns of a table, to be used on the tables of later weeks.

namespace xgrad::datasets {

/// What the fields of a column are, and what they become.
enum class ColumnType {
  number,    ///< one feature, scaled
  category,  ///< a feature per category, 1 for the one that a record has and 0 for others
  boolean,   ///< one feature, 0 or 1: true, yes, t, y, 1 and false, no, f, n, 0, in any case
  time,  ///< one feature, scaled: days since 1970-01-01, of ISO 8601 dates as in `2024-03-31` or `2024-03-31T18:05:00Z`
};

/// What stands in for a field that is missing.
enum class Fill {
  error,          ///< nothing: it is an error
  mean,           ///< the mean of those that are there (numbers, times)
  median,         ///< the median of those that are there (numbers, times)
  most_frequent,  ///< the value that most records have; of several, the first in alphabetical order
  constant,       ///< ColumnOptions::constant
  drop_row,       ///< nothing: the record is left out
};

/// How numbers and times become features: (x - center) / scale.
enum class Scale {
  none,      ///< as they are
  mean_std,  ///< the mean is 0 and the standard deviation 1, over the training data
  min_max,   ///< from 0 to 1 over the training data
};

/// What is wanted of a column. Everything has a default, found out from the fields.
struct ColumnOptions {
  std::optional<ColumnType> type =
      {};                           ///< by default the first of boolean, number, time that all fields are; or category
  std::optional<Fill> fill = {};    ///< by default the median of numbers and times, and the most frequent of others
  std::string constant = {};        ///< for Fill::constant: a field, as it would stand in the file
  bool indicator = false;           ///< one more feature, `name=(missing)`: 1 where the field is missing
  std::optional<Scale> scale = {};  ///< by default SchemaOptions::scale
  bool other = true;  ///< categories that training data do not have are the category `(other)`, or an error
  std::int64_t least_records = 1;  ///< that have a category; rarer ones are `(other)`, too
};

/// How a table is understood.
struct SchemaOptions {
  std::string target = {};                            ///< the column to be predicted; none: all are features
  std::map<std::string, ColumnOptions> columns = {};  ///< by name, also of the target
  std::vector<std::string> ignored = {};              ///< columns that are left out
  std::vector<std::string> kept = {};  ///< columns that are no features but handed on, such as an identity
  Scale scale = Scale::mean_std;       ///< of numbers and times
  std::vector<std::string> missing = {"", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?"};  ///< such fields are
  char separator = ',';                                                                             ///< between fields
  char thousands = '\0';               ///< between the digits of numbers, as in 1,234,567; none by default
  std::int64_t max_categories = 1000;  ///< of a feature: each takes memory in every record
  bool progress = true;                ///< on a terminal, show how far reading is when it takes more than a second
};

/// What is known of a column.
struct SchemaColumn {
  std::string name;                          ///< in the header
  ColumnType type = ColumnType::number;      ///< given, or found out
  Fill fill = Fill::error;                   ///< given, or the default
  bool indicator = false;                    ///< as ColumnOptions::indicator
  double fill_number = 0;                    ///< what stands in for a missing number, time or boolean
  std::string fill_category = {};            ///< what stands in for a missing category
  double center = 0;                         ///< of numbers and times
  double scale = 1;                          ///< of numbers and times
  std::vector<std::string> categories = {};  ///< in the order of their features, or labels
  bool other = false;                        ///< whether `(other)` comes after them
};

/// Records of a table.
struct TableRows {
  Array features;                     ///< float32 (n, f)
  Array targets;                      ///< float32 (n, 1), or labels int64 (n,); empty where the file has none
  std::vector<std::int64_t> records;  ///< which records of the file they are, counted from 0: some may be left out
  std::vector<std::vector<std::string>> kept;  ///< of each, its fields of the columns in SchemaOptions::kept
};

/// Turns tables into features and targets, always in the same way: columns are found by their names, in whatever order,
/// and columns that it does not know are passed over. Fitted to training data once; kept beside the model as JSON; applied
/// to any later file, with the target or without.
/// ```
/// const auto schema = datasets::Schema::fit("customers.csv", {.target = "churned", .ignored = {"customer"}});
/// trainer.fit(schema.read("customers.csv"));
/// schema.write("model/schema.json");
/// // next week, in another program
/// const auto schema = datasets::Schema::load("model/schema.json");
/// const Tensor logits = model(schema.read_rows("next_week.csv").features);
/// ```
/// Fields may be quoted, and then contain separators, line ends and doubled quotes; spaces around fields and names do not
/// count. Files may be compressed by gzip. They are read record by record: only what is asked for is in memory.
class Schema {
 public:
  /// Learns from a file what its columns are, in one pass. Medians are exact up to ten million numbers in a column, and
  /// those of a sample of as many beyond.
  /// \throws FileError naming file, line and column for a field that is not of its column's type, for a missing field where
  ///         Fill::error was given, for records of different lengths, and for a file without records.
  /// \throws ValueError for columns that the file does not have, or has twice; for a column with too many categories, or
  ///         without any field that is not missing.
  static Schema fit(const std::filesystem::path& path, const SchemaOptions& options = {});

  /// All records, with their targets; its features are called as feature_names() says. \throws FileError, ValueError as fit; for a column that the file lacks; and for a
  /// category that is not known, where there is no `(other)`.
  Dataset read(const std::filesystem::path& path) const;
  /// All records; the target may be missing as a column.
  TableRows read_rows(const std::filesystem::path& path) const;
  /// The same, \p batch records at a time, for files that are larger than memory.
  void read_rows(const std::filesystem::path& path, std::int64_t batch,
                 const std::function<void(const TableRows&)>& take) const;

  const std::vector<SchemaColumn>& columns() const { return columns_; }  ///< the features' columns
  const std::optional<SchemaColumn>& target() const { return target_; }  ///< what is to be predicted
  const std::vector<std::string>& kept() const { return kept_; }         ///< as SchemaOptions::kept
  std::vector<std::string> feature_names() const;                        ///< `age`, `city=Rome`, `age=(missing)`
  std::int64_t feature_count() const;                                    ///< f
  /// What the labels 0, 1, ... stand for; none for a target that is a number, or where there is no target.
  std::vector<std::string> class_names() const;

  /// Everything as JSON, exactly.
  std::string json() const;
  /// \throws ValueError for what json() has not written.
  static Schema from_json(std::string_view text);
  /// Writes json() to a file, which appears complete or not at all. \throws FileError.
  void write(const std::filesystem::path& path) const;
  /// Reads what write has written. \throws FileError, ValueError.
  static Schema load(const std::filesystem::path& path);

 private:
  Schema() = default;
  TableRows read_all(const std::filesystem::path& path, bool needs_target) const;

  std::vector<SchemaColumn> columns_;
  std::optional<SchemaColumn> target_;
  std::vector<std::string> kept_;
  std::vector<std::string> missing_;
  char separator_ = ',';
  char thousands_ = '\0';
  bool progress_ = true;  // not kept as JSON
};

}  // namespace xgrad::datasets
