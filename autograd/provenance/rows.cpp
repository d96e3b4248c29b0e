#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "autograd/provenance/story.hpp"

/// \file
/// Which sample of a batch brings about that a number is not finite: the batch is tried with other rows in the place of some.

namespace xgrad::provenance {

namespace {

class RowTrial {
 public:
  // Of the arguments with so many rows.
  RowTrial(const Question& question, Place place, std::int64_t rows, const std::vector<bool>& needed)
      : question_(question), place_(place), rows_(rows), needed_(needed) {
    for (std::size_t i = 0; i < question.argument_count; ++i) {
      if (rows_of(question, i) == rows) {
        arguments_.push_back(i);
      }
    }
  }

  static std::int64_t rows_of(const Question& question, std::size_t argument) {
    const Shape& shape = question.given[argument].shape();
    return shape.ndim() > 0 ? shape[0] : 0;
  }
  const std::vector<std::size_t>& arguments() const { return arguments_; }

  // Whether the number is finite when rows from \p first to \p last alone are what they are, and the others are row \p other.
  bool is_finite(std::int64_t first, std::int64_t last, std::int64_t other) const {
    std::vector<Array> given = question_.given;
    for (const std::size_t i : arguments_) {
      const Array& original = question_.given[i];
      given[i] = Array(original.shape(), original.dtype());
      const std::size_t row = original.bytes() / static_cast<std::size_t>(rows_);
      for (std::int64_t k = 0; k < rows_; ++k) {
        const std::int64_t from = first <= k && k < last ? k : other;
        std::memcpy(static_cast<std::byte*>(given[i].data()) + row * static_cast<std::size_t>(k),
                    static_cast<const std::byte*>(original.data()) + row * static_cast<std::size_t>(from), row);
      }
    }
    Level level(question_.graph, std::move(given), question_.outputs);
    level.run(Stop::never, {}, needed_);
    return is_known(level.elements(place_.value)) && std::isfinite(level.number(place_));
  }

 private:
  const Question& question_;
  Place place_;
  std::int64_t rows_;
  std::vector<std::size_t> arguments_;
  const std::vector<bool>& needed_;
};

std::optional<Row> find_row_of(const RowTrial& trial, std::int64_t rows) {
  for (const std::int64_t other : {std::int64_t{0}, rows / 2, rows - 1}) {
    if (!trial.is_finite(0, 0, other)) {
      continue;  // this row brings it about itself, or none does
    }
    std::int64_t first = 0;
    std::int64_t last = rows;
    while (last - first > 1) {
      const std::int64_t middle = first + (last - first) / 2;
      if (!trial.is_finite(first, middle, other)) {
        last = middle;
      } else if (!trial.is_finite(middle, last, other)) {
        first = middle;
      } else {
        return std::nullopt;  // it takes several together
      }
    }
    return Row{first, other, trial.arguments()};
  }
  return std::nullopt;
}

}  // namespace

std::optional<Row> find_row(const Question& question, Place place) {
  const std::vector<bool> needed = Level(question.graph, question.given, question.outputs).nodes_behind(place.value);
  std::vector<std::int64_t> tried{0, 1};
  for (std::size_t i = 0; i < question.argument_count; ++i) {
    const std::int64_t rows = RowTrial::rows_of(question, i);
    if (std::find(tried.begin(), tried.end(), rows) != tried.end()) {
      continue;
    }
    tried.push_back(rows);
    if (const std::optional<Row> row = find_row_of(RowTrial(question, place, rows, needed), rows)) {
      return row;
    }
  }
  return std::nullopt;
}

}  // namespace xgrad::provenance
