#include "tests/golden/entries.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "autograd/runtime/error.hpp"

namespace xgrad::golden {

using nlohmann::json;

Entries::Entries(const json& object, std::string name) : object_(object), name_(std::move(name)) {
  if (!object.is_object()) {
    raise<FileError>(name_, fmt::format("should be an object, is {}", object.dump()));
  }
}

const json& Entries::at(const std::string& key) {
  read_.insert(key);
  const auto entry = object_.find(key);
  if (entry == object_.end()) {
    raise<FileError>(name_, fmt::format("`{}` is missing", key));
  }
  return *entry;
}

const json* Entries::find(const std::string& key) {
  read_.insert(key);
  const auto entry = object_.find(key);
  return entry == object_.end() || entry->is_null() ? nullptr : &*entry;
}

double Entries::number(const std::string& key, std::optional<double> absent) {
  if (is_absent(key, absent.has_value())) {
    return *absent;
  }
  const json& value = at(key);
  if (!value.is_number()) {
    raise_type(key, "a number");
  }
  return value.get<double>();
}

std::int64_t Entries::integer(const std::string& key, std::optional<std::int64_t> absent) {
  return is_absent(key, absent.has_value()) ? *absent : to_integer(at(key), key);
}

bool Entries::flag(const std::string& key, std::optional<bool> absent) {
  if (is_absent(key, absent.has_value())) {
    return *absent;
  }
  const json& value = at(key);
  if (!value.is_boolean()) {
    raise_type(key, "true or false");
  }
  return value.get<bool>();
}

std::string Entries::text(const std::string& key, std::optional<std::string> absent) {
  if (is_absent(key, absent.has_value())) {
    return *absent;
  }
  const json& value = at(key);
  if (!value.is_string()) {
    raise_type(key, "a text");
  }
  return value.get<std::string>();
}

std::pair<double, double> Entries::pair(const std::string& key, std::pair<double, double> absent) {
  if (is_absent(key, true)) {
    return absent;
  }
  const json& value = at(key);
  if (!value.is_array() || value.size() != 2 || !value[0].is_number() || !value[1].is_number()) {
    raise_type(key, "two numbers");
  }
  return {value[0].get<double>(), value[1].get<double>()};
}

Shape Entries::integers(const std::string& key, std::optional<Shape> absent) {
  return is_absent(key, absent.has_value()) ? *absent : to_integers(at(key), key);
}

Axes Entries::axes() {
  if (object_.contains("axis")) {
    return at("axis").is_null() ? Axes() : Axes(integer("axis"));
  }
  const json* axes = find("axes");
  return axes == nullptr ? Axes() : Axes(to_integers(*axes, "axes"));
}

std::string Entries::choice(const std::string& key, std::initializer_list<std::string_view> known) {
  std::string value = text(key, std::string(*known.begin()));
  if (std::find(known.begin(), known.end(), value) == known.end()) {
    raise<FileError>(name_, fmt::format("`{}` is \"{}\", known is {}", key, value, fmt::join(known, ", ")));
  }
  return value;
}

void Entries::only(const std::string& key, double known) {
  const json value = object_.value(key, json(known));
  read_.insert(key);
  const bool is_known = value.is_boolean() ? value.get<bool>() == (known == 1) : value.is_number() && value == known;
  if (!is_known) {
    raise<FileError>(name_, fmt::format("`{}` is {}, known is {}", key, value.dump(), known));
  }
}

void Entries::require_all_read() const {
  std::vector<std::string> unread;
  for (const auto& [key, value] : object_.items()) {
    if (!read_.contains(key)) {
      unread.push_back(key);
    }
  }
  if (!unread.empty()) {
    raise<FileError>(name_, fmt::format("`{}` is not known", fmt::join(unread, "`, `")));
  }
}

void Entries::raise_type(const std::string& key, std::string_view wanted) const {
  raise<FileError>(name_, fmt::format("`{}` is {}, should be {}", key, object_.at(key).dump(), wanted));
}

bool Entries::is_absent(const std::string& key, bool may_be) const { return may_be && !object_.contains(key); }

std::int64_t to_integer(const json& value, std::string_view name) {
  if (!value.is_number_integer()) {
    raise<FileError>(name, fmt::format("should be an integer, is {}", value.dump()));
  }
  return value.get<std::int64_t>();
}

Shape to_integers(const json& value, std::string_view name) {
  if (!value.is_array()) {
    raise<FileError>(name, fmt::format("should be a list of integers, is {}", value.dump()));
  }
  Shape result;
  for (const json& element : value) {
    result.push_back(to_integer(element, name));
  }
  return result;
}

}  // namespace xgrad::golden
