#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "datasets/dataset.hpp"

/// \file
/// CSV, tables as text: RFC 4180.

namespace xgrad::datasets {

/// A column: its name in the header, or its position from 0 on; negative positions count from the end.
using CsvColumn = std::variant<std::int64_t, std::string>;

/// The categories of columns, by the column's name; without a header its position is its name.
struct Categories : std::map<std::string, std::vector<std::string>> {
  using std::map<std::string, std::vector<std::string>>::map;  ///< as the map
  std::vector<std::string> columns = {};  ///< the columns that became features, in their order; empty when nobody knows
};

/// How read_csv understands a file.
struct CsvOptions {
  bool header = true;                       ///< the first record names the columns
  char separator = ',';                     ///< between fields
  CsvColumn target = -1;                    ///< the column to be predicted; all others are features
  std::vector<CsvColumn> categorical = {};  ///< columns of categories, be they words or numbers; others are numbers
  std::vector<CsvColumn> ignored = {};      ///< columns that are left out
  Categories known = {};  ///< of another file, for the same features in the same order: CsvDataset::categories
  std::int64_t max_categories =
      1000;              ///< of a column that becomes features, each of which takes memory in every record
  bool progress = true;  ///< on a terminal, show how far reading is when it takes more than a second
};

/// What read_csv makes of a file. Its features are called like their columns, or `name=category`.
struct CsvDataset : Dataset {
  std::string target_name;  ///< of the column that is predicted
  Categories categories;    ///< of each categorical column, in the order of their numbers

  /// What the labels 0, 1, ... stand for; none for a target that is a number.
  std::vector<std::string> class_names() const;
};

/// Reads a table: every record is a sample.
///
/// | column                | becomes                                                                          |
/// | --------------------- | -------------------------------------------------------------------------------- |
/// | numbers               | a float32 feature, or the float32 target, of shape (n, 1)                          |
/// | categories, a feature | float32 features, one per category: 1 for the one that a record has, 0 for others  |
/// | categories, target    | int64 labels (n,)                                                                  |
///
/// Categories are numbered in their alphabetical order, or by value when all are whole numbers; those in
/// CsvOptions::known keep their order, and so do the features: columns are found by their names, wherever they stand. Fields may be quoted, and then contain separators, line ends and doubled quotes.
/// Lines end in LF or CR LF; empty lines are skipped; the file may be compressed by gzip.
/// ```
/// const auto train = read_csv("iris.csv", {.target = "species", .categorical = {"species"}});
/// const auto test = read_csv("more.csv", {.target = "species", .categorical = {"species"}, .known = train.categories});
/// ```
/// \throws FileError naming the file, line and column for a field that is no finite float32 number, a category that is
///         not among the known ones, a record of another length, quotes that do not match; and for a file without any
///         record or that cannot be read.
/// \throws ValueError for a column that the file does not have, or has twice; for more categories of a feature than
///         CsvOptions::max_categories; for columns that are not those of the known file.
CsvDataset read_csv(const std::filesystem::path& path, const CsvOptions& options = {});

}  // namespace xgrad::datasets
