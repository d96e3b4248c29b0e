#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "autograd/plan/passes/draft.hpp"

/// \file
/// Joining the formulas of several steps into one.

namespace xgrad::plan {

/// Collects formulas on values of the draft. Equal values, constants and steps are there once.
class JoinedFormula {
 public:
  /// A number on the way: an input, a constant or the result of a primitive.
  using Number = std::uint32_t;

  Number input(ValueId value);
  Number constant(double value);
  /// All numbers of \p formula, with \p inputs in the place of its inputs, in its own numbering.
  std::vector<Number> add(const FusedFormula& formula, std::span<const Number> inputs);

  /// The formula that gives \p results, and the values that it reads; what no result needs is left out.
  std::pair<FusedFormula, std::vector<ValueId>> finish(std::span<const Number> results, DType compute) const;

 private:
  enum class Kind : std::uint8_t { input, constant, step };
  struct Item {
    Kind kind;
    ValueId value = 0;
    double constant = 0;
    kernels::Opcode code{};
    Number a = 0, b = 0, c = 0;
  };
  Number append(const Item& item);

  std::vector<Item> items_;
  std::map<ValueId, Number> inputs_;
  std::map<std::uint64_t, Number> constants_;  // by their bits
  std::map<std::tuple<kernels::Opcode, Number, Number, Number>, Number> steps_;
};

}  // namespace xgrad::plan
