#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "autograd/loops/cond.hpp"
#include "autograd/loops/scan.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"
#include "onnx/import/axes.hpp"
#include "onnx/import/call.hpp"
#include "onnx/import/operators.hpp"

/// \file
/// Branches and loops.

namespace xgrad::onnx::loading {

namespace {

Tensors tensors_of(const Values& values) {
  Tensors tensors;
  for (const Value& value : values) {
    tensors.push_back(value.tensor);
  }
  return tensors;
}

/// A single truth value. \throws ShapeError, DTypeError.
bool truth_of(const Call& call, const Tensor& condition) {
  if (condition.dtype() != DType::boolean || condition.size() != 1) {
    call.refuse(phrase("a condition is one boolean, got {} of shape {}", to_string(condition.dtype()),
                       to_string(condition.shape())));
  }
  return condition.item<bool>();
}

/// A condition that is known chooses; otherwise both branches are in the graph.
Tensors if_of(const Call& call) {
  const Graph& if_true = call.graph("then_branch");
  const Graph& if_false = call.graph("else_branch");
  if (call.value(0).known) {
    return tensors_of(call.run(truth_of(call, call[0]) ? if_true : if_false, {}));
  }
  return cond(
      reshape(call[0], {}), [&] { return tensors_of(call.run(if_true, {})); },
      [&] { return tensors_of(call.run(if_false, {})); });
}

/// More are no use of a loop whose steps are nodes of the graph each.
constexpr std::int64_t most_steps = 1'000'000;

/// How many steps there are at most. A loop without any end is refused when it does not come to one.
std::int64_t step_limit(const Call& call) {
  if (!call.has(0)) {
    return most_steps;
  }
  const std::int64_t limit = call.integer(0);
  if (limit > most_steps) {
    call.refuse(phrase("{} steps are more than {}, and each becomes nodes of its own", limit, most_steps));
  }
  return limit;
}

/// The results of all steps on an axis in front. Of no steps the file tells the shape, as far as it does.
Tensor stacked(const Tensors& results, const GraphValue& declared) {
  if (!results.empty()) {
    return stack(results, 0);
  }
  Shape shape{0};
  for (const std::optional<std::int64_t>& size : declared.sizes) {
    shape.push_back(size.value_or(0));
  }
  return zeros(shape, declared.dtype.value_or(DType::float32));
}

/// One step after the other, for as long as the condition holds, which must be known when the graph is built.
Tensors loop(const Call& call) {
  const Graph& body = call.graph("body");
  const std::size_t carried = call.input_count() < 2 ? 0 : call.input_count() - 2;
  if (body.outputs.size() < 1 + carried || body.inputs.size() != 2 + carried) {
    call.refuse(phrase("a body of {} inputs and {} outputs for {} carried values", body.inputs.size(),
                       body.outputs.size(), carried));
  }
  Values state;
  for (std::size_t i = 0; i < carried; ++i) {
    state.push_back(call.value(2 + i));
  }
  Value condition{call.has(1) ? call[1] : Tensor(true), !call.has(1) || call.value(1).known, nullptr};
  std::vector<Tensors> results(body.outputs.size() - 1 - carried);
  const std::int64_t limit = step_limit(call);
  for (std::int64_t step = 0; step < limit && truth_of(call, condition.tensor); ++step) {
    if (step + 1 == most_steps && !call.has(0)) {
      call.refuse(phrase("it goes on after {} steps", most_steps));
    }
    Values inputs{{Tensor(step), true, nullptr}, condition};
    inputs.insert(inputs.end(), state.begin(), state.end());
    const Values outputs = call.run(body, inputs);
    condition = outputs[0];
    state.assign(outputs.begin() + 1, outputs.begin() + 1 + static_cast<std::ptrdiff_t>(carried));
    for (std::size_t i = 0; i < results.size(); ++i) {
      results[i].push_back(outputs[1 + carried + i].tensor);
    }
  }
  Tensors outputs = tensors_of(state);
  for (std::size_t i = 0; i < results.size(); ++i) {
    outputs.push_back(stacked(results[i], body.outputs[1 + carried + i]));
  }
  return outputs;
}

/// What a Scan says of its inputs or outputs, one number each.
std::int64_t listed(const std::vector<std::int64_t>& list, std::size_t i) { return i < list.size() ? list[i] : 0; }

/// Slices along an axis, from the first to the last or the other way, on an axis in front.
Tensor slices_of(const Tensor& x, std::int64_t axis, bool reverse) {
  const Tensor turned = reverse ? flip(x, axis) : x;
  Ints order = all_axes(x.ndim());
  const auto along = static_cast<std::size_t>(normalize_axis("Scan", axis, x.ndim()));
  order.erase(along);
  order.insert(0, static_cast<std::int64_t>(along));
  return transpose(turned, order);
}

/// The opposite.
Tensor from_slices(const Tensor& x, std::int64_t axis, bool reverse) {
  Ints order = all_axes(x.ndim());
  const std::size_t along = normalize_axis("Scan", axis, x.ndim());
  order.erase(0);
  order.insert(along, 0);
  const Tensor placed = transpose(x, order);
  return reverse ? flip(placed, static_cast<std::int64_t>(along)) : placed;
}

Tensors scan_of(const Call& call) {
  const Graph& body = call.graph("body");
  const auto slices = static_cast<std::size_t>(call.integer("num_scan_inputs", 0));
  if (slices < 1 || slices > call.input_count() || body.inputs.size() != call.input_count()) {
    call.refuse(
        phrase("{} of {} inputs in slices, for a body of {} inputs", slices, call.input_count(), body.inputs.size()));
  }
  const std::size_t carried = call.input_count() - slices;
  if (body.outputs.size() < carried) {
    call.refuse(phrase("a body of {} outputs for {} carried values", body.outputs.size(), carried));
  }
  Tensors state;
  Tensors xs;
  for (std::size_t i = 0; i < call.input_count(); ++i) {
    if (i < carried) {
      state.push_back(call[i]);
    } else {
      xs.push_back(slices_of(call[i], listed(call.integers("scan_input_axes"), i - carried),
                             listed(call.integers("scan_input_directions"), i - carried) == 1));
    }
  }
  const auto step = [&](const Tensors& now, const Tensors& slice) {
    Values inputs;
    for (const Tensors* list : {&now, &slice}) {
      for (const Tensor& tensor : *list) {
        inputs.push_back({tensor, false, nullptr});
      }
    }
    const Tensors all = tensors_of(call.run(body, inputs));
    const auto middle = all.begin() + static_cast<std::ptrdiff_t>(carried);
    return std::pair<Tensors, Tensors>(Tensors(all.begin(), middle), Tensors(middle, all.end()));
  };
  auto [outputs, results] = scan(step, state, xs);
  for (std::size_t i = 0; i < results.size(); ++i) {
    outputs.push_back(from_slices(results[i], listed(call.integers("scan_output_axes"), i),
                                  listed(call.integers("scan_output_directions"), i) == 1));
  }
  return outputs;
}

constexpr std::array control_table = {
    Operator{"If", {1, 1}, if_of, 1, any_opset, nullptr, Operator::Known::never},
    Operator{"Loop", {2, any_number}, loop, 1, any_opset, nullptr, Operator::Known::never},
    Operator{"Scan", {1, any_number}, scan_of, 9, any_opset, nullptr, Operator::Known::never},
};

}  // namespace

std::span<const Operator> control_operators() { return control_table; }

}  // namespace xgrad::onnx::loading
