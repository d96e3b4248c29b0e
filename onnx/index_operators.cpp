#include <numeric>

#include "onnx/operators.hpp"

/// \file
/// Picking elements by indices, and putting them back.

namespace xgrad::onnx {

namespace {

using Names = std::vector<std::string>;

Size joined(const Size& a, const Size& b) {
  const std::optional<Size> both = product(a, b);
  if (!both) {
    throw Refusal{"two axes are as long as the batch"};
  }
  return *both;
}

/// A tensor seen as (samples, outer, n, inner): the first `paired` axes belong to samples that have indices of their own,
/// and the axis is n.
struct FourAxes {
  Size samples{1, false}, outer{1, false}, n{1, false}, inner{1, false};

  Sizes list(const Size& along) const { return {samples, outer, along, inner}; }
};

FourAxes four_axes(const Sizes& sizes, std::int64_t paired, std::int64_t axis) {
  FourAxes result;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const auto at = static_cast<std::int64_t>(i);
    Size& part = at < paired ? result.samples : at < axis ? result.outer : at == axis ? result.n : result.inner;
    part = joined(part, sizes[i]);
  }
  return result;
}

/// The number of indices of a sample.
Size index_count(const Sizes& indices, std::int64_t paired) {
  Size count{1, false};
  for (auto i = static_cast<std::size_t>(paired); i < indices.size(); ++i) {
    count = joined(count, indices[i]);
  }
  return count;
}

/// The same indices for all of outer and inner, as operators of elements want them.
std::string spread_indices(GraphWriter& graph, const Value& indices, const FourAxes& axes, const Size& count) {
  const Size one{1, false};
  const std::string rows = graph.reshape(indices.name, {axes.samples, one, count, one});
  return axes.outer == one && axes.inner == one ? rows : graph.expand(rows, axes.list(count));
}

Names take(const Call& call) {
  GraphWriter& graph = call.graph();
  const std::int64_t paired = call.integer("paired");
  const std::int64_t axis = call.integer("axis");
  const Value& x = call.input(0);
  const Value& indices = call.input(1);
  if (paired == 0) {
    return {graph.add("Gather", {x.name, indices.name}, {{"axis", axis}})};
  }
  const FourAxes axes = four_axes(x.sizes, paired, axis);
  const Size count = index_count(indices.sizes, paired);
  const std::string picked =
      graph.add("GatherElements",
                {graph.reshape(x.name, axes.list(axes.n)), spread_indices(graph, indices, axes, count)}, {{"axis", 2}});
  return {graph.reshape(picked, call.output_sizes())};
}

Names put_add(const Call& call) {
  GraphWriter& graph = call.graph();
  const std::int64_t paired = call.integer("paired");
  const FourAxes axes = four_axes(call.output_sizes(), paired, call.integer("axis"));
  std::string total = graph.expand(graph.scalar(0, call.output_dtype()), axes.list(axes.n));
  for (std::size_t i = 0; i + 1 < call.inputs().size(); i += 2) {
    const Value& indices = call.input(i + 1);
    const Size count = index_count(indices.sizes, paired);
    const std::string slices = graph.reshape(call.input(i).name, axes.list(count));
    total = graph.add("ScatterElements", {total, spread_indices(graph, indices, axes, count), slices},
                      {{"axis", 2}, {"reduction", "add"}});
  }
  return {graph.reshape(total, call.output_sizes())};
}

// Whether each number of a class is the index.
Names one_hot(const Call& call) {
  GraphWriter& graph = call.graph();
  const Value& indices = call.input(0);
  std::vector<std::int64_t> classes(static_cast<std::size_t>(call.integer("classes")));
  std::iota(classes.begin(), classes.end(), 0);
  const std::string last = graph.list({static_cast<std::int64_t>(indices.sizes.size())});
  const std::string column = graph.add("Unsqueeze", {indices.name, last});
  const std::string is_class = graph.add("Equal", {column, graph.list(classes)});
  return {call.output_dtype() == DType::boolean ? is_class : graph.cast(is_class, call.output_dtype())};
}

/// Σ strides · indices over the last axis, where negative indices count from the end.
Names row_positions(const Call& call) {
  GraphWriter& graph = call.graph();
  const std::string indices = call.input(0).name;
  const std::string from_end = graph.add("Add", {indices, graph.sizes(call.sizes("sizes"))});
  const std::string is_negative = graph.add("Less", {indices, graph.scalar(0, DType::int64)});
  const std::string terms =
      graph.add("Mul", {graph.add("Where", {is_negative, from_end, indices}), graph.sizes(call.sizes("strides"))});
  return {graph.add("ReduceSum", {terms, graph.list({-1})}, {{"keepdims", 0}})};
}

}  // namespace

std::vector<OperatorRow> index_operators() {
  return {
      {"one_hot", 13, "Unsqueeze, Equal, Cast", one_hot},
      {"put_add", 16, "ScatterElements", put_add},
      {"row_positions", 16, "Add, Less, Where, Mul, ReduceSum", row_positions},
      {"take", 13, "Gather; for indices of each sample GatherElements", take},
  };
}

}  // namespace xgrad::onnx
