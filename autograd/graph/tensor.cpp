#include "autograd/graph/tensor.hpp"

#include "autograd/graph/operation.hpp"
#include "autograd/graph/recognize.hpp"
#include "autograd/graph/variable.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad {

namespace {

/// Elements that were given, not computed.
struct Constant {
  static constexpr std::string_view name = "constant";
  static constexpr bool stops_gradient = true;
  Spec spec;
  static constexpr auto attributes = fields("", &Constant::spec);

  Spec infer(Inputs) const { return spec; }
};

}  // namespace

bool detail::is_constant(const Node& node) { return node.as<Constant>() != nullptr; }

Tensor::Tensor(const Array& array, std::source_location where)
    : Tensor(leaf(Constant{{array.shape(), array.dtype()}}, array, where)) {}

Tensor::Tensor(Ref<const Node> node, std::size_t index) : node_(std::move(node)), index_(index) {}

namespace {

const Node& checked(const Ref<const Node>& node) {
  if (!node) {
    raise<ValueError>(
        "tensor", "the handle is empty: it was declared, moved from or returned by a rule, but never given a value");
  }
  return *node;
}

}  // namespace

const Shape& Tensor::shape() const { return checked(node_).spec(index_).shape; }
DType Tensor::dtype() const { return checked(node_).spec(index_).dtype; }

std::int64_t Tensor::shape(std::int64_t axis) const { return shape()[normalize_axis("shape", axis, ndim())]; }

Array Tensor::array() const {
  const Node& node = checked(node_);
  if (!node.has_value(index_)) {
    evaluate(std::span(this, 1));
  }
  return node.value(index_);
}

Array Tensor::elements(DType wanted, const std::source_location& where) const {
  return located(where, [&] {
    if (dtype() != wanted) {
      raise<DTypeError>("value", phrase("the elements are {}, not {}; ask for that type or cast first",
                                        to_string(dtype()), to_string(wanted)));
    }
    return array();
  });
}

Array Tensor::single_element(const std::source_location& where) const {
  return located(where, [&] {
    if (size() != 1) {
      raise<ShapeError>("item", phrase("a tensor of shape {} has {} elements, not one; reduce it, or use "
                                       "value<T>()",
                                       to_string(shape()), size()));
    }
    return array();
  });
}

Tensor Tensor::detach() const {
  const Array value = array();
  return Tensor(value, node().location());
}

Operand::Operand(const Variable& variable, std::source_location where) : tensor_(variable.read()), where_(where) {}

Tensor Operand::tensor() const {
  if (weak_) {
    return tensor(floating_ ? DType::float32 : DType::int64);
  }
  checked(tensor_.node_ref());
  return tensor_;
}

Tensor Operand::tensor(DType dtype, std::string_view op) const {
  if (!weak_) {
    return tensor();
  }
  // As doubles, the integers next to 2^63 are all 2^63: whether one of them fits is told by the integer's sign.
  const bool holds = !floating_ && dtype == DType::int64 ? (integer_ < 0) == (number_ < 0) : fits(number_, dtype);
  if (!holds) {
    raise<DTypeError>(op, phrase("the number {} meets a tensor of {}, which cannot hold it; cast the tensor first",
                                 number_, to_string(dtype)));
  }
  Array single({}, dtype);
  dispatch(dtype, [&](auto zero) {
    using T = decltype(zero);
    *single.data<T>() = floating_ ? static_cast<T>(number_) : static_cast<T>(integer_);
  });
  return Tensor(single, where_);
}

namespace detail {

Array stack_rows(std::span<const Array> rows, const std::source_location& where) {
  Shape shape = rows.empty() ? Shape{0} : rows.front().shape();
  for (const Array& row : rows) {
    if (row.shape() != shape) {
      located(where, [&] {
        raise<ShapeError>("tensor", phrase("rows of an initialiser differ: shapes {} and {}; give rows of equal length",
                                           to_string(shape), to_string(row.shape())));
      });
    }
  }
  shape.insert(0, static_cast<std::int64_t>(rows.size()));
  Array result(shape, rows.empty() ? DType::float32 : rows.front().dtype());
  auto* out = static_cast<std::byte*>(result.data());
  for (const Array& row : rows) {
    std::memcpy(out, row.data(), row.bytes());
    out += row.bytes();
  }
  return result;
}

}  // namespace detail

}  // namespace xgrad
