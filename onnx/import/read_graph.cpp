#include "onnx/import/read_graph.hpp"

#include <algorithm>
#include <limits>
#include <unordered_map>
#include <utility>

#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
#include "datasets/quoted.hpp"
#include "onnx/elements.hpp"
#include "onnx/import/imports.hpp"
#include "onnx/import/operators.hpp"

namespace xgrad::onnx::loading {

namespace {

using datasets::backticked;

/// The attributes that a function is called with, which its nodes refer to; null in a graph.
using Given = std::map<std::string, Attribute, std::less<>>;

constexpr std::size_t most_nested = 64;

/// Reads one graph, and those in it.
class GraphReader {
 public:
  GraphReader(Imports& imports, const Opsets& opsets, GraphReader* outside, const Given* given, std::size_t depth)
      : imports_(imports), opsets_(opsets), outside_(outside), given_(given), depth_(depth) {
    if (depth > most_nested) {
      imports_.fail("has graphs or functions in each other, deeper than any use, or functions that call themselves");
    }
  }

  Graph read(const proto::GraphProto& graph) {
    graph_.name = graph.name();
    for (const auto& tensor : graph.initializer()) {
      add_initializer(tensor);
    }
    if (graph.sparse_initializer_size() > 0) {
      imports_.object("sparse initialisers", "arrays are dense", "graph " + backticked(graph.name()));
    }
    for (const auto& input : graph.input()) {
      if (!slots_.contains(input.name())) {  // older files list initialisers as inputs, too
        graph_.inputs.push_back(value_of(input, define(input.name())));
      }
    }
    for (const auto& node : graph.node()) {
      add_node(node);
    }
    for (const auto& output : graph.output()) {
      graph_.outputs.push_back(value_of(output, find(output.name(), "the outputs")));
    }
    return finish();
  }

  Graph read(const proto::FunctionProto& function) {
    graph_.name = function.name();
    for (const std::string& name : function.input()) {
      graph_.inputs.push_back(GraphValue{name, define(name), {}});
    }
    for (const auto& node : function.node()) {
      add_node(node);
    }
    for (const std::string& name : function.output()) {
      graph_.outputs.push_back(GraphValue{name, find(name, "the outputs of a function"), {}});
    }
    return finish();
  }

 private:
  Graph finish() {
    graph_.slot_count = static_cast<std::size_t>(next_);
    return std::move(graph_);
  }

  Slot define(const std::string& name) {
    if (next_ == std::numeric_limits<Slot>::max() || !slots_.emplace(name, next_).second) {
      imports_.fail(phrase("gives the value {} twice", backticked(name)));
    }
    return next_++;
  }

  /// The slot of a name that is defined in here or outside, or no_slot.
  Slot find(const std::string& name) {
    const auto found = slots_.find(name);
    if (found != slots_.end()) {
      return found->second;
    }
    const Slot outside = outside_ == nullptr ? no_slot : outside_->find(name);
    if (outside == no_slot) {
      return no_slot;
    }
    const Slot inside = next_++;
    slots_.emplace(name, inside);
    graph_.captures.push_back({outside, inside});
    return inside;
  }

  Slot find(const std::string& name, std::string_view reader) {
    const Slot slot = find(name);
    if (slot == no_slot) {
      imports_.fail(
          phrase("has no value {} before {} that reads it: it is missing, or its nodes are a circle or in "
                 "no order",
                 backticked(name), reader));
    }
    return slot;
  }

  void add_initializer(const proto::TensorProto& tensor) {
    const Slot slot = define(tensor.name());
    if (!held_dtype_of(tensor.data_type())) {
      imports_.object("tensors of " + name_of(tensor.data_type()), "there is no such element type",
                      "initialiser " + backticked(tensor.name()));
      return;
    }
    graph_.initializers.push_back({tensor.name(), slot, to_array(imports_.op(), tensor)});
  }

