#include "autograd/transforms/custom_rules.hpp"

#include "autograd/graph/substitute.hpp"
#include "autograd/ops/composed.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"
#include "autograd/transforms/rules.hpp"
#include "autograd/transforms/vmap.hpp"

namespace xgrad {

namespace {

// The operations below have the result of a function as input 0, then its arguments: they pass the result on, and say how
// cotangents get to the arguments without going through the result's own history.

Spec spec_of_result(Inputs in) { return {in[0].shape(), in[0].dtype()}; }

Tensors behind_result(const Node& node) { return Tensors(node.inputs().begin() + 1, node.inputs().end()); }

Tensors with_no_cotangent_of_result(const Tensors& cotangents) {
  Tensors result{Tensor()};
  result.insert(result.end(), cotangents.begin(), cotangents.end());
  return result;
}

// The cotangents of the floating arguments, with nothing for the others between them.
Tensors one_per_argument(const Tensors& of_floating, const Tensors& arguments) {
  Tensors result;
  std::size_t next = 0;
  for (const Tensor& argument : arguments) {
    result.push_back(is_real(argument.dtype()) ? of_floating[next++] : Tensor());
  }
  return result;
}

struct CustomVjp {
  static constexpr std::string_view name = "custom_vjp";
  static constexpr bool alias = true;
  VjpRule rule;

  Spec infer(Inputs in) const { return spec_of_result(in); }
  Tensors vjp(const Node& node, const Cotangents& ct) const {
    const Tensors arguments = behind_result(node);
    const Tensors cotangents = rule(arguments, node.output(0), ct[0]);
    if (cotangents.size() != arguments.size()) {
      raise<GradientError>(name, phrase("the rule gave {} cotangents for {} arguments; give one for each, undefined "
                                        "where there is none",
                                        cotangents.size(), arguments.size()));
    }
    return with_no_cotangent_of_result(cotangents);
  }
  Tensors vmap(const Node& node, const BatchedInputs& in) const;
};

struct CustomJvp {
  static constexpr std::string_view name = "custom_jvp";
  static constexpr bool alias = true;
  JvpRule rule;

  Spec infer(Inputs in) const { return spec_of_result(in); }

  Tensors jvp(const Node& node, const Tangents& t) const {
    Tensors tangents;
    for (std::size_t i = 1; i < node.inputs().size(); ++i) {
      tangents.push_back(t[i].defined() ? t[i] : detail::zero_derivative(node.input(i)));
    }
    return {rule(behind_result(node), node.output(0), tangents)};
  }

  // The rule is linear in the tangents: its own vjp with respect to them is its transpose.
  Tensors vjp(const Node& node, const Cotangents& ct) const {
    Tensors tangents;
    Tensors floating;
    for (const Tensor& argument : behind_result(node)) {
      tangents.push_back(xgrad::alias(detail::zero_derivative(argument)));
      if (is_real(argument.dtype())) {
        floating.push_back(tangents.back());
      }
    }
    const Tensor tangent = rule(behind_result(node), node.output(0), tangents);
    const Tensors cotangents = xgrad::vjp(tangent, floating, ct[0], Unreached::zeros);
    return with_no_cotangent_of_result(one_per_argument(cotangents, tangents));
  }
  Tensors vmap(const Node& node, const BatchedInputs& in) const;
};

// A rule for one sample, as a rule for all samples: its graph is built on placeholders and mapped.
Tensors map_rule(const Tensors& all_samples, std::int64_t size, const std::function<Tensors(const Tensors&)>& rule) {
  detail::MappedArguments mapped;
  mapped.size = size;
  for (const Tensor& samples : all_samples) {
    Shape shape = samples.shape();
    shape.erase(0);
    mapped.placeholders.push_back(detail::placeholder({shape, samples.dtype()}, "vmap", mapped.scope->get().get()));
  }
  mapped.samples = all_samples;
  return detail::map_samples(rule(mapped.placeholders), mapped, 0);
}

Tensors joined(const Tensors& arguments, const Tensor& result, const Tensors& more) {
  Tensors list = arguments;
  list.push_back(result);
  list.insert(list.end(), more.begin(), more.end());
  return list;
}

Tensors first(const Tensors& list, std::size_t count) {
  return Tensors(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(count));
}

Tensors last(const Tensors& list, std::size_t count) {
  return Tensors(list.end() - static_cast<std::ptrdiff_t>(count), list.end());
}

Tensors CustomVjp::vmap(const Node& node, const BatchedInputs& in) const {
  const auto mapped_rule = [one = rule, size = in.size](const Tensors& arguments, const Tensor& result,
                                                        const Tensor& ct) {
    const std::size_t count = arguments.size();
    return map_rule(joined(arguments, result, {ct}), size, [&](const Tensors& sample) {
      Tensors cotangents = one(first(sample, count), sample[count], sample.back());
      for (std::size_t i = 0; i < count; ++i) {
        if (!cotangents.at(i).defined()) {
          cotangents[i] = detail::zero_derivative(sample[i]);
        }
      }
      return cotangents;
    });
  };
  return {apply_op(CustomVjp{mapped_rule}, all_batched(node, in))};
}

Tensors CustomJvp::vmap(const Node& node, const BatchedInputs& in) const {
  const auto mapped_rule = [one = rule, size = in.size](const Tensors& arguments, const Tensor& result,
                                                        const Tensors& tangents) {
    const std::size_t count = arguments.size();
    return map_rule(joined(arguments, result, tangents), size, [&](const Tensors& sample) {
      return Tensors{one(first(sample, count), sample[count], last(sample, count))};
    })[0];
  };
  return {apply_op(CustomJvp{mapped_rule}, all_batched(node, in))};
}

// The rule alone says how derivatives pass: none go through the function's own operations.
Tensors with_result(const Tensor& result, const Tensors& arguments) {
  Tensors inputs{stop_gradient(result)};
  inputs.insert(inputs.end(), arguments.begin(), arguments.end());
  return inputs;
}

template <class Rule>
void require_rule(std::string_view op, const Rule& rule, const Tensor& result) {
  if (!rule) {
    located(result.node().location(),
            [&] { raise<ValueError>(op, "the rule is an empty std::function; give it one"); });
  }
}

}  // namespace

Tensor detail::with_vjp(const Tensor& result, const Tensors& arguments, VjpRule rule) {
  const Tensors inputs = with_result(result, arguments);
  require_rule(CustomVjp::name, rule, result);
  return apply_op(CustomVjp{std::move(rule)}, inputs, result.node().location());
}

Tensor detail::with_jvp(const Tensor& result, const Tensors& arguments, JvpRule rule) {
  const Tensors inputs = with_result(result, arguments);
  require_rule(CustomJvp::name, rule, result);
  return apply_op(CustomJvp{std::move(rule)}, inputs, result.node().location());
}

}  // namespace xgrad
