#include <limits>
#include <utility>

#include "autograd/graph/subprogram.hpp"
#include "onnx/call.hpp"
#include "onnx/graph_emitter.hpp"

/// \file
/// Loops and branches: what they run are graphs inside of the graph, which take what they use from around them.

namespace xgrad::onnx {

namespace {

const Size one_element{1, false};

/// An output of an inner graph, which must be computed in it.
std::string add_output(GraphWriter& graph, proto::GraphProto& inner, const Value& value) {
  const std::string name = graph.add("Identity", {value.name});
  graph.describe(*inner.add_output(), {name, value.dtype, value.sizes});
  return name;
}

Value add_input(GraphWriter& graph, proto::GraphProto& inner, std::string_view name, DType dtype, const Sizes& sizes) {
  const Value value{graph.unique(name), dtype, sizes};
  graph.describe(*inner.add_input(), value);
  return value;
}

Pair pair_of(const std::pair<const SubProgram&, const SubProgram&>& programs) {
  return {programs.first.description(), programs.second.description()};
}

/// What a loop says of itself, and its inputs by what they are.
struct LoopParts {
  explicit LoopParts(const Call& call)
      : steps(call.integer("steps")),
        carries(static_cast<std::size_t>(call.integer("carries"))),
        slices(static_cast<std::size_t>(call.integer("slices"))),
        reverse(call.boolean("reverse")),
        stops(call.boolean("stops")),
        counted(call.boolean("counted")) {}

  /// More steps than anybody waits for are no limit.
  bool is_bounded() const { return counted || steps <= (std::int64_t{1} << 40); }
  /// Whether there may be fewer steps than results have rows.
  bool may_end_early() const { return stops || counted; }

