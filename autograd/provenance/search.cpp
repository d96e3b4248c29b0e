#include "autograd/provenance/search.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "autograd/graph/name_scope.hpp"
#include "autograd/graph/subprogram.hpp"
#include "autograd/loops/branch.hpp"
#include "autograd/ops/map.hpp"
#include "autograd/ops/require_finite.hpp"
#include "autograd/provenance/causes.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad::provenance {

namespace {

// Where an input that is broadcast to \p to is read for an element of the result.
std::int64_t broadcast_element(const Shape& from, const Shape& to, std::int64_t element) {
  const Shape position = debug::position_of(element, to);
  const Ints strides = broadcast_strides(from, to);
  std::int64_t result = 0;
  for (std::size_t axis = 0; axis < to.ndim(); ++axis) {
    result += position[axis] * strides[axis];
  }
  return result;
}

/// What the operands of a formula are for one element of its result.
struct OperandNumbers {
  std::vector<ConstView> views;
  std::vector<std::int64_t> elements;
  std::vector<double> numbers;

  OperandNumbers(const Level& level, std::size_t node, const Shape& shape, std::int64_t element) {
    for (const Description::Value read : level.graph().reads(node)) {
      const Spec& spec = level.spec(read);
      views.push_back(view_of(level.elements(read), spec));
      elements.push_back(broadcast_element(spec.shape, shape, element));
      numbers.push_back(debug::element_of(views.back(), elements.back()));
    }
  }

  std::string text(const Level& level, std::size_t node, std::size_t i) const {
    constexpr std::size_t letters = 26;  // by which formulas are printed
    const std::string name =
        i < letters ? std::string(1, static_cast<char>('a' + static_cast<int>(i))) : phrase("x{}", i);
    const Description::Value read = level.graph().reads(node)[i];
    return phrase("operand {}: {}, of {} {}", name, debug::number_text(numbers[i]), to_string(level.spec(read)),
                  debug::text_of(level.range(read)));
  }
};

std::string derivative_text(const Node& node) {
  const detail::Part part = detail::part_of(node.label());
  if (part != detail::Part::backward && part != detail::Part::tangent) {
    return "";
  }
  const std::string operation = detail::operation_of(node.label());
  const char* what = part == detail::Part::backward ? "gradient" : "tangent";
  return operation.empty() ? phrase(" where {}s are added", what) : phrase(" in the {} of [{}]", what, operation);
}

std::string element_text(std::int64_t element, const Spec& spec) {
  return spec.shape.empty()
             ? to_string(spec)
             : phrase("element {} of {}", to_string(debug::position_of(element, spec.shape)), to_string(spec));
}

std::string shortened(std::string text) {
  constexpr std::size_t longest = 160;
  return text.size() <= longest ? text : text.substr(0, longest) + " ...";
}

}  // namespace

Birth birth_of_leaf(const Level& level, std::size_t leaf, std::int64_t element) {
  const Description::Value value = Description::leaf_bit | static_cast<Description::Value>(leaf);
  Birth birth;
  birth.is_given = true;
  birth.op = level.name_of_leaf(leaf);
  birth.where = level.graph().leaves()[leaf].tensor.node().location();
  birth.result = level.spec(value);
  birth.element = element_text(element, birth.result);
  birth.what = "is " + debug::number_text(level.number({value, element}));
  birth.inputs = {phrase("all of it: {}", debug::text_of(level.range(value)))};
  return birth;
}

Birth Search::birth_at(const Level& level, const Target& target, const std::string& what) const {
  const Node& node = *level.graph().nodes()[target.node];
  Birth birth;
  birth.op = node.name();
  birth.where = node.location();
  birth.derivative_of = derivative_text(node);
  birth.result = node.spec(target.output);
  birth.element = element_text(target.element, birth.result);
  birth.what = what;
  birth.context = context_;
  return birth;
}

Found Search::walk(const Level& level, Place place) {
  while (!is_leaf(place.value)) {
    if (!level.is_inside()) {
      outermost_ = place;
    }
    const std::size_t node = level.node_of(place.value);
    const Target target{node, place.value - level.graph().first_value(node), place.element};
    Back step = back(level, target);
    if (step.birth) {
      return {std::move(step.birth)};
    }
    place = {level.graph().reads(node)[step.input], step.element};
  }
  return {std::nullopt, place.value & ~Description::leaf_bit, place.element};
}

