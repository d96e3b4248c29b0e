#include "autograd/plan/planner.hpp"

#include <string_view>
#include <utility>

#include "autograd/plan/passes/passes.hpp"
#include "autograd/plan/subprograms.hpp"

namespace xgrad::plan {

namespace {

struct Pass {
  std::string_view name;
  void (*run)(Draft& draft);
  bool wanted;
};

}  // namespace

std::shared_ptr<const Executable> make_executable(const Description& description,
                                                  std::span<const Description::Value> outputs,
                                                  std::size_t argument_count, std::vector<std::uint32_t> replaces,
                                                  const PlanOptions& options) {
  const Passes& passes = options.passes;
  const bool joins = !options.check_finite;  // the operation at fault is to be named alone
  const Pass order[] = {
      {"constants", fold_constants, passes.constants},
      {"common", merge_common, passes.common},
      {"dead code", remove_dead, true},
      {"scalars", join_scalars, passes.scalars && joins},
      {"simplification", simplify, passes.simplification},
      {"dead code", remove_dead, true},
      {"slabs", cut_products, passes.slabs && joins},
      {"fusion", fuse_formulas, passes.fusion && joins},
      {"accumulation", accumulate_products, passes.accumulation && joins},
      {"checks", add_checks, options.check_finite},
      {"renumbering", renumber, true},
  };
  Draft draft = import_graph(description, outputs, argument_count);
  if (!replaces.empty()) {
    draft.replaces = std::move(replaces);
  }
  for (const Pass& pass : order) {
    if (pass.wanted) {
      pass.run(draft);
      if (options.verify) {
        verify(draft, pass.name);
      }
    }
  }
  plan_programs(draft, options);
  Schedule schedule = make_schedule(draft, passes.in_place);
  MemoryPlan memory = plan_memory(draft, schedule, passes.reuse);
  return std::make_shared<const Executable>(std::move(draft), std::move(schedule), std::move(memory));
}

}  // namespace xgrad::plan
