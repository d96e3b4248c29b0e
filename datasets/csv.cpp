#include "datasets/csv.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
#include "datasets/csv_records.hpp"
#include "datasets/fields.hpp"
#include "datasets/quoted.hpp"

namespace xgrad::datasets {

namespace {

constexpr std::string_view read_csv_op = "read_csv";

/// Numbers the categories of a column in the order in which they come.
class CategoryCodes {
 public:
  CategoryCodes() = default;
  explicit CategoryCodes(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      if (find(name)) {
        raise<ValueError>(read_csv_op, phrase("the known categories have {} twice; give each once", backticked(name)));
      }
      code(name);
    }
  }

  std::int64_t code(const std::string& name) {
    const auto [at, is_new] = codes_.try_emplace(name, static_cast<std::int64_t>(codes_.size()));
    return at->second;
  }
  std::int64_t count() const { return static_cast<std::int64_t>(codes_.size()); }
  std::optional<std::int64_t> find(const std::string& name) const {
    const auto at = codes_.find(name);
    return at == codes_.end() ? std::nullopt : std::optional(at->second);
  }

  /// By value when all are whole numbers, otherwise by name.
  std::vector<std::string> sorted() const {
    std::vector<std::string> names;
    for (const auto& [name, code] : codes_) {
      names.push_back(name);
    }
    sort_categories(names);
    return names;
  }

 private:
  std::map<std::string, std::int64_t> codes_;
};

enum class Kind { number, category, ignored };

/// A column with its fields so far.
struct Column {
  std::string name;
  Kind kind = Kind::number;
  std::vector<float> numbers;
  std::vector<std::int64_t> codes;
  CategoryCodes categories;
  bool known = false;  // no other categories than these
};

class CsvTable {
 public:
  CsvTable(const std::filesystem::path& path, const CsvOptions& options)
      : path_(path), records_(path, options.separator, options.progress), max_categories_(options.max_categories) {
    CsvRecord record;
    if (!records_.next(record)) {
      records_.fail(1, "a record", "an empty file", "give a file with one record per line");
    }
    name_columns(record, options.header);
    target_ = find(options.target);
    for (const CsvColumn& column : options.categorical) {
      const std::size_t found = find(column);
      columns_[found].kind = Kind::category;
      find(columns_[found].name);  // categories are kept by name: it must be the only one
    }
    for (const CsvColumn& column : options.ignored) {
      columns_[find(column)].kind = Kind::ignored;
    }
    if (columns_[target_].kind == Kind::ignored) {
      raise<ValueError>(read_csv_op, phrase("column {} is the target and ignored; leave it out of one",
                                            shown(columns_[target_].name)));
    }
    for (Column& column : columns_) {
      if (const auto known = options.known.find(column.name); known != options.known.end()) {
        column.categories = CategoryCodes(known->second);
        column.known = true;
        known_[column.name] = known->second;
      }
    }
    known_.columns = options.known.columns;
    for (bool more = !options.header || records_.next(record); more; more = records_.next(record)) {
      add(record);
    }
    if (count_ == 0) {
      records_.fail(1, "records after the header", "none", "give a file with one record per line");
    }
  }

  CsvDataset data_set() && {
    Categories categories;
    for (Column& column : columns_) {
      if (column.kind == Kind::category) {
        categories[column.name] = sort_categories(column);
      }
    }
    const std::vector<const Column*> columns = feature_columns();
    std::vector<std::string> names;
    for (const Column* column : columns) {
      categories.columns.push_back(column->name);
      if (column->kind == Kind::number) {
        names.push_back(column->name);
        continue;
      }
      for (const std::string& category : categories[column->name]) {
        names.push_back(column->name + "=" + category);
      }
    }
    const Array features = make_features(columns, categories, static_cast<std::int64_t>(names.size()));
    return {Dataset(features, make_targets()).named(std::move(names)), columns_[target_].name, std::move(categories)};
  }

 private:
  void name_columns(const CsvRecord& first, bool header) {
    for (std::size_t i = 0; i < first.fields.size(); ++i) {
      columns_.emplace_back().name = header ? first.fields[i] : std::to_string(i);
    }
  }

  std::size_t find(const CsvColumn& wanted) const {
    const auto count = static_cast<std::int64_t>(columns_.size());
    if (const auto* position = std::get_if<std::int64_t>(&wanted)) {
      if (*position < -count || *position >= count) {
        raise<ValueError>(read_csv_op, phrase("{} has {} columns, there is no column {}; give one in [{}, {})",
                                              path_.string(), count, *position, -count, count));
      }
      return static_cast<std::size_t>(*position < 0 ? *position + count : *position);
    }
    const auto& name = std::get<std::string>(wanted);
    const auto is_wanted = [&](const Column& column) { return column.name == name; };
    const auto found = std::find_if(columns_.begin(), columns_.end(), is_wanted);
    if (found == columns_.end() || std::find_if(found + 1, columns_.end(), is_wanted) != columns_.end()) {
      std::vector<std::string> names;
      for (const Column& column : columns_) {
        names.push_back(column.name);
      }
      raise<ValueError>(read_csv_op,
                        phrase("{} has {} column {}; its columns are {}", path_.string(),
                               found == columns_.end() ? "no" : "more than one", backticked(name), listed(names)));
    }
    return static_cast<std::size_t>(found - columns_.begin());
  }

