#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "autograd/provenance/search.hpp"
#include "autograd/runtime/phrase.hpp"

/// \file
/// In which step of a loop a number was born.

namespace xgrad::provenance {

namespace {

// What is wrong with a carry after a step.
enum Wrong : unsigned { nothing = 0, has_infinite = 1, has_nan = 2 };

}  // namespace

/// Computes the steps again, one by one. Carries are not kept: where they are needed again, the steps before are computed
/// once more.
class Search::LoopSearch {
 public:
  LoopSearch(Search& search, const Level& outer, std::size_t node, const Loop& loop)
      : search_(search), outer_(outer), node_(node), loop_(loop), inputs_(outer.inputs_of(node)), steps_(loop.steps) {
    if (loop.counted) {
      steps_ = std::clamp<std::int64_t>(*inputs_.back().data<std::int64_t>(), 0, loop.steps);
    }
  }

  std::optional<Back> first_failure() {
    std::vector<Array> carries = first_carries();
    for (std::int64_t step = 0; step < steps_ && goes_on(carries); ++step) {
      Level level = level_of(step, carries);
      search_.context_.push_back(step_text(step));
      std::optional<Found> found = search_.find_failure(level);
      search_.context_.pop_back();
      if (found) {
        return leave(level, std::move(*found), step);
      }
      carries = next_carries(level);
      note(carries);
    }
    return std::nullopt;
  }

  std::optional<Back> from(const Target& target) {
    std::vector<Array> carries = first_carries();
    for (std::int64_t step = 0; step < steps_ && goes_on(carries); ++step) {
      Level level = level_of(step, carries);
      level.run(Stop::never);
      carries = next_carries(level);
      note(carries);
    }
    if (target.output < loop_.carry_count()) {
      return wrong_.empty() ? Back{std::nullopt, target.output, target.element}
                            : follow(static_cast<std::int64_t>(wrong_.size()) - 1, target.output, target.element);
    }
    const std::size_t output = target.output - loop_.first_result() + loop_.carry_count();
    const std::int64_t row = loop_.body->outputs()[output].size();
    const std::int64_t index = target.element / row;
    return follow(index_of(index), output, target.element % row);
  }

 private:
  std::vector<Array> first_carries() const {
    return {inputs_.begin(), inputs_.begin() + static_cast<std::ptrdiff_t>(loop_.carry_count())};
  }
  bool goes_on(const std::vector<Array>& carries) const { return !loop_.stops || *carries[0].data<bool>(); }
  std::int64_t index_of(std::int64_t step) const { return loop_.reverse ? steps_ - 1 - step : step; }
  std::string step_text(std::int64_t step) const {
    return phrase("in step {} of the loop{}", index_of(step), place_text(outer_.graph().nodes()[node_]->location()));
  }

  Level level_of(std::int64_t step, const std::vector<Array>& carries) const {
    Array index(Shape(), DType::int64);
    *index.data<std::int64_t>() = index_of(step);
    std::vector<Array> given{index};
    given.insert(given.end(), carries.begin(), carries.end());
    for (std::size_t i = loop_.carry_count(); i < loop_.carry_count() + loop_.slice_count(); ++i) {
      const Tensor& slice = loop_.body->inputs()[1 + i];
      Array row(slice.shape(), slice.dtype());
      const auto* all = static_cast<const std::byte*>(inputs_[i].data());
      std::memcpy(row.data(), all + row.bytes() * static_cast<std::size_t>(index_of(step)), row.bytes());
      given.push_back(row);
    }
    const std::size_t captured = loop_.carry_count() + loop_.slice_count();
    for (std::size_t i = 0; i < loop_.captured_count(); ++i) {
      given.push_back(inputs_[captured + i]);
    }
    return Level(loop_.body->description(), std::move(given), loop_.body->output_values());
  }
  std::vector<Array> next_carries(const Level& level) const {
    std::vector<Array> carries;
    for (std::size_t i = 0; i < loop_.carry_count(); ++i) {
      const Array& carry = level.elements(loop_.body->output_values()[i]);
      if (!is_known(carry)) {
        raise<ValueError>(Loop::name, "a carry comes from an effect, which does not happen again");
      }
      carries.push_back(carry.reshaped(loop_.body->outputs()[i].shape()));
    }
    return carries;
  }
  Level run_until(std::int64_t step) const {
    std::vector<Array> carries = first_carries();
    for (std::int64_t i = 0; i < step; ++i) {
      Level level = level_of(i, carries);
      level.run(Stop::never);
      carries = next_carries(level);
    }
    Level level = level_of(step, carries);
    level.run(Stop::never);
    return level;
  }

