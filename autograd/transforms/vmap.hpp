#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "autograd/graph/operation.hpp"
#include "autograd/graph/results.hpp"
#include "autograd/transforms/grad.hpp"

/// \file
/// Vectorisation: a function of one sample, applied to many at once.

namespace xgrad {

/// Marks an argument of a mapped function that is the same for all samples.
inline constexpr std::int64_t unmapped = std::numeric_limits<std::int64_t>::min();

namespace detail {

/// The arguments of a mapped function, and placeholders for one sample of each that is mapped.
struct MappedArguments {
  std::unique_ptr<OpenScope> scope = std::make_unique<OpenScope>(Scope::Elements::later);
  Tensors for_one_sample;  ///< what the function is called with
  Tensors placeholders;
  Tensors samples;        ///< per placeholder: all samples, on axis 0
  std::int64_t size = 0;  ///< number of samples
};

/// \throws ValueError when no argument is mapped or their numbers of samples differ.
MappedArguments split_samples(const Tensors& arguments, const std::vector<std::int64_t>& in_axes);

/// \p outputs, written for one sample, for all samples at once, samples on axis \p out_axis.
Tensors map_samples(const Tensors& outputs, const MappedArguments& arguments, std::int64_t out_axis);

}  // namespace detail

/// A function that applies \p f to every sample at once: `vmap(f)(xs)` has f(xs[i]) at position i, but computes with
/// whole tensors, by the vmap rules of the operations.
///
/// `vmap(grad(loss), {unmapped, 0, 0})(weights, xs, ys)` gives the gradient of every sample's loss by itself.
/// `vmap(value_and_grad(loss), {unmapped, 0, 0})` gives the losses, too.
/// \param f takes tensors of one sample each, without the axis of samples, and returns a Tensor, Tensors, a std::pair,
/// std::tuple or std::array of these; called once.
/// \param in_axes per argument, the axis of samples, or `unmapped`; empty: axis 0 of every argument.
/// \param out_axis where the samples are in each tensor of the result.
/// \throws ValueError when numbers of samples differ, or f reads the value of a mapped argument.
/// \throws GradientError when an operation has no vmap rule.
template <class F>
auto vmap(F f, std::vector<std::int64_t> in_axes = {}, std::int64_t out_axis = 0,
          std::source_location where = std::source_location::current()) {
  return [f = std::move(f), in_axes = std::move(in_axes), out_axis, where](const auto&... arguments) {
    return located(where, [&] {
      const Tensors all{Operand(arguments, where).tensor()...};
      const detail::MappedArguments mapped = detail::split_samples(all, in_axes);
      const auto one = detail::call_for_results<sizeof...(arguments)>(f, mapped.for_one_sample);
      return detail::with_tensors_replaced(
          one, [&](const Tensors& tensors) { return detail::map_samples(tensors, mapped, out_axis); });
    });
  };
}

}  // namespace xgrad