  GraphValue value_of(const proto::ValueInfoProto& info, Slot slot) {
    GraphValue value{info.name(), slot, {}};
    if (!info.has_type()) {
      return value;
    }
    if (!info.type().has_tensor_type()) {
      imports_.object("sequences, maps and optional values", "values are tensors", "value " + backticked(info.name()));
      return value;
    }
    const auto& type = info.type().tensor_type();
    if (type.elem_type() != proto::TensorProto::UNDEFINED) {
      value.dtype = held_dtype_of(type.elem_type());
      if (!value.dtype) {
        imports_.object("tensors of " + name_of(type.elem_type()), "there is no such element type",
                        "value " + backticked(info.name()));
      }
    }
    value.ranked = type.has_shape();
    for (const auto& size : type.shape().dim()) {
      value.sizes.push_back(size.has_dim_value() ? std::optional(size.dim_value()) : std::nullopt);
      value.size_names.push_back(size.dim_param());
    }
    return value;
  }

  void add_node(const proto::NodeProto& proto) {
    GraphNode node;
    node.type = proto.op_type();
    node.domain = plain_domain(proto.domain());
    node.name = proto.name();
    node.number = imports_.next_number(given_ != nullptr);
    for (const std::string& name : proto.input()) {
      node.inputs.push_back(name.empty() ? no_slot : find(name, "node " + node.title()));
    }
    for (const auto& attribute : proto.attribute()) {
      add_attribute(attribute, node);
    }
    find_meaning(node);
    if (node.operation != nullptr && node.operation->reads_by_name != nullptr) {
      add_input_of(node, node.operation->reads_by_name);
    }
    for (const std::string& name : proto.output()) {
      node.outputs.push_back(name.empty() ? no_slot : define(name));
      node.output_names.push_back(name);
    }
    graph_.nodes.push_back(std::move(node));
  }

  /// The value that an attribute names, as one input more.
  void add_input_of(GraphNode& node, const char* attribute) {
    const auto found = node.attributes.find(std::string_view(attribute));
    if (found == node.attributes.end()) {
      imports_.fail(phrase("lacks the attribute '{}' at node {}", attribute, node.title()));
    }
    node.inputs.push_back(find(found->second.text, "node " + node.title()));
  }

  void find_meaning(GraphNode& node) {
    if (const proto::FunctionProto* function = imports_.find_function(node.domain, node.type)) {
      for (const auto& otherwise : function->attribute_proto()) {
        if (!node.attributes.contains(otherwise.name())) {
          add_attribute(otherwise, node);
        }
      }
      const Opsets opsets = imports_.opsets_of(*function);
      GraphReader reader(imports_, opsets, nullptr, &node.attributes, depth_ + 1);
      node.function = std::make_shared<const Graph>(reader.read(*function));
      return;
    }
    const auto set = opsets_.find(node.domain);
    node.opset = set == opsets_.end() ? 1 : set->second;
    node.operation = find_operator(node.domain, node.type, node.opset);
    if (node.operation == nullptr) {
      imports_.object(node.domain.empty() ? node.type : node.domain + "." + node.type,
                      std::string(node.domain.empty() ? why_unsupported(node.type, node.opset)
                                                      : "operators of this domain are not known"),
                      node.title());
      return;
    }
    require_input_count(node);
    if (node.operation->objection != nullptr) {
      const std::string reason = node.operation->objection(node);
      if (!reason.empty()) {
        imports_.object(node.type + " " + reason, "not supported", node.title());
      }
    }
  }

  void require_input_count(const GraphNode& node) {
    const auto [least, most] = node.operation->inputs;
    // Trailing inputs may be left out by an empty name as well.
    std::size_t count = node.inputs.size();
    while (count > 0 && node.inputs[count - 1] == no_slot) {
      --count;
    }
    if (count < least || count > most) {
      imports_.fail(phrase("has {} inputs at node {}, which takes {}{}", count, node.title(), least,
                           most == least        ? ""
                           : most == any_number ? " or more"
                                                : phrase(" to {}", most)));
    }
  }

