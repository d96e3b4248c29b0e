#include <array>
#include <limits>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
#include "datasets/input_file.hpp"
#include "datasets/output_file.hpp"
#include "datasets/quoted.hpp"
#include "datasets/schema.hpp"

/// \file
/// Schemas as JSON.

namespace xgrad::datasets {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view schema_json_op = "Schema";
constexpr int schema_version = 1;

constexpr std::array<std::pair<ColumnType, const char*>, 4> types = {{{ColumnType::number, "number"},
                                                                      {ColumnType::category, "category"},
                                                                      {ColumnType::boolean, "boolean"},
                                                                      {ColumnType::time, "time"}}};
constexpr std::array<std::pair<Fill, const char*>, 6> fills = {{{Fill::error, "error"},
                                                                {Fill::mean, "mean"},
                                                                {Fill::median, "median"},
                                                                {Fill::most_frequent, "most_frequent"},
                                                                {Fill::constant, "constant"},
                                                                {Fill::drop_row, "drop_row"}}};

template <class Enum, std::size_t N>
const char* word_of(const std::array<std::pair<Enum, const char*>, N>& words, Enum value) {
  for (const auto& [each, word] : words) {
    if (each == value) {
      return word;
    }
  }
  return "";
}

[[noreturn]] void fail(std::string_view what) {
  raise<ValueError>(schema_json_op,
                    phrase("this is no schema that xgrad has written: {}; write it anew by Schema::write", what));
}

template <class Enum, std::size_t N>
Enum value_of(const std::array<std::pair<Enum, const char*>, N>& words, const std::string& word) {
  for (const auto& [each, known] : words) {
    if (word == known) {
      return each;
    }
  }
  fail(phrase("{} is not known", backticked(word)));
}

Json json_of(const SchemaColumn& column) {
  Json json = {{"name", column.name}, {"type", word_of(types, column.type)}, {"fill", word_of(fills, column.fill)}};
  if (column.type == ColumnType::category) {
    json["fill_with"] = column.fill_category;
  } else {
    json["fill_with"] = column.fill_number;
  }
  json["indicator"] = column.indicator;
  if (column.type == ColumnType::number || column.type == ColumnType::time) {
    json["center"] = column.center;
    json["scale"] = column.scale;
  } else {
    json["categories"] = column.categories;
    json["other"] = column.other;
  }
  return json;
}

SchemaColumn column_of(const Json& json) {
  SchemaColumn column;
  column.name = json.at("name").get<std::string>();
  column.type = value_of(types, json.at("type").get<std::string>());
  column.fill = value_of(fills, json.at("fill").get<std::string>());
  column.indicator = json.at("indicator").get<bool>();
  if (column.type == ColumnType::category) {
    column.fill_category = json.at("fill_with").get<std::string>();
  } else {
    column.fill_number = json.at("fill_with").get<double>();
  }
  if (column.type == ColumnType::number || column.type == ColumnType::time) {
    column.center = json.at("center").get<double>();
    column.scale = json.at("scale").get<double>();
    if (!(column.scale > 0)) {
      fail(phrase("the scale of {} is {}", backticked(column.name), column.scale));
    }
  } else {
    column.categories = json.at("categories").get<std::vector<std::string>>();
    column.other = json.at("other").get<bool>();
    if (column.type == ColumnType::boolean && column.categories.size() != 2) {
      fail(phrase("{} is boolean and has {} values", backticked(column.name), column.categories.size()));
    }
  }
  return column;
}

char character_of(const Json& json) {
  const auto text = json.get<std::string>();
  if (text.size() > 1) {
    fail(phrase("{} is not one character", backticked(text)));
  }
  return text.empty() ? '\0' : text[0];
}

std::string text_of(char c) { return c == '\0' ? std::string() : std::string(1, c); }

}  // namespace

std::string Schema::json() const {
  Json json = {{"xgrad_schema", schema_version},
               {"separator", text_of(separator_)},
               {"thousands", text_of(thousands_)},
               {"missing", missing_},
               {"kept", kept_},
               {"target", target_ ? json_of(*target_) : Json()},
               {"columns", Json::array()}};
  for (const SchemaColumn& column : columns_) {
    json["columns"].push_back(json_of(column));
  }
  try {
    return json.dump(2) + "\n";
  } catch (const Json::exception&) {
    raise<ValueError>(schema_json_op,
                      "names or categories are not in UTF-8, as JSON has to be; convert the table first");
  }
}

Schema Schema::from_json(std::string_view text) {
  try {
    const Json json = Json::parse(text);
    if (json.at("xgrad_schema").get<int>() != schema_version) {
      fail(phrase("its version is {}, this xgrad reads {}", json.at("xgrad_schema").get<int>(), schema_version));
    }
    Schema schema;
    schema.separator_ = character_of(json.at("separator"));
    schema.thousands_ = character_of(json.at("thousands"));
    schema.missing_ = json.at("missing").get<std::vector<std::string>>();
    schema.kept_ = json.at("kept").get<std::vector<std::string>>();
    if (!json.at("target").is_null()) {
      schema.target_ = column_of(json.at("target"));
    }
    for (const Json& column : json.at("columns")) {
      schema.columns_.push_back(column_of(column));
    }
    return schema;
  } catch (const Json::exception& error) {
    fail(shown(error.what()));
  }
}

void Schema::write(const std::filesystem::path& path) const {
  OutputFile file(schema_json_op, path);
  file.write(json());
  file.publish();
}

Schema Schema::load(const std::filesystem::path& path) {
  const std::vector<std::byte> bytes =
      InputFile(schema_json_op, path).read_bytes(std::numeric_limits<std::size_t>::max());
  try {
    return from_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  } catch (Error& error) {
    error.add_note(phrase("in {}", path.string()));
    throw;
  }
}

}  // namespace xgrad::datasets
