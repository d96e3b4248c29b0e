#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "autograd/formula/recorder.hpp"
#include "autograd/formula/scalar.hpp"

/// \file
/// How code over Scalars becomes a program.

namespace xgrad::detail {

/// Records what Scalars compute, on the thread and while it lives; constants are folded and neutral elements dropped.
class FormulaBuilder {
 public:
  FormulaBuilder();
  FormulaBuilder(const FormulaBuilder&) = delete;
  FormulaBuilder& operator=(const FormulaBuilder&) = delete;
  ~FormulaBuilder();

  Scalar add_input();
  Scalar emit(kernels::Opcode code, Scalar a, Scalar b = 0, Scalar c = 0);

  /// The same computation on other inputs: all values, by their numbers in the program.
  std::vector<Scalar> replay(const Program& program, const std::vector<Scalar>& inputs);

  /// factor * derivative.
  Scalar multiply(Scalar factor, Scalar derivative);
  /// The same, keeping exact zeros: the branch of a `where` whose derivative is 0 gives 0, whatever the factor is.
  Scalar scale(Scalar factor, Scalar derivative);

  /// The step that makes \p x; nothing when it is an input or a constant.
  std::optional<Program::Step> step_of(Scalar x) const;
  /// The number that \p x is, when it is a constant.
  std::optional<double> constant_of(Scalar x) const;
  /// The value of this builder with the given number, as the operands of steps are given.
  Scalar value(ProgramRecorder::Value id) const { return Scalar(number_, id); }
  /// The number of \p x in this builder.
  ProgramRecorder::Value id_of(Scalar x);
  /// What has been recorded.
  const ProgramRecorder& recorded() const { return recorder_; }

  /// The program that gives \p results. With \p used, inputs that do not contribute are left out and the others listed.
  Program finish(std::span<const Scalar> results, std::vector<std::uint32_t>* used = nullptr);

  /// The builder that records \p a, \p b or \p c; null when all are constants.
  /// \throws ValueError when one of them is part of another formula, perhaps one that is finished.
  static FormulaBuilder* of(Scalar a, Scalar b, Scalar c);

 private:
  std::optional<Scalar> simplify(kernels::Opcode code, Scalar a, Scalar b, Scalar c);
  std::optional<Scalar> simplify_where(Scalar condition, Scalar a, Scalar b);
  bool same(Scalar a, Scalar b) const;

  std::uint64_t number_;   // of all builders of the process
  FormulaBuilder* outer_;  // the one that this thread goes on with afterwards
  ProgramRecorder recorder_;
  bool floating_only_ = false;  // something was written for floating numbers that no step shows
};

}  // namespace xgrad::detail