  void add_attribute(const proto::AttributeProto& proto, GraphNode& node) {
    if (proto.has_ref_attr_name()) {
      const auto found = given_ == nullptr ? Given::const_iterator() : given_->find(proto.ref_attr_name());
      if (given_ == nullptr) {
        imports_.fail(phrase("refers to an attribute of a function outside of one, at node {}", node.title()));
      }
      if (found != given_->end() && found->second.graph != nullptr && !found->second.graph->captures.empty()) {
        imports_.object("graphs as attributes of functions", "they read values of the graph outside", node.title());
      } else if (found != given_->end()) {
        node.attributes.insert_or_assign(proto.name(), found->second);
      }
      return;
    }
    if (!node.attributes.try_emplace(proto.name(), attribute_of(proto, node)).second) {
      imports_.fail(phrase("says the attribute {} twice at node {}", backticked(proto.name()), node.title()));
    }
  }

  Attribute attribute_of(const proto::AttributeProto& proto, const GraphNode& node) {
    Attribute attribute;
    switch (kind_of(proto)) {
      case proto::AttributeProto::FLOAT:
        attribute.kind = Attribute::Kind::number;
        attribute.number = static_cast<double>(proto.f());
        break;
      case proto::AttributeProto::INT:
        attribute.kind = Attribute::Kind::integer;
        attribute.integer = proto.i();
        break;
      case proto::AttributeProto::STRING:
        attribute.kind = Attribute::Kind::text;
        attribute.text = proto.s();
        break;
      case proto::AttributeProto::TENSOR: read_tensor(proto.t(), node, attribute); break;
      case proto::AttributeProto::GRAPH: {
        GraphReader reader(imports_, opsets_, this, given_, depth_ + 1);
        attribute.kind = Attribute::Kind::graph;
        attribute.graph = std::make_shared<const Graph>(reader.read(proto.g()));
        break;
      }
      case proto::AttributeProto::FLOATS:
        attribute.kind = Attribute::Kind::numbers;
        attribute.numbers.assign(proto.floats().begin(), proto.floats().end());
        break;
      case proto::AttributeProto::INTS:
        attribute.kind = Attribute::Kind::integers;
        attribute.integers.assign(proto.ints().begin(), proto.ints().end());
        break;
      case proto::AttributeProto::STRINGS:
        attribute.kind = Attribute::Kind::texts;
        attribute.texts.assign(proto.strings().begin(), proto.strings().end());
        break;
      default: break;
    }
    return attribute;
  }

  void read_tensor(const proto::TensorProto& tensor, const GraphNode& node, Attribute& attribute) {
    if (held_dtype_of(tensor.data_type())) {
      attribute.kind = Attribute::Kind::tensor;
      attribute.tensor = to_array(imports_.op(), tensor);
    } else {
      imports_.object("tensors of " + name_of(tensor.data_type()), "there is no such element type", node.title());
    }
  }

  /// Which field counts: files of the first versions do not say.
  static proto::AttributeProto::AttributeType kind_of(const proto::AttributeProto& proto) {
    using Proto = proto::AttributeProto;
    return proto.type() != Proto::UNDEFINED ? proto.type()
           : proto.has_f()                  ? Proto::FLOAT
           : proto.has_i()                  ? Proto::INT
           : proto.has_s()                  ? Proto::STRING
           : proto.has_t()                  ? Proto::TENSOR
           : proto.has_g()                  ? Proto::GRAPH
           : proto.floats_size() > 0        ? Proto::FLOATS
           : proto.ints_size() > 0          ? Proto::INTS
           : proto.strings_size() > 0       ? Proto::STRINGS
                                            : Proto::UNDEFINED;
  }

  Imports& imports_;
  const Opsets& opsets_;
  GraphReader* outside_;
  const Given* given_;
  std::size_t depth_;
  Graph graph_;
  Slot next_ = 0;
  std::unordered_map<std::string, Slot> slots_;
};

}  // namespace

Graph read_graph(std::string_view op, const std::string& file, const proto::ModelProto& model) {
  Imports imports(op, file, model);
  GraphReader reader(imports, imports.opsets(), nullptr, nullptr, 0);
  Graph graph = reader.read(model.graph());
  imports.raise_objections();
  return graph;
}

}  // namespace xgrad::onnx::loading
