#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/array/array.hpp"
#include "autograd/array/dtype.hpp"

/// \file
/// Internal: a graph as it is read from a file, checked, and without protobuf's types. Values are called by numbers.

namespace xgrad::onnx::loading {

struct Graph;
struct Operator;

/// What a node says beside its inputs. Which field counts depends on `kind`.
struct Attribute {
  /// The sorts that the specification has.
  enum class Kind : std::uint8_t { number, integer, text, tensor, graph, numbers, integers, texts, other };

  Kind kind = Kind::other;
  double number = 0;
  std::int64_t integer = 0;
  std::string text;
  Array tensor;
  std::shared_ptr<const Graph> graph;
  std::vector<double> numbers;
  std::vector<std::int64_t> integers;
  std::vector<std::string> texts;
};

/// What an attribute of this sort is called in messages.
std::string_view to_string(Attribute::Kind kind);

/// One value of a graph: its position in the frame that a call fills. Less than 0: an input or output that is left out.
using Slot = std::int32_t;
inline constexpr Slot no_slot = -1;

/// One step.
struct GraphNode {
  std::string type;    ///< name of the operator or function
  std::string domain;  ///< whose; empty for ONNX's own
  std::string name;    ///< for messages; perhaps empty
  std::int64_t opset = 1;
  std::size_t number = 0;  ///< in the whole model: what random numbers of this node depend on
  std::vector<Slot> inputs, outputs;
  std::vector<std::string> output_names;
  std::map<std::string, Attribute, std::less<>> attributes;
  const Operator* operation = nullptr;    ///< null for a function
  std::shared_ptr<const Graph> function;  ///< of the file's own, with the attributes of this node in it

  /// `'name' (Type)`, as it is called in messages.
  std::string title() const;
};

/// An input or output of a graph.
struct GraphValue {
  std::string name;
  Slot slot = no_slot;
  std::optional<DType> dtype;                           ///< as the file says, if it does
  bool ranked = false;                                  ///< whether the file says how many axes there are
  std::vector<std::optional<std::int64_t>> sizes = {};  ///< of the axes; those that vary have none
  std::vector<std::string> size_names = {};             ///< of the axes; those without one are empty
  bool tensor = true;                                   ///< or a sequence, map, ...
};

/// An array that the file holds.
struct Initializer {
  std::string name;
  Slot slot = no_slot;
  Array array;
};

/// A graph, or the body of a branch or loop, or a function.
struct Graph {
  /// A value of the graph outside of this one, and its number in here.
  struct Capture {
    Slot outside, inside;
  };

  std::string name;
  std::size_t slot_count = 0;
  std::vector<GraphValue> inputs;
  std::vector<GraphValue> outputs;
  std::vector<Initializer> initializers;
  std::vector<Capture> captures;
  std::vector<GraphNode> nodes;  ///< each after those that it reads from
};

}  // namespace xgrad::onnx::loading
