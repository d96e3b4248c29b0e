#include "onnx/call.hpp"

#include <optional>
#include <utility>

#include "autograd/graph/attributes.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad::onnx {

namespace {

[[noreturn]] void refuse_batch(std::string_view what) {
  throw Refusal{phrase("its {} depends on the size of the batch, and is no multiple of it", what), true};
}

}  // namespace

/// Keeps the attributes that it is shown.
class Call::Collector final : public AttributeVisitor {
 public:
  explicit Collector(AttributeMap& attributes) : attributes_(attributes) {}

  void boolean(std::string_view name, bool value) override { keep(name, value); }
  void integer(std::string_view name, std::int64_t value) override { keep(name, value); }
  void number(std::string_view name, double value) override { keep(name, value); }
  void dtype(std::string_view name, DType value) override { keep(name, value); }
  void shape(std::string_view name, const Ints& value) override {
    keep(name, std::vector<std::int64_t>(value.begin(), value.end()));
  }
  void formula(std::string_view name, const Formula& value) override { keep(name, value); }
  void program(std::string_view name, const SubProgram& value) override { keep(name, &value); }
  // No emitter needs these.
  void text(std::string_view, std::string_view) override {}
  void opaque(std::string_view, const OpaqueAttribute&) override {}

 private:
  void keep(std::string_view name, AttributeValue value) {
    attributes_.insert_or_assign(std::string(name), std::move(value));
  }

  AttributeMap& attributes_;
};

Call::Call(GraphWriter& graph, const Node& first, const Node& second, const BatchSizes& batch,
           std::vector<Value> inputs)
    : graph_(graph), first_(first), second_(second), batch_(batch), inputs_(std::move(inputs)) {
  Collector of_first(first_attributes_);
  first.operation().visit_attributes(of_first);
  Collector of_second(second_attributes_);
  second.operation().visit_attributes(of_second);
}

template <class T>
const T& Call::find(const AttributeMap& attributes, std::string_view name) {
  const auto found = attributes.find(name);
  const T* value = found == attributes.end() ? nullptr : std::get_if<T>(&found->second);
  if (value == nullptr) {
    throw Refusal{phrase("it has no attribute {} of the type that the operation of this name has", name)};
  }
  return *value;
}

template <class T>
std::pair<const T&, const T&> Call::both(std::string_view name) const {
  return {find<T>(first_attributes_, name), find<T>(second_attributes_, name)};
}

template <class T>
const T& Call::same(std::string_view name) const {
  const auto [first, second] = both<T>(name);
  if (!(first == second)) {
    refuse_batch(name);
  }
  return first;
}

Sizes Call::output_sizes(std::size_t i) const {
  Sizes sizes;
  const Shape& first = first_.spec(i).shape;
  const Shape& second = second_.spec(i).shape;
  if (first.ndim() != second.ndim()) {
    refuse_batch("number of axes");
  }
  for (std::size_t axis = 0; axis < first.ndim(); ++axis) {
    sizes.push_back(multiple(first[axis], second[axis]));
  }
  return sizes;
}

Size Call::multiple(std::int64_t first, std::int64_t second) const {
  const std::optional<Size> size = common_size(first, second, batch_);
  if (!size) {
    refuse_batch("shape");
  }
  return *size;
}

bool Call::is_integer(std::string_view name) const {
  const auto found = first_attributes_.find(name);
  return found != first_attributes_.end() && std::holds_alternative<std::int64_t>(found->second);
}

bool Call::boolean(std::string_view name) const { return same<bool>(name); }
std::int64_t Call::integer(std::string_view name) const { return same<std::int64_t>(name); }
DType Call::dtype(std::string_view name) const { return same<DType>(name); }

std::vector<std::int64_t> Call::integers(std::string_view name) const { return same<std::vector<std::int64_t>>(name); }

Size Call::size(std::string_view name) const {
  const auto [first, second] = both<std::int64_t>(name);
  return multiple(first, second);
}

Sizes Call::sizes(std::string_view name) const {
  const auto [first, second] = both<std::vector<std::int64_t>>(name);
  if (first.size() != second.size()) {
    refuse_batch(name);
  }
  Sizes result;
  for (std::size_t i = 0; i < first.size(); ++i) {
    result.push_back(multiple(first[i], second[i]));
  }
  return result;
}

Number Call::number(std::string_view name) const {
  const auto [first, second] = both<double>(name);
  const std::optional<Number> number = common_number(first, second, batch_);
  if (!number) {
    refuse_batch(name);
  }
  return *number;
}

std::pair<const SubProgram&, const SubProgram&> Call::programs(std::string_view name) const {
  const auto [first, second] = both<const SubProgram*>(name);
  return {*first, *second};
}

const Program& Call::program(std::string_view name) const {
  const Program& first = find<Formula>(first_attributes_, name).program();
  const Program& second = find<Formula>(second_attributes_, name).program();
  if (first.input_count != second.input_count || first.steps != second.steps || first.results != second.results ||
      first.constants.size() != second.constants.size()) {
    refuse_batch(name);
  }
  return first;
}

std::vector<Number> Call::constants(std::string_view name) const {
  const std::vector<double>& first = find<Formula>(first_attributes_, name).program().constants;
  const std::vector<double>& second = find<Formula>(second_attributes_, name).program().constants;
  std::vector<Number> numbers;
  for (std::size_t i = 0; i < first.size(); ++i) {
    const std::optional<Number> number = common_number(first[i], second[i], batch_);
    if (!number) {
      refuse_batch("constant");
    }
    numbers.push_back(*number);
  }
  return numbers;
}

}  // namespace xgrad::onnx
