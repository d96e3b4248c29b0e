#include <algorithm>

#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
#include "datasets/quoted.hpp"
#include "onnx/import/call.hpp"
#include "onnx/import/operators.hpp"

namespace xgrad::onnx::loading {

std::string GraphNode::title() const {
  return name.empty() ? datasets::shown(type) : phrase("{} ({})", datasets::backticked(name), datasets::shown(type));
}

namespace {

/// Up to how many elements a tensor that is known is computed at once: shapes, and the arithmetic on them. What is larger,
/// such as a mask, is left to the plan.
constexpr std::int64_t folded_size = 1024;

bool outputs_are_known(const GraphNode& node, const Values& frame) {
  const auto is_known = [&](Slot slot) { return slot == no_slot || frame[static_cast<std::size_t>(slot)].known; };
  switch (node.operation->known) {
    case Operator::Known::always: return true;
    case Operator::Known::never: return false;
    case Operator::Known::if_inputs_are: break;
  }
  return std::all_of(node.inputs.begin(), node.inputs.end(), is_known);
}

/// A constant in place of what is known: shape arithmetic leaves nothing in the graph.
Tensor folded(const Tensor& tensor) {
  return tensor.defined() && tensor.size() <= folded_size ? tensor.detach() : tensor;
}

Values outputs_of(const GraphNode& node, const Values& frame, const Session& session) {
  const Call call(node, frame, session);
  Values outputs;
  if (node.function != nullptr) {
    Values inputs;
    for (std::size_t i = 0; i < node.function->inputs.size(); ++i) {
      inputs.push_back(call.has(i) ? call.value(i) : Value());
    }
    return run_graph(*node.function, inputs, nullptr, session);
  }
  const bool known = outputs_are_known(node, frame);
  for (const Tensor& tensor : node.operation->build(call)) {
    outputs.push_back({known ? folded(tensor) : tensor, known, nullptr});
  }
  return outputs;
}

void run_node(const GraphNode& node, Values& frame, const Session& session) {
  const Values outputs = outputs_of(node, frame, session);
  // Outputs that an operator does not give in this mode have no value; who reads one is told.
  for (std::size_t i = 0; i < std::min(node.outputs.size(), outputs.size()); ++i) {
    if (node.outputs[i] != no_slot) {
      frame[static_cast<std::size_t>(node.outputs[i])] = outputs[i];
    }
  }
}

Values run_frame(const Graph& graph, Values& frame, const Values& inputs, const Session& session) {
  if (inputs.size() != graph.inputs.size()) {
    raise<ValueError>("onnx", phrase("the graph '{}' takes {} inputs, and is given {}", datasets::shown(graph.name),
                                     graph.inputs.size(), inputs.size()));
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    frame[static_cast<std::size_t>(graph.inputs[i].slot)] = inputs[i];
  }
  for (const GraphNode& node : graph.nodes) {
    try {
      run_node(node, frame, session);
    } catch (Error& error) {
      error.add_note("in node " + node.title());
      throw;
    }
  }
  Values outputs;
  for (const GraphValue& output : graph.outputs) {
    outputs.push_back(frame[static_cast<std::size_t>(output.slot)]);
    outputs.back().statistic = nullptr;
    if (!outputs.back().tensor.defined()) {
      raise<ValueError>("onnx", phrase("the output {} of the graph '{}' has no value: its node does not give it",
                                       datasets::backticked(output.name), datasets::shown(graph.name)));
    }
  }
  return outputs;
}

}  // namespace

Values run_graph(const Graph& graph, const Values& inputs, const Values* outside, const Session& session) {
  Values frame(graph.slot_count);
  for (const Initializer& initializer : graph.initializers) {
    frame[static_cast<std::size_t>(initializer.slot)] = {Tensor(initializer.array), true, nullptr};
  }
  for (const Graph::Capture& capture : graph.captures) {
    frame[static_cast<std::size_t>(capture.inside)] = (*outside)[static_cast<std::size_t>(capture.outside)];
  }
  return run_frame(graph, frame, inputs, session);
}

Values run_graph(const Graph& graph, const Values& inputs, const Values& initial, const Session& session) {
  Values frame(graph.slot_count);
  for (std::size_t i = 0; i < graph.initializers.size(); ++i) {
    frame[static_cast<std::size_t>(graph.initializers[i].slot)] = initial[i];
  }
  return run_frame(graph, frame, inputs, session);
}

}  // namespace xgrad::onnx::loading
