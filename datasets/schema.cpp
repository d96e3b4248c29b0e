#include "datasets/schema.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
#include "datasets/column_facts.hpp"
#include "datasets/quoted.hpp"
#include "datasets/table_reader.hpp"

namespace xgrad::datasets {

namespace {

constexpr std::string_view schema_op = "Schema";
constexpr std::string_view other_category = "(other)";

bool is_among(const std::vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

// A slip in a name would have no effect otherwise.
void require_columns(const TableReader& table, const SchemaOptions& options) {
  if (!options.target.empty()) {
    table.at(options.target);
  }
  for (const auto& [name, column] : options.columns) {
    table.at(name);
  }
  for (const auto* names : {&options.ignored, &options.kept}) {
    for (const std::string& name : *names) {
      table.at(name);
    }
  }
}

std::vector<ColumnFacts> columns_of(const TableReader& table, const SchemaOptions& options) {
  require_columns(table, options);
  std::vector<ColumnFacts> columns;
  for (std::size_t place = 0; place < table.names().size(); ++place) {
    const std::string& name = table.names()[place];
    const bool is_target = !options.target.empty() && name == options.target;
    if (is_target || !(is_among(options.ignored, name) || is_among(options.kept, name))) {
      columns.emplace_back(name, place, options, is_target);
    }
  }
  return columns;
}

}  // namespace

Schema Schema::fit(const std::filesystem::path& path, const SchemaOptions& options) {
  TableReader table(schema_op, path, options.separator, options.progress);
  std::vector<ColumnFacts> columns = columns_of(table, options);
  std::int64_t records = 0;
  while (table.next()) {
    const auto is_missing = [&](const ColumnFacts& column) {
      return is_among(options.missing, table.field(column.place()));
    };
    const bool left_out = std::any_of(columns.begin(), columns.end(), [&](const ColumnFacts& column) {
      return column.drops_rows() && is_missing(column);
    });
    if (left_out) {
      continue;
    }
    for (ColumnFacts& column : columns) {
      column.add(table, is_missing(column));
    }
    ++records;
  }
  if (records == 0) {
    raise<FileError>(schema_op,
                     phrase("{} has no records to learn from; expected a header and a line per record, found {}",
                            path.string(), table.number() < 0 ? "the header alone" : "missing fields in all of them"));
  }
  Schema schema;
  for (const ColumnFacts& column : columns) {
    if (!options.target.empty() && column.name() == options.target) {
      schema.target_ = column.finish();
    } else {
      schema.columns_.push_back(column.finish());
    }
  }
  schema.kept_ = options.kept;
  schema.missing_ = options.missing;
  schema.separator_ = options.separator;
  schema.thousands_ = options.thousands;
  schema.progress_ = options.progress;
  return schema;
}

namespace {

std::int64_t width_of(const SchemaColumn& column) {
  const std::size_t values =
      column.type == ColumnType::category ? column.categories.size() + (column.other ? 1 : 0) : 1;
  return static_cast<std::int64_t>(values) + (column.indicator ? 1 : 0);
}

/// Numbers of records that become an array.
template <class T>
Array array_of(const std::vector<T>& numbers, const Shape& shape) {
  Array array(shape, dtype_of<T>());
  if (!numbers.empty()) {
    std::memcpy(array.data(), numbers.data(), numbers.size() * sizeof(T));
  }
  return array;
}

/// Turns records into rows, by what a schema knows.
class RowBuilder {
 public:
  /// \throws ValueError for a column that the table does not have: of the features, and of the target if it is needed.
  RowBuilder(const Schema& schema, const std::vector<std::string>& missing, char thousands, const TableReader& table,
             bool needs_target)
      : schema_(schema), missing_(missing), thousands_(thousands), table_(table) {
    for (const SchemaColumn& column : schema.columns()) {
      places_.push_back(table.at(column.name));
    }
    for (const std::string& name : schema.kept()) {
      kept_places_.push_back(table.at(name));
    }
    if (schema.target()) {
      target_place_ = needs_target ? table.at(schema.target()->name) : table.find(schema.target()->name);
    }
  }

  bool has_target() const { return target_place_ != TableReader::nowhere; }
  std::int64_t size() const { return static_cast<std::int64_t>(rows_.records.size()); }

  void add_record() {
    if (is_left_out()) {
      return;
    }
    for (std::size_t i = 0; i < places_.size(); ++i) {
      add_features(schema_.columns()[i], places_[i]);
    }
    if (has_target()) {
      add_target(*schema_.target());
    }
    std::vector<std::string> kept;
    for (const std::size_t place : kept_places_) {
      kept.emplace_back(table_.field(place));
    }
    rows_.kept.push_back(std::move(kept));
    rows_.records.push_back(table_.number());
  }

  /// The rows since the last call.
  TableRows take() {
    const auto n = size();
    rows_.features = array_of(features_, {n, schema_.feature_count()});
    if (has_target()) {
      rows_.targets = schema_.class_names().empty() ? array_of(quantities_, {n, 1}) : array_of(labels_, {n});
    }
    features_.clear();
    quantities_.clear();
    labels_.clear();
    return std::exchange(rows_, {});
  }

 private:
  bool is_missing(std::size_t place) const { return is_among(missing_, table_.field(place)); }

