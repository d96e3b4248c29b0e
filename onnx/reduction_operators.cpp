#include "onnx/operators.hpp"

/// \file
/// Reductions, and what runs along an axis.

namespace xgrad::onnx {

namespace {

using Names = std::vector<std::string>;

std::string as_type(GraphWriter& graph, const Value& x, DType dtype) {
  return graph.written(x.dtype) == graph.written(dtype) ? x.name : graph.cast(x.name, dtype);
}

/// \p x reduced along the axes of the call. Before opset 18, only sums take their axes as an input.
std::string reduced(const Call& call, std::string_view op_type, const std::string& x) {
  const std::vector<std::int64_t> axes = call.integers("axes");
  if (axes.empty()) {
    return x;
  }
  GraphWriter& graph = call.graph();
  if (op_type == "ReduceSum") {
    return graph.add(op_type, {x, graph.list(axes)}, {{"keepdims", 0}});
  }
  return graph.add(op_type, {x}, {{"axes", axes}, {"keepdims", 0}});
}

// Smaller integers are counted in int64.
Names sum(const Call& call) {
  return {reduced(call, "ReduceSum", as_type(call.graph(), call.input(0), call.output_dtype()))};
}
Names prod(const Call& call) {
  return {reduced(call, "ReduceProd", as_type(call.graph(), call.input(0), call.output_dtype()))};
}
Names logsumexp(const Call& call) { return {reduced(call, "ReduceLogSumExp", call.input(0).name)}; }
Names norm(const Call& call) {
  const std::string& x = call.input(0).name;
  return {call.integers("axes").empty() ? call.graph().add("Abs", {x}) : reduced(call, "ReduceL2", x)};
}

/// Of what is for storage, as numbers that ONNX's reductions take; of truth values the least is 0 where not all are true.
Names extreme(const Call& call, std::string_view op_type) {
  GraphWriter& graph = call.graph();
  const Value& x = call.input(0);
  if (!is_storage(x.dtype)) {
    return {reduced(call, op_type, x.name)};
  }
  return {graph.cast(reduced(call, op_type, graph.cast(x.name, number_dtype(x.dtype))), x.dtype)};
}

Names largest(const Call& call) { return extreme(call, "ReduceMax"); }
Names smallest(const Call& call) { return extreme(call, "ReduceMin"); }

/// The position in several axes, which are seen as one, of the first of equal elements.
Names position(const Call& call, std::string_view op_type) {
  const std::vector<std::int64_t> axes = call.integers("axes");
  const Value& x = call.input(0);
  GraphWriter& graph = call.graph();
  const std::string numbers = as_type(graph, x, number_dtype(x.dtype));
  if (axes.size() == 1) {
    return {graph.add(op_type, {numbers}, {{"axis", axes[0]}, {"keepdims", 0}})};
  }
  Sizes joined;
  Size run{1, false};
  for (std::size_t axis = 0; axis < x.sizes.size(); ++axis) {
    const bool is_inside = !axes.empty() && static_cast<std::int64_t>(axis) >= axes.front() &&
                           static_cast<std::int64_t>(axis) <= axes.back();
    if (!is_inside) {
      joined.push_back(x.sizes[axis]);
      continue;
    }
    const std::optional<Size> longer = product(run, x.sizes[axis]);
    if (!longer) {
      throw Refusal{"it runs over the batch in two axes"};
    }
    run = *longer;
    if (static_cast<std::int64_t>(axis) == axes.back()) {
      joined.push_back(run);
    }
  }
  const std::int64_t along = axes.empty() ? 0 : axes.front();
  if (axes.empty()) {
    joined.insert(joined.begin(), run);
  }
  return {graph.add(op_type, {graph.reshape(numbers, joined)}, {{"axis", along}, {"keepdims", 0}})};
}

Names argmax(const Call& call) { return position(call, "ArgMax"); }
Names argmin(const Call& call) { return position(call, "ArgMin"); }

Names cumsum(const Call& call) {
  GraphWriter& graph = call.graph();
  const std::string axis = graph.scalar(static_cast<double>(call.integers("axis").at(0)), DType::int64);
  return {graph.add("CumSum", {call.input(0).name, axis},
                    {{"exclusive", call.boolean("exclusive") ? 1 : 0}, {"reverse", call.boolean("reverse") ? 1 : 0}})};
}

}  // namespace

std::vector<OperatorRow> reduction_operators() {
  return {
      {"all", 13, "Cast, ReduceMin, Cast", smallest},
      {"amax", 13, "ReduceMax", largest},
      {"amin", 13, "ReduceMin", smallest},
      {"any", 13, "Cast, ReduceMax, Cast", largest},
      {"argmax", 13, "ArgMax", argmax},
      {"argmin", 13, "ArgMin", argmin},
      {"cumsum", 14, "CumSum", cumsum},
      {"logsumexp", 13, "ReduceLogSumExp", logsumexp},
      {"norm", 13, "ReduceL2", norm},
      {"prod", 13, "ReduceProd", prod},
      {"sum", 13, "ReduceSum", sum},
  };
}

}  // namespace xgrad::onnx
