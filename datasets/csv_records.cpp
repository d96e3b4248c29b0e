#include "datasets/csv_records.hpp"

#include <limits>

#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
#include "datasets/input_file.hpp"
#include "datasets/quoted.hpp"

namespace xgrad::datasets {

namespace {

constexpr std::string_view op = "read_csv";
constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

std::string read_text(const std::filesystem::path& path) {
  const auto bytes = InputFile(op, path).read_bytes(std::numeric_limits<std::size_t>::max());
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

CsvRecords::CsvRecords(const std::filesystem::path& path, char separator)
    : path_(path), separator_(separator), text_(read_text(path)) {
  if (text_.starts_with(byte_order_mark)) {
    at_ = byte_order_mark.size();
  }
}

bool CsvRecords::next(CsvRecord& record) {
  while (at_ < text_.size() && at_line_end()) {
    skip_line_end();
  }
  if (at_ == text_.size()) {
    return false;
  }
  record.line = line_;
  for (std::size_t column = 0;; ++column) {
    if (column == record.fields.size()) {
      record.fields.emplace_back();
    }
    std::string& field = record.fields[column];
    field.clear();
    if (at_ < text_.size() && text_[at_] == '"') {
      read_quoted(field, column);
    } else {
      read_plain(field, column);
    }
    if (at_ == text_.size() || at_line_end()) {
      skip_line_end();
      record.fields.resize(column + 1);
      return true;
    }
    ++at_;
  }
}

bool CsvRecords::at_line_end() const { return text_[at_] == '\n' || text_.compare(at_, 2, "\r\n") == 0; }

void CsvRecords::skip_line_end() {
  if (at_ < text_.size()) {
    at_ += text_[at_] == '\r' ? 2 : 1;
    ++line_;
  }
}

void CsvRecords::read_plain(std::string& field, std::size_t column) {
  const std::size_t first = at_;
  while (at_ < text_.size() && text_[at_] != separator_ && !at_line_end()) {
    if (text_[at_] == '"') {
      fail(line_, column, "", "a field quoted from its start to its end, or not at all", "a quote inside",
           "put the whole field in quotes and double those inside");
    }
    ++at_;
  }
  field.assign(text_, first, at_ - first);
}

void CsvRecords::read_quoted(std::string& field, std::size_t column) {
  const std::size_t opened = line_;
  for (++at_; at_ < text_.size(); ++at_) {
    if (text_[at_] == '"') {
      ++at_;
      if (at_ == text_.size() || text_[at_] == separator_ || at_line_end()) {
        return;
      }
      if (text_[at_] != '"') {
        fail(line_, column, "", "a separator or the end of the line after a closing quote",
             backticked(std::string_view(text_).substr(at_, 1)), "double quotes inside a field");
      }
    }
    line_ += text_[at_] == '\n' ? 1 : 0;
    field += text_[at_];
  }
  fail(opened, column, "", "a closing quote", "the end of the file", "close the field that begins here");
}

void CsvRecords::fail(std::size_t line, std::size_t column, std::string_view name, std::string_view expected,
                      std::string_view found, std::string_view next_step) const {
  const std::string of_name = name.empty() ? "" : phrase(" ({})", shown(name));
  raise<FileError>(op, phrase("{}, line {}, column {}{}: expected {}, found {}; {}", path_.string(), line, column + 1,
                              of_name, expected, found, next_step));
}

void CsvRecords::fail(std::size_t line, std::string_view expected, std::string_view found,
                      std::string_view next_step) const {
  raise<FileError>(op,
                   phrase("{}, line {}: expected {}, found {}; {}", path_.string(), line, expected, found, next_step));
}

}  // namespace xgrad::datasets
