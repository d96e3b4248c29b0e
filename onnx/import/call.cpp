#include "onnx/import/call.hpp"

#include <algorithm>

#include "autograd/ops/ops.hpp"
#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
#include "datasets/quoted.hpp"

namespace xgrad::onnx::loading {

std::string_view to_string(Attribute::Kind kind) {
  switch (kind) {
    case Attribute::Kind::number: return "a number";
    case Attribute::Kind::integer: return "an integer";
    case Attribute::Kind::text: return "a text";
    case Attribute::Kind::tensor: return "a tensor";
    case Attribute::Kind::graph: return "a graph";
    case Attribute::Kind::numbers: return "a list of numbers";
    case Attribute::Kind::integers: return "a list of integers";
    case Attribute::Kind::texts: return "a list of texts";
    case Attribute::Kind::other: break;
  }
  return "of another sort";
}

void Call::refuse(std::string_view message) const { raise<ValueError>(datasets::shown(node_.type), message); }

const Value& Call::value(std::size_t i) const {
  if (!has(i)) {
    refuse(phrase("input {} is missing; the file is not what the operator needs", i));
  }
  const Value& value = frame_[static_cast<std::size_t>(node_.inputs[i])];
  if (!value.tensor.defined()) {
    refuse(phrase("input {} has no value: it is an output that its node does not give", i));
  }
  return value;
}

Tensors Call::inputs_from(std::size_t first) const {
  Tensors inputs;
  for (std::size_t i = first; i < input_count(); ++i) {
    inputs.push_back((*this)[i]);
  }
  return inputs;
}

Array Call::elements(std::size_t i) const {
  try {
    return (*this)[i].array();
  } catch (Error& error) {
    error.add_note(phrase("as {} needs the elements of its input {} when the graph is built", node_.title(), i));
    throw;
  }
}

std::vector<std::int64_t> Call::integers(std::size_t i) const {
  const Array array = elements(i);
  if (!is_integer(array.dtype())) {
    raise<DTypeError>(node_.type, phrase("input {} is {}, not int32 or int64", i, xgrad::to_string(array.dtype())));
  }
  return dispatch(array.dtype(), [&](auto zero) {
    const auto* first = array.data<decltype(zero)>();
    std::vector<std::int64_t> list;
    for (std::int64_t k = 0; k < array.size(); ++k) {
      list.push_back(static_cast<std::int64_t>(first[k]));
    }
    return list;
  });
}

std::int64_t Call::integer(std::size_t i) const {
  const std::vector<std::int64_t> list = integers(i);
  if (list.size() != 1) {
    raise<ShapeError>(node_.type, phrase("input {} has {} elements, not 1", i, list.size()));
  }
  return list.front();
}

double Call::number(std::size_t i) const {
  const Array array = elements(i);
  if (array.size() != 1) {
    raise<ShapeError>(node_.type, phrase("input {} has {} elements, not 1", i, array.size()));
  }
  return dispatch(array.dtype(), [&](auto zero) { return static_cast<double>(*array.data<decltype(zero)>()); });
}

const Attribute* Call::find(std::string_view attribute, Attribute::Kind kind) const {
  const auto found = node_.attributes.find(attribute);
  if (found == node_.attributes.end()) {
    return nullptr;
  }
  if (found->second.kind != kind) {
    refuse(phrase("attribute '{}' is {}, not {}", attribute, to_string(found->second.kind), to_string(kind)));
  }
  return &found->second;
}

const Attribute& Call::need(std::string_view attribute, Attribute::Kind kind) const {
  const Attribute* found = find(attribute, kind);
  if (found == nullptr) {
    refuse(phrase("attribute '{}' is missing; the file is not what the operator needs", attribute));
  }
  return *found;
}

std::int64_t Call::integer(std::string_view attribute, std::int64_t otherwise) const {
  const Attribute* found = find(attribute, Attribute::Kind::integer);
  return found == nullptr ? otherwise : found->integer;
}

double Call::number(std::string_view attribute, double otherwise) const {
  const Attribute* found = find(attribute, Attribute::Kind::number);
  return found == nullptr ? otherwise : found->number;
}

std::string Call::text(std::string_view attribute, std::string_view otherwise) const {
  const Attribute* found = find(attribute, Attribute::Kind::text);
  return found == nullptr ? std::string(otherwise) : found->text;
}

std::vector<std::int64_t> Call::integers(std::string_view attribute) const {
  const Attribute* found = find(attribute, Attribute::Kind::integers);
  return found == nullptr ? std::vector<std::int64_t>() : found->integers;
}

std::vector<double> Call::numbers(std::string_view attribute) const {
  const Attribute* found = find(attribute, Attribute::Kind::numbers);
  return found == nullptr ? std::vector<double>() : found->numbers;
}

std::vector<std::string> Call::texts(std::string_view attribute) const {
  const Attribute* found = find(attribute, Attribute::Kind::texts);
  return found == nullptr ? std::vector<std::string>() : found->texts;
}

const Array& Call::array(std::string_view attribute) const { return need(attribute, Attribute::Kind::tensor).tensor; }

const Graph& Call::graph(std::string_view attribute) const { return *need(attribute, Attribute::Kind::graph).graph; }

Values Call::run(const Graph& body, const Values& inputs) const { return run_graph(body, inputs, &frame_, session_); }

}  // namespace xgrad::onnx::loading
