#include "autograd/loops/body.hpp"

#include <algorithm>
#include <utility>

#include "autograd/graph/lists.hpp"
#include "autograd/graph/operation.hpp"
#include "autograd/graph/substitute.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad::detail {

namespace {}  // namespace

std::vector<Spec> specs_of(std::span<const Tensor> tensors) {
  std::vector<Spec> specs;
  for (const Tensor& tensor : tensors) {
    specs.push_back({tensor.shape(), tensor.dtype()});
  }
  return specs;
}

Body::Body(std::string_view op, std::span<const Spec> arguments)
    : op_(op), scope_(Scope::Elements::later), begin_(0), outside_(current_recorder()) {
  for (const Spec& spec : arguments) {
    arguments_.push_back(placeholder(spec, op_, scope_.get().get()));
  }
  begin_ = Node::next();
}

Tensor Body::read(const Variable& variable) {
  return outside_ == nullptr ? CellAccess::leaf(variable) : outside_->read(variable);
}

void Body::assign(const Variable& variable, const Tensor&) {
  raise<ValueError>(op_,
                    phrase("variable '{}' is assigned in a function that is part of the graph, which runs many times "
                           "or not at all; return the new value, and assign it outside",
                           variable.name()));
}

void Body::made(const Variable& variable) {
  if (outside_ != nullptr) {
    outside_->made(variable);
  }
}

ProductPrecision Body::products() const {
  return outside_ == nullptr ? ProductPrecision::float32 : outside_->products();
}

void Body::finish(const Tensors& outputs, Invariants invariants) {
  if (!std::all_of(outputs.begin(), outputs.end(), [](const Tensor& output) { return output.defined(); })) {
    raise<ValueError>(op_, "the function returned an empty tensor; return tensors that were computed");
  }
  outputs_ = outputs;
  effects_ = scope()->take_effects();
  scope()->close();
  captured_ = find_captured(joined(effects_, outputs_), arguments_, begin_, invariants).tensors;
}

Ref<const SubProgram> Body::program(const Tensors& captured) const {
  Tensors inputs;
  for (const Tensor& tensor : captured) {
    inputs.push_back(placeholder({tensor.shape(), tensor.dtype()}, op_, nullptr));
  }
  const Tensors roots = substitute_with_effects(joined(effects_, outputs_), captured, inputs);
  const auto middle = roots.begin() + static_cast<std::ptrdiff_t>(effects_.size());
  return Ref<const SubProgram>(
      new SubProgram(joined(arguments_, inputs), Tensors(middle, roots.end()), Tensors(roots.begin(), middle)));
}

Ref<const SubProgram> Body::closed_program(const Tensors& outputs) {
  effects_ = scope()->take_effects();
  scope()->close();
  return Ref<const SubProgram>(new SubProgram(arguments_, outputs, effects_));
}

std::string_view effect_of(std::string_view op, std::initializer_list<const SubProgram*> programs) {
  std::string_view effect;
  for (const SubProgram* program : programs) {
    for (const std::string_view kind : program->effect_kinds()) {
      if (!effect.empty() && kind != effect) {
        raise<ValueError>(op,
                          phrase("there are effects of two kinds, '{}' and '{}', whose order is not kept; leave it at "
                                 "effects of one kind",
                                 effect, kind));
      }
      effect = kind;
    }
  }
  return effect;
}

namespace {

// Flags of all values of a program: those of leaves, then those of nodes.
class ValueFlags {
 public:
  explicit ValueFlags(const Description& description)
      : leaves_(description.leaves().size()), values_(description.value_count()) {}

  std::vector<bool>::reference operator[](Description::Value value) {
    return (value & Description::leaf_bit) != 0 ? leaves_[value & ~Description::leaf_bit] : values_[value];
  }

 private:
  std::vector<bool> leaves_;
  std::vector<bool> values_;
};

}  // namespace

// The inputs of a program are the first leaves of its description.
Flags depending_outputs(const SubProgram& program, const Flags& inputs, bool differentiable) {
  const Description& description = program.description();
  ValueFlags flags(description);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    flags[static_cast<Description::Value>(i) | Description::leaf_bit] =
        inputs[i] && (!differentiable || is_real(program.inputs()[i].dtype()));
  }
  for (std::size_t i = 0; i < description.nodes().size(); ++i) {
    const Node& node = *description.nodes()[i];
    const auto reads = description.reads(i);
    if ((differentiable && node.operation().traits().stops_gradient) ||
        std::none_of(reads.begin(), reads.end(), [&](auto value) -> bool { return flags[value]; })) {
      continue;
    }
    for (std::size_t k = 0; k < node.output_count(); ++k) {
      flags[description.first_value(i) + static_cast<Description::Value>(k)] =
          !differentiable || is_real(node.spec(k).dtype);
    }
  }
  Flags outputs;
  for (const Description::Value value : program.output_values()) {
    outputs.push_back(flags[value]);
  }
  return outputs;
}

Flags reached_inputs(const SubProgram& program, const Flags& outputs) {
  const Description& description = program.description();
  ValueFlags flags(description);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i] && is_real(program.outputs()[i].dtype())) {
      flags[program.output_values()[i]] = true;
    }
  }
  for (std::size_t i = description.nodes().size(); i-- > 0;) {
    const Node& node = *description.nodes()[i];
    bool any = false;
    for (std::size_t k = 0; k < node.output_count(); ++k) {
      any = any || flags[description.first_value(i) + static_cast<Description::Value>(k)];
    }
    if (!any || node.operation().traits().stops_gradient) {
      continue;
    }
    for (std::size_t k = 0; k < node.inputs().size(); ++k) {
      if (is_real(node.input(k).dtype())) {
        flags[description.reads(i)[k]] = true;
      }
    }
  }
  Flags inputs;
  for (std::size_t i = 0; i < program.inputs().size(); ++i) {
    inputs.push_back(flags[static_cast<Description::Value>(i) | Description::leaf_bit]);
  }
  return inputs;
}

}  // namespace xgrad::detail
