#include "autograd/plan/schedule/memory.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "autograd/plan/schedule/packing.hpp"
#include "autograd/plan/steps/step_kind.hpp"
#include "autograd/runtime/pool.hpp"

namespace xgrad::plan {

namespace {

class MemoryPlanner {
 public:
  MemoryPlanner(const Draft& draft, const Schedule& schedule, bool reuse)
      : draft_(draft),
        schedule_(schedule),
        reuse_(reuse),
        uses_(draft.values.size()),
        request_of_(draft.values.size()) {
    plan_.places.resize(draft.values.size());
  }

  MemoryPlan run() {
    for (ValueId id = 0; id < draft_.values.size(); ++id) {
      const Value& value = draft_.values[id];
      if (value.memory == id && value.source != Value::Source::computed) {
        const bool given = value.source == Value::Source::argument;
        plan_.places[id] = {given ? Place::Room::argument : Place::Room::constant, value.number, 0, 0};
      }
    }
    place_outputs();
    collect_uses();
    place_in_scratch();
    place_in_arena();
    return std::move(plan_);
  }

 private:
  struct Uses {
    std::uint32_t writer = Draft::none;  // step
    std::uint32_t first = Draft::none;   // phase
    std::uint32_t last = 0;
    bool in_one_group = true;  // written and read block by block
    bool may_be_skipped = false;
  };

  bool is_open(ValueId id) const {
    return uses_[id].writer != Draft::none && !uses_[id].may_be_skipped && plan_.places[id].room == Place::Room::none;
  }

  void place_outputs() {
    for (std::size_t i = 0; i < draft_.outputs.size(); ++i) {
      const ValueId id = draft_.values[draft_.outputs[i]].memory;
      if (plan_.places[id].room == Place::Room::none) {
        plan_.places[id] = {Place::Room::output, static_cast<std::uint32_t>(plan_.outputs.size()), 0, 0};
        plan_.outputs.push_back(
            {id, static_cast<std::uint32_t>(i), schedule_.in_place[i] ? draft_.replaces[i] : Draft::none});
      }
    }
  }

  void collect_uses() {
    for (std::uint32_t i = 0; i < draft_.steps.size(); ++i) {
      const Step& step = draft_.steps[i];
      for (const auto& nested : step.nested) {
        plan_.scratch_bytes = std::max(plan_.scratch_bytes, nested->scratch_stride());
      }
      const std::uint32_t group = schedule_.group_of[i];
      const std::uint32_t phase = schedule_.phase_of[group];
      for (std::size_t k = 0; k < step.outputs.size(); ++k) {
        Uses& uses = uses_[step.outputs[k]];
        uses.writer = i;
        uses.may_be_skipped = step.kind->skips_output(step, k);
        uses.first = std::min(uses.first, phase);
        uses.last = std::max(uses.last, phase);
        uses.in_one_group = uses.in_one_group && schedule_.groups[group].slabs == 1 && rows_of(draft_, step) > 1;
      }
      for (std::size_t k = 0; k < step.inputs.size(); ++k) {
        const Value& value = draft_.values[step.inputs[k]];
        Uses& uses = uses_[value.memory];
        uses.last = std::max(uses.last, phase);
        uses.may_be_skipped = false;
        const bool same_group = uses.writer != Draft::none && schedule_.group_of[uses.writer] == group;
        uses.in_one_group = uses.in_one_group && same_group && step.kind->reads_rows(draft_, step, k);
      }
    }
  }

  void place_in_scratch() {
    for (std::uint32_t number = 0; number < schedule_.groups.size(); ++number) {
      const Group& group = schedule_.groups[number];
      std::vector<Request> requests;
      for (std::uint32_t k = 0; k < group.steps.size(); ++k) {
        const Step& step = draft_.steps[group.steps[k]];
        for (const ValueId output : step.outputs) {
          if (is_open(output) && uses_[output].in_one_group && group.pieces() > 1) {
            const std::size_t row = draft_.bytes(output) / static_cast<std::size_t>(group.rows);
            request_of_[output] = static_cast<std::uint32_t>(requests.size());
            requests.push_back(
                {output,
                 runtime::aligned(row * static_cast<std::size_t>(std::min(group.block * group.span, group.rows))), k,
                 k});
          }
        }
        for (const ValueId input : step.inputs) {
          const std::uint32_t request = request_of_[draft_.values[input].memory];
          if (request < requests.size() && requests[request].value == draft_.values[input].memory) {
            requests[request].last = k;
          }
        }
      }
      plan_.scratch_bytes = std::max(plan_.scratch_bytes, pack(requests, reuse_));
      for (const Request& request : requests) {
        const std::size_t row = draft_.bytes(request.value) / static_cast<std::size_t>(group.rows);
        plan_.places[request.value] = {Place::Room::scratch, 0, static_cast<std::int64_t>(request.offset),
                                       static_cast<std::int64_t>(row)};
        plan_.unshared_bytes += draft_.bytes(request.value);
      }
    }
  }

  void place_in_arena() {
    std::vector<Request> requests;
    for (ValueId id = 0; id < draft_.values.size(); ++id) {
      if (is_open(id)) {
        requests.push_back({id, runtime::aligned(draft_.bytes(id)), uses_[id].first, uses_[id].last});
        plan_.unshared_bytes += draft_.bytes(id);
      }
    }
    plan_.arena_bytes = pack(requests, reuse_);
    for (const Request& request : requests) {
      plan_.places[request.value] = {Place::Room::arena, 0, static_cast<std::int64_t>(request.offset), 0};
      plan_.lifetimes.push_back({request.value, request.first, request.last});
    }
  }

  const Draft& draft_;
  const Schedule& schedule_;
  bool reuse_;
  std::vector<Uses> uses_;                 // per value with memory of its own
  std::vector<std::uint32_t> request_of_;  // per value: its number among the requests of its group
  MemoryPlan plan_;
};

}  // namespace

MemoryPlan plan_memory(const Draft& draft, const Schedule& schedule, bool reuse) {
  return MemoryPlanner(draft, schedule, reuse).run();
}

}  // namespace xgrad::plan
