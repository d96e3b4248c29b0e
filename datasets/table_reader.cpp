#include "datasets/table_reader.hpp"

#include <algorithm>

#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
#include "datasets/fields.hpp"
#include "datasets/quoted.hpp"

namespace xgrad::datasets {

TableReader::TableReader(std::string_view op, const std::filesystem::path& path, char separator, bool progress)
    : records_(path, separator, progress, op), op_(op), path_(path) {
  if (!records_.next(record_)) {
    records_.fail(1, "a header with the names of the columns", "the end of the file", "write one name per column");
  }
  for (const std::string& name : record_.fields) {
    names_.emplace_back(trimmed(name));
  }
  for (const std::string& name : names_) {
    if (std::count(names_.begin(), names_.end(), name) > 1) {
      raise<ValueError>(
          op, phrase("{} has two columns called {}; give each a name of its own", path.string(), backticked(name)));
    }
  }
}

std::size_t TableReader::find(std::string_view name) const {
  const auto place = std::find(names_.begin(), names_.end(), name);
  return place == names_.end() ? nowhere : static_cast<std::size_t>(place - names_.begin());
}

std::size_t TableReader::at(std::string_view name) const {
  const std::size_t place = find(name);
  if (place == nowhere) {
    raise<ValueError>(
        op_, phrase("{} has no column {}; its columns are {}", path_.string(), backticked(name), listed(names_)));
  }
  return place;
}

bool TableReader::next() {
  if (!records_.next(record_)) {
    return false;
  }
  ++number_;
  if (record_.fields.size() != names_.size()) {
    records_.fail(record_.line, phrase("{} fields, as in the header", names_.size()),
                  phrase("{}", record_.fields.size()), "quote fields that contain separators");
  }
  return true;
}

std::string_view TableReader::field(std::size_t column) const { return trimmed(record_.fields[column]); }

void TableReader::fail(std::size_t column, std::string_view expected, std::string_view next_step) const {
  const std::string_view found = field(column);
  records_.fail(record_.line, column, names_[column], expected, found.empty() ? "nothing" : backticked(found),
                next_step);
}

}  // namespace xgrad::datasets
