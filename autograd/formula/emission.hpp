#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "autograd/formula/builder.hpp"
#include "autograd/formula/terms.hpp"

/// \file
/// Sums of products as steps again.

namespace xgrad::detail {

/// Writes terms in the order of what they are made of. A quotient of powers is a power of quotients, which overflows no
/// sooner than the result.
class Emitter {
 public:
  /// Refers to both.
  Emitter(FormulaBuilder& builder, Products& products) : builder_(builder), products_(products) {}

  Scalar emit(Terms terms);
  /// How many terms have been written so far.
  std::size_t work() const { return work_; }

 private:
  Scalar emit(Powers product, double size);
  Products::Number common_inputs(const Terms& terms);
  std::uint64_t inputs_behind(ProgramRecorder::Value value);

  FormulaBuilder& builder_;
  Products& products_;
  std::vector<std::uint64_t> inputs_behind_;  // per step: one bit an input; all from the 64th on share one
  std::size_t work_ = 0;
};

}  // namespace xgrad::detail
