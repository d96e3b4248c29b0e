#include "autograd/provenance/level.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "autograd/graph/recognize.hpp"
#include "autograd/graph/subprogram.hpp"
#include "autograd/graph/variable_cell.hpp"
#include "autograd/kernels/kernels.hpp"
#include "autograd/ops/require_finite.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad::provenance {

bool is_compound(const Node& node) { return !programs_of(node.operation()).empty(); }

bool has_guards(const Description& graph) {
  return std::any_of(graph.nodes().begin(), graph.nodes().end(), [](const Node* node) {
    if (node->as<detail::RequireFinite>() != nullptr) {
      return true;
    }
    const std::vector<NamedProgram> programs = programs_of(node->operation());
    return std::any_of(programs.begin(), programs.end(),
                       [](const NamedProgram& each) { return has_guards(each.program->description()); });
  });
}

std::vector<Array> compute(const Node& node, const std::vector<Array>& inputs, const std::vector<bool>& wanted) {
  const OperationTraits& traits = node.operation().traits();
  std::vector<Array> outputs(node.output_count());
  if (traits.alias || node.as<detail::RequireFinite>() != nullptr) {
    outputs[0] = inputs[0].reshaped(node.spec(0).shape);
    return outputs;
  }
  Ref<const AnyOperation> operation = node.operation_ref();
  if (!operation->effect().empty()) {
    operation = operation->without_effect();
    if (!operation) {
      return outputs;
    }
  }
  std::vector<ConstView> in;
  std::vector<View> out;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Tensor& input = node.input(i);
    in.push_back({inputs[i].data(), &input.node().spec(input.output_index())});
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (wanted[i] || !traits.skips_outputs) {
      outputs[i] = Array(node.spec(i).shape, node.spec(i).dtype);
    }
    out.push_back({outputs[i] ? outputs[i].data() : nullptr, &node.spec(i)});
  }
  operation->eval(in, out);
  return outputs;
}

Level::Level(const Description& graph, std::vector<Array> given, std::span<const Description::Value> outputs,
             const std::vector<std::string>* names)
    : graph_(&graph),
      given_(std::move(given)),
      names_(names),
      values_(graph.value_count()),
      ranges_(graph.value_count()),
      leaf_ranges_(graph.leaves().size()),
      node_of_(graph.value_count()),
      uses_(graph.value_count()),
      wanted_(graph.value_count()),
      is_finite_(graph.value_count(), true) {
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    std::fill_n(node_of_.begin() + graph.first_value(i), graph.nodes()[i]->output_count(), i);
    for (const Description::Value read : graph.reads(i)) {
      if (!is_leaf(read)) {
        ++uses_[read];
        wanted_[read] = true;
      }
    }
  }
  for (const Description::Value output : outputs) {
    if (!is_leaf(output)) {
      ++uses_[output];  // for good
      wanted_[output] = true;
    }
  }
}

const Array& Level::elements(Description::Value value) const {
  if (!is_leaf(value)) {
    return values_[value];
  }
  const std::size_t number = value & ~Description::leaf_bit;
  return number < given_.size() ? given_[number] : graph_->leaves()[number].elements;
}

std::string Level::name_of_leaf(std::size_t number) const {
  const Node& node = graph_->leaves()[number].tensor.node();
  if (const VariableRead* variable = detail::variable_of(node)) {
    return phrase("variable '{}' {}", variable->variable, to_string(Spec{variable->shape, variable->dtype}));
  }
  if (number < given_.size()) {
    const bool is_named = names_ != nullptr && number < names_->size() && !(*names_)[number].empty();
    return is_named ? (*names_)[number] : phrase("argument {}", number);
  }
  const bool is_result = detail::is_compiled_result(node);
  return phrase("{}{}", is_result ? "a result of a compiled function" : "a constant", place_text(node.location()));
}

std::string place_text(const std::source_location& where) {
  return where.line() == 0 ? std::string() : phrase(" at {}:{}", where.file_name(), where.line());
}

std::vector<Array> Level::inputs_of(std::size_t node) const {
  std::vector<Array> inputs;
  for (const Description::Value read : graph_->reads(node)) {
    inputs.push_back(elements(read));
  }
  return inputs;
}

const Spec& Level::spec(Description::Value value) const {
  if (!is_leaf(value)) {
    const std::size_t node = node_of_[value];
    return graph_->nodes()[node]->spec(value - graph_->first_value(node));
  }
  const Tensor& tensor = graph_->leaves()[value & ~Description::leaf_bit].tensor;
  return tensor.node().spec(tensor.output_index());
}

