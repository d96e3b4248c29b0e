#include "onnx/operators.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "onnx/formulas.hpp"

namespace xgrad::onnx {

namespace {

using Names = std::vector<std::string>;

// What makes a difference to derivatives alone, checks elements, or is read from a variable that was assigned, is the tensor
// itself.
Names first_input(const Call& call) {
  if (call.inputs().empty() || call.input(0).dtype != call.output_dtype() ||
      call.input(0).sizes != call.output_sizes()) {
    throw Refusal{"it is another operation than that of this name"};
  }
  return {call.input(0).name};
}

// √Σ x² in float64 of a float32 tensor, which is the second input.
Names gradient_norm(const Call& call) {
  GraphWriter& graph = call.graph();
  const std::string x = graph.cast(call.input(1).name, DType::float64);
  return {graph.add("Sqrt", {graph.add("ReduceSum", {graph.add("Mul", {x, x})}, {{"keepdims", 0}})})};
}

Names det(const Call& call) {
  // The derivatives have the name of what they belong to, and give matrices.
  if (call.inputs().size() != 1 || call.output_sizes().size() + 2 != call.input(0).sizes.size()) {
    throw Refusal{"ONNX has determinants, but not their derivatives"};
  }
  return {call.graph().add("Det", {call.input(0).name})};
}

using Refused = std::pair<std::string_view, std::string_view>;

// A name that ends in `*` is that of all that begin so.
constexpr std::array refusals = {
    Refused{"argsort", "it puts NaN last, and ONNX's TopK may put it anywhere"},
    Refused{"bincount", "ONNX has no counting"},
    Refused{"cummax", "ONNX has no extremes of the elements so far"},
    Refused{"cummin", "ONNX has no extremes of the elements so far"},
    Refused{"erfinv", "ONNX has no such function"},
    Refused{"last_update", "ONNX says nothing of updates that meet in one place"},
    Refused{"lgamma", "ONNX has no such function"},
    Refused{"linalg::*", "ONNX has no linear algebra but determinants"},
    Refused{"linear_recurrence", "ONNX has no cumulative product"},
    Refused{"polygamma", "ONNX has no such function"},
    Refused{"random_fold", "ONNX has no random numbers that depend on a key"},
    Refused{"random_normal", "ONNX has no random numbers that depend on a key"},
    Refused{"random_uniform", "ONNX has no random numbers that depend on a key"},
    Refused{"scatter_maximum", "opset 17 has no such reduction"},
    Refused{"scatter_minimum", "opset 17 has no such reduction"},
    Refused{"searchsorted", "ONNX has no binary search"},
    Refused{"spread_extreme", "ONNX has no extremes of the elements so far"},
    Refused{"topk", "ONNX's TopK may order equal elements and NaN in another way"},
    Refused{"xtensor_backward", "what it computes is C++ code"},
    Refused{"xtensor_op", "what it computes is C++ code"},
};

}  // namespace

const std::vector<OperatorRow>& operator_rows() {
  static const std::vector<OperatorRow> rows = [] {
    std::vector<OperatorRow> all = {
        {"alias", 1, "none", first_input},
        {"break_if", 1, "none", first_input},
        {"checked_number", 1, "none", first_input},
        {"custom_jvp", 1, "none", first_input},
        {"custom_vjp", 1, "none", first_input},
        {"gradient_norm", 13, "Cast, Mul, ReduceSum, Sqrt", gradient_norm},
        {"labels", 1, "none", first_input},
        {"lengths", 1, "none", first_input},
        {"linalg::det", 11, "Det", det},
        {"loop", 16, "Loop, with Gather of slices", nullptr},
        {"map", 16, "by the table of primitives", write_map},
        {"print", 1, "none", first_input},
        {"require_finite", 1, "none", first_input},
        {"stop_gradient", 1, "none", first_input},
        {"variable", 1, "none", first_input},
        {"watch", 1, "none", first_input},
    };
    for (const auto& family : {layout_operators(), reduction_operators(), index_operators()}) {
      all.insert(all.end(), family.begin(), family.end());
    }
    std::sort(all.begin(), all.end(), [](const OperatorRow& a, const OperatorRow& b) { return a.name < b.name; });
    return all;
  }();
  return rows;
}

const OperatorRow* find_operator(std::string_view name) {
  const std::vector<OperatorRow>& rows = operator_rows();
  const auto found = std::lower_bound(rows.begin(), rows.end(), name,
                                      [](const OperatorRow& row, std::string_view n) { return row.name < n; });
  return found != rows.end() && found->name == name ? &*found : nullptr;
}

std::vector<Refused> refused_operators() { return {refusals.begin(), refusals.end()}; }

std::string_view known_refusal(std::string_view name) {
  for (const auto& [refused, reason] : refusals) {
    if (refused.ends_with('*') ? name.starts_with(refused.substr(0, refused.size() - 1)) : name == refused) {
      return reason;
    }
  }
  return "";
}

}  // namespace xgrad::onnx
