#include "datasets/column_facts.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
#include "datasets/fields.hpp"
#include "datasets/quoted.hpp"

namespace xgrad::datasets {

namespace {

constexpr std::string_view column_op = "Schema";
constexpr std::size_t most_sampled = 10'000'000;
// Of numbers every field may be different: they are counted as categories no longer than this.
constexpr std::size_t most_counted_numbers = 10'000;
constexpr std::size_t most_counted_categories = 1'000'000;
// A column with so many numbers has a slip of the keyboard in it, and no words.
constexpr double slip_share = 0.9;

}  // namespace

// Welford, "Note on a method for calculating corrected sums of squares and products", 1962.
void NumberFacts::add(double number) {
  least_ = count_ == 0 ? number : std::min(least_, number);
  greatest_ = count_ == 0 ? number : std::max(greatest_, number);
  ++count_;
  const double distance = number - mean_;
  mean_ += distance / static_cast<double>(count_);
  squares_ += distance * (number - mean_);
  if (sample_.size() < most_sampled) {
    sample_.push_back(number);
    return;
  }
  // Vitter, "Random sampling with a reservoir", 1985: each number is in the sample with the same probability.
  state_ = state_ * 6364136223846793005U + 1442695040888963407U;
  const std::uint64_t place = (state_ >> 16) % static_cast<std::uint64_t>(count_);
  if (place < most_sampled) {
    sample_[place] = number;
  }
}

double NumberFacts::deviation() const {
  return least_ == greatest_ ? 0 : std::sqrt(squares_ / static_cast<double>(count_));
}

double NumberFacts::median() const {
  std::vector<double> sorted = sample_;
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  if (sorted.size() % 2 == 1) {
    return *middle;
  }
  const double below = *std::max_element(sorted.begin(), middle);
  return below + (*middle - below) / 2;
}

std::optional<double> value_in(ColumnType type, std::string_view field, char thousands) {
  switch (type) {
    case ColumnType::number: return number_in(field, thousands);
    case ColumnType::boolean: return boolean_in(field);
    case ColumnType::time: return time_in(field);
    case ColumnType::category: break;
  }
  return std::nullopt;
}

std::string_view noun(ColumnType type) {
  switch (type) {
    case ColumnType::number: return "a number";
    case ColumnType::boolean: return "true or false";
    case ColumnType::time: return "a date, or a date and a time, as in 2024-03-31T18:05:00Z";
    case ColumnType::category: break;
  }
  return "a category";
}

void ColumnFacts::Hypothesis::take(bool fit, std::size_t line, std::string_view field) {
  fits += fit;
  if (!fit && holds()) {
    first_misfit_line = line;
    first_misfit = field;
  }
}

ColumnFacts::ColumnFacts(std::string name, std::size_t place, const SchemaOptions& options, bool is_target)
    : name_(std::move(name)),
      place_(place),
      scale_(is_target ? Scale::none : options.scale),
      thousands_(options.thousands),
      is_target_(is_target),
      most_counted_(most_counted_categories),
      max_categories_(static_cast<std::size_t>(std::max<std::int64_t>(options.max_categories, 0))) {
  if (is_target) {
    options_.fill = Fill::error;
    options_.other = false;
  }
  if (const auto given = options.columns.find(name_); given != options.columns.end()) {
    options_ = given->second;
    if (is_target) {
      options_.fill = options_.fill.value_or(Fill::error);
      options_.other = options_.other && options_.least_records > 1;
      if (options_.indicator) {
        fail("is the target, and a target has no indicator; take .indicator away");
      }
    }
  }
  scale_ = options_.scale.value_or(scale_);
}

void ColumnFacts::fail(std::string_view message) const {
  raise<ValueError>(column_op, phrase("the column {} {}", backticked(name_), message));
}

void ColumnFacts::add(const TableReader& table, bool missing) {
  const std::string_view field = table.field(place_);
  if (missing) {
    if (options_.fill == Fill::error) {
      table.fail(place_, is_target_ ? "a target" : "a field that is not missing",
                 is_target_ ? "fill it in, or leave such records out by .fill = Fill::drop_row"
                            : "fill it in, or give another .fill for the column");
    }
    return;
  }
  ++present_;
  const std::size_t line = table.line();
  const bool wanted_only = options_.type.has_value();
  const auto is_tried = [&](ColumnType type) { return wanted_only ? *options_.type == type : true; };
  const auto take = [&](ColumnType type, Hypothesis& hypothesis) {
    const std::optional<double> value = value_in(type, field, thousands_);
    if (wanted_only && !value) {
      table.fail(place_, noun(type), "correct it, or list it among .missing");
    }
    hypothesis.take(value.has_value(), line, field);
    return value;
  };
  if (is_tried(ColumnType::number)) {
    if (const auto value = take(ColumnType::number, as_number_)) {
      numbers_.add(*value);
    }
  }
  if (is_tried(ColumnType::time)) {
    if (const auto value = take(ColumnType::time, as_time_)) {
      times_.add(*value);
    }
  }
  if (is_tried(ColumnType::boolean)) {
    take(ColumnType::boolean, as_boolean_);
  }
  if (too_many_) {
    return;
  }
  if (const auto known = counts_.find(field); known != counts_.end()) {
    ++known->second;
  } else {
    counts_.emplace(field, 1);
    const bool numbers_so_far = as_number_.fits == present_ || as_time_.fits == present_;
    if (counts_.size() > (numbers_so_far ? std::max(most_counted_numbers, max_categories_) : most_counted_)) {
      too_many_ = true;
      counts_.clear();
    }
  }
}

ColumnType ColumnFacts::find_type() const {
  if (options_.type) {
    return *options_.type;
  }
  if (as_boolean_.holds()) {
    return ColumnType::boolean;
  }
  if (as_number_.holds()) {
    return ColumnType::number;
  }
  if (as_time_.holds()) {
    return ColumnType::time;
  }
  require_no_slips();
  return ColumnType::category;
}

void ColumnFacts::require_no_slips() const {
  for (const auto& [hypothesis, what] : {std::pair(&as_number_, "numbers"), std::pair(&as_time_, "dates")}) {
    if (static_cast<double>(hypothesis->fits) >= slip_share * static_cast<double>(present_)) {
      fail(phrase(
          "has {} fields, of which {} are {}, but line {} says {}; correct it, list it among .missing, or give "
          "the column a .type",
          present_, hypothesis->fits, what, hypothesis->first_misfit_line, backticked(hypothesis->first_misfit)));
    }
  }
}

SchemaColumn ColumnFacts::finish() const {
  if (present_ == 0) {
    fail("has nothing but missing fields; ignore it");
  }
  SchemaColumn column;
  column.name = name_;
  column.type = find_type();
  column.indicator = options_.indicator;
  learn_scale(column);
  learn_categories(column);
  learn_fill(column);
  return column;
}

void ColumnFacts::learn_scale(SchemaColumn& column) const {
  if (column.type != ColumnType::number && column.type != ColumnType::time) {
    return;
  }
  const NumberFacts& facts = numbers_of(column.type);
  if (scale_ == Scale::mean_std) {
    column.center = facts.mean();
    column.scale = facts.deviation();
  } else if (scale_ == Scale::min_max) {
    column.center = facts.least();
    column.scale = facts.greatest() - facts.least();
  }
  if (!(column.scale > 0)) {  // all are equal
    column.scale = 1;
  }
}

void ColumnFacts::learn_categories(SchemaColumn& column) const {
  if (column.type == ColumnType::boolean) {  // how the file spells them, for the names of classes
    column.categories = {"false", "true"};
    std::int64_t most[2] = {0, 0};
    for (const auto& [field, count] : counts_) {
      const auto value = static_cast<std::size_t>(boolean_in(field).value_or(0));
      if (count > most[value]) {
        most[value] = count;
        column.categories[value] = field;
      }
    }
  }
  if (column.type != ColumnType::category) {
    return;
  }
  for (const auto& [field, count] : counts_) {
    if (count >= options_.least_records) {
      column.categories.push_back(field);
    }
  }
  if (too_many_ || column.categories.size() > max_categories_) {
    fail(
        phrase("has more than {} categories; ignore it, as an identity, make rare ones one by .least_records, or give "
               "more .max_categories",
               too_many_ ? std::max(most_counted_numbers, max_categories_) : max_categories_));
  }
  sort_categories(column.categories);
  column.other = options_.other;
}

std::string ColumnFacts::most_frequent() const {
  if (too_many_) {
    fail("has too many different values to find the most frequent one; give another .fill");
  }
  return std::max_element(counts_.begin(), counts_.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; })
      ->first;
}

