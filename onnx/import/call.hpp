#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/graph/tensor.hpp"
#include "autograd/graph/variable.hpp"
#include "nn/mode.hpp"
#include "onnx/import/graph.hpp"

/// \file
/// Internal: what the builders of operators are given.

namespace xgrad::onnx::loading {

/// A value while a graph is built.
struct Value {
  Tensor tensor;                        ///< undefined where it is left out
  bool known = false;                   ///< whether its elements depend neither on arguments nor on parameters
  const Variable* statistic = nullptr;  ///< which Statistic of the model it is, if it is one
};
using Values = std::vector<Value>;

/// What holds for a whole call of a model.
struct Session {
  const nn::Mode& mode;
  bool training_as_in_file;  ///< whether the nodes say if they train, and not the mode
};

/// One node, being built.
class Call {
 public:
  /// \p frame are the values so far of the graph that the node belongs to.
  Call(const GraphNode& node, const Values& frame, const Session& session)
      : node_(node), frame_(frame), session_(session) {}

  std::int64_t opset() const { return node_.opset; }
  const GraphNode& node() const { return node_; }
  const nn::Mode& mode() const { return session_.mode; }
  bool training_as_in_file() const { return session_.training_as_in_file; }

  /// \name Inputs
  /// \{
  std::size_t input_count() const { return node_.inputs.size(); }
  bool has(std::size_t i) const { return i < node_.inputs.size() && node_.inputs[i] != no_slot; }
  /// Input \p i. \throws ValueError when it is left out.
  const Tensor& operator[](std::size_t i) const { return value(i).tensor; }
  const Value& value(std::size_t i) const;
  /// Input \p i, undefined when it is left out.
  Tensor optional(std::size_t i) const { return has(i) ? value(i).tensor : Tensor(); }
  /// Inputs \p first and all behind it. \throws ValueError when one is left out.
  Tensors inputs_from(std::size_t first) const;
  /// The elements of input \p i, now: of a shape, or of what else the graph depends on.
  /// \throws ValueError when they are not known yet, as the graph is being traced.
  Array elements(std::size_t i) const;
  /// The same, integers as a list. \throws DTypeError for others.
  std::vector<std::int64_t> integers(std::size_t i) const;
  /// The same, of one integer. \throws ShapeError for several.
  std::int64_t integer(std::size_t i) const;
  /// The same, of one number of any type.
  double number(std::size_t i) const;
  /// \}

  /// \name Attributes
  /// \throws ValueError when there is an attribute of another sort.
  /// \{
  bool says(std::string_view attribute) const { return node_.attributes.contains(attribute); }
  std::int64_t integer(std::string_view attribute, std::int64_t otherwise) const;
  bool flag(std::string_view attribute, bool otherwise) const { return integer(attribute, otherwise ? 1 : 0) != 0; }
  double number(std::string_view attribute, double otherwise) const;
  std::string text(std::string_view attribute, std::string_view otherwise) const;
  std::vector<std::int64_t> integers(std::string_view attribute) const;  ///< empty when there is none
  std::vector<double> numbers(std::string_view attribute) const;         ///< empty when there is none
  std::vector<std::string> texts(std::string_view attribute) const;      ///< empty when there is none
  const Array& array(std::string_view attribute) const;                  ///< \throws ValueError when there is none
  const Graph& graph(std::string_view attribute) const;                  ///< \throws ValueError when there is none
  /// \}

  std::size_t output_count() const { return node_.outputs.size(); }
  /// Whether output \p i is asked for.
  bool wants(std::size_t i) const { return i < node_.outputs.size() && node_.outputs[i] != no_slot; }

  /// What a body gives for \p inputs, in the frame of this call.
  Values run(const Graph& body, const Values& inputs) const;

  /// \throws ValueError with \p message, as from this operator.
  [[noreturn]] void refuse(std::string_view message) const;

 private:
  const Attribute* find(std::string_view attribute, Attribute::Kind kind) const;
  const Attribute& need(std::string_view attribute, Attribute::Kind kind) const;

  const GraphNode& node_;
  const Values& frame_;
  const Session& session_;
};

/// What \p graph gives for \p inputs. \param outside the frame of the graph that it stands in, or null.
/// \throws Error what its operators throw, with the node in a note.
Values run_graph(const Graph& graph, const Values& inputs, const Values* outside, const Session& session);

/// The same, of the model's own graph: \p initial are the values of its initialisers, in their order.
Values run_graph(const Graph& graph, const Values& inputs, const Values& initial, const Session& session);

}  // namespace xgrad::onnx::loading
