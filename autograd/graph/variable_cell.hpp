#pragma once

#include <source_location>
#include <span>
#include <string>

#include "autograd/graph/scope.hpp"
#include "autograd/graph/variable.hpp"
#include "autograd/kernels/product_precision.hpp"

/// \file
/// What is inside a Variable, for those that trace and run compiled functions. Not installed.

namespace xgrad {

/// What all handles to a variable share.
struct Variable::Cell {
  std::string name;
  Tensor content;         ///< a VariableRead leaf
  bool assigned = false;  ///< since it was made
};

namespace detail {

/// Direct access to cells, past the recorder.
struct CellAccess {
  /// The leaf that holds the content now, also while a function is traced.
  static const Tensor& leaf(const Variable& variable) { return variable.cell_->content; }

  /// The elements that the variable has now.
  static Array content(const Variable& variable) { return leaf(variable).array(); }

  /// A new leaf without history, of elements of the variable's shape and dtype: what put() makes its content.
  static Tensor new_content(const Variable& variable, const Array& value, const std::source_location& where);
  /// Makes \p content, from new_content, the content. Several variables change together, or none does, when all
  /// contents are there before the first is put: this cannot fail.
  static void put(const Variable& variable, Tensor content) noexcept;

  /// Whether nobody but the cell can see its content: no tensor, no view, no other variable. Its buffer may then be
  /// written in place, and needs no new leaf.
  /// \param handles to the leaf, \param arrays on its buffer, beside the cell's, whose holders do not count.
  static bool is_exclusive(const Variable& variable, long handles = 0, long arrays = 0);

  /// Number of handles to the cell.
  static long handle_count(const Variable& variable) { return variable.cell_.use_count(); }

  /// A leaf without elements yet, made at \p where: a new content before it is computed; or, with a \p scope, what stands for
  /// the content in a function that is being traced.
  static Tensor valueless_leaf(const Variable& variable, const std::source_location& where, const Scope* scope);
  /// What reading the variable gives once \p value has been assigned to it, before the plan has run.
  static Tensor assigned(const Variable& variable, const Tensor& value);

  /// The operation of a leaf of \p variable.
  static VariableRead operation(const Variable& variable);
};

/// Computes \p values, to be assigned to \p variables, of which the caller has the only handles but those of graphs. Where
/// nobody can see an old content beside the graphs of the values, the new one may be written over it.
void evaluate_contents(std::span<const Tensor> values, std::span<const Variable> variables);

/// What reading a variable gives after \p of was assigned in a traced function: input 0 without its history, as the leaf
/// is that reading gives after an assignment elsewhere.
struct AssignedRead {
  static constexpr std::string_view name = "variable";
  static constexpr bool alias = true;
  static constexpr bool stops_gradient = true;
  VariableRead variable;

  Spec infer(Inputs inputs) const { return variable.infer(inputs); }
};

/// The variable that \p node was read from, or null.
const VariableRead* variable_of(const Node& node);

/// Where reads and assignments of a thread go while it traces a function.
class Recorder {
 public:
  virtual Tensor read(const Variable& variable) = 0;                       ///< what Variable::read gives
  virtual void assign(const Variable& variable, const Tensor& value) = 0;  ///< of the variable's shape and dtype
  virtual void made(const Variable& variable) = 0;                         ///< a new cell, with a value
  virtual const Scope* scope() const = 0;                                  ///< of the function that is traced
  virtual ProductPrecision products() const = 0;                           ///< of products that it makes

 protected:
  ~Recorder() = default;
};

/// The recorder of this thread, or null: the only ambient state on which depends what is computed.
Recorder* current_recorder();

/// While it lives, \p recorder is the recorder of this thread; then the one before is.
class RecorderScope {
 public:
  explicit RecorderScope(Recorder& recorder);
  RecorderScope(const RecorderScope&) = delete;
  RecorderScope& operator=(const RecorderScope&) = delete;
  ~RecorderScope();

 private:
  Recorder* before_;
};

/// Throws the error of who reads the value of a traced tensor.
[[noreturn]] void raise_traced_value();

}  // namespace detail

}  // namespace xgrad
