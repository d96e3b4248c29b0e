#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "autograd/array/array.hpp"
#include "autograd/array/dtype.hpp"
#include "model.pb.h"
#include "onnx/sizes.hpp"

/// \file
/// Internal: what a graph of ONNX is written with: nodes, constants, names.

namespace xgrad::onnx {

/// A tensor of the written graph.
struct Value {
  std::string name;
  DType dtype = DType::float32;
  Sizes sizes = {};
  bool unknown = false;  ///< its sizes are: what it is computed by cannot be written
};

/// An attribute of a node.
struct Attribute {
  std::string_view name;
  std::variant<std::int64_t, std::vector<std::int64_t>, std::string> value;
};

/// Writes the nodes and initialisers of one graph, and of those inside of it.
class GraphWriter {
 public:
  explicit GraphWriter(proto::GraphProto& graph) : whole_(graph), graph_(&graph) {}

  /// \p wanted, or with a number behind it where that is taken.
  std::string unique(std::string_view wanted);

  /// A node of one output, whose name is returned.
  std::string add(std::string_view op_type, const std::vector<std::string>& inputs,
                  const std::vector<Attribute>& attributes = {});
  /// A node with \p count outputs.
  std::vector<std::string> add_several(std::string_view op_type, const std::vector<std::string>& inputs,
                                       const std::vector<Attribute>& attributes, std::size_t count);
  /// A node whose output has the name \p output, which is unique.
  void add_named(std::string_view op_type, const std::vector<std::string>& inputs, const std::string& output);

  /// A node with graphs as attributes, which take from the graph around them what they use. \return its outputs.
  std::vector<std::string> add_control(std::string_view op_type, const std::vector<std::string>& inputs,
                                       std::vector<std::pair<std::string_view, proto::GraphProto>> graphs,
                                       std::size_t count);
  /// A graph for such a node: \p write writes its nodes, and its inputs and outputs.
  proto::GraphProto inner_graph(std::string_view name, const std::function<void(proto::GraphProto& graph)>& write);
  /// Fills in what is known of an input or output of a graph.
  void describe(proto::ValueInfoProto& info, const Value& value) const;

  /// The elements of \p array, which are written once, however often they are asked for.
  /// \param wanted what to call them.
  std::string array(const Array& array, std::string_view wanted);
  /// A single number of shape (): as \p dtype, each different one once.
  std::string scalar(double number, DType dtype);
  /// A list of int64 numbers, each different one once.
  std::string list(const std::vector<std::int64_t>& numbers);

  /// Where the size of the batch is found: the name of an input, and an axis of it. \param name what it is called.
  void set_batch(const std::string& input, std::int64_t axis, const std::string& name) {
    batch_ = {input, axis};
    batch_name_ = name;
  }
  /// A list of int64 sizes.
  std::string sizes(const Sizes& sizes);
  /// A list for Reshape: at most one symbolic size is -1.
  std::string reshape_sizes(const Sizes& sizes);
  /// A number of shape ().
  std::string number(const Number& number, DType dtype);

  std::string cast(const std::string& value, DType to);
  /// \p value in another shape of as many elements.
  std::string reshape(const std::string& value, const Sizes& sizes);
  /// \p value repeated to be of these sizes.
  std::string expand(const std::string& value, const Sizes& sizes);

  /// From now on, float64 is written as float32.
  void write_float64_as_float32() { narrow_ = true; }
  /// The dtype that tensors of \p dtype are written as.
  DType written(DType dtype) const { return narrow_ && dtype == DType::float64 ? DType::float32 : dtype; }
  proto::TensorProto::DataType type(DType dtype) const;

 private:
  std::string batch_list();
  using Made = std::map<std::string, std::string>;
  static std::string cached(Made& made, const std::string& key, const std::function<std::string()>& make);

  proto::GraphProto& whole_;  // whose initialisers all graphs see
  proto::GraphProto* graph_;  // where nodes go now
  std::set<std::string, std::less<>> names_;
  std::map<std::string, int, std::less<>> next_number_;  // per name that was taken
  Made constants_;                                       // initialisers, by what they are
  Made computed_;                                        // the same of nodes that the graph of now sees
  std::vector<Array> held_;                              // written ones: no other can come to be where they are
  std::pair<std::string, std::int64_t> batch_;
  std::string batch_name_;
  bool narrow_ = false;
};

}  // namespace xgrad::onnx
