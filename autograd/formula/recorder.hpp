#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "autograd/formula/program.hpp"

/// \file
/// How programs grow.

namespace xgrad::detail {

/// Records values; equal constants and equal steps are there once.
class ProgramRecorder {
 public:
  /// A recorded value: its kind, and its number among those of its kind. In order, inputs come before constants and both
  /// before steps, which come in the order in which they were recorded.
  using Value = std::uint32_t;

  static bool is_input(Value value) { return value < first_constant; }
  static bool is_constant(Value value) { return value >= first_constant && value < first_step; }
  static bool is_step(Value value) { return value >= first_step; }

  /// \throws ValueError when there are more than can be numbered, as the next two.
  Value add_input();
  Value constant(double number);
  Value step(kernels::Opcode code, std::array<Value, 3> operands);

  /// Makes room for \p steps in all.
  void reserve(std::size_t steps);

  std::size_t step_count() const { return steps_.size(); }
  /// The step at a position, and the value that is the step's; operands are recorded values.
  const Program::Step& step_at(std::size_t position) const { return steps_[position]; }
  static Value value_of_step(std::size_t position) { return first_step + static_cast<Value>(position); }
  static std::size_t position_of(Value step) { return step - first_step; }
  double number_of(Value constant) const { return constants_[constant - first_constant]; }

  /// Records the steps of \p program with \p inputs in place of its inputs. \return all values, by their numbers there.
  std::vector<Value> replay(const Program& program, std::span<const Value> inputs);
  /// The same, into \p values.
  void replay(const Program& program, std::span<const Value> inputs, std::vector<Value>& values);

  /// The program that gives \p results; what they do not need is left out, inputs too when they are to be listed.
  Program finish(std::span<const Value> results, std::vector<std::uint32_t>* used_inputs = nullptr) const;

 private:
  static constexpr Value first_constant = Value{1} << 30;
  static constexpr Value first_step = Value{1} << 31;

  struct StepHash {
    std::size_t operator()(const Program::Step& step) const;
  };

  Value input_count_ = 0;
  std::vector<double> constants_;
  std::vector<Program::Step> steps_;
  std::unordered_map<std::uint64_t, Value> known_constants_;  // by their bits, so that -0 and 0 differ and NaN is found
  std::unordered_map<Program::Step, Value, StepHash> known_steps_;
};

}  // namespace xgrad::detail
