#pragma once

#include <cstdint>
#include <source_location>
#include <string_view>

#include "autograd/graph/operation.hpp"
#include "autograd/graph/subprogram.hpp"
#include "autograd/loops/body.hpp"

/// \file
/// The operation behind scan, fori and while_loop. Not installed.

namespace xgrad {

/// Runs a program again and again.
///
/// The program takes (index, carries..., slices..., captured...) and gives (carries..., results...). Inputs of the operation
/// are the first carries, the tensors that slices are taken from along axis 0, what is captured, and, when it is `counted`, the
/// number of steps. Outputs are the last carries, the number of steps when it `stops`, and the results of all steps, stacked on
/// axis 0.
///
/// Behind the results that somebody asked for stand those that derivatives may read: the carries before each step, and whatever
/// else the program computes. None of them costs anything unless it is read.
struct Loop {
  static constexpr std::string_view name = "loop";
  static constexpr bool skips_outputs = true;
  /// More steps than that are as good as no limit: nobody has memory for values of all of them.
  static constexpr std::int64_t most_bounded = std::int64_t{1} << 40;

  Ref<const SubProgram> body;
  std::int64_t steps = 0;          ///< how many; at the most, when it stops or is counted
  std::int64_t carries = 0;        ///< how many values go from step to step
  std::int64_t slices = 0;         ///< how many tensors have a slice for each step
  std::int64_t shown_results = 0;  ///< how many results were asked for
  bool reverse = false;            ///< from the last index to the first
  bool stops = false;              ///< it goes on while the first carry, a boolean, is true
  bool counted = false;            ///< the last input is the number of steps; results of the others are 0
  static constexpr auto attributes =
      fields("body", &Loop::body, "steps", &Loop::steps, "carries", &Loop::carries, "slices", &Loop::slices, "results",
             &Loop::shown_results, "reverse", &Loop::reverse, "stops", &Loop::stops, "counted", &Loop::counted);

  std::size_t carry_count() const { return static_cast<std::size_t>(carries); }
  std::size_t slice_count() const { return static_cast<std::size_t>(slices); }
  std::size_t result_count() const { return body->outputs().size() - carry_count(); }
  std::size_t captured_count() const { return body->inputs().size() - 1 - carry_count() - slice_count(); }
  bool is_bounded() const { return steps <= most_bounded; }
  std::size_t first_result() const { return carry_count() + (stops ? 1 : 0); }  ///< among the outputs

  std::size_t shown_outputs() const { return first_result() + static_cast<std::size_t>(shown_results); }
  bool total(Inputs) const { return body->is_total(); }
  std::string_view effect() const;
  Loop without_effect() const;
  Specs infer(Inputs in) const;
  void eval(ConstViews in, Views out) const;
  Tensors vjp(const Node& node, const Cotangents& ct) const;
  Tensors jvp(const Node& node, const Tangents& t) const;
  Tensors vmap(const Node& node, const BatchedInputs& in) const;
};

namespace detail {

/// Computes a loop: what eval does. \param out with null where an output is not wanted.
void run_loop(const Loop& loop, ConstViews in, Views out);

/// What goes into a loop, by what it is.
struct LoopInputs {
  Tensors init;      ///< the first carries
  Tensors xs;        ///< of each slice, all
  Tensors captured;  ///< what is the same in all steps
  Tensor count;      ///< the number of steps, where it is counted
};

/// What comes out of a loop.
struct LoopOutputs {
  Tensors carries;  ///< the last ones
  Tensors results;  ///< stacked, as many as were asked for
  Tensor count;     ///< how many steps there were, where it stops
};

/// A new loop. \param loop all but the results that derivatives may read, which are added, and what can be counted: carries,
/// slices and results.
LoopOutputs make_loop(Loop loop, LoopInputs inputs, std::source_location where);

/// The inputs of the node of a loop, by what they are.
LoopInputs inputs_of(const Loop& loop, std::span<const Tensor> inputs);

/// The inputs of a loop's program that stand for carries, slices and what is captured; without the index.
LoopInputs placeholders_of(const Loop& loop);

/// The inputs of a loop's program that depend on those flagged in some step: carries do when they come to.
/// \param differentiable only where a derivative can flow.
Flags after_all_steps(const Loop& loop, Flags inputs, bool differentiable);

}  // namespace detail

}  // namespace xgrad