Description::Value Search::value_of(const Level& level, const Target& target) {
  return level.graph().first_value(target.node) + static_cast<Description::Value>(target.output);
}

Search::Back Search::back(const Level& level, const Target& target) {
  const Node& node = *level.graph().nodes()[target.node];
  if (node.operation().traits().alias || node.as<detail::RequireFinite>() != nullptr) {
    return {std::nullopt, 0, target.element};
  }
  if (node.inputs().empty()) {
    const Description::Value value = value_of(level, target);
    Birth birth = birth_at(level, target, "is " + debug::number_text(level.number({value, target.element})));
    birth.op = phrase("[{}]{}", birth.op, place_text(birth.where));
    birth.is_given = true;
    return {birth};
  }
  if (is_compound(node)) {
    return back_through_programs(level, target);
  }
  return node.as<Map>() != nullptr ? back_through_formula(level, target) : back_through_operation(level, target);
}

void Search::note_turn(const Level& level, const Target& target, const std::string& what) {
  turn_birth_ = birth_at(level, target, what);
  turn_ = phrase("it is NaN since [{}]{}{}: {}", turn_birth_->op, turn_birth_->derivative_of,
                 place_text(turn_birth_->where), what);
}

Search::Back Search::back_through_formula(const Level& level, const Target& target) {
  const Node& node = *level.graph().nodes()[target.node];
  const Formula& formula = node.as<Map>()->formula;
  const OperandNumbers operands(level, target.node, node.spec(target.output).shape, target.element);
  const DType dtype = compute_dtype(formula, operands.views);
  const ProgramSource source = trace_program(formula.program(), dtype, operands.numbers, target.output);
  if (source.turn) {
    note_turn(level, target, text_of(*source.turn));
  }
  if (source.input) {
    return {std::nullopt, *source.input, operands.elements[*source.input]};
  }
  const double number = level.number({value_of(level, target), target.element});
  Birth birth = birth_at(level, target, source.birth ? text_of(*source.birth) : "it is " + debug::number_text(number));
  if (source.is_constant) {
    birth.is_given = true;
    birth.op = phrase("a constant of [{}]{}", birth.op, place_text(birth.where));
    birth.what = "is " + debug::number_text(number);
  }
  if (formula.program().steps.size() > 1) {
    birth.inputs.push_back("formula: " + shortened(to_string(formula)));
  }
  for (std::size_t i = 0; i < operands.numbers.size(); ++i) {
    birth.inputs.push_back(operands.text(level, target.node, i));
  }
  if (source.birth) {
    const std::vector<double>& numbers = source.birth->operands;
    birth.is_large = std::find(numbers.begin(), numbers.end(), 0.0) == numbers.end();
    birth.cause = cause_of(*source.birth, dtype, !birth.derivative_of.empty());
  }
  if (source.worst) {
    extend_chain(birth, level, level.graph().reads(target.node)[*source.worst]);
  }
  return {birth};
}

std::optional<Search::Back> Search::first_of_inputs(const std::vector<Array>& inputs, bool nan_alone) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (const std::int64_t element = first_not_finite(inputs[i], nan_alone); element >= 0) {
      return Back{std::nullopt, i, element};
    }
  }
  return std::nullopt;
}

