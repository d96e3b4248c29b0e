#include "autograd/plan/plan.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <ostream>
#include <utility>
#include <vector>

#include "autograd/graph/operation.hpp"
#include "autograd/graph/variable_cell.hpp"
#include "autograd/ops/require_finite.hpp"
#include "autograd/plan/planner.hpp"
#include "autograd/plan/report/measure_scaling.hpp"
#include "autograd/plan/report/profiler.hpp"
#include "autograd/plan/report/report.hpp"
#include "autograd/plan/trace/traced_step.hpp"
#include "autograd/provenance/level.hpp"
#include "autograd/provenance/story.hpp"
#include "autograd/runtime/floating_mode.hpp"
#include "autograd/runtime/phrase.hpp"
#include "autograd/runtime/workers.hpp"

namespace xgrad {

using detail::CellAccess;

namespace {

void require_inputs(std::span<const Spec> traced, std::span<const Array> given) {
  if (given.size() != traced.size()) {
    raise<ValueError>(
        "plan", phrase("{} arguments for a function traced with {}; give one for each", given.size(), traced.size()));
  }
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (Spec{given[i].shape(), given[i].dtype()} == traced[i]) {
      continue;
    }
    const std::string message = phrase("argument {} is {}, the plan is for {}; ask for the plan of these arguments", i,
                                       to_string(Spec{given[i].shape(), given[i].dtype()}), to_string(traced[i]));
    if (given[i].shape() != traced[i].shape) {
      raise<ShapeError>("plan", message);
    }
    raise<DTypeError>("plan", message);
  }
}

std::vector<Array> arrays_of(std::span<const Tensor> tensors) {
  std::vector<Array> arrays;
  for (const Tensor& tensor : tensors) {
    arrays.push_back(tensor.array());
  }
  return arrays;
}

}  // namespace

struct Plan::State {
  std::vector<Spec> inputs;
  std::vector<Variable> variables;  // their contents are the arguments behind the inputs
  struct Update {
    std::size_t variable;
    std::source_location where;
  };
  std::vector<Update> updates;  // their new contents are the results behind the outputs
  std::size_t output_count = 0;
  std::shared_ptr<const plan::Executable> executable;

  /// What is kept for errors, where something has to be finite: the graph, to compute it again.
  struct Origin {
    Tensors roots;
    Description graph;
    std::vector<Description::Value> outputs;
    std::vector<std::string> names;  // of arguments and variables
    provenance::Stop stop;
  };
  std::optional<Origin> origin;

  /// What a run reads: \p given, and what variables hold.
  std::vector<Array> arguments_of(std::span<const Array> given) const {
    std::vector<Array> arguments(given.begin(), given.end());
    for (const Variable& variable : variables) {
      arguments.push_back(CellAccess::content(variable));
    }
    return arguments;
  }

  /// Throws \p error, which is being handled, with the story of the number. \param arguments that the run has read, and not
  /// written.
  [[noreturn]] void explain(const NotFiniteError& error, const std::vector<Array>& arguments) const {
    if (!origin || error.is_explained()) {
      throw;
    }
    provenance::raise_with_story(error, {origin->graph, origin->outputs, arguments, origin->names, inputs.size()},
                                 origin->stop);
  }
};

Plan::Plan(const TracedStep& step, const PlanOptions& options, std::vector<std::string> argument_names) {
  const auto state = std::make_shared<State>();
  Tensors arguments = step.inputs;
  Tensors results = step.outputs;
  std::vector<std::uint32_t> replaces(results.size(), plan::Draft::none);
  for (const Tensor& input : step.inputs) {
    state->inputs.push_back({input.shape(), input.dtype()});
  }
  for (const TracedStep::Cell& cell : step.cells) {
    if (cell.after.defined()) {
      state->updates.push_back({state->variables.size(), cell.after.node().location()});
      replaces.push_back(static_cast<std::uint32_t>(arguments.size()));
      results.push_back(cell.after);
    }
    state->variables.push_back(cell.variable);
    arguments.push_back(cell.before);
  }
  state->output_count = step.outputs.size();
  Tensors roots = step.effects;  // in front, so that they stand in program order
  roots.insert(roots.end(), results.begin(), results.end());
  Description description(roots, arguments);
  std::vector<Description::Value> outputs;
  for (const Tensor& result : results) {
    outputs.push_back(description.value_of(result));
  }
  state->executable = plan::make_executable(description, outputs, arguments.size(), std::move(replaces), options);
  if (options.check_finite || provenance::has_guards(description)) {
    const auto stop = options.check_finite ? provenance::Stop::at_checks : provenance::Stop::at_guards;
    state->origin.emplace(
        State::Origin{std::move(roots), std::move(description), std::move(outputs), std::move(argument_names), stop});
  }
  state_ = state;
}

std::size_t Plan::output_count() const { return state_->output_count; }

std::vector<Variable> Plan::assigned() const {
  std::vector<Variable> assigned;
  for (const State::Update& update : state_->updates) {
    assigned.push_back(state_->variables[update.variable]);
  }
  return assigned;
}

