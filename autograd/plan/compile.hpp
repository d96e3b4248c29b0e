#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <source_location>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "autograd/graph/results.hpp"
#include "autograd/graph/tensor.hpp"
#include "autograd/kernels/product_precision.hpp"
#include "autograd/plan/plan.hpp"
#include "autograd/plan/trace/traced_step.hpp"

/// \file
/// compile(), which turns a function into plans.

namespace xgrad {

/// Options of compile().
struct CompileOptions {
  std::string name = "step";  ///< of the function, shown where its results appear in printed graphs
  PlanOptions plan = {};      ///< how its plans are made
  /// How exactly products take their factors: those that the function makes, their derivatives of any order, and those of
  /// loops and branches in it; also where the function is called by another one, whose option is for its own. All else
  /// stays float32. bfloat16 is made for CPUs with AMX, or AMD's with AVX-512 BF16; elsewhere it gives the same numbers more
  /// slowly.
  ProductPrecision products = ProductPrecision::float32;
  std::vector<std::string> argument_names =
      {};  ///< what errors call the arguments; those left out are `argument 0` ...
};

/// What a compiled function does, in short.
struct Outline {
  /// A number for operations with their attributes, how they are connected, and the constants among what they read; not for
  /// what arguments and variables hold. The same in every process and on every machine.
  std::uint64_t hash = 0;
  std::vector<Variable> assigned;  ///< what it assigns to, in the order in which it comes to them
};

namespace detail {

/// The user's function, for a certain number of arguments, without its type.
struct Callee {
  void* function;
  Results (*call)(void* function, std::span<const Tensor> arguments);

  Results operator()(std::span<const Tensor> arguments) const { return call(function, arguments); }
};

/// What a compiled function keeps: a plan for each kind of arguments. A handle.
class CompiledFunction {
 public:
  CompiledFunction(const CompileOptions& options, const std::source_location& where);

  Results operator()(std::span<const Tensor> arguments, const Callee& callee) const;
  Plan plan(std::span<const Tensor> arguments, const Callee& callee) const;
  TracedStep trace(std::span<const Tensor> arguments, const Callee& callee) const;
  Outline outline(std::span<const Tensor> arguments, const Callee& callee) const;
  std::size_t trace_count() const;
  const std::source_location& where() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// Shares ownership of a function whose type it forgets: std::make_shared of each user's function would take the compiler
/// a thirtieth of a second.
template <class F>
std::shared_ptr<void> share_function(F function) {
  void (*destroy)(void*) = [](void* held) { delete static_cast<F*>(held); };
  return {static_cast<void*>(new F(std::move(function))), destroy};
}

/// Of what a call with N tensors returns.
template <class F, std::size_t N>
struct CallWith {
  template <std::size_t... I>
  static decltype(auto) call(F& function, [[maybe_unused]] std::span<const Tensor> arguments,
                             std::index_sequence<I...>) {
    return function(arguments[I]...);
  }
  using Result =
      std::remove_cvref_t<decltype(call(std::declval<F&>(), std::span<const Tensor>(), std::make_index_sequence<N>()))>;
  static_assert(std::is_void_v<Result> || Packable<Result>,
                "a compiled function returns a Tensor, Tensors, a std::pair, std::tuple or std::array of these, or "
                "nothing");

  static Results packed(void* function, std::span<const Tensor> arguments) {
    F& f = *static_cast<F*>(function);
    Results results;
    if constexpr (std::is_void_v<Result>) {
      call(f, arguments, std::make_index_sequence<N>());
    } else {
      Packing<Result>::put(call(f, arguments, std::make_index_sequence<N>()), results);
    }
    return results;
  }
};

}  // namespace detail

/// A function that runs as a plan; made by compile(). A cheap handle: copies share the function and its plans.
template <class F>
class Compiled {
 public:
  /// What compile() does.
  Compiled(F function, const CompileOptions& options, const std::source_location& where)
      : function_(detail::share_function(std::move(function))), compiled_(options, where) {}

