#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <source_location>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "autograd/graph/results.hpp"
#include "autograd/graph/spec.hpp"
#include "autograd/graph/tensor.hpp"
#include "autograd/graph/variable.hpp"
#include "nn/module.hpp"

/// \file
/// Models, and any other functions of tensors, as ONNX files.

namespace xgrad::onnx {

/// The size of an axis that may be any: that of the batch. All such axes of a call are of one size.
inline constexpr std::int64_t any_size = -1;

/// Options of save(), and the input of a layer.
struct SaveOptions {
  /// Of a layer: shape and dtype of its input, with any_size for the axis of the batch: `{.input = {{any_size, 784}}}`.
  Spec input = {};
  /// What arguments are called; `input`, or `input_0`, `input_1`, ..., when empty.
  std::vector<std::string> input_names = {};
  /// What results are called; `output`, or `output_0`, `output_1`, ..., when empty.
  std::vector<std::string> output_names = {};
  /// What variables are called; those that are not among them by their own names. A layer's are called by their paths.
  std::vector<nn::NamedVariable> variables = {};
  std::string graph_name = "xgrad";  ///< of the graph in the file
  std::string batch_name = "batch";  ///< of the size of the batch
  bool as_float32 = false;           ///< write float64 as float32, for programs that lack operators of float64
};

/// A variable that a written function assigns: an input for its old content, an output for the new one.
struct Updated {
  Variable variable;   ///< the variable
  std::string input;   ///< name of the input
  std::string output;  ///< name of the output: that of the input and `.new`
};

/// What a written file takes and gives.
struct Signature {
  std::vector<std::string> inputs;   ///< the names of all inputs: the arguments, then the variables that are assigned
  std::vector<std::string> outputs;  ///< the names of all outputs: the results, then the new contents
  std::vector<Updated> updated;      ///< the variables that are assigned
};

namespace detail {

/// A function of any arguments as one of a list.
struct Function {
  std::size_t argument_count;
  std::function<Tensors(const Tensors&)> call;
};

template <class F, std::size_t... I>
constexpr bool takes(std::index_sequence<I...>) {
  return std::is_invocable_v<const F&, decltype(static_cast<void>(I), std::declval<const Tensor&>())...>;
}

inline constexpr std::size_t most_arguments = 32;

/// How many tensors \p F is called with; more than the most where that is not known.
template <class F, std::size_t N = 0>
constexpr std::size_t argument_count() {
  if constexpr (N > most_arguments || takes<F>(std::make_index_sequence<N>())) {
    return N;
  } else {
    return argument_count<F, N + 1>();
  }
}

template <class T>
Tensors listed(const T& result) {
  xgrad::detail::Results results;
  xgrad::detail::Packing<T>::put(result, results);
  Tensors list;
  for (std::size_t i = 0; i < results.tensors.size(); ++i) {
    list.push_back(results.tensors[i]);
  }
  return list;
}

/// What a call gives, as a list.
template <class F, class... Arguments>
Tensors call_listed(const F& f, const Arguments&... arguments) {
  using Result = std::remove_cvref_t<decltype(f(arguments...))>;
  if constexpr (std::is_void_v<Result>) {
    f(arguments...);
    return {};
  } else {
    return listed<Result>(f(arguments...));
  }
}

/// \param count of the arguments that are given.
template <class F>
Function as_function(const F& f, std::size_t count) {
  constexpr std::size_t taken = argument_count<F>();
  static_assert(taken <= most_arguments || std::is_invocable_v<const F&, const Tensors&>,
                "a function that is saved takes up to 32 tensors, or Tensors");
  if constexpr (taken <= most_arguments) {
    return {taken, [f](const Tensors& arguments) {
              return [&]<std::size_t... I>(std::index_sequence<I...>) {
                return call_listed(f, arguments[I]...);
              }(std::make_index_sequence<taken>());
            }};
  } else {
    return {count, [f](const Tensors& arguments) { return call_listed(f, arguments); }};
  }
}

Signature save_function(const std::filesystem::path& path, const Function& function, const std::vector<Spec>& inputs,
                        const SaveOptions& options, const std::source_location& where);

}  // namespace detail

/// Writes what \p model computes in inference as an ONNX file: IR version 8, opset 17. Its variables are initialisers, by
/// their paths.
///
///     onnx::save("classifier.onnx", model, {.input = {{onnx::any_size, 784}}});
///
/// With any_size, the model is traced at two sizes of the batch. What differs must be a multiple of the size, or of its
/// inverse.
/// \param where the place that errors name; filled in by itself.
/// \throws ValueError that lists all operations that cannot be written, with the places in your source that made them.
/// \throws FileError when the file cannot be written.
Signature save(const std::filesystem::path& path, const nn::Module& model, const SaveOptions& options,
               std::source_location where = std::source_location::current());

/// Writes what \p function computes. It takes tensors, or a list of them, and returns a Tensor, Tensors, a std::pair, std::tuple or std::array of
/// these, or nothing. It is called as compile() calls it: derivatives, and whole steps of training, are written like
/// everything else. Variables that it reads become initialisers; of those that it assigns, the old content becomes an
/// input and the new one an output.
///
///     onnx::save("step.onnx", [&](const Tensor& x, const Tensor& labels) {
///       const Tensor loss = nn::cross_entropy(model(x), labels);
///       adam.minimize(loss);
///       return loss;
///     }, {{{32, 784}}, {{32}, DType::int64}}, {.variables = model.named_variables()});
///
/// \param inputs shapes and dtypes of the arguments; sizes of any_size are that of the batch.
/// \throws ValueError when the function cannot be traced, as compile() has it, or holds what cannot be written.
/// \throws FileError when the file cannot be written.
template <class F>
Signature save(const std::filesystem::path& path, const F& function, const std::vector<Spec>& inputs,
               const SaveOptions& options = {}, std::source_location where = std::source_location::current()) {
  return detail::save_function(path, detail::as_function(function, inputs.size()), inputs, options, where);
}

}  // namespace xgrad::onnx
