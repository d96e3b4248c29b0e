#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/runtime/progress_line.hpp"
#include "datasets/input_file.hpp"

/// \file
/// Internal: the records of a CSV file.

namespace xgrad::datasets {

/// The fields of one record, and where they stand.
struct CsvRecord {
  std::size_t line = 0;  ///< where it begins, from 1 on
  std::vector<std::string> fields;
};

/// Cuts the text of a CSV file into records, as it reads it.
class CsvRecords {
 public:
  /// \param op the function the user called, for messages. \throws FileError when the file cannot be read.
  /// \param progress whether a line on the terminal says how far reading is, when it takes more than a second.
  CsvRecords(const std::filesystem::path& path, char separator, bool progress, std::string_view op = "read_csv");

  /// Reads the next record into \p record; false at the end. \throws FileError where quotes do not match.
  bool next(CsvRecord& record);

  /// \throws FileError `[op] path, line 3, column 2 (name): expected ..., found ...; next_step`.
  /// \param column from 0 on.
  [[noreturn]] void fail(std::size_t line, std::size_t column, std::string_view name, std::string_view expected,
                         std::string_view found, std::string_view next_step) const;
  /// The same for a whole line. \throws FileError
  [[noreturn]] void fail(std::size_t line, std::string_view expected, std::string_view found,
                         std::string_view next_step) const;

 private:
  /// Whether \p count more characters are there.
  bool has(std::size_t count) { return text_.size() - at_ >= count || refill(count); }
  bool refill(std::size_t count);
  bool at_line_end();
  void skip_line_end();
  void read_plain(std::string& field, std::size_t column);
  void read_quoted(std::string& field, std::size_t column);

  std::string op_;
  std::filesystem::path path_;
  char separator_;
  InputFile file_;
  runtime::ProgressLine line_of_progress_;
  std::string special_;  // characters that end a field, or may
  std::string text_;     // what has been read of the file, from some place on
  std::size_t at_ = 0;
  bool ended_ = false;
  std::size_t line_ = 1;
};

}  // namespace xgrad::datasets
