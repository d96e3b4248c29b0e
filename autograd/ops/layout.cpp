#include <algorithm>
#include <utility>

#include "autograd/graph/operation.hpp"
#include "autograd/kernels/kernels.hpp"
#include "autograd/ops/composed.hpp"
#include "autograd/ops/concatenate.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"

/// \file
/// Ops that rearrange elements. All are linear: their derivative rules are other rearrangements.

namespace xgrad {

namespace {

struct Reshape {
  static constexpr std::string_view name = "reshape";
  static constexpr bool alias = true;
  static constexpr bool linear = true;
  Shape shape;
  static constexpr auto attributes = fields("shape", &Reshape::shape);
  static constexpr bool total = true;

  Spec infer(Inputs in) const {
    const std::int64_t count = in[0].size();
    Shape result = shape;
    std::int64_t* unknown = nullptr;
    for (std::int64_t& size : result) {
      if (size == -1 && unknown == nullptr) {
        unknown = &size;
        size = 1;
      } else if (size < 0) {
        raise<ShapeError>(name, phrase("sizes are 0 or more, with at most one -1 for the size that follows, got {}",
                                       to_string(shape)));
      }
    }
    const std::int64_t known = result.element_count();
    if (unknown != nullptr && known > 0) {
      *unknown = count / known;
    }
    if ((unknown != nullptr && known == 0) || result.element_count() != count) {
      raise<ShapeError>(name, phrase("{} elements of shape {} do not fit shape {}", count, to_string(in[0].shape()),
                                     to_string(shape)));
    }
    return {result, in[0].dtype()};
  }
  Tensors vjp(const Node& node, const Cotangents& ct) const { return {reshape(ct[0], node.input(0).shape())}; }
  Tensors vmap(const Node& node, const BatchedInputs& in) const {
    Shape samples = node.spec(0).shape;
    samples.insert(0, in.size);
    return {reshape(in[0], samples)};
  }
};

}  // namespace

Tensor reshape(const Operand& x, const Shape& shape) {
  const Tensor input = x.tensor();
  return input.shape() == shape ? input : apply_op(Reshape{shape}, {input}, x.where());
}

Tensor expand_dims(const Operand& x, std::int64_t axis) {
  const SourceScope scope(x);
  const Tensor input = x.tensor();
  return located(x.where(), [&] {
    Shape shape = input.shape();
    shape.insert(normalize_axis("expand_dims", axis, shape.ndim() + 1), 1);
    return reshape(input, shape);
  });
}

Tensor squeeze(const Operand& x, const Axes& axes) {
  const SourceScope scope(x);
  const Tensor input = x.tensor();
  return located(x.where(), [&] {
    const Ints removed = normalize_axes("squeeze", axes, input.ndim());
    Shape shape;
    for (std::size_t i = 0; i < input.ndim(); ++i) {
      const std::int64_t size = input.shape()[i];
      const bool selected = std::find(removed.begin(), removed.end(), static_cast<std::int64_t>(i)) != removed.end();
      if (selected && size != 1 && !axes.all()) {
        raise<ShapeError>("squeeze", phrase("axis {} of shape {} has size {}, only axes of size 1 can go", i,
                                            to_string(input.shape()), size));
      }
      if (!selected || size != 1) {
        shape.push_back(size);
      }
    }
    return reshape(input, shape);
  });
}

Spec Concatenate::infer(Inputs in) const {
  Shape shape = in[0].shape();
  const std::size_t along = normalize_axis(name, axis, shape.ndim());
  for (std::size_t i = 1; i < in.size(); ++i) {
    Shape other = in[i].shape();
    const std::int64_t joined = other.ndim() == shape.ndim() ? std::exchange(other[along], shape[along]) : 0;
    if (other != shape) {
      raise<ShapeError>(name, phrase("part {} has shape {}, part 0 {}; they may differ along axis {} only", i,
                                     to_string(in[i].shape()), to_string(in[0].shape()), axis));
    }
    if (in[i].dtype() != in[0].dtype()) {
      raise<DTypeError>(name, phrase("part {} is {}, part 0 {}; cast one of them", i, to_string(in[i].dtype()),
                                     to_string(in[0].dtype())));
    }
    if (__builtin_add_overflow(shape[along], joined, &shape[along])) {
      raise<ShapeError>(name, phrase("the parts have more than 2^63 elements along axis {}; make them smaller", axis));
    }
  }
  return {shape, in[0].dtype()};
}

void Concatenate::eval(ConstViews in, Views out) const {
  const Ints strides = row_major_strides(out[0].shape());
  const std::size_t along = normalize_axis(name, axis, strides.ndim());
  const std::size_t element = size_of(out[0].dtype());
  auto* target = static_cast<std::byte*>(out[0].data);
  for (const ConstView& part : in) {
    kernels::copy(element, part.shape(), part.data, row_major_strides(part.shape()), target, strides);
    target += static_cast<std::size_t>(part.shape()[along] * strides[along]) * element;
  }
}

Tensors Concatenate::vjp(const Node& node, const Cotangents& ct) const {
  const std::size_t along = normalize_axis(name, axis, ct[0].ndim());
  std::vector<Slice> selection(along + 1, xgrad::all());
  Tensors parts;
  std::int64_t begin = 0;
  for (const Tensor& part : node.inputs()) {
    const std::int64_t end = begin + part.shape()[along];
    selection[along] = range(begin, end);
    parts.push_back(slice(ct[0], selection));
    begin = end;
  }
  return parts;
}

Tensors Concatenate::vmap(const Node& node, const BatchedInputs& in) const {
  const std::size_t along = normalize_axis(name, axis, node.spec(0).shape.ndim());
  return {concatenate(all_batched(node, in), static_cast<std::int64_t>(along) + 1)};
}

namespace {

void require_parts(std::string_view op, const Tensors& parts) {
  if (parts.empty()) {
    raise<ValueError>(op, "the list of tensors is empty; give at least one");
  }
}

}  // namespace

Tensor concatenate(const Tensors& parts, std::int64_t axis, Source where) {
  located(where, [&] { require_parts("concatenate", parts); });
  return apply_op(Concatenate{axis}, parts, where);
}

Tensor stack(const Tensors& parts, std::int64_t axis, Source where) {
  const SourceScope scope(where);
  return located(where, [&] {
    require_parts("stack", parts);
    normalize_axis("stack", axis, parts[0].ndim() + 1);
    Tensors rows;
    for (const Tensor& part : parts) {
      if (part.shape() != parts[0].shape()) {
        raise<ShapeError>("stack", phrase("shapes differ: {} and {}; parts must be alike", to_string(parts[0].shape()),
                                          to_string(part.shape())));
      }
      rows.push_back(expand_dims(part, axis));
    }
    return concatenate(rows, axis);
  });
}

}  // namespace xgrad
