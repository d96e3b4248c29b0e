#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

/// \file
/// Internal: the records of a CSV file.

namespace xgrad::datasets {

/// The fields of one record, and where they stand.
struct CsvRecord {
  std::size_t line = 0;  ///< where it begins, from 1 on
  std::vector<std::string> fields;
};

/// Cuts the text of a CSV file into records.
class CsvRecords {
 public:
  /// \throws FileError when the file cannot be read.
  CsvRecords(const std::filesystem::path& path, char separator);

  /// Reads the next record into \p record; false at the end. \throws FileError where quotes do not match.
  bool next(CsvRecord& record);

  /// \throws FileError `[read_csv] path, line 3, column 2 (name): expected ..., found ...; next_step`.
  /// \param column from 0 on.
  [[noreturn]] void fail(std::size_t line, std::size_t column, std::string_view name, std::string_view expected,
                         std::string_view found, std::string_view next_step) const;
  /// The same for a whole line. \throws FileError
  [[noreturn]] void fail(std::size_t line, std::string_view expected, std::string_view found,
                         std::string_view next_step) const;

 private:
  bool at_line_end() const;
  void skip_line_end();
  void read_plain(std::string& field, std::size_t column);
  void read_quoted(std::string& field, std::size_t column);

  std::filesystem::path path_;
  char separator_;
  std::string text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

}  // namespace xgrad::datasets
