#include "datasets/csv_writer.hpp"

#include <array>
#include <charconv>

#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
#include "datasets/output_file.hpp"

namespace xgrad::datasets {

namespace {

constexpr std::string_view csv_writer_op = "CsvWriter";

std::string quoted_where_needed(const std::string& field, char separator) {
  const std::string special = std::string("\"\r\n") + separator;
  const bool has_edges = !field.empty() && (field.front() == ' ' || field.back() == ' ');
  if (field.find_first_of(special) == std::string::npos && !has_edges) {
    return field;
  }
  std::string quoted = "\"";
  for (const char c : field) {
    quoted.append(c == '"' ? 2 : 1, c);
  }
  return quoted + "\"";
}

template <class Number>
std::string shortest(Number number) {
  std::array<char, 64> text;
  const auto result = std::to_chars(text.data(), text.data() + text.size(), number);
  return {text.data(), result.ptr};
}

}  // namespace

CsvWriter::CsvWriter(const std::filesystem::path& path, const std::vector<std::string>& names, char separator)
    : file_(std::make_unique<OutputFile>(csv_writer_op, path)), columns_(names.size()), separator_(separator) {
  write(names);
}

CsvWriter::~CsvWriter() = default;

std::string CsvWriter::field_of(double number) { return shortest(number); }
std::string CsvWriter::field_of(float number) { return shortest(number); }

void CsvWriter::write(const std::vector<std::string>& fields) {
  if (fields.size() != columns_) {
    raise<ValueError>(csv_writer_op, phrase("a record has {} fields, the table {} columns; give one for each",
                                            fields.size(), columns_));
  }
  std::string line;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) {
      line += separator_;
    }
    line += quoted_where_needed(fields[i], separator_);
  }
  if (line.empty()) {
    line = "\"\"";  // an empty line would be no record
  }
  file_->write(line + "\n");
}

void CsvWriter::publish() { file_->publish(); }

}  // namespace xgrad::datasets
