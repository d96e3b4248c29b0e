#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "autograd/graph/operation.hpp"
#include "autograd/graph/subprogram.hpp"

/// \file
/// The operations behind cond. Not installed.

namespace xgrad {

/// Runs one of two programs: the first where input 0, a boolean of shape (), is true, else the second. Both take the other
/// inputs and give results of the same kinds.
struct Branch {
  static constexpr std::string_view name = "cond";
  Ref<const SubProgram> if_true;
  Ref<const SubProgram> if_false;
  static constexpr auto attributes = fields("if_true", &Branch::if_true, "if_false", &Branch::if_false);

  bool total(Inputs) const { return if_true->is_total() && if_false->is_total(); }
  std::string_view effect() const;
  Branch without_effect() const;
  Specs infer(Inputs in) const;
  void eval(ConstViews in, Views out) const;
  Tensors vjp(const Node& node, const Cotangents& ct) const;
  Tensors jvp(const Node& node, const Tangents& t) const;
  Tensors vmap(const Node& node, const BatchedInputs& in) const;
};

/// For each of many samples the result of one of two programs: input 0 are booleans, one per sample. Both programs run for all
/// samples. So do their derivatives, and the choice is made among the cotangents: what is infinite or NaN in the branch that a
/// sample does not take never meets it, as it would by a product with 0.
struct EachBranch {
  static constexpr std::string_view name = "cond_each";
  Ref<const SubProgram> if_true;   ///< of one sample
  Ref<const SubProgram> if_false;  ///< of one sample
  std::vector<int> batched;        ///< per input behind the first: 1 where it has an axis of samples, else 0
  std::int64_t size;               ///< number of samples
  Ref<const SubProgram> chosen;    ///< what is computed: of all samples
  static constexpr auto attributes =
      fields("if_true", &EachBranch::if_true, "if_false", &EachBranch::if_false, "batched", &EachBranch::batched,
             "size", &EachBranch::size, "", &EachBranch::chosen);

  const SubProgram& program() const { return *chosen; }
  bool total(Inputs) const { return chosen->is_total(); }
  Specs infer(Inputs in) const;
  Tensors vjp(const Node& node, const Cotangents& ct) const;
  Tensors jvp(const Node& node, const Tangents& t) const;
  Tensors vmap(const Node& node, const BatchedInputs& in) const;

 private:
  std::vector<bool> flags_of_inputs() const;
};

namespace detail {

/// For each sample what \p if_true or \p if_false gives of \p inputs, as chosen by \p which, booleans (size,); samples on
/// axis 0 of all results. \param batched per input, whether it has samples on axis 0.
/// \throws ValueError when one of the programs has an effect, which would happen for samples that do not take it.
Tensors choose_for_each(std::string_view op, const Ref<const SubProgram>& if_true,
                        const Ref<const SubProgram>& if_false, const Tensor& which, const Tensors& inputs,
                        const std::vector<bool>& batched, std::int64_t size);

}  // namespace detail

}  // namespace xgrad
