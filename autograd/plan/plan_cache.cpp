#include "autograd/plan/plan_cache.hpp"

#include <algorithm>
#include <list>
#include <mutex>
#include <unordered_map>

#include "autograd/graph/variable_cell.hpp"
#include "autograd/graph/visitors.hpp"
#include "autograd/plan/planner.hpp"
#include "autograd/runtime/hash.hpp"

namespace xgrad::plan {

namespace {

constexpr std::uint32_t leaf_bit = 1U << 31;

}  // namespace

Structure::Structure(const TopologicalOrder& order, const std::vector<bool>& wanted) {
  NodeNumbers leaf_nodes;
  std::vector<std::uint32_t> first_leaf;
  const auto leaf_number = [&](const Tensor& tensor) {
    if (leaf_nodes.insert(&tensor.node())) {
      first_leaf.push_back(static_cast<std::uint32_t>(leaves_.size()));
      for (std::size_t i = 0; i < tensor.node().output_count(); ++i) {
        leaves_.push_back(tensor.node().output(i));
        kinds_.push_back({tensor.node().spec(i), detail::variable_of(tensor.node()) != nullptr});
      }
    }
    return first_leaf[leaf_nodes.find(&tensor.node())] + static_cast<std::uint32_t>(tensor.output_index());
  };
  for (std::size_t i = 0; i < order.nodes.size(); ++i) {
    const Node& node = *order.nodes[i];
    words_.push_back(static_cast<std::uint32_t>(node.inputs().size() << 1) | (wanted[i] ? 1U : 0U));
    for (const Tensor& input : node.inputs()) {
      const std::uint32_t number = order.numbers.find(&input.node());
      if (number == NodeNumbers::none) {
        words_.push_back(leaf_bit | leaf_number(input));
      } else {
        words_.push_back(number);
        words_.push_back(static_cast<std::uint32_t>(input.output_index()));
      }
    }
    hash_ = runtime::combine_hashes(hash_, node.operation().hash());
    rough_hash_ = runtime::combine_hashes(rough_hash_, runtime::hash_text(node.name()));
  }
  std::uint64_t rest = 0;
  for (const std::uint32_t word : words_) {
    rest = runtime::combine_hashes(rest, word);
  }
  for (const LeafKind& kind : kinds_) {
    rest = runtime::combine_hashes(rest, static_cast<std::size_t>(kind.spec.dtype) * 2 + kind.variable);
    for (const std::int64_t size : kind.spec.shape) {
      rest = runtime::combine_hashes(rest, static_cast<std::size_t>(size));
    }
  }
  hash_ = runtime::combine_hashes(hash_, rest);
  rough_hash_ = runtime::combine_hashes(rough_hash_, rest);
}

void Structure::forget_leaves() { leaves_.clear(); }

bool Structure::fits(const Structure& kept, std::span<const Ref<const AnyOperation>> operations,
                     const TopologicalOrder& order) const {
  return words_ == kept.words_ && kinds_ == kept.kinds_ &&
         std::equal(order.nodes.begin(), order.nodes.end(), operations.begin(), operations.end(),
                    [](const Node* node, const Ref<const AnyOperation>& other) {
                      return same_operation(node->operation(), *other);
                    });
}

namespace {

/// The plans used last. Operations are compared and plans made without the lock: users' operations may do anything meanwhile.
class PlanCache {
 public:
  std::shared_ptr<const Executable> find(const Structure& structure, const TopologicalOrder& order,
                                         const std::vector<bool>& wanted) {
    if (const std::shared_ptr<const Entry> known = used_last(structure.hash());
        known != nullptr && structure.fits(known->structure, known->operations, order)) {
      return known->plan;
    }
    if (changes_every_time(structure)) {
      return nullptr;
    }
    const std::shared_ptr<const Entry> made = make(structure, order, wanted);
    if (made == nullptr) {
      return nullptr;
    }
    keep(made);
    return made->plan;
  }

 private:
  struct Entry {
    Structure structure;
    std::vector<Ref<const AnyOperation>> operations;
    std::shared_ptr<const Executable> plan;
  };
  using Entries = std::list<std::shared_ptr<const Entry>>;

  static constexpr std::size_t most_plans = 256;
  static constexpr int most_variants =
      16;  // of one graph with other attributes: beyond, they seem to change every time

  std::shared_ptr<const Entry> used_last(std::uint64_t hash) {
    const std::lock_guard lock(mutex_);
    const auto found = by_hash_.find(hash);
    if (found == by_hash_.end()) {
      return nullptr;
    }
    entries_.splice(entries_.begin(), entries_, found->second);
    return *found->second;
  }

  bool changes_every_time(const Structure& structure) {
    const std::lock_guard lock(mutex_);
    return ++variants_[structure.rough_hash()] > most_variants;
  }

  static std::shared_ptr<const Entry> make(const Structure& structure, const TopologicalOrder& order,
                                           const std::vector<bool>& wanted) {
    std::vector<Ref<const AnyOperation>> operations;
    Tensors outputs;
    for (std::size_t i = 0; i < order.nodes.size(); ++i) {
      const Node& node = *order.nodes[i];
      if (!detail::is_comparable(node.operation())) {
        return nullptr;
      }
      operations.push_back(node.operation_ref());
      for (std::size_t k = 0; wanted[i] && k < node.output_count(); ++k) {
        outputs.push_back(node.output(k));
      }
    }
    auto plan = make_executable(order, outputs, structure.leaves(), {}, {});
    auto entry = std::make_shared<Entry>(Entry{structure, std::move(operations), std::move(plan)});
    entry->structure.forget_leaves();
    return entry;
  }

  void keep(const std::shared_ptr<const Entry>& entry) {
    const std::lock_guard lock(mutex_);
    const std::uint64_t hash = entry->structure.hash();
    if (const auto found = by_hash_.find(hash); found != by_hash_.end()) {
      entries_.erase(found->second);  // of equal hash, or another thread was faster
    }
    entries_.push_front(entry);
    by_hash_[hash] = entries_.begin();
    if (entries_.size() > most_plans) {
      by_hash_.erase(entries_.back()->structure.hash());
      entries_.pop_back();
      if (variants_.size() > 16 * most_plans) {
        variants_.clear();
      }
    }
  }

  std::mutex mutex_;
  Entries entries_;  // the one used last in front
  std::unordered_map<std::uint64_t, Entries::iterator> by_hash_;
  std::unordered_map<std::uint64_t, int> variants_;
};

/// Never destroyed: static variables of the program may still compute.
PlanCache& cache() {
  static auto& instance = *new PlanCache;
  return instance;
}

}  // namespace

std::shared_ptr<const Executable> find_plan(const Structure& structure, const TopologicalOrder& order,
                                            const std::vector<bool>& wanted) {
  return cache().find(structure, order, wanted);
}

}  // namespace xgrad::plan
