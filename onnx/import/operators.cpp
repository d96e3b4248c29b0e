#include "onnx/import/operators.hpp"

#include <algorithm>
#include <array>

namespace xgrad::onnx::loading {

std::span<const std::span<const Operator>> operator_families() {
  static const std::array families = {
      elementwise_operators(), activation_operators(), arithmetic_operators(), reduction_operators(),
      axis_operators(),        layout_operators(),     padding_operators(),    selection_operators(),
      scattering_operators(),  creation_operators(),   product_operators(),    normalization_operators(),
      loss_operators(),        recurrent_operators(),  control_operators(),    training_operators(),
      unique_operators(),
  };
  return families;
}

const Operator* find_operator(std::string_view domain, std::string_view name, std::int64_t opset) {
  for (const std::span<const Operator> family : operator_families()) {
    const auto found = std::find_if(family.begin(), family.end(), [&](const Operator& row) {
      return row.name == name && row.domain == domain && row.since <= opset && opset <= row.until;
    });
    if (found != family.end()) {
      return &*found;
    }
  }
  return nullptr;
}

std::string_view why_unsupported(std::string_view name, std::int64_t opset) {
  for (const Unsupported& row : unsupported_operators()) {
    if (row.name == name) {
      return row.reason;
    }
  }
  for (const std::span<const Operator> family : operator_families()) {
    for (const Operator& row : family) {
      if (row.name == name && row.domain.empty()) {
        return opset < row.since ? "this set of operators is too old" : "this set of operators has none of this name";
      }
    }
  }
  return "no operator of this name is known";
}

}  // namespace xgrad::onnx::loading