  std::int64_t steps;
  std::size_t carries, slices;
  bool reverse, stops, counted;
};

/// The number of steps at the most, as a name; empty where there is no limit.
std::string limit_of(const Call& call, const LoopParts& parts) {
  GraphWriter& graph = call.graph();
  const std::string most = graph.scalar(static_cast<double>(parts.steps), DType::int64);
  if (parts.counted) {
    const std::string count = graph.add("Max", {call.inputs().back().name, graph.scalar(0, DType::int64)});
    return graph.add("Min", {count, most});
  }
  return parts.is_bounded() ? most : "";
}

/// The rows of a result in the order of their indices, and zeros for steps that there were not.
std::string arranged(GraphWriter& graph, const LoopParts& parts, std::string rows, const std::string& count,
                     const Value& result) {
  const std::string first_axis = graph.list({0});
  if (parts.reverse) {
    rows = graph.add("Slice", {rows, graph.list({-1}), graph.list({std::numeric_limits<std::int64_t>::min()}),
                               first_axis, graph.list({-1})});
  }
  if (!parts.may_end_early()) {
    return rows;
  }
  const std::string missing = graph.add("Sub", {graph.list({parts.steps}), graph.reshape(count, {one_element})});
  const Sizes row(result.sizes.begin() + 1, result.sizes.end());
  const std::string shape = row.empty() ? missing : graph.add("Concat", {missing, graph.sizes(row)}, {{"axis", 0}});
  const std::string zeros = graph.cast(graph.add("ConstantOfShape", {shape}), result.dtype);
  return graph.add("Concat", {rows, zeros}, {{"axis", 0}});
}

}  // namespace

std::vector<std::string> GraphEmitter::branch(const Call& call) {
  const std::vector<Value> arguments(call.inputs().begin() + 1, call.inputs().end());
  const auto graph_of = [&](std::string_view name) {
    const auto programs = call.programs(name);
    return graph_.inner_graph(name, [&](proto::GraphProto& inner) {
      for (const Value& value : emit(pair_of(programs), arguments, programs.first.output_values())) {
        add_output(graph_, inner, value);
      }
    });
  };
  std::vector<std::pair<std::string_view, proto::GraphProto>> graphs;
  graphs.emplace_back("then_branch", graph_of("if_true"));
  graphs.emplace_back("else_branch", graph_of("if_false"));
  return graph_.add_control("If", {call.input(0).name}, std::move(graphs), call.output_count());
}

std::vector<std::string> GraphEmitter::loop(const Call& call, const std::vector<bool>& wanted) {
  const LoopParts parts(call);
  const auto programs = call.programs("body");
  const std::size_t first_result = parts.carries + (parts.stops ? 1 : 0);
  const std::string limit = limit_of(call, parts);
  const std::vector<Value>& in = call.inputs();
  const std::size_t first_captured = parts.carries + parts.slices;
  const Value none{"", DType::int64, {}};

  proto::GraphProto body = graph_.inner_graph("body", [&](proto::GraphProto& inner) {
    Value index = add_input(graph_, inner, "step", DType::int64, {});
    const Value condition = add_input(graph_, inner, "condition", DType::boolean, {});
    const Value step = index;
    std::vector<Value> carries;
    for (std::size_t i = 0; i < parts.carries; ++i) {
      carries.push_back(add_input(graph_, inner, "carry", in[i].dtype, in[i].sizes));
    }
    const Value count = parts.may_end_early() ? add_input(graph_, inner, "count", DType::int64, {}) : none;
    if (parts.reverse) {
      index.name = graph_.add("Sub", {graph_.add("Sub", {limit, graph_.scalar(1, DType::int64)}), step.name});
    }
    std::vector<Value> given = {index};
    given.insert(given.end(), carries.begin(), carries.end());
    for (std::size_t i = parts.carries; i < first_captured; ++i) {
      given.push_back({graph_.add("Gather", {in[i].name, index.name}, {{"axis", 0}}), in[i].dtype,
                       Sizes(in[i].sizes.begin() + 1, in[i].sizes.end())});
    }
    given.insert(given.end(), in.begin() + static_cast<std::ptrdiff_t>(first_captured),
                 in.end() - (parts.counted ? 1 : 0));
    const std::vector<Value> results = emit(pair_of(programs), given, programs.first.output_values());
    add_output(graph_, inner, parts.stops ? results.at(0) : condition);
    for (std::size_t i = 0; i < parts.carries; ++i) {
      add_output(graph_, inner, results[i]);
    }
    if (parts.may_end_early()) {
      add_output(graph_, inner, {graph_.add("Add", {count.name, graph_.scalar(1, DType::int64)}), DType::int64, {}});
    }
    for (std::size_t i = parts.carries; i < results.size(); ++i) {
      if (wanted[first_result + i - parts.carries]) {
        add_output(graph_, inner, results[i]);
      }
    }
  });

  std::vector<std::string> inputs = {limit, parts.stops ? in[0].name : ""};
  for (std::size_t i = 0; i < parts.carries; ++i) {
    inputs.push_back(in[i].name);
  }
  if (parts.may_end_early()) {
    inputs.push_back(graph_.scalar(0, DType::int64));
  }
  const auto output_count = static_cast<std::size_t>(body.output_size()) - 1;
  std::vector<std::pair<std::string_view, proto::GraphProto>> graphs;
  graphs.emplace_back("body", std::move(body));
  const std::vector<std::string> outputs = graph_.add_control("Loop", inputs, std::move(graphs), output_count);

  std::size_t next = parts.carries;
  std::vector<std::string> names(outputs.begin(), outputs.begin() + static_cast<std::ptrdiff_t>(parts.carries));
  const std::string count = parts.may_end_early() ? outputs[next++] : "";
  if (parts.stops) {
    names.push_back(count);
  }
  for (std::size_t i = first_result; i < call.output_count(); ++i) {
    const Value result{"", call.output_dtype(i), wanted[i] ? call.output_sizes(i) : Sizes()};
    names.push_back(wanted[i] ? arranged(graph_, parts, outputs[next++], count, result) : "");
  }
  return names;
}

}  // namespace xgrad::onnx
