#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <source_location>
#include <string_view>
#include <type_traits>
#include <utility>

#include "autograd/graph/results.hpp"
#include "autograd/graph/tensor.hpp"

/// \file
/// Loops in the graph: one operation, whatever the number of steps, with derivatives of any order.
///
/// The function of a step is called once, with tensors that stand for the values of any step. Carries, slices and results are
/// structures: a Tensor, Tensors, a std::pair, std::tuple or std::array of these. Tensors and variables that the function
/// captures are inputs of the loop, through which gradients flow. What it computes from nothing but them is computed once,
/// before the loop. Assigning a variable in it throws.

namespace xgrad {

/// Options of scan().
struct ScanOptions {
  bool reverse = false;  ///< from the last slice to the first; results stay with their slices
  /// Bytes that a gradient in reverse mode may keep of the steps at a time: the carries at the beginning of some segments, and
  /// what derivatives read of the steps of one segment. The rest is computed again, once for each level of segments in segments
  /// that this takes. What does not depend on steps does not count, nor do arguments, results and cotangents, those of captured
  /// tensors once for each level. Where the steps cannot be cut into equal segments, xs is copied. No limit unless given.
  std::int64_t memory = std::numeric_limits<std::int64_t>::max();
};

/// Options of while_loop().
struct WhileOptions {
  /// After how many steps to stop in any case. A gradient in reverse mode needs it, as memory for all steps is set aside; jvp
  /// does not.
  std::int64_t max_steps = std::numeric_limits<std::int64_t>::max();
};

/// What while_loop() gives.
template <class Carry>
struct WhileResult {
  Carry carry;      ///< for which the condition is false, unless the steps were used up
  Tensor steps;     ///< int64 (): how many there were
  Tensor finished;  ///< boolean (): whether the condition is false
};

namespace detail {

/// A structure as it is, everything else that ops take as a tensor.
template <class T>
using StructureOf = std::conditional_t<Packable<T>, T, Tensor>;

template <class T>
StructureOf<std::remove_cvref_t<T>> as_structure(T&& value, const std::source_location& where) {
  if constexpr (Packable<std::remove_cvref_t<T>>) {
    return std::forward<T>(value);
  } else {
    static_assert(
        std::convertible_to<T, Operand>,
        "a carry or slice is a Tensor, something that ops take as one, or Tensors, a std::pair, std::tuple or "
        "std::array of these");
    return Operand(std::forward<T>(value), where).tensor();
  }
}

/// What a function of a step gives: a carry alone, or a pair of a carry and results.
template <class Carry, class Result>
struct StepResult {
  static constexpr bool has_results = false;
  static constexpr bool is_carry = std::convertible_to<Result, Carry>;
  static_assert(
      is_carry,
      "the function of a step returns the carry in the structure that it was given in, or a std::pair of it and "
      "results: a Tensor, Tensors, a std::pair, std::tuple or std::array of these");
};
template <class Carry, class A, class Results>
  requires std::convertible_to<A, Carry>
struct StepResult<Carry, std::pair<A, Results>> {
  static constexpr bool is_carry = std::convertible_to<std::pair<A, Results>, Carry>;
  static constexpr bool has_results = !is_carry;
};

/// What a step gives, without the types of its structures.
struct StepTensors {
  Tensors carries;
  Tensors results;
};
/// A step, without the types of its structures.
using Step = std::function<StepTensors(const Tensors& carries, const Tensors& slices)>;
/// A loop without the types of its structures. \return the last carries, then results.
Tensors scan(std::string_view op, const Step& step, const Tensors& init, const Tensors& xs, std::int64_t steps,
             bool by_index, const ScanOptions& options, const std::source_location& where);
/// \return the last carries, the number of steps, whether it finished.
Tensors while_loop(const std::function<Tensor(const Tensors&)>& condition,
                   const std::function<Tensors(const Tensors&)>& step, const Tensors& init, const WhileOptions& options,
                   const std::source_location& where);

/// \p like with other tensors in it.
template <Packable T>
T with_tensors(const T& like, const Tensors& tensors) {
  return with_tensors_replaced(like, [&](const Tensors&) { return tensors; });
}

inline Tensors part(const Tensors& list, std::size_t first, std::size_t count) {
  const auto begin = list.begin() + static_cast<std::ptrdiff_t>(first);
  return Tensors(begin, begin + static_cast<std::ptrdiff_t>(count));
}

/// f(carry, x) of structures, as a Step, and the results that it gave: nothing, or a structure to be filled.
template <class F, class Carry, class Slices, class Y>
Step as_step(F& f, const Carry& init, const Slices& xs, Y* like) {
  return [&f, &init, &xs, like](const Tensors& carries, const Tensors& slices) {
    const auto result = f(with_tensors(init, carries), with_tensors(xs, slices));
    if constexpr (std::same_as<Y, void>) {
      static_cast<void>(like);
      return StepTensors{tensors_of(Carry(result)), {}};
    } else {
      *like = result.second;
      return StepTensors{tensors_of(Carry(result.first)), tensors_of(*like)};
    }
  };
}

/// scan() of structures.
template <class F, class Carry, class Slices>
auto scan_structures(std::string_view op, F& f, const Carry& init, const Slices& xs, std::int64_t steps, bool by_index,
                     const ScanOptions& options, const std::source_location& where) {
  constexpr bool fits = std::is_invocable_v<F&, const Carry&, const Slices&>;
  static_assert(
      fits,
      "the function of a step takes the carry and a slice of xs, or the index, in the structures that they are "
      "given in");
  if constexpr (fits) {
    using Result = std::remove_cvref_t<std::invoke_result_t<F&, const Carry&, const Slices&>>;
    const Tensors first = tensors_of(init);
    const Tensors slices = by_index ? Tensors() : tensors_of(xs);
    if constexpr (StepResult<Carry, Result>::has_results) {
      using Y = typename Result::second_type;
      static_assert(Packable<Y>, "results are a Tensor, Tensors, a std::pair, std::tuple or std::array of these");
      Y like{};
      const Tensors all = scan(op, as_step(f, init, xs, &like), first, slices, steps, by_index, options, where);
      return std::pair<Carry, Y>(with_tensors(init, part(all, 0, first.size())),
                                 with_tensors(like, part(all, first.size(), all.size() - first.size())));
    } else if constexpr (StepResult<Carry, Result>::is_carry) {
      void* const nothing = nullptr;
      return with_tensors(init,
                          scan(op, as_step(f, init, xs, nothing), first, slices, steps, by_index, options, where));
    }
  }
}

}  // namespace detail

/// Runs `(carry, y) = f(carry, x)` for the slices x of \p xs along axis 0, one after the other:
///
///     auto [last, all] = scan([](const Tensor& sum, const Tensor& x) { return std::pair(sum + x, sum + x); }, zeros({3}), xs);
///
/// \param f gives a std::pair of the next carry and results, or the next carry alone. It is called once.
/// \param init the first carry. \param xs tensors of equal size on axis 0, the number of steps.
/// \return the last carry and the results of all steps, stacked on axis 0; or the last carry alone.
/// \throws ShapeError when sizes on axis 0 differ, or a carry changes its shape.
/// \throws DTypeError when a carry changes its dtype.
/// \throws ValueError when f assigns a variable, reads an element or returns an empty tensor.
template <class F, class Carry, class Slices>
  requires(!std::integral<std::remove_cvref_t<Slices>>)
auto scan(F f, Carry&& init, Slices&& xs, ScanOptions options = {},
          std::source_location where = std::source_location::current()) {
  return detail::scan_structures("scan", f, detail::as_structure(std::forward<Carry>(init), where),
                                 detail::as_structure(std::forward<Slices>(xs), where), -1, false, options, where);
}

/// The same for the indices 0, 1, .., \p steps - 1 instead of slices, tensors of dtype int64 and shape ().
/// \throws ValueError when \p steps is negative.
template <class F, class Carry, std::integral Steps>
auto scan(F f, Carry&& init, Steps steps, ScanOptions options = {},
          std::source_location where = std::source_location::current()) {
  return detail::scan_structures("scan", f, detail::as_structure(std::forward<Carry>(init), where), Tensor(0),
                                 static_cast<std::int64_t>(steps), true, options, where);
}

/// `carry = f(i, carry)` for i = 0, 1, .., \p n - 1, tensors of dtype int64 and shape (): the last carry.
/// \throws as scan does.
template <class F, class Carry>
auto fori(std::int64_t n, F f, Carry&& init, std::source_location where = std::source_location::current()) {
  const auto step = [&](const auto& carry, const Tensor& index) { return f(index, carry); };
  return detail::scan_structures("fori", step, detail::as_structure(std::forward<Carry>(init), where), Tensor(0), n,
                                 true, {}, where);
}

/// `while (condition(carry)) carry = f(carry)`. Both functions are called once; condition gives a boolean of shape ().
///
/// In vmap, where samples stop at different times, the step is computed for all samples as long as one goes on, and those that
/// have finished keep their carries: operations that check their operands, such as take, see what they would go on with.
/// \throws ShapeError when the condition is of another shape, or a carry changes its shape.
/// \throws DTypeError when the condition is no boolean, or a carry changes its dtype.
/// \throws GradientError when a gradient is taken in reverse mode, and the number of steps has no limit.
/// \throws ValueError when max_steps is negative, and as scan does.
template <class C, class F, class Carry>
auto while_loop(C condition, F f, Carry&& init, WhileOptions options = {},
                std::source_location where = std::source_location::current()) {
  const auto first = detail::as_structure(std::forward<Carry>(init), where);
  using State = std::remove_const_t<decltype(first)>;
  constexpr bool takes_carry = std::is_invocable_v<C&, const State&> && std::is_invocable_v<F&, const State&>;
  static_assert(takes_carry, "condition and step take the carry in the structure that it is given in");
  if constexpr (takes_carry) {
    constexpr bool gives_carry = std::convertible_to<std::invoke_result_t<F&, const State&>, State>;
    static_assert(gives_carry, "the step returns the carry in the structure that it is given in");
    if constexpr (gives_carry) {
      const Tensors all = detail::while_loop(
          [&](const Tensors& carries) { return Tensor(condition(detail::with_tensors(first, carries))); },
          [&](const Tensors& carries) { return detail::tensors_of(State(f(detail::with_tensors(first, carries)))); },
          detail::tensors_of(first), options, where);
      return WhileResult<State>{detail::with_tensors(first, detail::part(all, 0, all.size() - 2)), all[all.size() - 2],
                                all.back()};
    }
  }
}

}  // namespace xgrad
