#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "autograd/formula/recorder.hpp"
#include "autograd/plan/steps/draft.hpp"

/// \file
/// Steps on small tensors as programs on the tensors' elements.

namespace xgrad::plan {

/// The type of the numbers that \p step computes or moves, where it can be a part of a program on single numbers.
std::optional<DType> scalar_dtype(const Draft& draft, const Step& step);

/// Which number each element of some values is, for as many programs as there are: a value is computed in one of them.
class ElementNumbers {
 public:
  explicit ElementNumbers(std::size_t value_count) : first_(value_count, Draft::none), program_(value_count) {}

  /// The numbers of all elements of \p memory, to be filled in.
  std::span<detail::ProgramRecorder::Value> add(ValueId memory, std::uint32_t program, std::size_t count);
  std::size_t size() const { return numbers_.size(); }  ///< of all values that have been added
  /// By its place among all that have been added.
  detail::ProgramRecorder::Value& operator[](std::size_t place) { return numbers_[place]; }
  /// From element \p index on; null where \p program does not compute the value.
  const detail::ProgramRecorder::Value* find(ValueId memory, std::uint32_t program, std::size_t index) const {
    return first_[memory] == Draft::none || program_[memory] != program ? nullptr
                                                                        : numbers_.data() + first_[memory] + index;
  }

 private:
  std::vector<std::uint32_t> first_;    // per value: of its numbers
  std::vector<std::uint32_t> program_;  // per value
  std::vector<detail::ProgramRecorder::Value> numbers_;
};

/// Grows step by step; elements that are only moved cost nothing.
class ScalarProgram {
 public:
  using Number = detail::ProgramRecorder::Value;

  /// \param name of this program in \p numbers. \param steps that will be added, about.
  ScalarProgram(const Draft& draft, ElementNumbers& numbers, std::uint32_t name, DType dtype, std::size_t steps)
      : draft_(draft), numbers_(numbers), name_(name), dtype_(dtype) {
    recorder_.reserve(steps);
  }

  /// Adds what \p step computes, in an order in which what it reads has been added or is computed elsewhere.
  void add(const Step& step);
  /// The program that gives all elements of \p outputs, as a step that is like \p last otherwise.
  Step finish(const std::vector<ValueId>& outputs, const Step& last) const;

 private:
  Number element(ValueId id, std::int64_t index);
  Number read(ValueId id, std::uint64_t index);
  void add_map(const Step& step);
  void add_moved(const Step& step, const Shape& shape, std::int64_t offset, const Ints& strides);
  void add_parts(const Step& step, std::int64_t axis);
  void add_sums_of_parts(const Step& step);
  void add_sums(const Step& step);
  std::span<Number> results(ValueId id);

  const Draft& draft_;
  ElementNumbers& numbers_;
  std::uint32_t name_;
  DType dtype_;
  detail::ProgramRecorder recorder_;
  struct Source {
    ValueId id;
    std::uint32_t index;
  };
  std::vector<Source> sources_;                             // per input of the program
  std::unordered_map<std::uint64_t, Number> known_inputs_;  // by memory and place in it
  std::vector<Number> operands_;                            // of one elementwise step
  std::vector<Number> values_;                              // of one element of it
};

}  // namespace xgrad::plan
