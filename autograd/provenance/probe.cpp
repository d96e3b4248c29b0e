#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "autograd/provenance/search.hpp"

/// \file
/// Which input an operation owes a number to that is not finite. It is not asked how it computes: it is tried.

namespace xgrad::provenance {

namespace {

using ElementNumbers = std::vector<std::int64_t>;

ElementNumbers elements_not_finite(const Array& array) {
  ElementNumbers found;
  const auto find = [&](const auto* elements) {
    for (std::int64_t i = 0; i < array.size(); ++i) {
      if (!std::isfinite(static_cast<double>(elements[i]))) {
        found.push_back(i);
      }
    }
  };
  dispatch_real(array.dtype(), [&](auto zero) { find(array.data<decltype(zero)>()); });
  return found;
}

void put(Array& array, std::int64_t element, double number) {
  dispatch_real(array.dtype(), [&](auto zero) {
    using T = decltype(zero);
    array.data<T>()[element] = static_cast<T>(number);
  });
}

double get(const Array& array, std::int64_t element) {
  return dispatch_real(array.dtype(),
                       [&](auto zero) { return static_cast<double>(array.data<decltype(zero)>()[element]); });
}

// An operation whose inputs have 1 in place of what is not finite.
class Trial {
 public:
  Trial(const Node& node, const std::vector<Array>& inputs, std::size_t output, std::int64_t element)
      : node_(node), original_(inputs), healed_(inputs), output_(output), element_(element) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      bad_.push_back(is_real(inputs[i].dtype()) ? elements_not_finite(inputs[i]) : ElementNumbers());
      if (bad_[i].empty()) {
        continue;
      }
      healed_[i] = Array(inputs[i].shape(), inputs[i].dtype());
      std::memcpy(healed_[i].data(), inputs[i].data(), inputs[i].bytes());
      for (const std::int64_t bad : bad_[i]) {
        put(healed_[i], bad, 1);
      }
    }
  }

  const ElementNumbers& bad(std::size_t input) const { return bad_[input]; }

  // Whether the output's element is not finite when only these elements of an input are not.
  bool is_brought_about_by(std::size_t input, std::span<const std::int64_t> elements) {
    for (const std::int64_t element : elements) {
      put(healed_[input], element, get(original_[input], element));
    }
    bool result = false;
    try {
      const std::vector<Array> outputs = compute(node_, healed_, std::vector<bool>(node_.output_count(), true));
      result = outputs[output_] && !std::isfinite(get(outputs[output_], element_));
    } catch (const Error&) {  // it does not take such numbers
    }
    for (const std::int64_t element : elements) {
      put(healed_[input], element, 1);
    }
    return result;
  }

 private:
  const Node& node_;
  const std::vector<Array>& original_;
  std::vector<Array> healed_;
  std::size_t output_;
  std::int64_t element_;
  std::vector<ElementNumbers> bad_;  // per input
};

}  // namespace

std::optional<Culprit> find_culprit(const Node& node, const std::vector<Array>& inputs, std::size_t output,
                                    std::int64_t element) {
  Trial trial(node, inputs, output, element);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    std::span<const std::int64_t> candidates = trial.bad(i);
    if (candidates.empty() || !trial.is_brought_about_by(i, candidates)) {
      continue;
    }
    while (candidates.size() > 1) {
      const auto first = candidates.first(candidates.size() / 2);
      const auto second = candidates.subspan(first.size());
      if (trial.is_brought_about_by(i, first)) {
        candidates = first;
      } else if (trial.is_brought_about_by(i, second)) {
        candidates = second;
      } else {
        break;  // several together
      }
    }
    return Culprit{i, candidates.front()};
  }
  return std::nullopt;
}

}  // namespace xgrad::provenance
