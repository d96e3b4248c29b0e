#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "autograd/formula/formula.hpp"
#include "autograd/graph/any_operation.hpp"
#include "autograd/graph/node.hpp"
#include "onnx/graph_writer.hpp"
#include "onnx/sizes.hpp"

/// \file
/// Internal: what is known of an operation that is to be written.

namespace xgrad::onnx {

/// Why an operation cannot be written; thrown by those who write, and collected.
struct Refusal {
  std::string reason;
  bool of_shape = false;  ///< the shape of what it gives cannot be told, so neither can what follows be written
};

/// An operation of a function that was traced at two sizes of the batch.
class Call {
 public:
  /// \param first at the one size, \param second at the other: of equal operations, up to their attributes.
  Call(GraphWriter& graph, const Node& first, const Node& second, const BatchSizes& batch, std::vector<Value> inputs);

  GraphWriter& graph() const { return graph_; }
  const std::vector<Value>& inputs() const { return inputs_; }
  const Value& input(std::size_t i) const { return inputs_.at(i); }
  std::size_t output_count() const { return first_.output_count(); }
  DType output_dtype(std::size_t i = 0) const { return first_.spec(i).dtype; }
  Sizes output_sizes(std::size_t i = 0) const;  ///< \throws Refusal when they are no multiples of the batch's

  /// \name Attributes, by their names \{
  /// \throws Refusal when there is none of the name and type, or it depends on the batch in another way than the type says.
  bool boolean(std::string_view name) const;
  std::int64_t integer(std::string_view name) const;
  DType dtype(std::string_view name) const;
  std::vector<std::int64_t> integers(std::string_view name) const;
  Size size(std::string_view name) const;
  Sizes sizes(std::string_view name) const;
  Number number(std::string_view name) const;
  /// What is run inside, at both sizes of the batch.
  std::pair<const SubProgram&, const SubProgram&> programs(std::string_view name) const;
  /// The program of a formula.
  const Program& program(std::string_view name) const;
  /// The constants of that program.
  std::vector<Number> constants(std::string_view name) const;
  /// \}

  /// Whether there is an attribute of the name that is an integer.
  bool is_integer(std::string_view name) const;
  /// The elements of its first output, of an operation without inputs.
  Array elements() const { return first_.output(0).array(); }

 private:
  using AttributeValue =
      std::variant<bool, std::int64_t, double, DType, std::vector<std::int64_t>, Formula, const SubProgram*>;
  using AttributeMap = std::map<std::string, AttributeValue, std::less<>>;
  class Collector;

  template <class T>
  static const T& find(const AttributeMap& attributes, std::string_view name);
  /// The same attribute of both.
  template <class T>
  std::pair<const T&, const T&> both(std::string_view name) const;
  template <class T>
  const T& same(std::string_view name) const;
  /// What a size and its counterpart in the other trace are.
  Size multiple(std::int64_t first, std::int64_t second) const;

  GraphWriter& graph_;
  const Node& first_;
  const Node& second_;
  const BatchSizes& batch_;
  std::vector<Value> inputs_;
  AttributeMap first_attributes_;
  AttributeMap second_attributes_;
};

}  // namespace xgrad::onnx
