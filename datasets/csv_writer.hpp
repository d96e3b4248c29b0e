#pragma once

#include <concepts>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// \file
/// Tables as text, written record by record.

namespace xgrad::datasets {

class OutputFile;

/// Writes a CSV file (RFC 4180), which appears complete or not at all. Compressed by gzip when its name ends in `.gz`.
/// ```
/// datasets::CsvWriter table("predictions.csv", {"customer", "probability"});
/// for (...) table.record(customer, probability);
/// table.publish();
/// ```
class CsvWriter {
 public:
  /// \param names of the columns, the first record. \throws FileError when the file cannot be made.
  CsvWriter(const std::filesystem::path& path, const std::vector<std::string>& names, char separator = ',');
  CsvWriter(const CsvWriter&) = delete;
  CsvWriter& operator=(const CsvWriter&) = delete;
  /// What has not been published is gone.
  ~CsvWriter();

  /// Appends a record: texts, quoted where they have to be, and numbers, with as many digits as give them back.
  /// \throws ValueError for another number of fields than there are columns. \throws FileError when writing fails.
  template <class... Fields>
  void record(const Fields&... fields) {
    write({field_of(fields)...});
  }
  /// Appends a record of texts.
  void write(const std::vector<std::string>& fields);

  /// Puts the file in its place, replacing what was there. \throws FileError when that fails.
  void publish();

 private:
  static std::string field_of(std::string_view text) { return std::string(text); }
  static std::string field_of(double number);
  static std::string field_of(float number);
  template <std::integral I>
  static std::string field_of(I number) {
    return std::to_string(number);
  }

  std::unique_ptr<OutputFile> file_;
  std::size_t columns_;
  char separator_;
};

}  // namespace xgrad::datasets