  void add(const CsvRecord& record) {
    if (record.fields.size() != columns_.size()) {
      records_.fail(record.line, phrase("{} fields as in the first line", columns_.size()),
                    phrase("{}", record.fields.size()), "correct the line");
    }
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      Column& column = columns_[i];
      const std::string& field = record.fields[i];
      if (column.kind == Kind::number) {
        const std::optional<double> number = number_in(trimmed(field), '\0');
        if (!number || !std::isfinite(static_cast<float>(*number))) {
          records_.fail(record.line, i, column.name, "a finite number", field.empty() ? "nothing" : backticked(field),
                        "correct it, or name the column as categorical or ignored");
        }
        column.numbers.push_back(static_cast<float>(*number));
      } else if (column.kind == Kind::category) {
        const std::optional<std::int64_t> known = column.categories.find(field);
        if (column.known && !known) {
          records_.fail(record.line, i, column.name,
                        phrase("one of the known categories {}", listed(known_[column.name])), backticked(field),
                        "correct it, or read it together with the others");
        }
        column.codes.push_back(known ? *known : column.categories.code(field));
        require_few_categories(column, i);
      }
    }
    ++count_;
  }

  // What becomes features takes a number per category in every record.
  void require_few_categories(const Column& column, std::size_t position) const {
    if (position != target_ && !column.known && column.categories.count() > max_categories_) {
      raise<ValueError>(read_csv_op,
                        phrase("{}: column {} ({}) has more than {} categories, and each becomes a feature of every "
                               "record; ignore the column, or raise CsvOptions::max_categories",
                               path_.string(), position + 1, shown(column.name), max_categories_));
    }
  }

  // The columns that become features, in the order of the known file if there is one.
  std::vector<const Column*> feature_columns() const {
    std::vector<const Column*> present;
    for (const Column& column : columns_) {
      if (&column != &columns_[target_] && column.kind != Kind::ignored) {
        present.push_back(&column);
      }
    }
    const std::vector<std::string>& wanted = known_.columns;
    const auto is_called = [](const Column* column, const std::string& name) { return column->name == name; };
    if (wanted.empty() || std::equal(present.begin(), present.end(), wanted.begin(), wanted.end(), is_called)) {
      return present;
    }
    std::vector<const Column*> ordered;
    for (const std::string& name : wanted) {
      const Column* column = &columns_[find(CsvColumn(name))];
      if (std::find(present.begin(), present.end(), column) == present.end()) {
        raise<ValueError>(read_csv_op,
                          phrase("{}: column {} is a feature of the known file, and ignored or the target here; read "
                                 "both alike",
                                 path_.string(), backticked(name)));
      }
      ordered.push_back(column);
    }
    for (const Column* column : present) {
      if (std::find(ordered.begin(), ordered.end(), column) == ordered.end()) {
        raise<ValueError>(read_csv_op,
                          phrase("{}: column {} is no feature of the known file, whose features are {}; ignore it",
                                 path_.string(), backticked(column->name), listed(wanted)));
      }
    }
    return ordered;
  }

  /// The names of a column's categories; its codes become positions among them.
  std::vector<std::string> sort_categories(Column& column) const {
    if (column.known) {
      return known_.at(column.name);
    }
    std::vector<std::string> names = column.categories.sorted();
    std::vector<std::int64_t> position(names.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
      position[static_cast<std::size_t>(*column.categories.find(names[i]))] = static_cast<std::int64_t>(i);
    }
    for (std::int64_t& code : column.codes) {
      code = position[static_cast<std::size_t>(code)];
    }
    return names;
  }

  Array make_features(const std::vector<const Column*>& columns, const Categories& categories,
                      std::int64_t width) const {
    Array features({count_, width}, DType::float32);
    std::memset(features.data(), 0, features.bytes());
    float* out = features.data<float>();
    for (const Column* column : columns) {
      for (std::int64_t i = 0; i < count_; ++i) {
        const auto row = static_cast<std::size_t>(i);
        if (column->kind == Kind::number) {
          out[i * width] = column->numbers[row];
        } else {
          out[i * width + column->codes[row]] = 1;
        }
      }
      out += column->kind == Kind::number ? 1 : static_cast<std::int64_t>(categories.at(column->name).size());
    }
    return features;
  }

  Array make_targets() const {
    const Column& target = columns_[target_];
    if (target.kind == Kind::category) {
      Array labels({count_}, DType::int64);
      std::copy(target.codes.begin(), target.codes.end(), labels.data<std::int64_t>());
      return labels;
    }
    Array quantities({count_, 1}, DType::float32);
    std::copy(target.numbers.begin(), target.numbers.end(), quantities.data<float>());
    return quantities;
  }

  std::filesystem::path path_;
  CsvRecords records_;
  std::vector<Column> columns_;
  std::size_t target_ = 0;
  Categories known_;
  std::int64_t count_ = 0;
  std::int64_t max_categories_;
};

}  // namespace

std::vector<std::string> CsvDataset::class_names() const {
  const auto found = categories.find(target_name);
  return found == categories.end() ? std::vector<std::string>{} : found->second;
}

CsvDataset read_csv(const std::filesystem::path& path, const CsvOptions& options) {
  return CsvTable(path, options).data_set();
}

}  // namespace xgrad::datasets
