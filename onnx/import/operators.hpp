#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "autograd/graph/tensor.hpp"
#include "onnx/import/graph.hpp"

/// \file
/// Internal: the table of operators, which is made of one table per family.

namespace xgrad::onnx::loading {

class Call;

inline constexpr std::int64_t any_opset = std::numeric_limits<std::int64_t>::max();

/// Whose operators those are that are not ONNX's main set, whose domain is empty.
inline constexpr std::string_view training_domain = "ai.onnx.preview.training";

/// One row: what an operator becomes, for some of its versions.
struct Operator {
  /// The outputs, from the inputs and attributes of a call. One that nobody reads may be undefined.
  using Builder = Tensors (*)(const Call& call);
  /// Why a node cannot be built, seen from its attributes alone; empty where it can.
  using Objection = std::string (*)(const GraphNode& node);
  /// How many inputs there may be.
  struct Count {
    std::size_t least, most;
  };
  /// What is known of the outputs when the graph is built.
  enum class Known : std::uint8_t {
    if_inputs_are,  ///< their elements, if those of all inputs are known
    always,         ///< their elements: they depend on the shapes of the inputs alone
    never,          ///< nothing: they depend on the mode of the call, or are random
  };

  std::string_view name;
  Count inputs;
  Builder build;
  std::int64_t since = 7;          ///< the first set of operators with this meaning
  std::int64_t until = any_opset;  ///< the last one
  Objection objection = nullptr;
  Known known = Known::if_inputs_are;
  std::string_view domain = "";
  const char* reads_by_name = nullptr;  ///< an attribute that names a value, which is given as the last input
};

inline constexpr std::size_t any_number = std::numeric_limits<std::size_t>::max();

/// \name The families
/// \{
std::span<const Operator> elementwise_operators();
std::span<const Operator> activation_operators();
std::span<const Operator> arithmetic_operators();
std::span<const Operator> reduction_operators();
std::span<const Operator> axis_operators();
std::span<const Operator> layout_operators();
std::span<const Operator> padding_operators();
std::span<const Operator> selection_operators();
std::span<const Operator> scattering_operators();
std::span<const Operator> creation_operators();
std::span<const Operator> product_operators();
std::span<const Operator> normalization_operators();
std::span<const Operator> loss_operators();
std::span<const Operator> recurrent_operators();
std::span<const Operator> control_operators();
std::span<const Operator> training_operators();
std::span<const Operator> unique_operators();
/// \}

/// All of them.
std::span<const std::span<const Operator>> operator_families();

/// The row for an operator in the given set, or null.
const Operator* find_operator(std::string_view domain, std::string_view name, std::int64_t opset);

/// An operator of ONNX's that has no row, and why.
struct Unsupported {
  std::string_view name;
  std::string_view reason;
};
/// Those that the project knows of.
std::span<const Unsupported> unsupported_operators();
/// Why there is no row for \p name in the given set.
std::string_view why_unsupported(std::string_view name, std::int64_t opset);

}  // namespace xgrad::onnx::loading
