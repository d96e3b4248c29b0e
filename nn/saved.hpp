#pragma once

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "nn/layer.hpp"

/// \file
/// What a run has to remember, by names, and files of it.

namespace xgrad::nn {

class Saved;

/// What keeps itself in a Saved, and takes itself from there: metrics and callbacks' objects.
template <class T>
concept KeepsItself = requires(const T& kept, T& loaded, Saved& to, const Saved& from) {
  kept.save(to);
  loaded.load(from);
};

/// What consists of variables with names: layers, optimisers, averages, sums of gradients.
template <class T>
concept HasNamedVariables = requires(const T& object, const State& state, const std::source_location& where) {
  { object.named_variables() } -> std::convertible_to<std::vector<NamedVariable>>;
  object.load_state(state, where);
};

/// What has a State, and takes one: LBFGS.
template <class T>
concept HasState = requires(const T& object, T& loaded, const State& state, const std::source_location& where) {
  { object.state() } -> std::convertible_to<State>;
  loaded.load_state(state, where);
};

/// Arrays, numbers and texts by names, to be kept in a file: what a run needs to go on where it was. The names of parts
/// are joined by `/`. A training loop of your own, which goes on when it is started again:
///
///     nn::Saved saved;
///     saved.put("model", model);
///     saved.put("optimizer", adam);
///     saved.put("step", step);
///     nn::write_saved("run.safetensors", saved);
///
///     const nn::Saved found = nn::read_saved("run.safetensors");
///     found.load("model", model);
///     found.load("optimizer", adam);
///     found.load("step", step);
class Saved {
 public:
  /// Keeps a number, a text, a Tensor, Variable, Array or State; what has named_variables(), a state(), or a function
  /// `save(Saved&) const` that puts its parts into a Saved of its own; or such a Saved. Elements are taken as they are now.
  /// \throws ValueError for a name that is empty, or is there already, and for an integer that is no std::int64_t.
  template <class T>
  void put(std::string_view name, const T& value, std::source_location where = std::source_location::current()) {
    if constexpr (std::floating_point<T>) {
      put_number(name, static_cast<double>(value), where);
    } else if constexpr (std::integral<T>) {
      if constexpr (!std::same_as<T, bool>) {
        require_fits(name, std::in_range<std::int64_t>(value), where);
      }
      put_integer(name, static_cast<std::int64_t>(value), where);
    } else if constexpr (std::convertible_to<const T&, std::string_view>) {
      put_text(name, value, where);
    } else if constexpr (std::same_as<T, Saved>) {
      put_part(name, value, where);
    } else if constexpr (KeepsItself<T>) {
      Saved part;
      value.save(part);
      put_part(name, part, where);
    } else if constexpr (HasNamedVariables<T>) {
      put_state(name, detail::state_of(value.named_variables()), where);
    } else if constexpr (HasState<T>) {
      put_state(name, value.state(), where);
    } else if constexpr (std::convertible_to<const T&, State>) {
      put_state(name, value, where);
    } else if constexpr (std::convertible_to<const T&, Array>) {
      put_array(name, value, where);
    } else {
      static_assert(
          std::convertible_to<const T&, Tensor>,
          "what is put into a Saved is a number, a text, a Tensor, an Array or a State, a layer, an optimiser, "
          "or an object with `void save(nn::Saved&) const` and `void load(const nn::Saved&)`");
      put_array(name, Tensor(value).array(), where);
    }
  }