  void note(const std::vector<Array>& carries) {
    std::vector<unsigned> wrong;
    for (const Array& carry : carries) {
      const bool bad = first_not_finite(carry) >= 0;
      wrong.push_back(!bad ? nothing : first_not_finite(carry, true) >= 0 ? has_nan : has_infinite);
    }
    wrong_.push_back(std::move(wrong));
  }
  bool is_wrong(std::int64_t step, unsigned kind) const {
    const auto& carries = wrong_[static_cast<std::size_t>(step)];
    return std::any_of(carries.begin(), carries.end(), [&](unsigned wrong) { return wrong >= kind; });
  }

  // Back through the steps from an output of the program.
  std::optional<Back> follow(std::int64_t step, std::size_t output, std::int64_t element) {
    const std::int64_t last = step;
    Level level = run_until(step);
    if (output < loop_.carry_count()) {
      const bool nan = std::isnan(level.number({value_of(output), element}));
      const unsigned kind = nan ? has_nan : has_infinite;
      while (step > 0 && is_wrong(step - 1, kind)) {
        --step;
      }
      if (step < last) {  // the first step behind which a carry is so
        const auto& carries = wrong_[static_cast<std::size_t>(step)];
        if (carries[output] < kind) {
          const auto first = std::find_if(carries.begin(), carries.end(), [&](unsigned w) { return w >= kind; });
          output = static_cast<std::size_t>(first - carries.begin());
        }
        level = run_until(step);
        element = first_not_finite(level.elements(value_of(output)), nan);
      }
    }
    search_.context_.push_back(step_text(step));
    Found found = search_.walk(level, {value_of(output), element});
    search_.context_.pop_back();
    return leave(level, std::move(found), step);
  }

  Description::Value value_of(std::size_t output) const { return loop_.body->output_values()[output]; }

  // From a leaf of a step's program to an input of the loop, or to the step before.
  std::optional<Back> leave(const Level& level, Found found, std::int64_t step) {
    if (!found.birth && found.leaf >= level.given().size()) {
      found.birth = birth_of_leaf(level, found.leaf, found.element);
    }
    if (found.birth) {
      if (found.birth->open) {
        const std::size_t leaf = *found.birth->open & ~Description::leaf_bit;
        found.birth->open.reset();
        if (leaf > 0 && (step == 0 || leaf > loop_.carry_count())) {
          extend_chain(*found.birth, outer_, outer_.graph().reads(node_)[leaf - 1]);
        }
      }
      return Back{std::move(found.birth)};
    }
    const std::size_t input = found.leaf - 1;  // the index is finite
    if (input < loop_.carry_count() && step > 0) {
      return follow(step - 1, input, found.element);
    }
    const bool is_slice = input >= loop_.carry_count() && input < loop_.carry_count() + loop_.slice_count();
    const std::int64_t row = is_slice ? loop_.body->inputs()[1 + input].size() : 0;
    return Back{std::nullopt, input, found.element + row * index_of(step)};
  }

  Search& search_;
  const Level& outer_;
  std::size_t node_;
  const Loop& loop_;
  std::vector<Array> inputs_;
  std::int64_t steps_;
  std::vector<std::vector<unsigned>> wrong_;  // per step and carry
};

std::optional<Search::Back> Search::search_loop(const Level& level, std::size_t node, const Loop& loop,
                                                const std::optional<Target>& target) {
  LoopSearch steps(*this, level, node, loop);
  return target ? steps.from(*target) : steps.first_failure();
}

}  // namespace xgrad::provenance
