#include <algorithm>
#include <limits>
#include <numeric>

#include "onnx/operators.hpp"

/// \file
/// Making tensors, and moving their elements.

namespace xgrad::onnx {

namespace {

using Names = std::vector<std::string>;

std::vector<std::int64_t> reversed_last_axes(std::size_t ndim) {
  std::vector<std::int64_t> order(ndim);
  std::iota(order.begin(), order.end(), 0);
  std::swap(order[ndim - 1], order[ndim - 2]);
  return order;
}

Names full(const Call& call) {
  GraphWriter& graph = call.graph();
  const Sizes sizes = call.output_sizes();
  if (call.is_integer("value")) {  // one that no double holds
    const std::string list = graph.list({call.integer("value")});
    return {sizes.empty() ? graph.reshape(list, {}) : graph.expand(list, sizes)};
  }
  const std::string number = graph.number(call.number("value"), call.output_dtype());
  return {sizes.empty() ? number : graph.expand(number, sizes)};
}

Names arange(const Call& call) {
  GraphWriter& graph = call.graph();
  const Size count = call.output_sizes()[0];
  if (!count.symbolic) {
    return {graph.array(call.elements(), "range")};
  }
  // start + i step, of as many i as the batch says.
  const auto integer = [&](double number) { return graph.scalar(number, DType::int64); };
  const Number stop{static_cast<double>(count.factor), Number::Kind::times_batch};
  const std::string i = graph.add("Range", {integer(0), graph.number(stop, DType::int64), integer(1)});
  const DType dtype = call.output_dtype();
  const std::string steps = graph.add("Mul", {graph.cast(i, dtype), graph.number(call.number("step"), dtype)});
  return {graph.add("Add", {graph.number(call.number("start"), dtype), steps})};
}

Names reshape(const Call& call) { return {call.graph().reshape(call.input(0).name, call.output_sizes())}; }

Names broadcast_to(const Call& call) { return {call.graph().expand(call.input(0).name, call.output_sizes())}; }

Names transpose(const Call& call) {
  std::vector<std::int64_t> order = call.integers("axes");
  for (std::int64_t& axis : order) {
    axis += axis < 0 ? static_cast<std::int64_t>(order.size()) : 0;
  }
  return {call.graph().add("Transpose", {call.input(0).name}, {{"perm", order}})};
}

Names cast(const Call& call) {
  const GraphWriter& graph = call.graph();
  const bool is_same = graph.written(call.dtype("to")) == graph.written(call.input(0).dtype);
  return {is_same ? call.input(0).name : call.graph().cast(call.input(0).name, call.dtype("to"))};
}

Names concatenate(const Call& call) {
  Names inputs;
  for (const Value& input : call.inputs()) {
    inputs.push_back(input.name);
  }
  return {call.graph().add("Concat", inputs, {{"axis", call.integer("axis")}})};
}

Names matmul(const Call& call) {
  const auto operand = [&](std::size_t i, std::string_view transposed) {
    const Value& value = call.input(i);
    return call.boolean(transposed)
               ? call.graph().add("Transpose", {value.name}, {{"perm", reversed_last_axes(value.sizes.size())}})
               : value.name;
  };
  return {call.graph().add("MatMul", {operand(0, "transpose_a"), operand(1, "transpose_b")})};
}

/// Evenly spaced positions along one axis.
struct Selection {
  std::int64_t begin, step;
  Size count;
  bool selects_all(const Size& size) const { return begin == 0 && step == 1 && count == size; }
};

Selection selection(const Call& call, const std::string& prefix, std::size_t axis) {
  return {call.integers(prefix + "begin").at(axis), call.integers(prefix + "step").at(axis),
          call.sizes(prefix + "count").at(axis)};
}

Names slice(const Call& call) {
  std::vector<std::int64_t> axes, starts, ends, steps;
  for (std::size_t axis = 0; axis < call.input(0).sizes.size(); ++axis) {
    const Selection at = selection(call, "", axis);
    if (at.selects_all(call.input(0).sizes[axis])) {
      continue;
    }
    if (at.count.symbolic || (at.step == 0 && at.count.factor > 1)) {
      throw Refusal{"it selects a part of the batch"};
    }
    const std::int64_t end = at.begin + at.count.factor * at.step;
    axes.push_back(static_cast<std::int64_t>(axis));
    starts.push_back(at.begin);
    steps.push_back(at.step == 0 ? 1 : at.step);
    // In front of the first element there is no position but that of all negative numbers.
    ends.push_back(at.step == 0 ? at.begin + at.count.factor
                   : end < 0    ? std::numeric_limits<std::int64_t>::min()
                                : end);
  }
  if (axes.empty()) {
    return {call.input(0).name};
  }
  GraphWriter& graph = call.graph();
  return {graph.add("Slice",
                    {call.input(0).name, graph.list(starts), graph.list(ends), graph.list(axes), graph.list(steps)})};
}

// x with zeros where nothing is put: each position takes an element of x, or the zero behind its last one.
std::string spread(const Call& call, const std::string& x, std::size_t axis, const Selection& at, const Sizes& sizes,
                   std::int64_t size) {
  GraphWriter& graph = call.graph();
  const std::int64_t count = at.count.factor;
  std::vector<std::int64_t> taken(static_cast<std::size_t>(size), count);
  for (std::int64_t i = 0; i < count; ++i) {
    taken.at(static_cast<std::size_t>(at.begin + i * at.step)) = i;
  }
  Sizes edge = sizes;
  edge[axis] = {1, false};
  const std::string zero = graph.expand(graph.scalar(0, call.output_dtype()), edge);
  const auto along = static_cast<std::int64_t>(axis);
  const std::string padded = graph.add("Concat", {x, zero}, {{"axis", along}});
  return graph.add("Gather", {padded, graph.list(taken)}, {{"axis", along}});
}

Names unslice(const Call& call) {
  const Sizes full = call.output_sizes();
  std::string total;
  for (std::size_t i = 0; i < call.inputs().size(); ++i) {
    std::string x = call.input(i).name;
    Sizes sizes = call.input(i).sizes;
    for (std::size_t axis = 0; axis < full.size(); ++axis) {
      const Selection at = selection(call, std::to_string(i) + ".", axis);
      if (at.selects_all(full[axis])) {
        continue;
      }
      if (at.count.symbolic || full[axis].symbolic) {
        throw Refusal{"it is put into a part of the batch"};
      }
      x = spread(call, x, axis, at, sizes, full[axis].factor);
      sizes[axis] = full[axis];
    }
    total = total.empty() ? x : call.graph().add("Add", {total, x});
  }
  return {total};
}

// Of floating numbers it is a formula.
Names integer_power(const Call& call) { return {call.graph().add("Pow", {call.input(0).name, call.input(1).name})}; }

}  // namespace

std::vector<OperatorRow> layout_operators() {
  return {
      {"arange", 14, "a constant; Range, Cast, Mul, Add", arange},
      {"broadcast_to", 13, "Expand", broadcast_to},
      {"cast", 13, "Cast", cast},
      {"concatenate", 13, "Concat", concatenate},
      {"full", 13, "Expand", full},
      {"matmul", 13, "MatMul, Transpose", matmul},
      {"pow", 15, "Pow", integer_power},
      {"reshape", 14, "Reshape", reshape},
      {"slice", 13, "Slice", slice},
      {"transpose", 13, "Transpose", transpose},
      {"unslice", 13, "Concat, Gather, Add", unslice},
  };
}

}  // namespace xgrad::onnx