  /// Runs the plan for arguments of these shapes and dtypes, which may be whatever ops take: tensors, variables, xtensor
  /// arrays, C++ numbers (which become tensors of shape ()). The function is traced first when they are new.
  /// \return what the function returns. The tensors have values and no history.
  /// \throws ValueError when the function, traced, reads a value or captures what is no constant; compile() has the list.
  /// \throws Error what the function throws, and what its operations throw when they compute.
  template <std::convertible_to<Operand>... Arguments>
  auto operator()(Arguments&&... arguments) const {
    using Call = detail::CallWith<F, sizeof...(Arguments)>;
    const auto tensors = as_tensors(std::forward<Arguments>(arguments)...);
    detail::Results results = compiled_(tensors, {function_.get(), Call::packed});
    if constexpr (!std::is_void_v<typename Call::Result>) {
      detail::ResultReader reader{std::move(results)};
      return detail::Packing<typename Call::Result>::take(reader);
    }
  }

  /// The plan for arguments of these shapes and dtypes; the function is traced first when they are new, and not run.
  /// \throws ValueError as a call does.
  template <std::convertible_to<Operand>... Arguments>
  Plan plan(Arguments&&... arguments) const {
    return compiled_.plan(as_tensors(std::forward<Arguments>(arguments)...),
                          {function_.get(), detail::CallWith<F, sizeof...(Arguments)>::packed});
  }

  /// What the function does with arguments of these shapes and dtypes, as a graph: to_dot draws it. It is traced for that,
  /// and not run.
  /// \throws ValueError as a call does.
  template <std::convertible_to<Operand>... Arguments>
  TracedStep trace(Arguments&&... arguments) const {
    return compiled_.trace(as_tensors(std::forward<Arguments>(arguments)...),
                           {function_.get(), detail::CallWith<F, sizeof...(Arguments)>::packed});
  }

  /// What the function does with arguments of these shapes and dtypes, in short. It is traced for that, and not run.
  /// \throws ValueError as a call does.
  template <std::convertible_to<Operand>... Arguments>
  Outline outline(Arguments&&... arguments) const {
    return compiled_.outline(as_tensors(std::forward<Arguments>(arguments)...),
                             {function_.get(), detail::CallWith<F, sizeof...(Arguments)>::packed});
  }

  /// For how many kinds of arguments (shapes and dtypes) there is a plan; of very many, those used last are kept.
  std::size_t trace_count() const { return compiled_.trace_count(); }

 private:
  template <class... Arguments>
  std::array<Tensor, sizeof...(Arguments)> as_tensors(Arguments&&... arguments) const {
    return {Operand(std::forward<Arguments>(arguments), compiled_.where()).tensor()...};
  }

  std::shared_ptr<void> function_;  // an F
  detail::CompiledFunction compiled_;
};

/// A function that computes what \p f computes, as a plan: \p f is called once for each kind of arguments (shapes and
/// dtypes) with tensors that have no values yet, and what it does is kept and run from then on.
///
///     auto step = compile([&](const Tensor& images, const Tensor& labels) {
///       const Tensor loss = nn::cross_entropy(model(images), labels);
///       adam.minimize(loss);
///       return loss;
///     });
///     for (const auto& [images, labels] : batches) step(images, labels);
///
/// \param f takes tensors, and returns a Tensor, Tensors, a std::pair, std::tuple or std::array of these, or nothing.
/// \param options see CompileOptions.
/// \param where the place that errors name; filled in by itself.
///
/// What \p f does with tensors and variables happens at every call; everything else happens when it is traced:
/// - Variables are read and assigned at every call. When something fails, every variable is as it was. A variable that
///   \p f makes and drops begins anew at each call; one that it makes and keeps outside goes on.
/// - Tensors and C++ numbers that \p f captures are constants: later changes are not seen. Tensors read from a variable
///   before, and tensors of a transformation around \p f, are an error.
/// - The value of a tensor that depends on an argument or a variable cannot be read inside: return the tensor.
///
/// Results have no history. To differentiate, call grad inside, or transform the compiled function: in a trace or a
/// transformation that is going on it is a sub-program of that, for which \p f is traced once per kind of arguments. Where
/// that is impossible, because \p f captures a tensor of the transformation, \p f is called.
///
/// Several threads may call one compiled function, unless it reads or assigns variables.
template <class F>
Compiled<std::decay_t<F>> compile(F&& f, const CompileOptions& options = {},
                                  std::source_location where = std::source_location::current()) {
  return Compiled<std::decay_t<F>>(std::forward<F>(f), options, where);
}

}  // namespace xgrad
