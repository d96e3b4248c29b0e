#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/graph/operation.hpp"
#include "autograd/runtime/error.hpp"

/// \file
/// Tensors that have to be finite.

namespace xgrad {

/// A number that is NaN or infinite where it must not be. Its notes say where it was born, as far as that is known.
class NotFiniteError : public ValueError {
 public:
  using ValueError::ValueError;

  /// Adds where the number was born, a note for each line, and the \p row of the arguments that it came from, if it was one.
  void explain(const std::vector<std::string>& lines, std::optional<std::int64_t> row);
  bool is_explained() const { return !story_.empty(); }             ///< whether explain() was called
  const std::vector<std::string>& story() const { return story_; }  ///< the lines that explain() was given
  std::optional<std::int64_t> row() const { return row_; }          ///< what explain() was given
  bool is_plain() const { return is_plain_; }  ///< whether it leaves compiled functions as a ValueError and no more
  void make_plain() { is_plain_ = true; }      ///< so that is_plain()

 private:
  bool is_plain_ = false;
  std::vector<std::string> story_;
  std::optional<std::int64_t> row_;
};

namespace debug {

/// Gives \p tensor on when all of its elements are finite; else it is an error that says where the first of them that is
/// not was born: the operation and its line, the numbers that went in, and the likely cause.
///
/// In a function that compile() traces, this is looked at when the plan runs, before any variable is written. It takes one
/// pass over the tensor; finding out where a number was born takes time only when there is one. Derivatives pass through.
/// \param name what the error calls the tensor.
/// \throws NotFiniteError where an element is NaN or infinite.
Tensor require_finite(const Operand& tensor, std::string_view name = "the tensor");

}  // namespace debug

namespace detail {

/// Gives input 0 on when the last inputs, one for each name, are finite. Not `total`: so plans write variables only after it.
struct RequireFinite {
  static constexpr std::string_view name = "require_finite";
  std::string op;                  ///< whose error it is
  std::vector<std::string> names;  ///< of the tensors that are looked at
  std::string advice;              ///< the next step
  bool plain = false;              ///< whether its error leaves compiled functions as a ValueError and no more
  static constexpr auto attributes = fields("op", &RequireFinite::op, "names", &RequireFinite::names, "advice",
                                            &RequireFinite::advice, "plain", &RequireFinite::plain);

  Spec infer(Inputs in) const { return {in[0].shape(), in[0].dtype()}; }
  void eval(ConstViews in, Views out) const;
  Tensors vjp(const Node& node, const Cotangents& ct) const;
  Tensors jvp(const Node& node, const Tangents& t) const;
  Tensors vmap(const Node& node, const BatchedInputs& in) const;

  /// The first of the inputs that are looked at.
  std::size_t first_checked(std::size_t input_count) const { return input_count - names.size(); }
};

}  // namespace detail

}  // namespace xgrad
