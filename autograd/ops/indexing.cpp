#include <algorithm>
#include <functional>
#include <vector>

#include "autograd/graph/operation.hpp"
#include "autograd/kernels/kernels.hpp"
#include "autograd/ops/composed.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"

/// \file
/// Ops that pick elements by indices, and the op that puts them back: each is the other's derivative.

namespace xgrad {

namespace {

// How indices meet an axis of a tensor. The first `paired` axes of both are the same samples, each with indices of its
// own; the rest of the indices' axes stand in the place of the axis.
struct IndexedAxis {
  std::int64_t paired;
  std::int64_t axis;

  static constexpr auto attributes = fields("axis", &IndexedAxis::axis, "paired", &IndexedAxis::paired);

  struct Extent {
    std::int64_t samples, outer, n, inner, indices;
  };
  Extent extent(const Shape& shape, std::int64_t index_count) const {
    Extent result{1, 1, 1, 1, 0};
    for (std::size_t i = 0; i < shape.ndim(); ++i) {
      const auto at = static_cast<std::int64_t>(i);
      (at < paired ? result.samples : at < axis ? result.outer : at == axis ? result.n : result.inner) *= shape[i];
    }
    result.indices = result.samples == 0 ? 0 : index_count / result.samples;
    return result;
  }

  // The shape of x with the indices' axes in the place of the axis.
  Shape picked(Shape shape, const Shape& indices) const {
    shape.erase(static_cast<std::size_t>(axis));
    for (std::size_t i = static_cast<std::size_t>(paired); i < indices.ndim(); ++i) {
      shape.insert(static_cast<std::size_t>(axis - paired) + i, indices[i]);
    }
    return shape;
  }

  // The opposite: an axis of the given size in the place of the indices' axes.
  Shape restored(Shape shape, const Shape& indices, std::int64_t size) const {
    for (std::size_t i = static_cast<std::size_t>(paired); i < indices.ndim(); ++i) {
      shape.erase(static_cast<std::size_t>(axis));
    }
    shape.insert(static_cast<std::size_t>(axis), size);
    return shape;
  }
};

Tensor repeat_samples(const Tensor& x, std::int64_t count) {
  Shape samples = x.shape();
  samples.insert(0, count);
  return broadcast_to(x, samples);
}

// A rule on (x, indices) for many samples: an op of the same kind that pairs one axis more, or one axis further back when
// all samples have the same indices.
template <class Op>
Tensors map_indexed(const Op& op, const BatchedInputs& in) {
  Op mapped = op;
  ++mapped.at.axis;
  if (in.batched[1] || op.at.paired > 0) {
    ++mapped.at.paired;
    return {apply_op(mapped, {in.batched[0] ? in[0] : repeat_samples(in[0], in.size),
                              in.batched[1] ? in[1] : repeat_samples(in[1], in.size)})};
  }
  return {apply_op(mapped, {in[0], in[1]})};
}

Tensor put_add(const Tensor& part, const Tensor& indices, const IndexedAxis& at, std::int64_t size);

/// The slices of an axis that the indices name.
struct Take {
  static constexpr std::string_view name = "take";
  static constexpr bool linear = true;
  IndexedAxis at;
  static constexpr auto attributes = fields("", &Take::at);

  Spec infer(Inputs in) const { return {at.picked(in[0].shape(), in[1].shape()), in[0].dtype()}; }
  void eval(ConstViews in, Views out) const {
    const auto [samples, outer, n, inner, count] = at.extent(in[0].shape(), in[1].size());
    const std::size_t element = size_of(in[0].dtype());
    for (std::int64_t s = 0; s < samples && in[1].size() > 0; ++s) {  // without indices there may be any number
      kernels::take(name.data(), element,
                    in[0].as<std::byte>() + static_cast<std::size_t>(s * outer * n * inner) * element, outer, n, inner,
                    in[1].as<std::int64_t>() + s * count, count,
                    out[0].as<std::byte>() + static_cast<std::size_t>(s * outer * count * inner) * element);
    }
  }
  Tensors vjp(const Node& node, const Cotangents& ct) const {
    return {put_add(ct[0], node.input(1), at, node.input(0).shape()[static_cast<std::size_t>(at.axis)]), Tensor()};
  }
  Tensors vmap(const Node& node, const BatchedInputs& in) const {
    if (in.batched[0] || at.paired > 0) {
      return map_indexed(*this, in);
    }
    // One tensor, many lists of indices: one list with one axis more, then the samples to the front.
    const Tensor picked = apply_op(*this, {in[0], in[1]});
    Ints order{at.axis};
    for (std::int64_t i = 0; i <= static_cast<std::int64_t>(node.spec(0).shape.ndim()); ++i) {
      if (i != at.axis) {
        order.push_back(i);
      }
    }
    return {transpose(picked, order)};
  }
};

/// Zeros to which slices are added at the positions of an axis that indices name: the transpose of take, or of several. Inputs
/// are the slices of each and its indices.
struct PutAdd {
  static constexpr std::string_view name = "put_add";
  static constexpr bool linear = true;
  IndexedAxis at;
  std::int64_t size;
  static constexpr auto attributes = fields("", &PutAdd::at, "size", &PutAdd::size);

