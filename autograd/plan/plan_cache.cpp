#include "autograd/plan/plan_cache.hpp"

#include <atomic>
#include <cstdint>
#include <optional>

#include "autograd/plan/planner.hpp"
#include "autograd/runtime/cache.hpp"
#include "autograd/runtime/hash.hpp"

namespace xgrad::plan {

namespace {

struct Planned {
  Structure structure;
  std::vector<std::uint32_t> replaces;
  std::shared_ptr<const Executable> plan;
};

// Plans by the hash of their structure. Structures are compared, and plans made, without a lock: users' operations may do
// anything meanwhile.
using Plans = runtime::Cache<std::uint64_t, std::shared_ptr<const Planned>>;
// How many plans were made of one graph with other attributes.
using Variants = runtime::Cache<std::uint64_t, std::shared_ptr<std::atomic<int>>>;

constexpr std::size_t most_plans = 256;
constexpr std::size_t most_graphs = 4096;
constexpr int most_variants = 16;            // beyond, the attributes seem to change every time
constexpr int variants_until_retry = 1024;   // they may have stopped
constexpr std::uint64_t most_of_a_hash = 4;  // structures that differ in what has no hash

// Never destroyed: static variables of the program may still compute.
Plans& plans() {
  static auto& instance = *new Plans(most_plans);
  return instance;
}

bool changes_every_time(const Structure& structure) {
  static auto& variants = *new Variants(most_graphs);
  const auto count =
      variants.find_or_make(structure.rough_hash(), [] { return std::make_shared<std::atomic<int>>(0); });
  return count->fetch_add(1, std::memory_order_relaxed) % variants_until_retry >= most_variants;
}

}  // namespace

namespace {

// Where the plan of a structure is, or would be.
struct Slot {
  std::optional<std::uint64_t> key;        // none: all places are taken
  std::shared_ptr<const Executable> plan;  // null: nowhere
};

Slot find(const Structure& structure, const std::vector<std::uint32_t>& replaces) {
  std::uint64_t key = structure.hash();
  for (const std::uint32_t argument : replaces) {
    key = runtime::combine_hashes(key, argument);
  }
  for (std::uint64_t i = 0; i < most_of_a_hash; ++i, key = runtime::combine_hashes(key, i)) {
    const auto known = plans().find(key);
    if (!known) {
      return {key, nullptr};
    }
    if ((*known)->replaces == replaces && structure.same_as((*known)->structure)) {
      return {key, (*known)->plan};
    }
  }
  return {std::nullopt, nullptr};
}

void keep(const Slot& slot, const Structure& structure, const std::vector<std::uint32_t>& replaces) {
  if (!slot.key) {
    return;
  }
  plans().insert(*slot.key, std::make_shared<const Planned>(Planned{structure.kept(), replaces, slot.plan}));
}

}  // namespace

std::shared_ptr<const Executable> find_plan(const Description& description, std::span<const Description::Value> outputs,
                                            const std::vector<std::uint32_t>& replaces) {
  const Structure structure(description, outputs, Structure::Known::as_given);
  Slot slot = find(structure, replaces);
  if (slot.plan == nullptr && structure.is_comparable() && !changes_every_time(structure)) {
    slot.plan = make_executable(description, outputs, description.leaves().size(), replaces, {});
    keep(slot, structure, replaces);
  }
  return slot.plan;
}

std::shared_ptr<const Executable> find_or_make_plan(const Structure& structure,
                                                    const std::function<std::shared_ptr<const Executable>()>& make) {
  Slot slot = find(structure, {});
  if (slot.plan == nullptr) {
    slot.plan = make();
    if (structure.is_comparable()) {
      keep(slot, structure, {});
    }
  }
  return slot.plan;
}

}  // namespace xgrad::plan
