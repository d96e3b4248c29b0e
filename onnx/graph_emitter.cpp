#include "onnx/graph_emitter.hpp"

#include <algorithm>
#include <optional>

#include "autograd/graph/any_operation.hpp"
#include "autograd/graph/subprogram.hpp"
#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
#include "onnx/call.hpp"
#include "onnx/operators.hpp"

namespace xgrad::onnx {

namespace {

std::string place_of(const Node& node) {
  const std::source_location& where = node.location();
  return where.line() == 0 ? "an unknown place" : phrase("{}:{}", where.file_name(), where.line());
}

/// The number that an array of one element holds.
double only_element(const Array& array) {
  return dispatch(array.dtype(), [&](auto zero) { return static_cast<double>(*array.data<decltype(zero)>()); });
}

bool same_elements(const Array& a, const Array& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() &&
         (a.data() == b.data() ||
          std::equal(static_cast<const std::byte*>(a.data()), static_cast<const std::byte*>(a.data()) + a.bytes(),
                     static_cast<const std::byte*>(b.data())));
}

Sizes fixed_sizes(const Shape& shape) {
  Sizes sizes;
  for (const std::int64_t size : shape) {
    sizes.push_back({size, false});
  }
  return sizes;
}

/// The function that an operation runs and nothing but runs.
const SubProgram* inlined_program(const Node& node) {
  const std::string_view key = node.operation().key();
  return key == "checkpoint" || key == "cond_each" ? node.operation().program() : nullptr;
}

bool has_no_elements(const Value& value) {
  return symbolic_count(value.sizes) == 0 &&
         std::ranges::any_of(value.sizes, [](const Size& s) { return s.factor == 0; });
}

void require_alike(const Pair& pair) {
  const auto first = pair.first.nodes();
  const auto second = pair.second.nodes();
  for (std::size_t i = 0; i < std::min(first.size(), second.size()); ++i) {
    const auto reads = pair.first.reads(i);
    if (first[i]->operation().key() != second[i]->operation().key() ||
        !std::ranges::equal(reads, pair.second.reads(i))) {
      throw TracesDiffer{first[i]};
    }
  }
  if (first.size() != second.size() || pair.first.leaves().size() != pair.second.leaves().size()) {
    throw TracesDiffer{first.empty() ? nullptr : first.back()};
  }
}

/// Which values are read by an operation, or are roots.
std::vector<bool> find_wanted(const Description& description, std::span<const Description::Value> roots) {
  std::vector<bool> wanted(description.value_count());
  const auto want = [&](Description::Value value) {
    if ((value & Description::leaf_bit) == 0) {
      wanted[value] = true;
    }
  };
  for (std::size_t i = 0; i < description.nodes().size(); ++i) {
    std::ranges::for_each(description.reads(i), want);
  }
  std::ranges::for_each(roots, want);
  return wanted;
}

}  // namespace

void Refusals::add(const Node& node, std::string_view reason) {
  const std::string_view operation = node.name();
  for (Refused& refused : found_) {
    if (refused.operation == operation && refused.reason == reason) {
      ++refused.count;
      return;
    }
  }
  found_.push_back({std::string(operation), std::string(reason), place_of(node), 1});
}

void Refusals::raise_all() const {
  std::string list;
  for (const Refused& refused : found_) {
    list += phrase("{}{} ({}{} at {}): {}", list.empty() ? "" : "; ", refused.operation, refused.count,
                   refused.count == 1 ? "" : ", first", refused.place, refused.reason);
  }
  raise<ValueError>("onnx::save", phrase("{} cannot be written: {}; compute that outside of the function that is saved",
                                         found_.size() == 1 ? "an operation" : "some operations", list));
}

std::vector<Value> GraphEmitter::emit(const Pair& pair, const std::vector<Value>& given,
                                      std::span<const Description::Value> roots) {
  require_alike(pair);
  const std::vector<Value> leaves = leaves_of(pair, given);
  std::vector<Value> values(pair.first.value_count());
  const std::vector<bool> wanted = find_wanted(pair.first, roots);
  const auto value = [&](Description::Value number) -> const Value& {
    return (number & Description::leaf_bit) != 0 ? leaves[number & ~Description::leaf_bit] : values[number];
  };
  for (std::size_t i = 0; i < pair.first.nodes().size(); ++i) {
    std::vector<Value> inputs;
    for (const Description::Value number : pair.first.reads(i)) {
      inputs.push_back(value(number));
    }
    const Description::Value begin = pair.first.first_value(i);
    const std::vector<bool> of_node(wanted.begin() + begin, wanted.begin() + pair.first.first_value(i + 1));
    const std::vector<Value> outputs = outputs_of(*pair.first.nodes()[i], *pair.second.nodes()[i], inputs, of_node);
    std::copy(outputs.begin(), outputs.end(), values.begin() + begin);
  }
  std::vector<Value> result;
  for (const Description::Value root : roots) {
    result.push_back(value(root));
  }
  return result;
}

std::vector<Value> GraphEmitter::leaves_of(const Pair& pair, const std::vector<Value>& given) {
  std::vector<Value> leaves = given;
  for (std::size_t i = given.size(); i < pair.first.leaves().size(); ++i) {
    leaves.push_back(leaf(pair.first.leaves()[i], pair.second.leaves()[i]));
  }
  return leaves;
}

// A constant; or a number that depends on the size of the batch, such as that of which a mean is taken.
Value GraphEmitter::leaf(const Description::Leaf& first, const Description::Leaf& second) {
  const Array& array = first.elements;
  const Node& node = first.tensor.node();
  if (same_elements(array, second.elements)) {
    const bool is_number = array.shape().empty() && array.dtype() != DType::int64;
    return {is_number ? graph_.scalar(only_element(array), array.dtype()) : graph_.array(array, "constant"),
            array.dtype(), fixed_sizes(array.shape())};
  }
  if (array.size() == 1 && second.elements.size() == 1 && array.shape() == second.elements.shape()) {
    if (const auto number = common_number(only_element(array), only_element(second.elements), batch_)) {
      const std::string name = graph_.number(*number, array.dtype());
      const Sizes sizes = fixed_sizes(array.shape());
      return {sizes.empty() ? name : graph_.reshape(name, sizes), array.dtype(), sizes};
    }
  }
  refusals_.add(node, "its elements depend on the size of the batch, and are no multiple of it");
  return {"", array.dtype(), fixed_sizes(array.shape()), true};
}

std::vector<Value> GraphEmitter::outputs_of(const Node& first, const Node& second, const std::vector<Value>& inputs,
                                            const std::vector<bool>& wanted) {
  std::vector<Value> values;
  for (std::size_t i = 0; i < first.output_count(); ++i) {
    values.push_back({"", first.spec(i).dtype, fixed_sizes(first.spec(i).shape)});
  }
  if (std::ranges::any_of(inputs, &Value::unknown)) {
    for (Value& value : values) {
      value.unknown = true;
    }
    return values;
  }
  try {
    const SubProgram* program = inlined_program(first);
    if (program != nullptr && program->inputs().size() == inputs.size()) {
      const SubProgram* other = inlined_program(second);
      return emit({program->description(), other->description()}, inputs, program->output_values());
    }
    const Call call(graph_, first, second, batch_, inputs);
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i].sizes = wanted[i] ? call.output_sizes(i) : Sizes();
    }
    if (std::ranges::all_of(values, has_no_elements)) {  // which runtimes know to compute with in parts only
      for (std::size_t i = 0; i < values.size(); ++i) {
        values[i].name = graph_.array(Array(first.spec(i).shape, values[i].dtype), "empty");
      }
      return values;
    }
    const std::vector<std::string> names = written(call, first.operation().key(), wanted);
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i].name = names.at(i);
    }
  } catch (const Refusal& refusal) {
    refusals_.add(first, refusal.reason);
    for (Value& value : values) {
      value.unknown = refusal.of_shape;
    }
  }
  return values;
}

std::vector<std::string> GraphEmitter::written(const Call& call, std::string_view key,
                                               const std::vector<bool>& wanted) {
  if (key == "loop") {
    return loop(call, wanted);
  }
  if (key == "cond") {
    return branch(call);
  }
  const OperatorRow* row = find_operator(key);
  if (row != nullptr && row->emit != nullptr) {
    return row->emit(call);
  }
  const std::string_view reason = known_refusal(key);
  throw Refusal{reason.empty() ? "it is not in the table of operations that are written" : std::string(reason)};
}

}  // namespace xgrad::onnx
