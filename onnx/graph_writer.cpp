#include "onnx/graph_writer.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "autograd/graph/tensor.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"
#include "onnx/elements.hpp"

namespace xgrad::onnx {

namespace {

/// The output of a node is called as its operator, in small letters.
std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
  });
  return result;
}

void set(proto::AttributeProto& attribute, std::int64_t value) {
  attribute.set_type(proto::AttributeProto::INT);
  attribute.set_i(value);
}

void set(proto::AttributeProto& attribute, const std::vector<std::int64_t>& values) {
  attribute.set_type(proto::AttributeProto::INTS);
  for (const std::int64_t value : values) {
    attribute.add_ints(value);
  }
}

bool has_zero(const Sizes& sizes) { return std::find(sizes.begin(), sizes.end(), Size{0, false}) != sizes.end(); }

void set(proto::AttributeProto& attribute, const std::string& value) {
  attribute.set_type(proto::AttributeProto::STRING);
  attribute.set_s(value);
}

std::string text(const std::vector<std::int64_t>& numbers) {
  std::string result;
  for (const std::int64_t number : numbers) {
    result += phrase("{},", number);
  }
  return result;
}

}  // namespace

std::string GraphWriter::unique(std::string_view wanted) {
  std::string name(wanted);
  while (!names_.insert(name).second) {
    name = phrase("{}_{}", wanted, ++next_number_[std::string(wanted)]);
  }
  return name;
}

std::string GraphWriter::add(std::string_view op_type, const std::vector<std::string>& inputs,
                             const std::vector<Attribute>& attributes) {
  return add_several(op_type, inputs, attributes, 1)[0];
}

std::vector<std::string> GraphWriter::add_several(std::string_view op_type, const std::vector<std::string>& inputs,
                                                  const std::vector<Attribute>& attributes, std::size_t count) {
  proto::NodeProto& node = *graph_->add_node();
  node.set_op_type(std::string(op_type));
  node.set_name(unique(phrase("{}/{}", graph_->node_size(), op_type)));
  for (const std::string& input : inputs) {
    node.add_input(input);
  }
  std::vector<std::string> outputs;
  for (std::size_t i = 0; i < count; ++i) {
    outputs.push_back(unique(lower(op_type)));
    node.add_output(outputs.back());
  }
  for (const Attribute& attribute : attributes) {
    proto::AttributeProto& written = *node.add_attribute();
    written.set_name(std::string(attribute.name));
    std::visit([&](const auto& value) { set(written, value); }, attribute.value);
  }
  return outputs;
}

void GraphWriter::add_named(std::string_view op_type, const std::vector<std::string>& inputs,
                            const std::string& output) {
  add(op_type, inputs);
  graph_->mutable_node(graph_->node_size() - 1)->set_output(0, output);
}

std::vector<std::string> GraphWriter::add_control(std::string_view op_type, const std::vector<std::string>& inputs,
                                                  std::vector<std::pair<std::string_view, proto::GraphProto>> graphs,
                                                  std::size_t count) {
  const std::vector<std::string> outputs = add_several(op_type, inputs, {}, count);
  proto::NodeProto& node = *graph_->mutable_node(graph_->node_size() - 1);
  for (auto& [name, graph] : graphs) {
    proto::AttributeProto& attribute = *node.add_attribute();
    attribute.set_name(std::string(name));
    attribute.set_type(proto::AttributeProto::GRAPH);
    attribute.mutable_g()->Swap(&graph);
  }
  return outputs;
}

proto::GraphProto GraphWriter::inner_graph(std::string_view name,
                                           const std::function<void(proto::GraphProto& graph)>& write) {
  proto::GraphProto inner;
  inner.set_name(unique(name));
  proto::GraphProto* const outer = std::exchange(graph_, &inner);
  const Made seen_outside = computed_;
  write(inner);
  graph_ = outer;
  computed_ = seen_outside;
  return inner;
}

void GraphWriter::describe(proto::ValueInfoProto& info, const Value& value) const {
  info.set_name(value.name);
  proto::TypeProto::Tensor& type = *info.mutable_type()->mutable_tensor_type();
  type.set_elem_type(this->type(value.dtype));
  proto::TensorShapeProto& shape = *type.mutable_shape();
  for (const Size& size : value.sizes) {
    proto::TensorShapeProto::Dimension& dimension = *shape.add_dim();
    if (!size.symbolic) {
      dimension.set_dim_value(size.factor);
    } else if (size.factor == 1) {
      dimension.set_dim_param(batch_name_);
    }
  }
}

