#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/array/ref.hpp"
#include "autograd/graph/description.hpp"
#include "autograd/graph/spec.hpp"
#include "autograd/graph/structure.hpp"

/// \file
/// Functions as data: what operations that run other operations have as an attribute.

namespace xgrad {

/// A traced function, closed over what it uses: everything that its outputs depend on is an input, a constant or an operation
/// inside. Two are equal when their structures are. Immutable and shared.
class SubProgram final : public RefCounted {
 public:
  /// \param inputs placeholders. \param outputs what is computed from them. \param effects nodes, computed from them, that do
  /// something to the world, in program order.
  SubProgram(Tensors inputs, Tensors outputs, Tensors effects = {});

  const Tensors& inputs() const { return inputs_; }                ///< what stands for the arguments
  const Tensors& outputs() const { return outputs_; }              ///< what it gives
  const Tensors& effects() const { return effects_; }              ///< what it does beside that
  const Description& description() const { return description_; }  ///< of effects and outputs; inputs are given
  const Structure& structure() const { return structure_; }        ///< what it computes, for comparing
  /// The outputs, as values of the description.
  std::span<const Description::Value> output_values() const { return output_values_; }
  bool is_total() const { return total_; }  ///< running it never throws
  /// Which kinds of effects its operations have, in no order.
  const std::vector<std::string_view>& effect_kinds() const { return effect_kinds_; }

  /// The outputs on other inputs, as nodes. Effects do not happen: see substitute.
  Tensors apply(const Tensors& inputs) const;
  /// The same; effects happen.
  Tensors call(const Tensors& inputs) const;

  /// What others keep with it: made at the first call; of calls at one time, that of one is kept.
  std::shared_ptr<const void> attachment(const std::function<std::shared_ptr<const void>()>& make) const;

 private:
  ~SubProgram() = default;
  friend void drop_reference(const SubProgram* program);

  Tensors inputs_;
  Tensors outputs_;
  Tensors effects_;
  Description description_;
  std::vector<Description::Value> output_values_;
  Structure structure_;
  bool total_;
  std::vector<std::string_view> effect_kinds_;
  mutable std::shared_ptr<const void> attachment_;
};

/// For Ref<const SubProgram>: one more handle.
inline void add_reference(const SubProgram* program) { program->retain(); }
/// For Ref<const SubProgram>: one handle less; the last one destroys it.
void drop_reference(const SubProgram* program);

/// A sub-program, and what the function used from outside beside its arguments: the inputs behind those of the arguments.
struct Closure {
  Ref<const SubProgram> program;  ///< of (arguments..., captured...)
  Tensors captured;               ///< in the order of their inputs
};

/// The function that gave \p outputs when it was called with \p arguments, tensors of nodes that were made for this call.
/// What the call made belongs to it; older tensors, contents of variables and large constants are captured. Effects that
/// happened during the call are left out.
/// \param begin what Node::next() was before the call.
/// \return nothing when the outputs need no node that the call made.
std::optional<Closure> close(const Tensors& outputs, const Tensors& arguments, std::uint64_t begin);

/// A program among the attributes of an operation.
struct NamedProgram {
  std::string name;           ///< of the attribute; empty where it follows from others
  const SubProgram* program;  ///< lives as long as the operation
};

/// The programs among the attributes of \p operation, such as what a loop does in each step.
std::vector<NamedProgram> programs_of(const AnyOperation& operation);

/// Computes the outputs of \p program.
void run(const SubProgram& program, ConstViews in, Views out);

}  // namespace xgrad
