#include "nn/saved.hpp"

#include <span>
#include <vector>

#include "autograd/graph/operation.hpp"
#include "autograd/runtime/phrase.hpp"
#include "datasets/quoted.hpp"

namespace xgrad::nn {

namespace {

constexpr std::string_view saved_op = "saved";

// f(rest of the name, value) for all of a part.
template <class T, class F>
void each_of(std::string_view part, const std::map<std::string, T>& all, F f) {
  const std::string prefix = std::string(part) + '/';
  for (auto at = all.lower_bound(prefix); at != all.end() && at->first.starts_with(prefix); ++at) {
    f(at->first.substr(prefix.size()), at->second);
  }
}

template <class T>
bool has(std::string_view part, const std::map<std::string, T>& all) {
  bool found = all.contains(std::string(part));
  each_of(part, all, [&](const std::string&, const T&) { found = true; });
  return found;
}

template <class T>
const T& find(std::string_view what, std::string_view name, const std::map<std::string, T>& all,
              const std::source_location& where) {
  const auto at = all.find(std::string(name));
  if (at == all.end()) {
    located(where, [&] {
      std::vector<std::string> names;
      for (const auto& [each, value] : all) {
        names.push_back(each);
      }
      raise<ValueError>(saved_op, phrase("there is no {} {}; there are: {}", what, datasets::backticked(name),
                                         names.empty() ? "none" : datasets::listed(names)));
    });
  }
  return at->second;
}

}  // namespace

bool Saved::contains(std::string_view name) const {
  return has(name, arrays_) || has(name, integers_) || has(name, numbers_) || has(name, texts_);
}

std::int64_t Saved::integer(std::string_view name, std::source_location where) const {
  return find("integer", name, integers_, where);
}

double Saved::number(std::string_view name, std::source_location where) const {
  return find("number", name, numbers_, where);
}

const std::string& Saved::text(std::string_view name, std::source_location where) const {
  return find("text", name, texts_, where);
}

const Array& Saved::array(std::string_view name, std::source_location where) const {
  return find("array", name, arrays_, where);
}

State Saved::state(std::string_view name, std::source_location where) const {
  if (!contains(name)) {
    located(where, [&] {
      raise<ValueError>(saved_op, phrase("there is no state {}; put one under that name", datasets::backticked(name)));
    });
  }
  return part(name).arrays_;
}

Saved Saved::part(std::string_view name) const {
  Saved result;
  each_of(name, arrays_, [&](const std::string& rest, const Array& value) { result.arrays_.emplace(rest, value); });
  each_of(name, integers_, [&](const std::string& rest, std::int64_t value) { result.integers_.emplace(rest, value); });
  each_of(name, numbers_, [&](const std::string& rest, double value) { result.numbers_.emplace(rest, value); });
  each_of(name, texts_, [&](const std::string& rest, const std::string& value) { result.texts_.emplace(rest, value); });
  return result;
}

void Saved::put_number(std::string_view name, double value, const std::source_location& where) {
  require_new(name, where);
  numbers_.emplace(name, value);
}

void Saved::put_integer(std::string_view name, std::int64_t value, const std::source_location& where) {
  require_new(name, where);
  integers_.emplace(name, value);
}

void Saved::put_text(std::string_view name, std::string_view text, const std::source_location& where) {
  require_new(name, where);
  texts_.emplace(name, text);
}

void Saved::put_array(std::string_view name, const Array& array, const std::source_location& where) {
  require_new(name, where);
  arrays_.emplace(name, array);
}

void Saved::put_state(std::string_view name, const State& state, const std::source_location& where) {
  Saved part;
  part.arrays_ = state;
  put_part(name, part, where);
}

void Saved::put_part(std::string_view name, const Saved& part, const std::source_location& where) {
  require_new(name, where);
  const auto insert = [prefix = std::string(name) + '/'](const auto& from, auto& to) {
    for (const auto& [rest, value] : from) {
      to.emplace(prefix + rest, value);
    }
  };
  insert(part.arrays_, arrays_);
  insert(part.integers_, integers_);
  insert(part.numbers_, numbers_);
  insert(part.texts_, texts_);
}

void Saved::require_new(std::string_view name, const std::source_location& where) const {
  if (name.empty() || contains(name)) {
    located(where, [&] {
      raise<ValueError>(saved_op, name.empty() ? std::string("the name is empty; give one")
                                               : phrase("there is something called {} already; give another name",
                                                        datasets::backticked(name)));
    });
  }
}

void Saved::require_fits(std::string_view name, bool fits, const std::source_location& where) {
  if (!fits) {
    located(where, [&] {
      raise<ValueError>(saved_op, phrase("{} is out of the range of the variable, or of std::int64_t, as which it is "
                                         "kept; take another type",
                                         datasets::backticked(name)));
    });
  }
}

}  // namespace xgrad::nn
