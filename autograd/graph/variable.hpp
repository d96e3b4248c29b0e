#pragma once

#include <concepts>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "autograd/graph/operation.hpp"
#include "autograd/graph/tensor.hpp"

/// \file
/// Variable, the only thing that changes.

namespace xgrad {

namespace detail {
struct CellAccess;
}

/// A named cell that holds a tensor: a parameter, an optimiser's moment, a learning rate. Copies share the cell.
///
/// Reading gives the same leaf tensor until the next assignment, so gradients can be taken with respect to it.
/// Assignment keeps shape and dtype. Not safe to use from several threads while one assigns.
///
/// Inside a function that compile() traces, reads and assignments are recorded: a read gives a tensor that stands for the
/// latest assignment and has no elements yet, and the cells change when the plan runs.
class Variable {
 public:
  /// A cell that starts with the elements of \p initial, which may also be an xtensor array or a number.
  /// \throws ValueError inside a traced function, when \p initial depends on traced tensors.
  explicit Variable(const Tensor& initial, std::string name = "");

  const std::string& name() const;                               ///< shown in printed graphs and error messages
  void rename(std::string name);                                 ///< for all handles to the cell
  const Shape& shape() const;                                    ///< sizes of the axes; the same for good
  DType dtype() const;                                           ///< type of the elements; the same for good
  std::int64_t size() const { return shape().element_count(); }  ///< number of elements

  /// The current content, as a tensor without history; after an assignment, derivatives do not flow behind it.
  Tensor read() const;
  operator Tensor() const { return read(); }  ///< the current content, as read() gives it

  /// The current elements, as a read-only xtensor array of \p T; later assignments do not change it.
  template <class T>
  auto value(std::source_location where = std::source_location::current()) const {
    return read().value<T>(where);
  }
  /// The current element of a variable of one element, converted to \p T.
  /// \throws ShapeError when there is more than one element or none.
  template <detail::Element T = double>
  T item(std::source_location where = std::source_location::current()) const {
    return read().item<T>(where);
  }

  /// Computes \p value and makes it the content. A C++ number fills a variable of shape ().
  /// \throws ShapeError when \p value is not of this variable's shape.
  /// \throws DTypeError when it is not of this variable's dtype.
  void assign(const Operand& value) const;

  /// A cell of its own with the same name and content.
  Variable clone() const;

  /// Whether nobody can have noticed its content: this is the only handle, and nothing was assigned since it was made.
  bool is_fresh() const;
  /// Whether both are handles to the same cell.
  bool same_as(const Variable& other) const { return cell_ == other.cell_; }
  /// Identifies the cell for as long as it lives.
  const void* id() const { return cell_.get(); }

 private:
  friend struct detail::CellAccess;

  struct Cell;
  std::shared_ptr<Cell> cell_;
};

/// A new value for a variable.
using Assignment = std::pair<Variable, Tensor>;

/// One update of several variables: all new values are computed together, from the old contents, then all are assigned.
/// When one of them cannot be computed, no variable changes. Inside a function that compile() traces, nothing is computed
/// yet: the plan computes and assigns.
/// \throws ShapeError when a value is not of its variable's shape.
/// \throws DTypeError when a value is not of its variable's dtype.
void assign(std::span<const Assignment> updates);

namespace detail {
void assign_given_up(std::vector<Assignment>&& updates);
}
/// The same, of updates that the caller gives up: where nobody can see the old content of a variable any more, the new one may
/// be written over it, which spares memory and time. As long as anything holds a new value, such as a temporary of the same
/// statement or the elements of a list, the contents that it is computed from are kept.
template <std::same_as<std::vector<Assignment>> Updates>
void assign(Updates&& updates) {
  detail::assign_given_up(std::move(updates));
}
/// The same, for updates written as a list: `assign({{w, w - rate * g}, {steps, steps + 1}})`.
inline void assign(std::initializer_list<Assignment> updates) { assign(std::span(updates.begin(), updates.size())); }

/// The content of a variable at one time: the operation of the leaves that Variable::read gives. Inside a function that
/// compile() traces, such a leaf has no elements: it stands for those that the variable has when the plan runs.
struct VariableRead {
  static constexpr std::string_view name = "variable";  ///< of the operation
  std::string variable;                                 ///< name of the variable
  Shape shape;                                          ///< of the content
  DType dtype;                                          ///< of the content
  std::weak_ptr<void> cell;                             ///< of which variable

  /// The shape and dtype of the content; there are no inputs.
  Spec infer(Inputs inputs) const;
  /// Only for leaves without elements. \throws ValueError always: a traced tensor has no value.
  void eval(ConstViews in, Views out) const;
  /// Whether \p other was read from the same variable, perhaps at another time.
  bool same_cell(const VariableRead& other) const {
    return !cell.owner_before(other.cell) && !other.cell.owner_before(cell);
  }
};

}  // namespace xgrad