  bool is_left_out() const {
    for (std::size_t i = 0; i < places_.size(); ++i) {
      if (schema_.columns()[i].fill == Fill::drop_row && is_missing(places_[i])) {
        return true;
      }
    }
    return has_target() && schema_.target()->fill == Fill::drop_row && is_missing(target_place_);
  }

  /// \return whether something stands in for the field.
  bool is_filled(const SchemaColumn& column, std::size_t place) const {
    const bool missing = is_missing(place);
    if (missing && column.fill == Fill::error) {
      table_.fail(place, noun(column.type), "fill it in, or fit the schema with another .fill for the column");
    }
    return missing;
  }

  double value_of(const SchemaColumn& column, std::size_t place) const {
    if (is_filled(column, place)) {
      return column.fill_number;
    }
    const std::optional<double> value = value_in(column.type, table_.field(place), thousands_);
    if (!value) {
      table_.fail(place, noun(column.type), "correct it, or list it among .missing when fitting the schema");
    }
    return *value;
  }

  /// The number of a category, that of (other) behind the known ones.
  std::size_t category_of(const SchemaColumn& column, std::size_t place) const {
    const std::string_view field =
        is_filled(column, place) ? std::string_view(column.fill_category) : table_.field(place);
    const auto found = std::find(column.categories.begin(), column.categories.end(), field);
    if (found == column.categories.end() && !column.other) {
      table_.fail(place, phrase("one of the {} categories that the schema knows", column.categories.size()),
                  "correct it, or fit the schema with .other for the column");
    }
    return static_cast<std::size_t>(found - column.categories.begin());
  }

  void add_features(const SchemaColumn& column, std::size_t place) {
    const auto width = static_cast<std::size_t>(width_of(column));
    const std::size_t first = features_.size();
    features_.resize(first + width);
    if (column.type == ColumnType::category) {
      features_[first + category_of(column, place)] = 1;
    } else {
      const double value = (value_of(column, place) - column.center) / column.scale;
      if (std::abs(value) > std::numeric_limits<float>::max()) {
        table_.fail(place, "a number that float32 can hold", "correct it, or scale the column");
      }
      features_[first] = static_cast<float>(value);
    }
    if (column.indicator) {
      features_.back() = is_missing(place) ? 1 : 0;
    }
  }

  void add_target(const SchemaColumn& column) {
    if (column.type == ColumnType::category) {
      labels_.push_back(static_cast<std::int64_t>(category_of(column, target_place_)));
    } else if (column.type == ColumnType::boolean) {
      labels_.push_back(static_cast<std::int64_t>(value_of(column, target_place_)));
    } else {
      quantities_.push_back(static_cast<float>((value_of(column, target_place_) - column.center) / column.scale));
    }
  }

  const Schema& schema_;
  const std::vector<std::string>& missing_;
  char thousands_;
  const TableReader& table_;
  std::vector<std::size_t> places_;  // of the columns in the file
  std::vector<std::size_t> kept_places_;
  std::size_t target_place_ = TableReader::nowhere;
  std::vector<float> features_;
  std::vector<float> quantities_;
  std::vector<std::int64_t> labels_;
  TableRows rows_;
};

}  // namespace

void Schema::read_rows(const std::filesystem::path& path, std::int64_t batch,
                       const std::function<void(const TableRows&)>& take) const {
  if (batch < 1) {
    raise<ValueError>(schema_op, phrase("a batch has {} records; give 1 or more", batch));
  }
  TableReader table(schema_op, path, separator_, false);
  RowBuilder builder(*this, missing_, thousands_, table, false);
  while (table.next()) {
    builder.add_record();
    if (builder.size() == batch) {
      take(builder.take());
    }
  }
  if (builder.size() > 0) {
    take(builder.take());
  }
}

TableRows Schema::read_all(const std::filesystem::path& path, bool needs_target) const {
  TableReader table(schema_op, path, separator_, progress_);
  RowBuilder builder(*this, missing_, thousands_, table, needs_target);
  while (table.next()) {
    builder.add_record();
  }
  return builder.take();
}

TableRows Schema::read_rows(const std::filesystem::path& path) const { return read_all(path, false); }

Dataset Schema::read(const std::filesystem::path& path) const {
  if (!target_) {
    raise<ValueError>(schema_op, "the schema has no target; fit it with one, or read features alone by read_rows");
  }
  const TableRows rows = read_all(path, true);
  return Dataset(rows.features, rows.targets).named(feature_names());
}

std::int64_t Schema::feature_count() const {
  std::int64_t count = 0;
  for (const SchemaColumn& column : columns_) {
    count += width_of(column);
  }
  return count;
}

std::vector<std::string> Schema::feature_names() const {
  std::vector<std::string> names;
  for (const SchemaColumn& column : columns_) {
    if (column.type == ColumnType::category) {
      for (const std::string& category : column.categories) {
        names.push_back(column.name + "=" + category);
      }
      if (column.other) {
        names.push_back(phrase("{}={}", column.name, other_category));
      }
    } else {
      names.push_back(column.name);
    }
    if (column.indicator) {
      names.push_back(column.name + "=(missing)");
    }
  }
  return names;
}

std::vector<std::string> Schema::class_names() const {
  if (!target_ || target_->type == ColumnType::number || target_->type == ColumnType::time) {
    return {};
  }
  std::vector<std::string> names = target_->categories;
  if (target_->other) {
    names.emplace_back(other_category);
  }
  return names;
}

}  // namespace xgrad::datasets
