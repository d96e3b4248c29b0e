#include "nn/differences.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
#include "datasets/quoted.hpp"

namespace xgrad::nn::detail {

namespace {

std::string shown(std::int64_t value) { return phrase("{}", value); }
std::string shown(double value) { return phrase("{}", value); }
std::string shown(const std::string& text) { return datasets::backticked(text); }

bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }
template <class T>
bool same(const T& a, const T& b) {
  return a == b;
}

std::string joined(std::string_view what, const std::string& name) {
  return phrase("{}{}{}", what, what.empty() ? "" : "/", datasets::shown(name));
}

template <class T>
void compare(std::string_view what, const std::map<std::string, T>& here, const std::map<std::string, T>& saved,
             Differences& found) {
  for (const auto& [name, value] : here) {
    const auto other = saved.find(name);
    if (other == saved.end()) {
      found.push_back(phrase("{} is {}; the checkpoint has none", joined(what, name), shown(value)));
    } else if (!same(value, other->second)) {
      found.push_back(phrase("{} is {}, in the checkpoint {}", joined(what, name), shown(value), shown(other->second)));
    }
  }
  for (const auto& [name, value] : saved) {
    if (!here.contains(name)) {
      found.push_back(phrase("{} is {} in the checkpoint; here there is none", joined(what, name), shown(value)));
    }
  }
}

std::string shown(const Shape& shape, DType dtype) { return phrase("{}{}", to_string(dtype), to_string(shape)); }

}  // namespace

void add_differences(std::string_view what, const std::vector<NamedVariable>& variables, const State& saved,
                     Differences& found) {
  std::map<std::string, std::string> here;
  std::map<std::string, std::string> there;
  for (const auto& [name, variable] : variables) {
    here.emplace(name, shown(variable.shape(), variable.dtype()));
  }
  for (const auto& [name, array] : saved) {
    there.emplace(name, shown(array.shape(), array.dtype()));
  }
  compare(what, here, there, found);
}

void add_differences(std::string_view what, const Saved& here, const Saved& saved, Differences& found) {
  compare(what, here.integers(), saved.integers(), found);
  compare(what, here.numbers(), saved.numbers(), found);
  compare(what, here.texts(), saved.texts(), found);
}

void require_none(std::string_view op, const Differences& found) {
  if (found.empty()) {
    return;
  }
  constexpr std::size_t most = 20;
  std::string text;
  for (std::size_t i = 0; i < std::min(most, found.size()); ++i) {
    text += "\n  " + found[i];
  }
  if (found.size() > most) {
    text += phrase("\n  and {} more", found.size() - most);
  }
  raise<ValueError>(op, phrase("the checkpoint is of another run; make the model, optimiser, options and data as they "
                               "were then, or begin anew. What differs:{}",
                               text));
}

}  // namespace xgrad::nn::detail
