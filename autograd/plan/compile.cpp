#include "autograd/plan/compile.hpp"

#include <algorithm>

#include "autograd/graph/recognize.hpp"
#include "autograd/graph/structure.hpp"
#include "autograd/graph/subprogram.hpp"
#include "autograd/plan/trace/trace.hpp"
#include "autograd/runtime/cache.hpp"
#include "autograd/runtime/hash.hpp"

namespace xgrad::detail {

namespace {

/// A result of a compiled function: elements without history.
struct CompiledResult {
  static constexpr std::string_view name = "compiled";
  static constexpr bool stops_gradient = true;
  std::string function;
  Spec spec;
  static constexpr auto attributes = fields("name", &CompiledResult::function, "", &CompiledResult::spec);

  Spec infer(Inputs) const { return spec; }
};

// What plans are kept by: the kinds of the arguments.
using Kinds = std::vector<Spec>;

struct SameKinds {
  bool operator()(const Kinds& kinds, std::span<const Tensor> tensors) const {
    return std::equal(kinds.begin(), kinds.end(), tensors.begin(), tensors.end(),
                      [](const Spec& spec, const Tensor& tensor) {
                        return spec.dtype == tensor.dtype() && spec.shape == tensor.shape();
                      });
  }
  bool operator()(const Kinds& a, const Kinds& b) const { return a == b; }
};

struct HashOfKinds {
  std::size_t operator()(const Kinds& kinds) const {
    return hash(kinds, [](const Spec& spec) { return spec; });
  }
  std::size_t operator()(std::span<const Tensor> tensors) const {
    return hash(tensors, [](const Tensor& tensor) { return Spec{tensor.shape(), tensor.dtype()}; });
  }

 private:
  template <class List, class SpecOf>
  static std::size_t hash(const List& list, const SpecOf& spec_of) {
    std::uint64_t result = 0;
    for (const auto& each : list) {
      const Spec spec = spec_of(each);
      result = runtime::combine_hashes(result, static_cast<std::uint64_t>(spec.dtype));
      for (const std::int64_t size : spec.shape) {
        result = runtime::combine_hashes(result, static_cast<std::uint64_t>(size));
      }
    }
    return result;
  }
};

Kinds kinds_of(std::span<const Tensor> tensors) {
  Kinds kinds;
  for (const Tensor& tensor : tensors) {
    kinds.push_back({tensor.shape(), tensor.dtype()});
  }
  return kinds;
}

// What a call of the function does.
struct Traced {
  TracedStep step;
  std::vector<std::size_t> lengths;  // of the lists that it returns
};

Traced trace_call(std::span<const Tensor> arguments, const Callee& callee, const CompileOptions& options) {
  std::vector<std::size_t> lengths;
  TracedStep step = trace_step(
      kinds_of(arguments),
      [&](const Tensors& inputs) {
        const Results results = callee(inputs);
        lengths = results.lengths;
        Tensors outputs;
        for (std::size_t i = 0; i < results.tensors.size(); ++i) {
          outputs.push_back(results.tensors[i]);
        }
        return outputs;
      },
      options.products);
  return {std::move(step), std::move(lengths)};
}

// The function as it runs by itself.
struct Planned {
  Plan plan;
  std::vector<std::size_t> lengths;
  std::vector<Ref<const AnyOperation>> results;  // what the results come from, for all calls

  Planned(const Traced& traced, const CompileOptions& options)
      : plan(traced.step, options.plan, options.argument_names), lengths(traced.lengths) {
    for (const Tensor& output : traced.step.outputs) {
      results.push_back(make_operation(CompiledResult{options.name, {output.shape(), output.dtype()}}));
    }
  }
};

// The function as a part of others: a program of the arguments and of what its variables held before.
struct Inlined {
  Ref<const SubProgram> program;  // gives what the function returns, then the new contents of variables; null: unknown
  std::vector<Variable> read;
  std::vector<Variable> assigned;
  std::vector<std::size_t> lengths;

  Inlined() = default;
  explicit Inlined(Traced traced) : lengths(std::move(traced.lengths)) {
    Tensors inputs = traced.step.inputs;
    Tensors outputs = traced.step.outputs;
    for (const TracedStep::Cell& cell : traced.step.cells) {
      inputs.push_back(cell.before);
      read.push_back(cell.variable);
      if (cell.after.defined()) {
        outputs.push_back(cell.after);
        assigned.push_back(cell.variable);
      }
    }
    program = Ref<const SubProgram>(new SubProgram(inputs, outputs, traced.step.effects));
  }

