#include "autograd/transforms/checkpoint.hpp"

#include <optional>
#include <string_view>
#include <vector>

#include "autograd/graph/operation.hpp"
#include "autograd/graph/subprogram.hpp"
#include "autograd/transforms/subprograms.hpp"

namespace xgrad {

namespace {

/// Runs a function that nothing but its results is kept of. Its derivatives are functions of its inputs, in which what they
/// need is computed again, and which are run in the same way.
struct Checkpoint {
  static constexpr std::string_view name = "checkpoint";
  Ref<const SubProgram> body;
  static constexpr auto attributes = fields("body", &Checkpoint::body);

  const SubProgram& program() const { return *body; }
  // What is computed again may have effects of its own, such as a sum over processes, which they all repeat.
  std::string_view effect() const { return body->effect_kinds().empty() ? "" : body->effect_kinds().front(); }
  Checkpoint without_effect() const { return *this; }
  bool total(Inputs) const { return body->is_total(); }

  Specs infer(Inputs) const {
    Specs specs;
    for (const Tensor& output : body->outputs()) {
      specs.push_back({output.shape(), output.dtype()});
    }
    return specs;
  }

  Tensors vjp(const Node& node, const Cotangents& ct) const {
    Tensors inputs(node.inputs().begin(), node.inputs().end());
    std::vector<bool> has_cotangent;
    std::vector<bool> wanted;
    for (std::size_t i = 0; i < node.inputs().size(); ++i) {
      wanted.push_back(ct.wanted(i));
    }
    for (std::size_t i = 0; i < node.output_count(); ++i) {
      has_cotangent.push_back(ct[i].defined());
      if (ct[i].defined()) {
        inputs.push_back(ct[i]);
      }
    }
    return results_of(detail::vjp_of(*body, has_cotangent, wanted), inputs, wanted.size());
  }

  Tensors jvp(const Node& node, const Tangents& t) const {
    Tensors inputs(node.inputs().begin(), node.inputs().end());
    std::vector<bool> has_tangent;
    for (std::size_t i = 0; i < node.inputs().size(); ++i) {
      has_tangent.push_back(t[i].defined());
      if (t[i].defined()) {
        inputs.push_back(t[i]);
      }
    }
    return results_of(detail::jvp_of(*body, has_tangent), inputs, node.output_count());
  }

  Tensors vmap(const Node&, const BatchedInputs& in) const {
    return apply_op_all(Checkpoint{detail::vmap_of(*body, in.batched, in.size)}, in.tensors);
  }

 private:
  static Tensors results_of(const detail::Derivative& derivative, const Tensors& inputs, std::size_t count) {
    Tensors results(count);
    if (derivative.program) {
      const Tensors defined = apply_op_all(Checkpoint{derivative.program}, inputs);
      for (std::size_t i = 0; i < defined.size(); ++i) {
        results[derivative.of[i]] = defined[i];
      }
    }
    return results;
  }
};

}  // namespace

Tensors detail::checkpointed(const Tensors& outputs, const FreshAliases& arguments) {
  const std::optional<Closure> closure = close(outputs, arguments.tensors(), arguments.begin());
  if (!closure) {
    return outputs;  // nothing to compute again: derivatives take the results' own way
  }
  Tensors inputs = arguments.tensors();
  inputs.insert(inputs.end(), closure->captured.begin(), closure->captured.end());
  return apply_op_all(Checkpoint{closure->program}, inputs, outputs.front().node().location());
}

Tensors detail::run_again_for_derivatives(const Ref<const SubProgram>& program, const Tensors& inputs,
                                          const std::source_location& where) {
  return apply_op_all(Checkpoint{program}, inputs, where);
}

}  // namespace xgrad
