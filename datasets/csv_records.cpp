#include "datasets/csv_records.hpp"

#include <algorithm>
#include <cstddef>

#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
#include "datasets/quoted.hpp"

namespace xgrad::datasets {

namespace {

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
constexpr std::size_t chunk = std::size_t{1} << 16;

}  // namespace

CsvRecords::CsvRecords(const std::filesystem::path& path, char separator, bool progress, std::string_view op)
    : op_(op),
      path_(path),
      separator_(separator),
      file_(op, path),
      line_of_progress_("reading " + shown(path.filename().string()),
                        progress ? runtime::ProgressLine::Shown::on_terminals : runtime::ProgressLine::Shown::never),
      special_{separator, '"', '\n', '\r'} {
  if (has(byte_order_mark.size()) && std::string_view(text_).starts_with(byte_order_mark)) {
    at_ = byte_order_mark.size();
  }
}

// What has been read is dropped: only a chunk, and a field of any length that it begins with, are in memory.
bool CsvRecords::refill(std::size_t count) {
  text_.erase(0, at_);
  at_ = 0;
  while (!ended_ && text_.size() < count) {
    const std::size_t before = text_.size();
    text_.resize(before + chunk);
    const std::size_t read = file_.read(reinterpret_cast<std::byte*>(text_.data()) + before, chunk);
    text_.resize(before + read);
    ended_ = read < chunk;
    line_of_progress_.update_bytes(file_.bytes_read(), file_.file_bytes());
  }
  return text_.size() >= count;
}

bool CsvRecords::next(CsvRecord& record) {
  while (has(1) && at_line_end()) {
    skip_line_end();
  }
  if (!has(1)) {
    return false;
  }
  record.line = line_;
  for (std::size_t column = 0;; ++column) {
    if (column == record.fields.size()) {
      record.fields.emplace_back();
    }
    std::string& field = record.fields[column];
    field.clear();
    if (has(1) && text_[at_] == '"') {
      read_quoted(field, column);
    } else {
      read_plain(field, column);
    }
    if (!has(1) || at_line_end()) {
      skip_line_end();
      record.fields.resize(column + 1);
      return true;
    }
    ++at_;
  }
}

bool CsvRecords::at_line_end() {
  return text_[at_] == '\n' || (text_[at_] == '\r' && has(2) && text_[at_ + 1] == '\n');
}

void CsvRecords::skip_line_end() {
  if (has(1)) {
    at_ += text_[at_] == '\r' ? 2 : 1;
    ++line_;
  }
}

void CsvRecords::read_plain(std::string& field, std::size_t column) {
  while (has(1)) {
    const std::size_t stop = std::min(text_.find_first_of(special_, at_), text_.size());
    field.append(text_, at_, stop - at_);
    at_ = stop;
    if (!has(1) || text_[at_] == separator_ || at_line_end()) {
      if (has(1)) {
        return;
      }
      continue;
    }
    if (text_[at_] == '"') {
      fail(line_, column, "", "a field quoted from its start to its end, or not at all", "a quote inside",
           "put the whole field in quotes and double those inside");
    }
    field += text_[at_++];
  }
}

void CsvRecords::read_quoted(std::string& field, std::size_t column) {
  const std::size_t opened = line_;
  for (++at_; has(1); ++at_) {
    if (text_[at_] == '"') {
      ++at_;
      if (!has(1) || text_[at_] == separator_ || at_line_end()) {
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
  raise<FileError>(op_, phrase("{}, line {}, column {}{}: expected {}, found {}; {}", path_.string(), line, column + 1,
                               of_name, expected, found, next_step));
}

void CsvRecords::fail(std::size_t line, std::string_view expected, std::string_view found,
                      std::string_view next_step) const {
  raise<FileError>(op_,
                   phrase("{}, line {}: expected {}, found {}; {}", path_.string(), line, expected, found, next_step));
}

}  // namespace xgrad::datasets