Search::Back Search::back_through_operation(const Level& level, const Target& target) {
  const Node& node = *level.graph().nodes()[target.node];
  const std::vector<Array> inputs = level.inputs_of(target.node);
  if (const auto culprit = find_culprit(node, inputs, target.output, target.element)) {
    const Description::Value read = level.graph().reads(target.node)[culprit->input];
    const Description::Value value = value_of(level, target);
    if (std::isnan(level.number({value, target.element})) && std::isinf(level.number({read, culprit->element}))) {
      note_turn(level, target, "it makes NaN of " + debug::number_text(level.number({read, culprit->element})));
    }
    return {std::nullopt, culprit->input, culprit->element};
  }
  const Description::Value value = value_of(level, target);
  const double number = level.number({value, target.element});
  if (const auto first = first_of_inputs(inputs, true)) {
    return *first;
  }
  if (const auto first = first_of_inputs(inputs, false)) {
    if (std::isnan(number)) {
      note_turn(level, target, "it makes NaN of infinite numbers");
    }
    return *first;
  }
  Birth birth = birth_at(level, target, phrase("it gives {} of finite numbers", debug::number_text(number)));
  std::optional<Description::Value> worst;
  double largest = 0;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Description::Value read = level.graph().reads(target.node)[i];
    const debug::ElementRange& range = level.range(read);
    birth.inputs.push_back(phrase("input {}: {} {}", i, to_string(level.spec(read)), debug::text_of(range)));
    const double size = std::max(std::fabs(range.least), std::fabs(range.most));
    if (is_real(inputs[i].dtype()) && (!worst || size > largest)) {
      worst = read;
      largest = size;
    }
  }
  birth.cause = cause_of(node, number, largest);
  if (worst) {
    extend_chain(birth, level, *worst);
  }
  return {birth};
}

Search::Back Search::back_through_programs(const Level& level, const Target& target) {
  if (auto found = look_inside(level, target.node, target)) {
    return std::move(*found);
  }
  if (const auto first = first_of_inputs(level.inputs_of(target.node), false)) {
    return *first;
  }
  return {birth_at(level, target, "it gives what is not finite of finite numbers")};
}

std::optional<Found> Search::find_failure(Level& level) {
  std::optional<Back> inside;
  const auto failure = level.run(stop_, [&](std::size_t node) {
    inside = look_inside(level, node, std::nullopt);
    return inside.has_value();
  });
  if (!failure) {
    return std::nullopt;
  }
  if (!failure->is_inside) {
    return walk(level, failure->place);
  }
  if (inside->birth) {
    return Found{std::move(inside->birth)};
  }
  return walk(level, {level.graph().reads(failure->node)[inside->input], inside->element});
}

std::optional<Search::Back> Search::look_inside(const Level& level, std::size_t node,
                                                const std::optional<Target>& target) {
  const Node& compound = *level.graph().nodes()[node];
  if (const auto* loop = compound.as<Loop>()) {
    return search_loop(level, node, *loop, target);
  }
  std::vector<Array> inputs = level.inputs_of(node);
  const SubProgram* program = compound.operation().program();
  std::string where = phrase("inside [{}]{}", compound.name(), place_text(compound.location()));
  std::size_t first = 0;
  if (const auto* branch = compound.as<Branch>()) {
    const bool taken = *inputs[0].data<bool>();
    program = taken ? branch->if_true.get() : branch->if_false.get();
    where = phrase("in the branch of [cond]{} that is taken when the predicate is {}", place_text(compound.location()),
                   taken);
    inputs.erase(inputs.begin());
    first = 1;
  }
  if (program == nullptr) {
    return std::nullopt;
  }
  context_.push_back(where);
  Level inner(program->description(), std::move(inputs), program->output_values());
  std::optional<Found> found = search_program(inner, *program, target);
  std::optional<Back> result;
  if (found) {
    if (!found->birth && found->leaf >= inner.given().size()) {
      found->birth = birth_of_leaf(inner, found->leaf, found->element);
      found->birth->context = context_;
    }
    result = outside(std::move(*found), level, node, first);
  }
  context_.pop_back();
  return result;
}

std::optional<Found> Search::search_program(Level& inner, const SubProgram& program,
                                            const std::optional<Target>& target) {
  if (!target) {
    return find_failure(inner);
  }
  inner.run(Stop::never);
  const Description::Value value = program.output_values()[target->output];
  if (!is_known(inner.elements(value)) || std::isfinite(inner.number({value, target->element}))) {
    return std::nullopt;
  }
  return walk(inner, {value, target->element});
}

Search::Back Search::outside(Found found, const Level& level, std::size_t node, std::size_t first_input) const {
  if (!found.birth) {
    return {std::nullopt, first_input + found.leaf, found.element};
  }
  if (found.birth->open) {
    const std::size_t leaf = *found.birth->open & ~Description::leaf_bit;
    found.birth->open.reset();
    extend_chain(*found.birth, level, level.graph().reads(node)[first_input + leaf]);
  }
  return {std::move(found.birth)};
}

}  // namespace xgrad::provenance
