#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json_fwd.hpp>

#include "autograd/array/shape.hpp"

/// \file
/// A JSON object that is read strictly: what is missing, of another type, or read by nobody is an error.

namespace xgrad::golden {

/// The entries of an object of reference values. Getters take the value for an absent key where that is no error.
/// \throws FileError, from all getters, for a key that is missing or a value of another type than asked for.
class Entries {
 public:
  /// \param object must outlive this.
  /// \param name of what it describes, for errors: `case`, `attributes`.
  /// \throws FileError when it is not an object.
  Entries(const nlohmann::json& object, std::string name);

  const nlohmann::json& at(const std::string& key);
  /// The value, or null when the key is missing or the value is null.
  const nlohmann::json* find(const std::string& key);

  double number(const std::string& key, std::optional<double> absent = {});
  std::int64_t integer(const std::string& key, std::optional<std::int64_t> absent = {});
  bool flag(const std::string& key, std::optional<bool> absent = {});
  std::string text(const std::string& key, std::optional<std::string> absent = {});
  /// A list of two numbers.
  std::pair<double, double> pair(const std::string& key, std::pair<double, double> absent);
  /// A list of integers.
  Shape integers(const std::string& key, std::optional<Shape> absent = {});
  /// The axes of a reduction, from `axes` (a list, or null for all) or `axis` (one); all of them when both are absent.
  Axes axes();

  /// A text that must be one of \p known, the first of which stands for an absent key.
  std::string choice(const std::string& key, std::initializer_list<std::string_view> known);
  /// For a number, or a flag as 0 or 1, of which just one value can be had. That value stands for an absent key.
  void only(const std::string& key, double known);

  /// \throws FileError naming the keys that no getter has asked for.
  void require_all_read() const;

 private:
  [[noreturn]] void raise_type(const std::string& key, std::string_view wanted) const;
  bool is_absent(const std::string& key, bool may_be) const;

  const nlohmann::json& object_;
  std::string name_;
  std::set<std::string> read_;
};

/// The integer that \p value is. \throws FileError `[name]` when it is none.
std::int64_t to_integer(const nlohmann::json& value, std::string_view name);

/// The list of integers that \p value is. \throws FileError `[name]` when it is none.
Shape to_integers(const nlohmann::json& value, std::string_view name);

}  // namespace xgrad::golden
