#include "nn/inspect/report.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "autograd/runtime/phrase.hpp"
#include "datasets/quoted.hpp"
#include "nn/inspect/statistics.hpp"

namespace xgrad::inspect {

namespace {

using Row = std::vector<std::string>;

// Characters, each of which takes a column; or nearly so.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80; }));
}

// Columns as wide as they have to be: words to the left, numbers to the right.
std::string table_of(const std::vector<Row>& rows, std::size_t words) {
  std::vector<std::size_t> widths(rows[0].size());
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], width_of(row[i]));
    }
  }
  std::string text;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string blanks(widths[i] - width_of(row[i]), ' ');
      line += (i > 0 ? "  " : "") + (i < words ? row[i] + blanks : blanks + row[i]);
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
  }
  return text;
}

std::string or_dash(const std::optional<Number>& number) { return number ? to_string(*number) : "-"; }

Row row_of(const std::string& name, const Array& array) {
  const Statistics statistics = statistics_of(array);
  return {datasets::shown(name),
          std::string(to_string(array.dtype())),
          to_string(array.shape()),
          phrase("{}", array.bytes()),
          or_dash(statistics.minimum),
          or_dash(statistics.maximum),
          statistics.mean ? phrase("{:.6g}", *statistics.mean) : "-",
          phrase("{}", statistics.nan),
          phrase("{}", statistics.infinite)};
}

std::string plural(std::int64_t count, std::string_view thing) {
  return phrase("{} {}{}", count, thing, count == 1 ? "" : "s");
}

// Calls only(name, which) for names in one of both ranges, which are in order, and both(name) for those in both.
template <class Range, class NameOf, class Only, class Both>
void walk(const Range& one, const Range& other, NameOf name_of, Only only, Both both) {
  auto a = one.begin();
  auto b = other.begin();
  while (a != one.end() || b != other.end()) {
    if (b == other.end() || (a != one.end() && name_of(*a) < name_of(*b))) {
      only(name_of(*a++), "first");
    } else if (a == one.end() || name_of(*b) < name_of(*a)) {
      only(name_of(*b++), "second");
    } else {
      both(name_of(*a++));
      ++b;
    }
  }
}

std::string difference_line(const std::string& name, const Array& a, const Array& b) {
  if (a.shape() != b.shape()) {
    return phrase("{}: shapes {} and {}\n", datasets::shown(name), to_string(a.shape()), to_string(b.shape()));
  }
  if (a.dtype() != b.dtype()) {
    return phrase("{}: dtypes {} and {}\n", datasets::shown(name), to_string(a.dtype()), to_string(b.dtype()));
  }
  const Difference difference = difference_of(a, b);
  return difference.elements == 0
             ? ""
             : phrase("{}: {} of {} differ, by {} at most\n", datasets::shown(name), difference.elements,
                      plural(a.size(), "element"), to_string(difference.greatest));
}

}  // namespace

std::string describe(const std::string& name, const Contents& contents) {
  std::vector<Row> rows = {{"name", "dtype", "shape", "bytes", "minimum", "maximum", "mean", "NaN", "Inf"}};
  std::int64_t elements = 0;
  std::size_t bytes = 0;
  for (const std::string& each : contents.names) {
    const Array array = contents.read(each);
    rows.push_back(row_of(each, array));
    elements += array.size();
    bytes += array.bytes();
  }
  std::string text =
      phrase("{}: {}, {}, {}, {} bytes\n", datasets::shown(name), contents.kind,
             plural(static_cast<std::int64_t>(contents.names.size()), "array"), plural(elements, "element"), bytes);
  if (!contents.names.empty()) {
    text += "\n" + table_of(rows, 3);
  }
  if (!contents.metadata.empty()) {
    std::vector<Row> lines;
    for (const auto& [key, value] : contents.metadata) {
      lines.push_back({"  " + datasets::shown(key), datasets::shown(value)});
    }
    text += "\nmetadata\n" + table_of(lines, 2);
  }
  return text;
}

std::string differences(const Contents& one, const Contents& other) {
  std::string text;
  const auto only = [&text](std::string_view what) {
    return [&text, what](const std::string& name, std::string_view which) {
      text += phrase("{}{}: only in the {}\n", what, datasets::shown(name), which);
    };
  };
  walk(
      one.names, other.names, [](const std::string& name) -> const std::string& { return name; }, only(""),
      [&](const std::string& name) { text += difference_line(name, one.read(name), other.read(name)); });
  walk(
      one.metadata, other.metadata, [](const auto& entry) -> const std::string& { return entry.first; },
      only("metadata "),
      [&](const std::string& name) {
        const std::string& a = one.metadata.at(name);
        const std::string& b = other.metadata.at(name);
        if (a != b) {
          text += phrase("metadata {}: {} and {}\n", datasets::shown(name), datasets::backticked(a),
                         datasets::backticked(b));
        }
      });
  return text;
}

}  // namespace xgrad::inspect
