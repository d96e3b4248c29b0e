#include "nn/torch_state.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <utility>

#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"
#include "datasets/quoted.hpp"

namespace xgrad::nn {

namespace {

using datasets::backticked;
using detail::Found;

std::vector<Found> collected(const Module& model) {
  std::vector<Found> found;
  collect(model, detail::Place(), detail::Which::torch, found);
  return found;
}

// There and back: the axes in reverse order are their own inverse.
Tensor laid_out(const Tensor& elements, TorchLayout layout) {
  return layout == TorchLayout::transposed ? transpose(elements) : elements;
}

// What PyTorch has for it.
Spec torch_spec(const Found& found) {
  Shape shape = found.variable.shape();
  if (found.place.layout == TorchLayout::transposed) {
    std::reverse(shape.begin(), shape.end());
  }
  return {shape, found.variable.dtype()};
}

Spec spec_of(const Array& array) { return {array.shape(), array.dtype()}; }

bool same_bytes(const Array& a, const Array& b) { return std::memcmp(a.data(), b.data(), a.bytes()) == 0; }

// Some of them, where there are very many: a file can have names without end.
std::string joined(const std::vector<std::string>& items) {
  constexpr std::size_t most = 100;
  std::string text;
  for (std::size_t i = 0; i < std::min(most, items.size()); ++i) {
    text += (i == 0 ? "" : ", ") + items[i];
  }
  return items.size() > most ? phrase("{} and {} more", text, items.size() - most) : text;
}

class Loading {
 public:
  explicit Loading(const State& state) : state_(state) {}

  void take(const Found& found) {
    const std::string& name = found.place.torch_name;
    const auto entry = state_.find(name);
    if (entry == state_.end()) {
      absent_.push_back(&found);
      return;
    }
    known_.insert(name);
    const Spec expected = torch_spec(found);
    const Spec given = spec_of(entry->second);
    const bool converts = given.dtype == expected.dtype || (is_real(given.dtype) && is_real(expected.dtype));
    if (given.shape != expected.shape || !converts) {
      (given.shape != expected.shape ? other_shape_ : other_dtype_)
          .push_back(phrase("{} is {}, not {}", backticked(name), to_string(given), to_string(expected)));
    } else {
      assign_to(found.variable, name,
                cast(laid_out(Tensor(entry->second), found.place.layout), expected.dtype).array());
    }
  }

  TorchLeftOut finish(const TorchOptions& options) {
    TorchLeftOut left_out;
    std::vector<std::string> missing;
    for (const Found* found : absent_) {
      if (!values_.contains(found->variable.id())) {
        left_out.missing.push_back(found->place.torch_name);
        missing.push_back(backticked(found->place.torch_name) + " " + to_string(torch_spec(*found)));
      }
    }
    std::vector<std::string> unexpected;
    for (const auto& [name, array] : state_) {
      if (!known_.contains(name)) {
        left_out.unexpected.push_back(name);
        unexpected.push_back(backticked(name) + " " + to_string(spec_of(array)));
      }
    }
    refuse(options.allow_missing ? std::vector<std::string>() : missing,
           options.allow_unexpected ? std::vector<std::string>() : unexpected);
    assign(updates_);
    return left_out;
  }

 private:
  void assign_to(const Variable& variable, const std::string& name, const Array& value) {
    const auto [other, is_first] = values_.try_emplace(variable.id(), name, value);
    if (is_first) {
      updates_.emplace_back(variable, value);
    } else if (!same_bytes(other->second.second, value)) {
      differing_.push_back(phrase("{} and {}", backticked(other->second.first), backticked(name)));
    }
  }

  void refuse(const std::vector<std::string>& missing, const std::vector<std::string>& unexpected) const {
    std::string text;
    const auto add = [&](std::string_view what, const std::vector<std::string>& items) {
      if (!items.empty()) {
        text += phrase("{}{}: {}", text.empty() ? "" : "; ", what, joined(items));
      }
    };
    add("missing in the state", missing);
    add("unexpected in the state", unexpected);
    add("one variable in the model, but different elements in the state", differing_);
    add("of another shape", other_shape_);
    add("of another dtype", other_dtype_);
    if (text.empty()) {
      return;
    }
    constexpr std::string_view op = "load_torch_state";
    text += "; build the model as it is in PyTorch, or allow what is missing or unexpected in TorchOptions";
    if (!missing.empty() || !unexpected.empty() || !differing_.empty()) {
      raise<ValueError>(op, text);
    }
    other_shape_.empty() ? raise<DTypeError>(op, text) : raise<ShapeError>(op, text);
  }

  const State& state_;
  std::vector<Assignment> updates_;
  std::map<const void*, std::pair<std::string, Array>> values_;  // by variable; under its first name
  std::set<std::string> known_;
  std::vector<const Found*> absent_;
  std::vector<std::string> other_shape_;
  std::vector<std::string> other_dtype_;
  std::vector<std::string> differing_;
};

}  // namespace

State torch_state(const Module& model, std::source_location where) {
  return located(where, [&] {
    State state;
    for (const Found& found : collected(model)) {
      const std::string& name = found.place.torch_name;
      Array elements = laid_out(found.variable.read(), found.place.layout).array();
      const auto [other, is_first] = state.emplace(name, std::move(elements));
      if (!is_first) {
        raise<ValueError>("torch_state", phrase("two variables are both {} in PyTorch; name one of them otherwise in "
                                                "the table torch_names of their layer",
                                                backticked(name)));
      }
    }
    return state;
  });
}

TorchLeftOut load_torch_state(const Module& model, const State& state, const TorchOptions& options,
                              std::source_location where) {
  return located(where, [&] {
    const std::vector<Found> places = collected(model);
    Loading loading(state);
    for (const Found& found : places) {
      loading.take(found);
    }
    return loading.finish(options);
  });
}

}  // namespace xgrad::nn
