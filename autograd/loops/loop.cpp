#include "autograd/loops/loop.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "autograd/graph/derivation.hpp"
#include "autograd/graph/lists.hpp"
#include "autograd/graph/substitute.hpp"
#include "autograd/loops/body.hpp"
#include "autograd/loops/hoist.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/transforms/chain_rule.hpp"
#include "autograd/transforms/rules.hpp"
#include "autograd/transforms/subprograms.hpp"

namespace xgrad {

std::string_view Loop::effect() const { return detail::effect_of(name, {body.get()}); }

Loop Loop::without_effect() const {
  Loop pure = *this;
  pure.body = detail::without_effects(*body);
  return pure;
}

Specs Loop::infer(Inputs) const {
  Specs specs;
  for (std::size_t i = 0; i < body->outputs().size(); ++i) {
    const Tensor& output = body->outputs()[i];
    if (stops && i == carry_count()) {
      specs.push_back({Shape(), DType::int64});
    }
    Shape shape = output.shape();
    if (i >= carry_count()) {
      shape.insert(0, steps);
    }
    specs.push_back({shape, output.dtype()});
  }
  if (stops && specs.size() == carry_count()) {
    specs.push_back({Shape(), DType::int64});
  }
  return specs;
}

void Loop::eval(ConstViews in, Views out) const { detail::run_loop(*this, in, out); }

namespace detail {

namespace {

// The program with results that derivatives may read behind its own.
Ref<const SubProgram> with_residuals(const Loop& loop) {
  const SubProgram& body = *loop.body;
  std::set<std::pair<const Node*, std::size_t>> known;
  Tensors outputs = body.outputs();
  for (std::size_t i = loop.carry_count(); i < outputs.size(); ++i) {
    known.emplace(&outputs[i].node(), outputs[i].output_index());
  }
  const auto add = [&](const Tensor& tensor) {
    if (known.emplace(&tensor.node(), tensor.output_index()).second) {
      outputs.push_back(tensor);
    }
  };
  const Tensors carries = part_of(body.inputs(), 1, loop.carry_count());
  std::for_each(carries.begin(), carries.end(), add);
  for (const Node* node : body.description().nodes()) {
    const Tensors computed = node->outputs();  // also those that a loop inside has for derivatives
    std::for_each(computed.begin(), computed.end(), add);
  }
  return Ref<const SubProgram>(new SubProgram(body.inputs(), outputs, body.effects()));
}

}  // namespace

LoopInputs inputs_of(const Loop& loop, std::span<const Tensor> inputs) {
  const std::size_t first_captured = loop.carry_count() + loop.slice_count();
  return {part_of(inputs, 0, loop.carry_count()), part_of(inputs, loop.carry_count(), loop.slice_count()),
          part_of(inputs, first_captured, loop.captured_count()), loop.counted ? inputs.back() : Tensor()};
}

LoopInputs placeholders_of(const Loop& loop) {
  return inputs_of({loop.body, loop.steps, loop.carries, loop.slices}, std::span(loop.body->inputs()).subspan(1));
}

Flags after_all_steps(const Loop& loop, Flags inputs, bool differentiable) {
  for (bool grows = true; grows;) {
    grows = false;
    const Flags outputs = depending_outputs(*loop.body, inputs, differentiable);
    for (std::size_t i = 0; i < loop.carry_count(); ++i) {
      if (outputs[i] && !inputs[1 + i]) {
        inputs[1 + i] = grows = true;
      }
    }
  }
  return inputs;
}

LoopOutputs make_loop(Loop loop, LoopInputs inputs, std::source_location where) {
  loop.carries = static_cast<std::int64_t>(inputs.init.size());
  loop.slices = static_cast<std::int64_t>(inputs.xs.size());
  loop.shown_results = static_cast<std::int64_t>(loop.result_count());
  loop.counted = inputs.count.defined();
  hoist_products(loop, inputs);
  if (loop.is_bounded()) {
    loop.body = with_residuals(loop);
  }
  Tensors all = inputs.init;
  append(all, inputs.xs);
  append(all, inputs.captured);
  if (loop.counted) {
    all.push_back(inputs.count);
  }
  const Tensors outputs = apply_op_all(loop, all, where);
  return {part_of(outputs, 0, loop.carry_count()),
          part_of(outputs, loop.first_result(), static_cast<std::size_t>(loop.shown_results)),
          loop.stops ? outputs[loop.carry_count()] : Tensor()};
}

namespace {

Tensor or_zeros(const Tensor& derivative, const Tensor& primal) {
  return derivative.defined() ? derivative : zero_derivative(primal);
}

}  // namespace

}  // namespace detail

// A loop over primals and tangents together. It gives the primals again: a tangent needs them step by step.
Tensors Loop::jvp(const Node& node, const Tangents& t) const {
  using namespace detail;
  Flags has{false};
  for (std::size_t i = 0; i + 1 < body->inputs().size(); ++i) {
    has.push_back(t[i].defined());
  }
  has = after_all_steps(*this, has, true);
  Tensors primals;
  Tensors tangents;
  Tensors placeholders(body->inputs().size());
  for (std::size_t i = 0; i < placeholders.size(); ++i) {
    const Tensor& primal = body->inputs()[i];
    if (has[i]) {
      placeholders[i] = placeholder_of_derivative(primal);
      primals.push_back(primal);
      tangents.push_back(placeholders[i]);
    }
  }
  // The results that are asked for, with tangents and without: effects are not among them, they happen once.
  const Tensors outputs = pure_outputs(*body);
  const Tensors found = [&] {
    const Derivation derivation;  // effects of rules happen in the steps of the loop that is made here
    return forward_mode(outputs, primals, tangents);
  }();
  const LoopInputs given = inputs_of(*this, node.inputs());
  LoopInputs inputs = given;
  Tensors more_carries, more_slices, more_captured, next_tangents, results;
  std::vector<std::size_t> tangent_of;
  for (std::size_t i = 0; i < carry_count(); ++i) {
    if (has[1 + i]) {
      inputs.init.push_back(or_zeros(t[i], given.init[i]));
      more_carries.push_back(placeholders[1 + i]);
      next_tangents.push_back(or_zeros(found[i], outputs[i]));
      tangent_of.push_back(i);
    }
  }
  for (std::size_t i = carry_count(); i + 1 < body->inputs().size(); ++i) {
    if (has[1 + i]) {
      const bool is_slice = i < carry_count() + slice_count();
      (is_slice ? inputs.xs : inputs.captured).push_back(t[i]);
      (is_slice ? more_slices : more_captured).push_back(placeholders[1 + i]);
    }
  }
  for (std::size_t i = 0; i < result_count(); ++i) {
    const Tensor& tangent = found[carry_count() + i];
    if (tangent.defined() && t.needed(first_result() + i)) {
      results.push_back(tangent);
      tangent_of.push_back(first_result() + i);
    }
  }
  const LoopInputs old = placeholders_of(*this);
  Tensors program_inputs{body->inputs()[0]};
  for (const auto& part : {old.init, more_carries, old.xs, more_slices, old.captured, more_captured}) {
    append(program_inputs, part);
  }
  Tensors program_outputs = part_of(outputs, 0, carry_count());
  append(program_outputs, next_tangents);
  append(program_outputs, results);
  Loop both = *this;
  both.body = Ref<const SubProgram>(new SubProgram(program_inputs, program_outputs));
  const LoopOutputs made = make_loop(both, inputs, node.location());
  Tensors tangents_out = part_of(made.carries, carry_count(), next_tangents.size());
  append(tangents_out, made.results);
  Tensors all(node.output_count());
  for (std::size_t i = 0; i < tangent_of.size(); ++i) {
    all[tangent_of[i]] = tangents_out[i];
  }
  return all;
}

}  // namespace xgrad
