#include <algorithm>
#include <cstring>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "autograd/graph/operation.hpp"
#include "autograd/plan/passes/passes.hpp"
#include "autograd/runtime/hash.hpp"

/// \file
/// Common subexpressions.

namespace xgrad::plan {

namespace {

constexpr std::size_t most_compared_bytes = 4096;  // of constants whose elements are compared

std::uint64_t hash_of(const Step& step) {
  std::uint64_t hash = step.operation->hash();
  for (const ValueId input : step.inputs) {
    hash = runtime::combine_hashes(hash, input);
  }
  return hash;
}

bool same_computation(const Step& a, const Step& b) {
  return a.kind == b.kind && a.inputs == b.inputs && same_operation(*a.operation, *b.operation);
}

using Table = std::unordered_multimap<std::uint64_t, std::uint32_t>;  // numbers of steps or values, by hashes

// The first in the table that is the same; else \p number, which is added.
template <class Same>
std::uint32_t first_of(Table& table, std::uint64_t hash, std::uint32_t number, const Same& same) {
  const auto [first, last] = table.equal_range(hash);
  const auto found = std::find_if(first, last, [&](const auto& entry) { return same(entry.second); });
  return found == last ? table.emplace(hash, number)->second : found->second;
}

// Constants of equal bits, aliases of equal shape: one value stands for all.
class Representatives {
 public:
  explicit Representatives(Draft& draft) : draft_(draft), of_(draft.values.size(), Draft::none) {
    for (ValueId id = 0; id < draft.values.size(); ++id) {  // the first of equal constants stands for all
      if (draft.values[id].source == Value::Source::constant && draft.values[id].whole == id) {
        of(id);
      }
    }
  }

  ValueId of(ValueId id) {
    if (of_[id] == Draft::none) {
      const Value& value = draft_.values[id];
      of_[id] = value.whole != id                                                                    ? alias(id)
                : value.source == Value::Source::constant && draft_.bytes(id) <= most_compared_bytes ? constant(id)
                                                                                                     : id;
    }
    return of_[id];
  }
  void replace(ValueId id, ValueId other) { of_[id] = other; }

 private:
  ValueId alias(ValueId id) {
    Value& value = draft_.values[id];
    value.whole = of(value.whole);
    value.memory = draft_.values[value.whole].memory;
    const std::uint64_t place = runtime::combine_hashes(value.whole, static_cast<std::uint64_t>(value.offset));
    return first_of(aliases_, hash_spec(value.spec, place), id, [&](ValueId known) {
      const Value& other = draft_.values[known];
      return other.spec == value.spec && other.whole == value.whole && other.offset == value.offset;
    });
  }

  ValueId constant(ValueId id) {
    const Array& array = *draft_.constant(id);
    const std::string_view bits(static_cast<const char*>(array.data()), array.bytes());
    return first_of(constants_, hash_spec(draft_.spec(id), runtime::hash_text(bits)), id, [&](ValueId known) {
      return draft_.spec(known) == draft_.spec(id) &&
             std::memcmp(draft_.constant(known)->data(), array.data(), array.bytes()) == 0;
    });
  }

  static std::uint64_t hash_spec(const Spec& spec, std::uint64_t hash) {
    for (const std::int64_t size : spec.shape) {
      hash = runtime::combine_hashes(hash, static_cast<std::uint64_t>(size));
    }
    return runtime::combine_hashes(hash, static_cast<std::uint64_t>(spec.dtype));
  }

  Draft& draft_;
  std::vector<ValueId> of_;
  Table aliases_;
  Table constants_;
};

}  // namespace

void merge_common(Draft& draft) {
  Representatives representatives(draft);
  Table known;
  known.reserve(draft.steps.size());
  std::uint32_t kept = 0;  // those before this number are where they will be
  keep_steps(draft, [&](std::uint32_t number) {
    Step& step = draft.steps[number];
    for (ValueId& input : step.inputs) {
      input = representatives.of(input);
    }
    std::uint32_t same = kept;
    if (step.effect.empty()) {
      same = first_of(known, hash_of(step), kept,
                      [&](std::uint32_t other) { return same_computation(draft.steps[other], step); });
    }
    if (same == kept) {
      ++kept;
      return true;
    }
    for (std::size_t i = 0; i < step.outputs.size(); ++i) {
      representatives.replace(step.outputs[i], draft.steps[same].outputs[i]);
    }
    return false;
  });
  for (ValueId& output : draft.outputs) {
    output = representatives.of(output);
  }
}

}  // namespace xgrad::plan