  Spec infer(Inputs in) const { return {at.restored(in[0].shape(), in[1].shape(), size), in[0].dtype()}; }
  void eval(ConstViews in, Views out) const {
    kernels::fill(out[0].dtype(), out[0].data, out[0].size(), 0);
    for (std::size_t i = 0; i < in.size(); i += 2) {
      add(in[i], in[i + 1], out[0]);
    }
  }
  Tensors vjp(const Node& node, const Cotangents& ct) const {
    Tensors gradients;
    for (std::size_t i = 0; i < node.inputs().size(); i += 2) {
      gradients.push_back(ct.wanted(i) ? apply_op(Take{at}, {ct[0], node.input(i + 1)}) : Tensor());
      gradients.emplace_back();
    }
    return gradients;
  }
  Tensors vmap(const Node&, const BatchedInputs& in) const {
    Tensors terms;
    for (std::size_t i = 0; i < in.tensors.size(); i += 2) {
      const bool neither = !in.batched[i] && !in.batched[i + 1];
      const Tensor slices = neither ? repeat_samples(in[i], in.size) : in[i];
      const BatchedInputs pair{{slices, in[i + 1]}, {in.batched[i] || neither, in.batched[i + 1]}, in.size};
      terms.push_back(map_indexed(*this, pair)[0]);
    }
    return {sum(terms)};
  }
  // One buffer for all that are put along the same axis.
  Tensor sum(std::span<const Tensor> terms) const {
    Tensor total;
    for (std::vector<bool> done(terms.size()); !std::all_of(done.begin(), done.end(), std::identity());) {
      const auto first = static_cast<std::size_t>(std::find(done.begin(), done.end(), false) - done.begin());
      Tensors inputs;
      for (std::size_t i = first; i < terms.size(); ++i) {
        const Node& node = terms[i].node();
        if (!done[i] && same_operation(node.operation(), terms[first].node().operation())) {
          inputs.insert(inputs.end(), node.inputs().begin(), node.inputs().end());
          done[i] = true;
        }
      }
      const Tensor joined = apply_op(*terms[first].node().as<PutAdd>(), inputs);
      total = total.defined() ? total + joined : joined;
    }
    return total;
  }

 private:
  void add(const ConstView& slices, const ConstView& indices, const View& out) const {
    const auto [samples, outer, n, inner, count] = at.extent(out.shape(), indices.size());
    const std::size_t element = size_of(out.dtype());
    for (std::int64_t s = 0; s < samples && indices.size() > 0; ++s) {
      kernels::scatter_add("scatter_add", slices.dtype(),
                           slices.as<std::byte>() + static_cast<std::size_t>(s * outer * count * inner) * element,
                           outer, n, inner, indices.as<std::int64_t>() + s * count, count,
                           out.as<std::byte>() + static_cast<std::size_t>(s * outer * n * inner) * element);
    }
  }
};

Tensor put_add(const Tensor& part, const Tensor& indices, const IndexedAxis& at, std::int64_t size) {
  return apply_op(PutAdd{at, size}, {part, indices});
}

}  // namespace

Tensor take(const Operand& x, const Operand& indices, std::int64_t axis) {
  const SourceScope scope(x);
  const Tensor input = x.tensor();
  return located(x.where(), [&] {
    const auto along = static_cast<std::int64_t>(normalize_axis("take", axis, input.ndim()));
    return apply_op(Take{{0, along}}, {input, as_indices("take", indices)}, x.where());
  });
}

namespace {

struct OneHot {
  static constexpr std::string_view name = "one_hot";
  static constexpr bool stops_gradient = true;
  static constexpr bool maps_leading_axes = true;
  std::int64_t classes;
  DType dtype;
  static constexpr auto attributes = fields("classes", &OneHot::classes, "dtype", &OneHot::dtype);
  bool splits_rows(Inputs in) const { return in[0].ndim() > 0; }

