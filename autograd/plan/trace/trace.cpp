#include "autograd/plan/trace/trace.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "autograd/graph/recognize.hpp"
#include "autograd/graph/substitute.hpp"
#include "autograd/graph/walks.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad::detail {

namespace {

/// Stands for an argument of a traced function.
struct Argument {
  static constexpr std::string_view name = "argument";
  std::int64_t number;
  Spec spec;
  static constexpr auto attributes = fields("number", &Argument::number, "", &Argument::spec);

  Spec infer(Inputs) const { return spec; }
  void eval(ConstViews, Views) const { raise_traced_value(); }
};

// What is captured has to have elements of its own that do not change.
void require_constant(const Node& node) {
  if (const VariableRead* variable = variable_of(node)) {
    raise<ValueError>("compile", phrase("the function uses what variable '{}' held before the function was traced; "
                                        "read the variable inside the function, or detach() what is constant",
                                        variable->variable));
  }
  if (node.scope() != nullptr && node.scope()->is_open()) {
    raise<ValueError>(
        "compile",
        "the function captures a tensor that belongs to a transformation such as grad or vmap; pass it to "
        "the compiled function as an argument");
  }
}

}  // namespace

Trace::Trace(std::span<const Spec> arguments, ProductPrecision products)
    : scope_(Scope::Elements::later), products_(products), first_(detail::placeholder({}, "compile", nullptr)) {
  for (const Spec& spec : arguments) {
    const auto number = static_cast<std::int64_t>(inputs_.size());
    inputs_.emplace_back(make_node(make_operation(Argument{number, spec}), Inputs(), {}, scope_.get().get()));
  }
}

Trace::Cell& Trace::cell_of(const Variable& variable) {
  const auto [entry, is_new] = numbers_.try_emplace(variable.id(), cells_.size());
  if (is_new) {
    const Tensor before =
        CellAccess::valueless_leaf(variable, CellAccess::leaf(variable).node().location(), scope_.get().get());
    const TracedStep::Cell traced{variable, before, Tensor()};
    cells_.push_back({traced, before, false});
  }
  return cells_[entry->second];
}

Tensor Trace::read(const Variable& variable) {
  Cell& cell = cell_of(variable);
  if (!cell.current.defined()) {
    cell.current = CellAccess::assigned(variable, cell.traced.after);
  }
  return cell.current;
}

void Trace::assign(const Variable& variable, const Tensor& value) {
  Cell& cell = cell_of(variable);
  cell.traced.after = value;
  cell.current = Tensor();
}

void Trace::made(const Variable& variable) { cell_of(variable).made_here = true; }

Tensors Trace::results() const {
  Tensors results = effects_;
  results.insert(results.end(), outputs_.begin(), outputs_.end());
  for (const Cell& cell : cells_) {
    if (cell.traced.after.defined()) {
      results.push_back(cell.traced.after);
    }
  }
  return results;
}

// The tensors that existed before the function was called, where the function's nodes use them.
Tensors Trace::from_outside() const {
  const auto is_older = [&](const Tensor& tensor) { return tensor.node().sequence() < first_.node().sequence(); };
  const Tensors roots = results();
  Tensors outside;
  std::copy_if(roots.begin(), roots.end(), std::back_inserter(outside), is_older);
  for (const Node* node : nodes_since(std::span(&first_, 1), roots).nodes) {
    if (is_placeholder(*node)) {
      raise<ValueError>("compile",
                        "a tensor of one sample of vmap, or another that stands for values given later, is assigned to "
                        "a variable or returned; return it from the transformed function instead");
    }
    std::copy_if(node->inputs().begin(), node->inputs().end(), std::back_inserter(outside), is_older);
  }
  return outside;
}

// A variable that is gone when the function returns begins with the same elements at every call, and is not assigned.
void Trace::make_locals_constant() {
  Tensors leaves;
  Tensors constants;
  std::erase_if(cells_, [&](const Cell& cell) {
    const bool is_local = cell.made_here && CellAccess::handle_count(cell.traced.variable) == 1;
    if (is_local) {
      leaves.push_back(cell.traced.before);
      constants.emplace_back(CellAccess::content(cell.traced.variable), cell.traced.before.node().location());
    }
    return is_local;
  });
  if (leaves.empty()) {
    return;
  }
  const Tensors remade = substitute_with_effects(results(), leaves, constants);
  std::size_t next = 0;
  for (Tensor& effect : effects_) {
    effect = remade[next++];
  }
  for (Tensor& output : outputs_) {
    output = remade[next++];
  }
  for (Cell& cell : cells_) {
    if (cell.traced.after.defined()) {
      cell.traced.after = remade[next++];
    }
  }
}

TracedStep Trace::finish(const Tensors& outputs) {
  if (!std::all_of(outputs.begin(), outputs.end(), [](const Tensor& output) { return output.defined(); })) {
    raise<ValueError>("compile", "the function returned an empty tensor; return tensors that were computed");
  }
  outputs_ = outputs;
  effects_ = scope()->take_effects();
  make_locals_constant();
  const Tensors outside = from_outside();
  for (const Tensor& tensor : outside) {
    require_constant(tensor.node());
  }
  for (const Node* node : unknown_nodes(outside).nodes) {
    for (const Tensor& input : node->inputs()) {
      require_constant(input.node());
    }
    require_constant(*node);
  }
  evaluate(outside);
  TracedStep step{inputs_, {}, outputs_, effects_};
  for (const Cell& cell : cells_) {
    step.cells.push_back(cell.traced);
  }
  return step;
}

}  // namespace xgrad::detail

namespace xgrad {

TracedStep trace_step(std::span<const Spec> arguments, const std::function<Tensors(const Tensors&)>& function,
                      ProductPrecision products) {
  detail::Trace trace(arguments, products);
  Tensors outputs;
  {
    const detail::RecorderScope scope(trace);
    outputs = function(trace.inputs());
  }
  return trace.finish(outputs);
}

}  // namespace xgrad