std::string GraphWriter::cached(Made& made, const std::string& key, const std::function<std::string()>& make) {
  const auto found = made.find(key);
  return found != made.end() ? found->second : made.emplace(key, make()).first->second;
}

std::string GraphWriter::array(const Array& array, std::string_view wanted) {
  const DType dtype = written(array.dtype());
  const auto address = std::bit_cast<std::uintptr_t>(array.data());
  // One buffer may be seen in several shapes.
  const std::string key =
      phrase("array {} {} {}", address, to_string(dtype), to_string(static_cast<const Ints&>(array.shape())));
  return cached(constants_, key, [&] {
    const std::string name = unique(wanted);
    const Array elements = dtype == array.dtype() ? array : xgrad::cast(Tensor(array), dtype).array();
    *whole_.add_initializer() = to_tensor(elements, name);
    held_.push_back(array);
    return name;
  });
}

std::string GraphWriter::scalar(double number, DType dtype) {
  const std::string key = phrase("scalar {} {}", std::bit_cast<std::uint64_t>(number), to_string(written(dtype)));
  return cached(constants_, key, [&] {
    const std::string name = unique("constant");
    *whole_.add_initializer() = to_tensor(full({}, number, written(dtype)).array(), name);
    return name;
  });
}

std::string GraphWriter::list(const std::vector<std::int64_t>& numbers) {
  return cached(constants_, "list " + text(numbers), [&] {
    const std::string name = unique("list");
    Array array({static_cast<std::int64_t>(numbers.size())}, DType::int64);
    std::copy(numbers.begin(), numbers.end(), array.data<std::int64_t>());
    *whole_.add_initializer() = to_tensor(array, name);
    return name;
  });
}

// As a list of one number, which Concat joins to others.
std::string GraphWriter::batch_list() {
  return cached(computed_, "batch", [&] {
    return add("Shape", {batch_.first}, {{"start", batch_.second}, {"end", batch_.second + 1}});
  });
}

std::string GraphWriter::sizes(const Sizes& sizes) {
  std::vector<std::int64_t> numbers;
  for (const Size& size : sizes) {
    numbers.push_back(size.factor);
  }
  if (symbolic_count(sizes) == 0) {
    return list(numbers);
  }
  std::string key = "sizes ";
  for (const Size& size : sizes) {
    key += phrase("{}{},", size.factor, size.symbolic ? "n" : "");
  }
  return cached(computed_, key, [&] {
    std::vector<std::string> parts;
    for (const Size& size : sizes) {
      const std::string factor = list({size.factor});
      parts.push_back(!size.symbolic ? factor : size.factor == 1 ? batch_list() : add("Mul", {batch_list(), factor}));
    }
    return parts.size() == 1 ? parts[0] : add("Concat", parts, {{"axis", 0}});
  });
}

std::string GraphWriter::reshape_sizes(const Sizes& sizes) {
  if (symbolic_count(sizes) != 1 || has_zero(sizes)) {
    return this->sizes(sizes);
  }
  std::vector<std::int64_t> numbers;
  for (const Size& size : sizes) {
    numbers.push_back(size.symbolic ? -1 : size.factor);
  }
  return list(numbers);
}

std::string GraphWriter::number(const Number& number, DType dtype) {
  const std::string factor = scalar(number.factor, dtype);
  if (number.kind == Number::Kind::constant) {
    return factor;
  }
  const std::string batch = cached(computed_, phrase("batch {}", to_string(written(dtype))), [&] {
    return cast(add("Squeeze", {batch_list(), list({0})}), dtype);
  });
  if (number.kind == Number::Kind::times_batch) {
    return number.factor == 1 ? batch : add("Mul", {factor, batch});
  }
  return add("Div", {factor, batch});
}

std::string GraphWriter::cast(const std::string& value, DType to) {
  return add("Cast", {value}, {{"to", std::int64_t{type(to)}}});
}

std::string GraphWriter::reshape(const std::string& value, const Sizes& sizes) {
  std::vector<Attribute> attributes;
  if (has_zero(sizes) || symbolic_count(sizes) > 1) {
    attributes.push_back({"allowzero", 1});  // a 0 is a size of 0, not one to be copied
  }
  return add("Reshape", {value, reshape_sizes(sizes)}, attributes);
}

std::string GraphWriter::expand(const std::string& value, const Sizes& sizes) {
  return add("Expand", {value, this->sizes(sizes)});
}

proto::TensorProto::DataType GraphWriter::type(DType dtype) const { return element_type(written(dtype)); }

}  // namespace xgrad::onnx