std::size_t Plan::peak_bytes() const { return state_->executable->peak_bytes(); }

std::vector<Array> Plan::run(std::span<const Array> inputs) const {
  std::vector<Array> outputs(output_count());
  run(inputs, outputs);
  return outputs;
}

void Plan::run(std::span<const Array> inputs, std::span<Array> outputs) const { run(inputs, outputs, nullptr); }

void Plan::run(std::span<const Array> inputs, std::span<Array> outputs, plan::Profiler* profiler) const {
  const State& state = *state_;
  require_inputs(state.inputs, inputs);
  plan::Run run(*state.executable);
  for (std::size_t i = 0; i < state.updates.size(); ++i) {
    if (CellAccess::is_exclusive(state.variables[state.updates[i].variable])) {
      run.may_overwrite(outputs.size() + i);
    }
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    run.argument(i) = inputs[i];
  }
  for (std::size_t i = 0; i < state.variables.size(); ++i) {
    run.argument(inputs.size() + i) = CellAccess::content(state.variables[i]);
  }
  run.prepare();
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    outputs[i] = run.result(i);
  }
  // Whatever takes memory comes before the run, which may write over what variables hold.
  std::vector<std::pair<const Variable*, Tensor>> contents;
  for (std::size_t i = 0; i < state.updates.size(); ++i) {
    const State::Update& update = state.updates[i];
    const Variable& variable = state.variables[update.variable];
    const Array result = run.result(outputs.size() + i);
    if (result.buffer() != run.argument(inputs.size() + update.variable).buffer()) {
      contents.emplace_back(&variable, CellAccess::new_content(variable, result, update.where));
    }
  }
  {
    const runtime::FloatingModeScope scope(state.updates.empty() ? runtime::floating_mode()
                                                                 : runtime::flushing_subnormals());
    try {
      run.execute(profiler);
    } catch (const NotFiniteError& error) {
      state.explain(error, state.arguments_of(inputs));
    }
  }
  for (auto& [variable, content] : contents) {
    CellAccess::put(*variable, std::move(content));
  }
}

std::string Plan::text() const { return plan::kernels_text(*state_->executable); }
std::string Plan::memory_map() const { return plan::memory_text(*state_->executable); }
std::string to_dot(const Plan& plan) {
  std::vector<std::string> arguments;
  for (std::size_t i = 0; i < plan.state_->inputs.size(); ++i) {
    arguments.push_back(phrase("argument {}", i));
  }
  for (const Variable& variable : plan.state_->variables) {
    arguments.push_back(variable.name().empty() ? "a variable" : variable.name());
  }
  return plan::dot_text(*plan.state_->executable, arguments);
}

std::ostream& operator<<(std::ostream& out, const Plan& plan) { return out << plan.text(); }

Profile Plan::profile(std::span<const Array> inputs, int repetitions) const {
  if (repetitions < 1) {
    raise<ValueError>("profile", phrase("the number of repetitions is {}; give 1 or more", repetitions));
  }
  plan::RecordingProfiler profiler;
  std::vector<Array> outputs(output_count());
  for (int i = 0; i < repetitions; ++i) {
    profiler.begin_run();
    run(inputs, outputs, &profiler);
    profiler.end_run();
  }
  Profile profile = profiler.finish(*state_->executable, runtime::num_threads());
  for (KernelTime& kernel : profile.kernels) {  // the last arguments are contents of variables
    const auto of_function = [&](std::uint32_t argument) { return argument < state_->inputs.size(); };
    const auto first = std::stable_partition(kernel.arguments.begin(), kernel.arguments.end(), of_function);
    for (auto at = first; at != kernel.arguments.end(); ++at) {
      kernel.variables.push_back(state_->variables[*at - state_->inputs.size()]);
    }
    kernel.arguments.erase(first, kernel.arguments.end());
  }
  return profile;
}

Profile Plan::profile(std::initializer_list<Tensor> inputs, int repetitions) const {
  return profile(arrays_of(inputs), repetitions);
}

ScalingReport Plan::scaling(std::span<const Array> inputs, int repetitions) const {
  if (repetitions < 1) {
    raise<ValueError>("scaling", phrase("the number of repetitions is {}; give 1 or more", repetitions));
  }
  require_inputs(state_->inputs, inputs);
  std::vector<Array> arguments = state_->arguments_of(inputs);
  for (std::size_t i = inputs.size(); i < arguments.size(); ++i) {
    Array copy(arguments[i].shape(), arguments[i].dtype());
    if (copy.bytes() > 0) {
      std::memcpy(copy.data(), std::as_const(arguments[i]).data(), copy.bytes());
    }
    arguments[i] = std::move(copy);
  }
  return plan::measure_scaling(
      *state_->executable, std::move(arguments), repetitions,
      [this](const NotFiniteError& error, const std::vector<Array>& read) { state_->explain(error, read); });
}

ScalingReport Plan::scaling(std::initializer_list<Tensor> inputs, int repetitions) const {
  return scaling(arrays_of(inputs), repetitions);
}

}  // namespace xgrad