  Results operator()(std::span<const Tensor> arguments) const {
    Tensors inputs(arguments.begin(), arguments.end());
    for (const Variable& variable : read) {
      inputs.push_back(variable.read());
    }
    const Tensors outputs = program->call(inputs);
    const std::size_t returned = outputs.size() - assigned.size();
    std::vector<Assignment> updates;
    for (std::size_t i = 0; i < assigned.size(); ++i) {
      updates.emplace_back(assigned[i], outputs[returned + i]);
    }
    assign(updates);
    Results results{{}, lengths};
    for (std::size_t i = 0; i < returned; ++i) {
      results.tensors.push_back(outputs[i]);
    }
    return results;
  }
};

// Of functions that are called with ever new shapes, the plans used last are kept.
constexpr std::size_t most_plans = 256;

}  // namespace

bool is_compiled_result(const Node& node) { return node.as<CompiledResult>() != nullptr; }

struct CompiledFunction::State {
  CompileOptions options;
  std::source_location where;
  runtime::Cache<Kinds, std::shared_ptr<const Planned>, HashOfKinds, SameKinds> plans{most_plans};
  runtime::Cache<Kinds, std::shared_ptr<const Inlined>, HashOfKinds, SameKinds> inlined{most_plans};

  // Threads that need the same plan at the same time may all make it: nothing is locked while the function is traced.
  std::shared_ptr<const Planned> plan_for(std::span<const Tensor> arguments, const Callee& callee) {
    if (const auto known = plans.find(arguments)) {
      return *known;
    }
    const auto planned = std::make_shared<const Planned>(trace_call(arguments, callee, options), options);
    return plans.insert(kinds_of(arguments), planned);
  }

  // Where it cannot be traced, for example because it captures a tensor of a transformation around, it has no program.
  std::shared_ptr<const Inlined> program_for(std::span<const Tensor> arguments, const Callee& callee) {
    if (const auto known = inlined.find(arguments)) {
      return *known;
    }
    auto made = std::make_shared<const Inlined>();
    try {
      made = std::make_shared<const Inlined>(trace_call(arguments, callee, options));
    } catch (const Error&) {
    }
    return inlined.insert(kinds_of(arguments), made);
  }
};

CompiledFunction::CompiledFunction(const CompileOptions& options, const std::source_location& where)
    : state_(new State{options, where}) {}

Results CompiledFunction::operator()(std::span<const Tensor> arguments, const Callee& callee) const {
  if (current_recorder() != nullptr || std::any_of(arguments.begin(), arguments.end(), belongs_to_open_scope)) {
    const auto inlined = state_->program_for(arguments, callee);
    return inlined->program ? (*inlined)(arguments) : callee(arguments);
  }
  return located(state_->where, [&] {
    const std::shared_ptr<const Planned> planned = state_->plan_for(arguments, callee);
    evaluate(arguments);
    const FixedVector<Array, 4> inputs(arguments.size(), [&](std::size_t i) { return arguments[i].array(); });
    FixedVector<Array, 4> outputs(planned->plan.output_count(), [](std::size_t) { return Array(); });
    Results results{{}, planned->lengths};
    for (const Ref<const AnyOperation>& result : planned->results) {
      results.tensors.push_back(Tensor(make_node(result, Inputs(), state_->where)));
    }
    planned->plan.run(inputs.span(), outputs.span());  // the last that may fail, for it changes variables
    for (std::size_t i = 0; i < results.tensors.size(); ++i) {
      results.tensors[i].node().keep_value(0, outputs.span()[i]);
    }
    return results;
  });
}

Plan CompiledFunction::plan(std::span<const Tensor> arguments, const Callee& callee) const {
  return located(state_->where, [&] { return state_->plan_for(arguments, callee)->plan; });
}

TracedStep CompiledFunction::trace(std::span<const Tensor> arguments, const Callee& callee) const {
  return located(state_->where, [&] { return trace_call(arguments, callee, state_->options).step; });
}

Outline CompiledFunction::outline(std::span<const Tensor> arguments, const Callee& callee) const {
  return located(state_->where, [&] {
    const TracedStep step = trace_call(arguments, callee, state_->options).step;
    Outline result;
    Tensors given = step.inputs;
    Tensors computed = step.outputs;
    computed.insert(computed.end(), step.effects.begin(), step.effects.end());
    for (const TracedStep::Cell& cell : step.cells) {
      given.push_back(cell.before);
      if (cell.after.defined()) {
        computed.push_back(cell.after);
        result.assigned.push_back(cell.variable);
      }
    }
    result.hash = structure_hash(computed, given);
    return result;
  });
}

std::size_t CompiledFunction::trace_count() const { return state_->plans.size(); }

const std::source_location& CompiledFunction::where() const { return state_->where; }

}  // namespace xgrad::detail
