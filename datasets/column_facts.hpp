#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/schema.hpp"
#include "datasets/table_reader.hpp"

/// \file
/// Internal: what a pass over a file finds out about a column.

namespace xgrad::datasets {

/// Moments, range and middle of numbers that come one by one.
class NumberFacts {
 public:
  void add(double number);

  std::int64_t count() const { return count_; }
  double mean() const { return mean_; }
  double deviation() const;  ///< of the population
  double least() const { return least_; }
  double greatest() const { return greatest_; }
  /// Exact up to ten million numbers, then of a sample of as many.
  double median() const;

 private:
  std::int64_t count_ = 0;
  double mean_ = 0;
  double squares_ = 0;  // sum of squared distances to the mean
  double least_ = 0;
  double greatest_ = 0;
  std::vector<double> sample_;
  std::uint64_t state_ = 0;  // of the choice of the sample
};

/// A column of a file while it is read for the first time.
class ColumnFacts {
 public:
  /// \param is_target of a target, the default for missing fields and unknown categories is an error.
  ColumnFacts(std::string name, std::size_t place, const SchemaOptions& options, bool is_target);

  const std::string& name() const { return name_; }
  std::size_t place() const { return place_; }
  /// Whether a record is to be left out where this field is missing.
  bool drops_rows() const { return options_.fill == Fill::drop_row; }

  /// Takes the field of the present record into account. \throws FileError for one that is not of the type given.
  void add(const TableReader& table, bool missing);
  /// What was learned. \throws ValueError when that makes no column.
  SchemaColumn finish() const;

 private:
  struct Hypothesis {  // that all fields are of a type
    std::int64_t fits = 0;
    std::size_t first_misfit_line = 0;
    std::string first_misfit;
    void take(bool fit, std::size_t line, std::string_view field);
    bool holds() const { return first_misfit_line == 0; }
  };

  [[noreturn]] void fail(std::string_view message) const;
  ColumnType find_type() const;
  void require_no_slips() const;
  const NumberFacts& numbers_of(ColumnType type) const { return type == ColumnType::time ? times_ : numbers_; }
  void learn_scale(SchemaColumn& column) const;
  void learn_categories(SchemaColumn& column) const;
  void learn_fill(SchemaColumn& column) const;
  std::string most_frequent() const;

  std::string name_;
  std::size_t place_;
  ColumnOptions options_;
  Scale scale_;
  char thousands_;
  bool is_target_;
  std::size_t most_counted_;
  std::size_t max_categories_;
  std::int64_t present_ = 0;
  Hypothesis as_number_, as_boolean_, as_time_;
  NumberFacts numbers_, times_;
  std::map<std::string, std::int64_t, std::less<>> counts_;  // of the fields
  bool too_many_ = false;                                    // different fields to be counted
};

/// The value that a field has as a number, time or boolean; nothing for one that has none, or for a category.
std::optional<double> value_in(ColumnType type, std::string_view field, char thousands);
/// `a number`, ...
std::string_view noun(ColumnType type);

}  // namespace xgrad::datasets
