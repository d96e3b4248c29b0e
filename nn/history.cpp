#include "nn/history.hpp"

#include <algorithm>
#include <ostream>

#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad::nn {

double Scores::operator[](std::string_view name) const {
  for (const auto& [each, value] : numbers_) {
    if (each == name) {
      return value;
    }
  }
  std::string names;
  for (const auto& [each, value] : numbers_) {
    names += names.empty() ? each : ", " + each;
  }
  raise<ValueError>("scores", phrase("there is no number called '{}'; there are: {}", name, names));
}

bool Scores::contains(std::string_view name) const {
  return std::any_of(begin(), end(), [&](const auto& number) { return number.first == name; });
}

void Scores::set(std::string_view name, double value) {
  const auto is_it = [&](const auto& number) { return number.first == name; };
  const auto found = std::find_if(numbers_.begin(), numbers_.end(), is_it);
  if (found == numbers_.end()) {
    numbers_.emplace_back(name, value);
  } else {
    found->second = value;
  }
}

std::ostream& operator<<(std::ostream& out, const Scores& scores) {
  const char* before = "";
  for (const auto& [name, value] : scores) {
    out << before << phrase("{} {:.6g}", name, value);
    before = "  ";
  }
  return out;
}

std::vector<double> History::operator[](std::string_view name) const {
  std::vector<double> numbers;
  for (const Scores& scores : epochs) {
    numbers.push_back(scores[name]);
  }
  return numbers;
}

}  // namespace xgrad::nn