  /// Takes back what was put under \p name: into a number or text, a Variable, Array or State (an empty one, when there is
  /// nothing); into what has named_variables() or a state(), all or nothing; or by `load(const Saved&)`.
  /// \throws ValueError when there is no such name, or a number that \p target cannot hold.
  /// \throws ValueError, ShapeError, DTypeError what load_state and `load` throw.
  template <class T>
  void load(std::string_view name, T&& target, std::source_location where = std::source_location::current()) const {
    using Target = std::remove_cvref_t<T>;
    if constexpr (std::same_as<Target, bool>) {
      target = integer(name, where) != 0;
    } else if constexpr (std::integral<Target>) {
      const std::int64_t value = integer(name, where);
      require_fits(name, std::in_range<Target>(value), where);
      target = static_cast<Target>(value);
    } else if constexpr (std::floating_point<Target>) {
      target = static_cast<Target>(number(name, where));
    } else if constexpr (std::same_as<Target, std::string>) {
      target = text(name, where);
    } else if constexpr (std::same_as<Target, Saved>) {
      target = part(name);
    } else if constexpr (KeepsItself<Target>) {
      target.load(part(name));
    } else if constexpr (HasNamedVariables<Target> || HasState<Target>) {
      target.load_state(state(name, where), where);
    } else if constexpr (std::same_as<Target, State>) {
      target = part(name).arrays();
    } else if constexpr (std::same_as<Target, Array> || std::same_as<Target, Tensor>) {
      target = Target(array(name, where));
    } else {
      static_assert(std::same_as<Target, Variable>,
                    "what is loaded from a Saved is a number, a text, a Variable, an Array or a State, a layer, an "
                    "optimiser, or an object with `void save(nn::Saved&) const` and `void load(const nn::Saved&)`");
      target.assign(Operand(Tensor(array(name, where)), where));
    }
  }

  /// Whether there is something of that name, or a part that begins with it.
  bool contains(std::string_view name) const;

  /// \name What was put
  /// \{

  /// Under \p name. \throws ValueError when there is nothing of that kind under it.
  std::int64_t integer(std::string_view name, std::source_location where = std::source_location::current()) const;
  double number(std::string_view name, std::source_location where = std::source_location::current()) const;
  const std::string& text(std::string_view name, std::source_location where = std::source_location::current()) const;
  const Array& array(std::string_view name, std::source_location where = std::source_location::current()) const;
  /// All arrays whose names begin with \p name and `/`, without that. \throws ValueError when there is nothing.
  State state(std::string_view name, std::source_location where = std::source_location::current()) const;
  /// All that begins with \p name and `/`, without that; nothing, where nothing does.
  Saved part(std::string_view name) const;
  /// \}

  /// \name All of it, by whole names
  /// \{

  /// What was put of one kind.
  const State& arrays() const { return arrays_; }
  const std::map<std::string, std::int64_t>& integers() const { return integers_; }
  const std::map<std::string, double>& numbers() const { return numbers_; }
  const std::map<std::string, std::string>& texts() const { return texts_; }
  /// \}

 private:
  void put_number(std::string_view name, double value, const std::source_location& where);
  void put_integer(std::string_view name, std::int64_t value, const std::source_location& where);
  void put_text(std::string_view name, std::string_view text, const std::source_location& where);
  void put_array(std::string_view name, const Array& array, const std::source_location& where);
  void put_state(std::string_view name, const State& state, const std::source_location& where);
  void put_part(std::string_view name, const Saved& part, const std::source_location& where);
  void require_new(std::string_view name, const std::source_location& where) const;
  static void require_fits(std::string_view name, bool fits, const std::source_location& where);

  State arrays_;
  std::map<std::string, std::int64_t> integers_;
  std::map<std::string, double> numbers_;
  std::map<std::string, std::string> texts_;
};

/// Writes \p saved as one safetensors file: arrays by their names, the rest as JSON in its metadata, with a format version
/// and a checksum. It appears complete or not at all. Once this returns it outlasts a power failure; before, what it
/// replaces does.
/// \throws FileError when it cannot be written. \throws ValueError for names and texts that are no UTF-8.
void write_saved(const std::filesystem::path& path, const Saved& saved,
                 std::source_location where = std::source_location::current());

/// Reads what write_saved wrote.
/// \throws FileError for a file that is damaged, none of write_saved's, or of a later format.
Saved read_saved(const std::filesystem::path& path, std::source_location where = std::source_location::current());

}  // namespace xgrad::nn
