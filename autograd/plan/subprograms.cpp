#include "autograd/plan/subprograms.hpp"

#include <cstring>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "autograd/graph/operation.hpp"
#include "autograd/plan/plan_cache.hpp"
#include "autograd/plan/planner.hpp"
#include "autograd/plan/steps/loop_plan.hpp"
#include "autograd/plan/steps/step_kind.hpp"
#include "autograd/runtime/workers.hpp"

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

namespace {

class Planner final : public NestedPlanner {
 public:
  explicit Planner(const PlanOptions& options) : options_(options) {}

  std::shared_ptr<const NestedPlan> plan(const SubProgram& program) const override {
    const bool as_usual = options_.passes == Passes() && !options_.check_finite;
    return as_usual ? plan_of(program) : make_plan(program, options_);
  }

  std::shared_ptr<const NestedPlan> plan_part(const SubProgram& program, const std::vector<bool>& wanted,
                                              std::vector<std::uint32_t> replaces) const override {
    Tensors roots = program.effects();
    Tensors outputs;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (wanted[i]) {
        outputs.push_back(program.outputs()[i]);
      }
    }
    roots.insert(roots.end(), outputs.begin(), outputs.end());
    const Description description(roots, program.inputs());
    std::vector<Description::Value> values;
    for (const Tensor& output : outputs) {
      values.push_back(description.value_of(output));
    }
    return make_executable(description, values, program.inputs().size(), std::move(replaces), options_);
  }

 private:
  PlanOptions options_;
};

// The plans of a loop that is computed by itself, by what is wanted of it.
struct KnownPlans {
  std::mutex mutex;
  std::map<std::vector<bool>, std::shared_ptr<const LoopPlan>> plans;
};

// Loops of one program may differ in the number of their steps and other things that a plan holds.
std::vector<bool> key_of(const Loop& loop, std::vector<bool> wanted) {
  for (const bool flag : {loop.reverse, loop.stops, loop.counted}) {
    wanted.push_back(flag);
  }
  for (std::int64_t rest = loop.steps; rest > 0; rest /= 2) {
    wanted.push_back(rest % 2 == 1);
  }
  return wanted;
}

std::shared_ptr<const LoopPlan> loop_plan_of(const Loop& loop, const std::vector<bool>& wanted) {
  const auto attachment = loop.body->attachment([] { return std::make_shared<KnownPlans>(); });
  auto& known = const_cast<KnownPlans&>(*static_cast<const KnownPlans*>(attachment.get()));
  const std::vector<bool> key = key_of(loop, wanted);
  {
    const std::lock_guard lock(known.mutex);
    if (const auto found = known.plans.find(key); found != known.plans.end()) {
      return found->second;
    }
  }
  auto plan = std::make_shared<const LoopPlan>(loop, wanted, LoopPlan::plan_steps(loop, wanted, Planner({})));
  const std::lock_guard lock(known.mutex);
  return known.plans.emplace(key, std::move(plan)).first->second;
}

}  // namespace

void plan_programs(Draft& draft, const PlanOptions& options) {
  const Planner planner(options);
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
    if (result.bytes() > 0) {
      std::memcpy(out[i].data, result.data(), result.bytes());
    }
  }
}

void detail::run_loop(const Loop& loop, ConstViews in, Views out) {
  std::vector<void*> from;
  std::vector<void*> to;
  std::vector<bool> wanted;
  for (const ConstView& view : in) {
    from.push_back(const_cast<void*>(view.data));
  }
  for (const View& view : out) {
    to.push_back(view.data);
    wanted.push_back(view.data != nullptr);
  }
  const auto plan = plan::loop_plan_of(loop, wanted);
  const int threads = runtime::num_threads();
  const std::size_t scratch = plan->scratch_stride() * static_cast<std::size_t>(threads);
  const Array memory({static_cast<std::int64_t>(plan->memory_bytes() + scratch)}, DType::uint8);
  std::byte* start = memory.buffer()->data();
  plan->run(from.data(), to.data(), start, start + plan->memory_bytes(), threads);
}

}  // namespace xgrad
