#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/csv_records.hpp"

/// \file
/// Internal: a CSV file with a header, record by record, whose columns have names.

namespace xgrad::datasets {

/// Reads records of the length of the header.
class TableReader {
 public:
  static constexpr std::size_t nowhere = ~std::size_t{0};

  /// \throws FileError when the file cannot be read or has no header. \throws ValueError when two columns have one name.
  TableReader(std::string_view op, const std::filesystem::path& path, char separator, bool progress);

  const std::vector<std::string>& names() const { return names_; }  ///< of the header, without spaces around
  /// Where a column stands; nowhere for one that is not there.
  std::size_t find(std::string_view name) const;
  /// Where a column stands. \throws ValueError for one that is not there, with those that are.
  std::size_t at(std::string_view name) const;

  /// Goes on to the next record; false at the end. \throws FileError for one of another length.
  bool next();
  std::int64_t number() const { return number_; }    ///< of the record, from 0 on
  std::size_t line() const { return record_.line; }  ///< where it begins
  std::string_view field(std::size_t column) const;  ///< without spaces around

  /// \throws FileError that names line and column of the present record.
  [[noreturn]] void fail(std::size_t column, std::string_view expected, std::string_view next_step) const;

 private:
  CsvRecords records_;
  CsvRecord record_;
  std::string op_;
  std::filesystem::path path_;
  std::vector<std::string> names_;
  std::int64_t number_ = -1;
};

}  // namespace xgrad::datasets
