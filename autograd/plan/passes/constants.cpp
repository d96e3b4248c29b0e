#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "autograd/graph/operation.hpp"
#include "autograd/plan/passes/passes.hpp"
#include "autograd/runtime/hash.hpp"

/// \file
/// Constants, common subexpressions and dead code.

namespace xgrad::plan {

namespace {

/// Results of more bytes than this and than what they are computed from are left to the run: a plan should not carry
/// large arrays of zeros.
constexpr std::size_t small_bytes = 4096;

bool worth_folding(const Draft& draft, const Step& step) {
  std::size_t in = small_bytes;
  std::size_t out = 0;
  for (const ValueId input : step.inputs) {
    if (draft.constant(input) == nullptr) {
      return false;
    }
    in = std::max(in, draft.bytes(input));
  }
  for (const ValueId output : step.outputs) {
    out += draft.bytes(output);
  }
  return out <= in && step.total && step.effect.empty() && step.kind != Step::Kind::program;
}

void compute_now(Draft& draft, const Step& step) {
  std::vector<ConstView> in;
  std::vector<View> out;
  std::vector<Array> results;
  for (const ValueId input : step.inputs) {
    in.push_back({static_cast<const std::byte*>(draft.constant(input)->data()) + draft.values[input].offset,
                  &draft.values[input].spec});
  }
  for (const ValueId output : step.outputs) {
    results.emplace_back(draft.spec(output).shape, draft.spec(output).dtype);
  }
  for (std::size_t i = 0; i < results.size(); ++i) {
    out.push_back({results[i].data(), &draft.values[step.outputs[i]].spec});
  }
  step.operation->eval(in, out);
  for (std::size_t i = 0; i < results.size(); ++i) {
    Value& value = draft.values[step.outputs[i]];
    value.source = Value::Source::constant;
    value.number = static_cast<std::uint32_t>(draft.constants.size());
    draft.constants.push_back(results[i]);
  }
}

}  // namespace

void fold_constants(Draft& draft) {
  std::vector<Step> left;
  // An alias of what became a constant is one.
  const auto follow = [&](ValueId id) {
    Value& value = draft.values[id];
    const Value& memory = draft.values[value.memory];
    value.source = memory.source;
    value.number = memory.number;
  };
  for (Step& step : draft.steps) {
    std::for_each(step.inputs.begin(), step.inputs.end(), follow);
    if (worth_folding(draft, step)) {
      compute_now(draft, step);
    } else {
      left.push_back(std::move(step));
    }
  }
  draft.steps = std::move(left);
  std::for_each(draft.outputs.begin(), draft.outputs.end(), follow);
}

namespace {

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

// Constants of equal bits, aliases of equal shape: one value stands for all.
class Representatives {
 public:
  explicit Representatives(Draft& draft) : draft_(draft) {
    for (ValueId id = 0; id < draft.values.size(); ++id) {  // the first of equal constants stands for all
      if (draft.values[id].source == Value::Source::constant && draft.values[id].whole == id) {
        of(id);
      }
    }
  }

  ValueId of(ValueId id) {
    while (by_.size() < draft_.values.size()) {
      by_.push_back(static_cast<ValueId>(by_.size()));
    }
    if (by_[id] != id) {
      return by_[id];
    }
    const Value& value = draft_.values[id];
    if (value.whole != id) {
      return by_[id] = alias(id, of(value.whole));
    }
    if (value.source == Value::Source::constant && value.whole == id && draft_.bytes(id) <= small_bytes) {
      return by_[id] = same_constant(id);
    }
    return id;
  }
  void replace(ValueId id, ValueId other) {
    of(id);
    by_[id] = other;
  }

 private:
  ValueId alias(ValueId id, ValueId whole) {
    for (const ValueId known : aliases_[whole]) {
      if (draft_.spec(known) == draft_.spec(id) && draft_.values[known].offset == draft_.values[id].offset) {
        return known;
      }
    }
    move_to(id, whole);
    aliases_[whole].push_back(id);
    return id;
  }

  void move_to(ValueId id, ValueId whole) {
    draft_.values[id].whole = whole;
    draft_.values[id].memory = draft_.values[whole].memory;
  }

  ValueId same_constant(ValueId id) {
    const Array& array = *draft_.constant(id);
    for (const ValueId known : constants_) {
      if (draft_.spec(known) == draft_.spec(id) &&
          std::memcmp(draft_.constant(known)->data(), array.data(), array.bytes()) == 0) {
        return known;
      }
    }
    constants_.push_back(id);
    return id;
  }

  Draft& draft_;
  std::vector<ValueId> by_;
  std::unordered_map<ValueId, std::vector<ValueId>> aliases_;
  std::vector<ValueId> constants_;
};

}  // namespace

void merge_common(Draft& draft) {
  Representatives representatives(draft);
  std::unordered_map<std::uint64_t, std::vector<std::size_t>> known;
  std::vector<Step> left;
  for (Step& step : draft.steps) {
    for (ValueId& input : step.inputs) {
      input = representatives.of(input);
    }
    if (!step.effect.empty()) {
      left.push_back(std::move(step));
      continue;
    }
    auto& candidates = known[hash_of(step)];
    const auto same = std::find_if(candidates.begin(), candidates.end(),
                                   [&](std::size_t i) { return same_computation(left[i], step); });
    if (same == candidates.end()) {
      candidates.push_back(left.size());
      left.push_back(std::move(step));
    } else {
      for (std::size_t i = 0; i < step.outputs.size(); ++i) {
        representatives.replace(step.outputs[i], left[*same].outputs[i]);
      }
    }
  }
  draft.steps = std::move(left);
  for (ValueId& output : draft.outputs) {
    output = representatives.of(output);
  }
}

void remove_dead(Draft& draft) {
  std::vector<bool> needed(draft.values.size());
  const auto need = [&](ValueId id) {
    for (; !needed[id]; id = draft.values[id].whole) {
      needed[id] = true;
    }
  };
  for (const ValueId output : draft.outputs) {
    need(output);
  }
  std::vector<Step> left;
  for (std::size_t i = draft.steps.size(); i-- > 0;) {
    Step& step = draft.steps[i];
    const auto is_needed = [&](ValueId id) { return needed[id]; };
    if (step.kind == Step::Kind::check || !step.effect.empty() ||
        std::any_of(step.outputs.begin(), step.outputs.end(), is_needed)) {
      for (const ValueId input : step.inputs) {
        need(input);
      }
      left.push_back(std::move(step));
    }
  }
  std::reverse(left.begin(), left.end());
  draft.steps = std::move(left);
}

}  // namespace xgrad::plan