void ColumnFacts::learn_fill(SchemaColumn& column) const {
  const bool numeric = column.type == ColumnType::number || column.type == ColumnType::time;
  column.fill = options_.fill.value_or(numeric ? Fill::median : Fill::most_frequent);
  if (column.fill == Fill::error || column.fill == Fill::drop_row) {
    return;
  }
  if (column.fill == Fill::mean || column.fill == Fill::median) {
    if (!numeric) {
      fail("is not of numbers or times: it has neither mean nor median; give another .fill");
    }
    const NumberFacts& facts = numbers_of(column.type);
    column.fill_number = column.fill == Fill::mean ? facts.mean() : facts.median();
    return;
  }
  const std::string field = column.fill == Fill::constant ? options_.constant : most_frequent();
  if (column.type == ColumnType::category) {
    column.fill_category = field;
    const bool known = std::find(column.categories.begin(), column.categories.end(), field) != column.categories.end();
    if (!known && !column.other) {
      fail(phrase("is filled with {}, which is none of its categories; give one of them", backticked(field)));
    }
    return;
  }
  const std::optional<double> value = value_in(column.type, field, thousands_);
  if (!value) {
    fail(phrase("is filled with {}, which is not {}; give a .constant that is", backticked(field), noun(column.type)));
  }
  column.fill_number = *value;
}

}  // namespace xgrad::datasets
