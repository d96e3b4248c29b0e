#include "autograd/plan/compile.hpp"

#include <algorithm>
#include <mutex>

#include "autograd/graph/recognize.hpp"
#include "autograd/plan/trace/trace.hpp"

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

// The function, traced for one kind of arguments.
struct Traced {
  std::vector<Spec> arguments;
  Plan plan;
  std::vector<std::size_t> lengths;  // of the lists that it returns

  bool fits(std::span<const Tensor> given) const {
    return std::equal(arguments.begin(), arguments.end(), given.begin(), given.end(),
                      [](const Spec& spec, const Tensor& tensor) {
                        return spec.dtype == tensor.dtype() && spec.shape == tensor.shape();
                      });
  }
};

std::shared_ptr<const Traced> trace(std::span<const Tensor> arguments, const Callee& callee,
                                    const PlanOptions& options) {
  std::vector<Spec> specs;
  for (const Tensor& argument : arguments) {
    specs.push_back({argument.shape(), argument.dtype()});
  }
  Trace trace(specs);
  const Results results = [&] {
    const RecorderScope scope(trace);
    return callee(trace.inputs());
  }();
  Tensors outputs;
  for (std::size_t i = 0; i < results.tensors.size(); ++i) {
    outputs.push_back(results.tensors[i]);
  }
  return std::make_shared<const Traced>(Traced{specs, Plan(trace.finish(outputs), options), results.lengths});
}

}  // namespace

bool is_compiled_result(const Node& node) { return node.as<CompiledResult>() != nullptr; }

struct CompiledFunction::State {
  CompileOptions options;
  std::source_location where;
  std::mutex mutex;  // held while the function is traced: threads that need the same trace wait for it
  std::vector<std::shared_ptr<const Traced>> traced;

  std::shared_ptr<const Traced> traced_for(std::span<const Tensor> arguments, const Callee& callee) {
    const std::lock_guard lock(mutex);
    for (const auto& candidate : traced) {
      if (candidate->fits(arguments)) {
        return candidate;
      }
    }
    return traced.emplace_back(trace(arguments, callee, options.plan));
  }
};

CompiledFunction::CompiledFunction(CompileOptions options, const std::source_location& where)
    : state_(new State{std::move(options), where, {}, {}}) {}

Results CompiledFunction::operator()(std::span<const Tensor> arguments, const Callee& callee) const {
  if (current_recorder() != nullptr || std::any_of(arguments.begin(), arguments.end(), belongs_to_open_scope)) {
    return callee(arguments);
  }
  return located(state_->where, [&] {
    const std::shared_ptr<const Traced> traced = state_->traced_for(arguments, callee);
    evaluate(arguments);
    const FixedVector<Array, 4> inputs(arguments.size(), [&](std::size_t i) { return arguments[i].array(); });
    FixedVector<Array, 4> outputs(traced->plan.output_count(), [](std::size_t) { return Array(); });
    traced->plan.run(inputs.span(), outputs.span());
    Results results{{}, traced->lengths};
    for (const Array& output : outputs.span()) {
      const Spec spec{output.shape(), output.dtype()};
      results.tensors.push_back(leaf(CompiledResult{state_->options.name, spec}, output, state_->where));
    }
    return results;
  });
}

Plan CompiledFunction::plan(std::span<const Tensor> arguments, const Callee& callee) const {
  return located(state_->where, [&] { return state_->traced_for(arguments, callee)->plan; });
}

std::size_t CompiledFunction::trace_count() const {
  const std::lock_guard lock(state_->mutex);
  return state_->traced.size();
}

const std::source_location& CompiledFunction::where() const { return state_->where; }

}  // namespace xgrad::detail
