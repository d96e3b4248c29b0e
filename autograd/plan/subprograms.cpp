#include "autograd/plan/subprograms.hpp"

#include <cstring>
#include <vector>

#include "autograd/graph/operation.hpp"
#include "autograd/plan/plan_cache.hpp"
#include "autograd/plan/planner.hpp"
#include "autograd/plan/steps/step_kind.hpp"

namespace xgrad {

namespace plan {

namespace {

std::shared_ptr<const Executable> make_plan(const SubProgram& program, const PlanOptions& options) {
  return make_executable(program.description(), program.output_values(), program.inputs().size(), {}, options);
}

}  // namespace

std::shared_ptr<const Executable> plan_of(const SubProgram& program) {
  return std::static_pointer_cast<const Executable>(program.attachment([&]() -> std::shared_ptr<const void> {
    return find_or_make_plan(program.structure(), [&] { return make_plan(program, {}); });
  }));
}

void plan_programs(Draft& draft, const PlanOptions& options) {
  const bool as_usual = options.passes == Passes() && !options.check_finite;
  const auto planner = [&](const SubProgram& program) {
    return as_usual ? plan_of(program) : make_plan(program, options);
  };
  for (Step& step : draft.steps) {
    step.kind->plan_nested(draft, step, planner);
  }
}

}  // namespace plan

void run(const SubProgram& program, ConstViews in, Views out) {
  plan::Run run(*plan::plan_of(program));
  for (std::size_t i = 0; i < in.size(); ++i) {
    const auto bytes = static_cast<std::size_t>(in[i].size()) * size_of(in[i].dtype());
    run.argument(i) =
        Array(Buffer::adopt(const_cast<void*>(in[i].data), bytes, nullptr, [](void*) {}), in[i].shape(), in[i].dtype());
  }
  run.prepare();
  run.execute();
  for (std::size_t i = 0; i < out.size(); ++i) {
    const Array result = run.result(i);
    std::memcpy(out[i].data, result.data(), result.bytes());
  }
}

}  // namespace xgrad