const debug::ElementRange& Level::range(Description::Value value) const {
  static const debug::ElementRange unknown;
  auto& known = is_leaf(value) ? leaf_ranges_[value & ~Description::leaf_bit] : ranges_[value];
  if (!known && elements(value)) {
    known = debug::range_of(view_of(elements(value), spec(value)));
  }
  return known ? *known : unknown;
}

double Level::number(Place place) const {
  return debug::element_of(view_of(elements(place.value), spec(place.value)), place.element);
}

std::vector<bool> Level::wanted_outputs(std::size_t node) const {
  const auto first = wanted_.begin() + graph_->first_value(node);
  return {first, first + static_cast<std::ptrdiff_t>(graph_->nodes()[node]->output_count())};
}

std::vector<bool> Level::nodes_behind(Description::Value value) const {
  std::vector<bool> behind(graph_->nodes().size());
  behind[node_of_[value]] = true;
  for (std::size_t i = behind.size(); i-- > 0;) {
    for (const Description::Value read : graph_->reads(i)) {
      if (behind[i] && !is_leaf(read)) {
        behind[node_of_[read]] = true;
      }
    }
  }
  return behind;
}

std::optional<Level::Failure> Level::run(Stop stop, const LookInside& look_inside, const std::vector<bool>& needed) {
  for (std::size_t i = 0; i < graph_->nodes().size(); ++i) {
    if (!needed.empty() && !needed[i]) {
      continue;
    }
    if (const auto failure = run_node(i, stop, look_inside)) {
      return failure;
    }
  }
  return std::nullopt;
}

std::optional<Level::Failure> Level::run_node(std::size_t number, Stop stop, const LookInside& look_inside) {
  const Node& node = *graph_->nodes()[number];
  const std::vector<Array> inputs = inputs_of(number);
  if (!std::all_of(inputs.begin(), inputs.end(), is_known)) {
    return std::nullopt;  // behind an effect that does not happen again
  }
  if (const auto* guard = node.as<detail::RequireFinite>(); guard != nullptr && stop != Stop::never) {
    for (std::size_t i = guard->first_checked(inputs.size()); i < inputs.size(); ++i) {
      if (const std::int64_t element = first_not_finite(inputs[i]); element >= 0) {
        return Failure{number, {graph_->reads(number)[i], element}, false};
      }
    }
  }
  if (stop == Stop::at_checks && look_inside && is_compound(node) && look_inside(number)) {
    return Failure{number, {}, true};
  }
  std::vector<Array> outputs;
  try {
    outputs = compute(node, inputs, wanted_outputs(number));
  } catch (const NotFiniteError&) {
    if (look_inside && look_inside(number)) {
      return Failure{number, {}, true};
    }
    return std::nullopt;
  }
  bool all_finite = true;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const auto value = graph_->first_value(number) + static_cast<Description::Value>(i);
    values_[value] = outputs[i];
    if (!is_known(outputs[i]) || !is_real(outputs[i].dtype())) {
      continue;
    }
    const std::int64_t bad = first_not_finite(outputs[i]);
    is_finite_[value] = bad < 0;
    all_finite = all_finite && bad < 0;
    if (keeps_ranges_) {
      ranges_[value] = debug::range_of(view_of(outputs[i], node.spec(i)));
    }
    if (stop == Stop::at_checks && bad >= 0 && !node.operation().traits().alias) {
      return Failure{number, {value, bad}, false};
    }
  }
  if (all_finite) {
    forget_inputs(number);
  }
  return std::nullopt;
}

void Level::forget_inputs(std::size_t number) {
  for (const Description::Value read : graph_->reads(number)) {
    if (!is_leaf(read) && --uses_[read] == 0 && is_finite_[read]) {
      values_[read] = Array();
    }
  }
}

std::int64_t first_not_finite(const Array& array, bool nan_alone) {
  if (!is_real(array.dtype()) || kernels::all_finite(array.dtype(), array.data(), array.size())) {
    return -1;
  }
  const auto find = [&](const auto* elements) -> std::int64_t {
    const auto* end = elements + array.size();
    const auto* found =
        std::find_if(elements, end, [&](double x) { return nan_alone ? std::isnan(x) : !std::isfinite(x); });
    return found == end ? -1 : found - elements;
  };
  return dispatch_real(array.dtype(), [&](auto zero) { return find(array.data<decltype(zero)>()); });
}

}  // namespace xgrad::provenance
