#include <cmath>
#include <optional>

#include "autograd/ops/broadcast.hpp"
#include "autograd/ops/cast.hpp"
#include "autograd/plan/passes/joined_formula.hpp"
#include "autograd/plan/passes/passes.hpp"

/// \file
/// A map reads through what its kernel does on the way: broadcasts, conversions to its own type, single numbers.

namespace xgrad::plan {

namespace {

class Simplifier {
 public:
  explicit Simplifier(Draft& draft) : draft_(draft), producers_(find_producers(draft)) {}

  void simplify(Step& step) {
    JoinedFormula whole;
    std::vector<JoinedFormula::Number> numbers;
    for (const ValueId input : step.inputs) {
      const ValueId source = behind(input, step);
      const std::optional<double> number = single_number(source);
      numbers.push_back(number ? whole.constant(*number) : whole.input(source));
    }
    const std::vector<JoinedFormula::Number> all = whole.add(step.formula.program, numbers);
    std::vector<JoinedFormula::Number> results;
    for (const std::uint32_t result : step.formula.program.results) {
      results.push_back(all[result]);
    }
    std::tie(step.formula, step.inputs) = whole.finish(results, step.formula.compute);
  }

 private:
  const Step* producer(ValueId id) const {
    return producers_[id] == Draft::none ? nullptr : &draft_.steps[producers_[id]];
  }

  // The value that the map may read in the place of \p id.
  ValueId behind(ValueId id, const Step& map) {
    for (const Step* step = producer(id); step != nullptr && step->kind == operation_step; step = producer(id)) {
      const ValueId source = step->inputs.empty() ? id : step->inputs[0];
      const bool whole = draft_.values[id].whole == id;
      const bool broadcasts = step->operation->as<BroadcastTo>() != nullptr;
      if (broadcasts && whole && broadcasts_to(draft_.spec(source).shape, map.space)) {
        id = source;
      } else if (broadcasts && draft_.spec(source).shape.element_count() == 1) {
        id = draft_.add_alias(source, {Shape(), draft_.spec(source).dtype});
        producers_.push_back(producers_[source]);
      } else if (step->operation->as<Cast>() != nullptr && whole && draft_.spec(id).dtype == map.formula.compute &&
                 is_floating(map.formula.compute)) {
        id = source;
      } else {
        break;
      }
    }
    return id;
  }

  std::optional<double> single_number(ValueId id) const {
    const Array* array = draft_.constant(id);
    if (array == nullptr || draft_.spec(id).shape.element_count() != 1) {
      return std::nullopt;
    }
    return dispatch(array->dtype(), [&](auto zero) -> std::optional<double> {
      const auto element = *array->data<decltype(zero)>();
      constexpr double exact = 9007199254740992.0;  // 2^53: integers up to here are doubles
      const auto value = static_cast<double>(element);
      return std::is_integral_v<decltype(zero)> && std::abs(value) > exact ? std::nullopt : std::optional(value);
    });
  }

  Draft& draft_;
  std::vector<std::uint32_t> producers_;
};

}  // namespace

void simplify(Draft& draft) {
  Simplifier simplifier(draft);
  for (Step& step : draft.steps) {
    if (step.kind == map_step) {
      simplifier.simplify(step);
    }
  }
}

}  // namespace xgrad::plan
