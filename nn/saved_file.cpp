#include <array>
#include <cmath>
#include <limits>
#include <string>

#include <nlohmann/json.hpp>

#include "autograd/graph/operation.hpp"
#include "autograd/runtime/hash.hpp"
#include "autograd/runtime/phrase.hpp"
#include "datasets/quoted.hpp"
#include "nn/parse_json.hpp"
#include "nn/safetensors_file.hpp"
#include "nn/saved_file.hpp"

/// \file
/// Files of what a run has to remember: safetensors, with metadata `xgrad`, a JSON object of format version, integers,
/// numbers and texts, and `xgrad.checksum`, of that and all arrays.

namespace xgrad::nn {

namespace {

using Json = nlohmann::json;

constexpr std::int64_t format = 1;
constexpr const char* values_name = "xgrad";
constexpr const char* checksum_name = "xgrad.checksum";

// JSON has no such numbers.
constexpr std::array<std::pair<const char*, double>, 3> words_of_numbers = {
    {{"inf", std::numeric_limits<double>::infinity()},
     {"-inf", -std::numeric_limits<double>::infinity()},
     {"nan", std::numeric_limits<double>::quiet_NaN()}}};

Json json_of(double number) {
  if (std::isfinite(number)) {
    return number;
  }
  return std::isnan(number) ? "nan" : number > 0 ? "inf" : "-inf";
}

std::string values_of(std::string_view op, const Saved& saved) {
  Json json = {
      {"format", format}, {"integers", Json::object()}, {"numbers", Json::object()}, {"texts", Json::object()}};
  for (const auto& [name, value] : saved.integers()) {
    json["integers"][name] = value;
  }
  for (const auto& [name, value] : saved.numbers()) {
    json["numbers"][name] = json_of(value);
  }
  for (const auto& [name, value] : saved.texts()) {
    json["texts"][name] = value;
  }
  try {
    return json.dump();
  } catch (const Json::exception&) {
    raise<ValueError>(op, "a name or text is no UTF-8 and cannot be written; give another");
  }
}

std::string checksum_of(const std::string& values, const State& arrays) {
  std::uint64_t hash = runtime::hash_text(values);
  for (const auto& [name, array] : arrays) {
    hash = runtime::combine_hashes(hash, runtime::hash_text(name));
    hash = runtime::combine_hashes(
        hash, runtime::hash_bytes(std::span(static_cast<const std::byte*>(array.data()), array.bytes())));
  }
  return phrase("{:016x}", hash);
}

// Takes the values piece by piece: three objects of names and values in one.
class ValuesSax : public nlohmann::json_sax<Json> {
 public:
  explicit ValuesSax(Saved& saved) : saved_(saved) {}

  std::int64_t found_format = 0;

  bool null() override { return false; }
  bool boolean(bool) override { return false; }
  bool binary(binary_t&) override { return false; }
  bool number_integer(number_integer_t value) override { return integer(value); }
  bool number_unsigned(number_unsigned_t value) override {
    return std::in_range<std::int64_t>(value) ? integer(static_cast<std::int64_t>(value))
                                              : number(static_cast<double>(value));
  }
  bool number_float(number_float_t value, const string_t&) override { return number(value); }
  bool string(string_t& text) override {
    if (depth_ != 2 || part_ == "integers") {
      return false;
    }
    if (part_ == "texts") {
      return put(text);
    }
    for (const auto& [word, value] : words_of_numbers) {
      if (text == word) {
        return put(value);
      }
    }
    return false;
  }
  bool key(string_t& name) override {
    (depth_ == 1 ? part_ : name_) = name;
    return depth_ == 2 || name == "format" || name == "integers" || name == "numbers" || name == "texts";
  }
  bool start_object(std::size_t) override { return ++depth_ == 1 || (depth_ == 2 && part_ != "format"); }
  bool end_object() override {
    --depth_;
    return true;
  }
  bool start_array(std::size_t) override { return false; }
  bool end_array() override { return false; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

 private:
  bool integer(std::int64_t value) {
    if (depth_ == 1 && part_ == "format") {
      found_format = value;
      return true;
    }
    return depth_ == 2 && (part_ == "integers" ? put(value) : number(static_cast<double>(value)));
  }
  bool number(double value) { return depth_ == 2 && part_ == "numbers" && put(value); }
  template <class T>
  bool put(const T& value) {
    if (name_.empty() || saved_.contains(name_)) {
      return false;
    }
    saved_.put(name_, value);
    return true;
  }

  Saved& saved_;
  std::string part_;
  std::string name_;
  int depth_ = 0;
};

}  // namespace

namespace detail {

bool is_saved_file(const Metadata& metadata) {
  return metadata.contains(values_name) && metadata.contains(checksum_name);
}

void write_saved_file(std::string_view op, const std::filesystem::path& path, const Saved& saved) {
  const std::string values = values_of(op, saved);
  write_safetensors_file(op, path, saved.arrays(),
                         {{values_name, values}, {checksum_name, checksum_of(values, saved.arrays())}});
}

Saved read_saved_file(std::string_view op, const std::filesystem::path& path) {
  const SafetensorsFile file(op, path);
  const Metadata& metadata = file.header().metadata;
  if (!is_saved_file(metadata)) {
    file.refuse("a checkpoint, as write_saved makes it", "a safetensors file of another kind");
  }
  const std::string& values = metadata.at(values_name);
  const std::string& checksum = metadata.at(checksum_name);
  Saved saved;
  ValuesSax sax(saved);
  const bool understood = parse_json(values, sax);
  if (sax.found_format > format) {
    file.refuse(phrase("format {} or earlier", format), phrase("{}, of a later version of xgrad", sax.found_format));
  }
  if (!understood || sax.found_format != format) {
    file.refuse("a checkpoint's integers, numbers and texts", datasets::backticked(values));
  }
  State arrays;
  for (const SafetensorsEntry& entry : file.header().entries) {
    arrays.emplace(entry.name, file.read(entry));
  }
  const std::string found = checksum_of(values, arrays);
  if (found != checksum) {
    file.refuse(phrase("the checksum {}", datasets::backticked(checksum)), found);
  }
  for (const auto& [name, array] : arrays) {
    if (name.empty() || saved.contains(name)) {
      file.refuse("different names", datasets::backticked(name));
    }
    saved.put(name, array);
  }
  return saved;
}

}  // namespace detail

void write_saved(const std::filesystem::path& path, const Saved& saved, std::source_location where) {
  located(where, [&] { detail::write_saved_file("write_saved", path, saved); });
}

Saved read_saved(const std::filesystem::path& path, std::source_location where) {
  return located(where, [&] { return detail::read_saved_file("read_saved", path); });
}

}  // namespace xgrad::nn