  Spec infer(Inputs in) const {
    if (classes < 1) {
      raise<ValueError>(name, phrase("there must be 1 class or more, got {}", classes));
    }
    Shape shape = in[0].shape();
    shape.push_back(classes);
    return {shape, dtype};
  }
  void eval(ConstViews in, Views out) const {
    kernels::one_hot(name.data(), in[0].as<std::int64_t>(), in[0].size(), classes, dtype, out[0].data);
  }
};

}  // namespace

Tensor one_hot(const Operand& indices, std::int64_t classes, DType dtype) {
  const SourceScope scope(indices);
  const Tensor positions = located(indices.where(), [&] { return as_indices("one_hot", indices); });
  return apply_op(OneHot{classes, dtype}, {positions}, indices.where());
}

namespace {

// x with the given axis at the end.
Tensor axis_last(const Tensor& x, std::size_t axis) { return swapaxes(x, static_cast<std::int64_t>(axis), -1); }

}  // namespace

Tensor take_along_axis(const Operand& x, const Operand& indices, std::int64_t axis) {
  const SourceScope scope(x);
  const Tensor input = x.tensor();
  return located(x.where(), [&] {
    const std::size_t along = normalize_axis("take_along_axis", axis, input.ndim());
    const Tensor positions = as_indices("take_along_axis", indices);
    if (positions.ndim() != input.ndim()) {
      raise<ShapeError>("take_along_axis",
                        phrase("indices of shape {} for a tensor of shape {}; they must have the same "
                               "number of axes",
                               to_string(positions.shape()), to_string(input.shape())));
    }
    // All axes but the one pair up, after broadcasting.
    Tensor rows = axis_last(input, along);
    Tensor picks = axis_last(positions, along);
    const auto leading = [](const Tensor& t) { return Shape(t.shape().begin(), t.shape().end() - 1); };
    const Shape common = broadcast_shapes("take_along_axis", leading(rows), leading(picks));
    const auto spread = [&common](const Tensor& t) {
      Shape shape = common;
      shape.push_back(t.shape().back());
      return broadcast_to(t, shape);
    };
    rows = spread(rows);
    picks = spread(picks);
    const auto paired = static_cast<std::int64_t>(common.ndim());
    return axis_last(apply_op(Take{{paired, paired}}, {rows, picks}), along);
  });
}

Tensor scatter_add(const Operand& x, const Operand& indices, const Operand& updates, std::int64_t axis) {
  const SourceScope scope(x);
  const Tensor input = x.tensor();
  return located(x.where(), [&] {
    const IndexedAxis at{0, static_cast<std::int64_t>(normalize_axis("scatter_add", axis, input.ndim()))};
    const Tensor positions = as_indices("scatter_add", indices);
    const Tensor added = updates.tensor(input.dtype(), "scatter_add");
    const Shape expected = at.picked(input.shape(), positions.shape());
    if (is_storage(input.dtype())) {
      raise<DTypeError>("scatter_add",
                        phrase("it takes numbers to add to, got {}, which is for storage; cast it first, as in "
                               "cast(x, DType::{})",
                               to_string(input.dtype()),
                               to_string(is_real(input.dtype()) ? number_dtype(input.dtype()) : DType::int64)));
    }
    if (added.dtype() != input.dtype()) {
      raise<DTypeError>("scatter_add", phrase("updates are {}, the tensor {}; cast one of them",
                                              to_string(added.dtype()), to_string(input.dtype())));
    }
    if (!broadcasts_to(added.shape(), expected)) {
      raise<ShapeError>("scatter_add", phrase("updates of shape {} do not fit {}: what `take` gives for these indices",
                                              to_string(added.shape()), to_string(expected)));
    }
    const std::int64_t size = input.shape()[static_cast<std::size_t>(at.axis)];
    return input + put_add(broadcast_to(added, expected), positions, at, size);
  });
}

}  // namespace xgrad
