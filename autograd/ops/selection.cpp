#include <algorithm>

#include "autograd/graph/operation.hpp"
#include "autograd/kernels/kernels.hpp"
#include "autograd/ops/composed.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/ops/selection.hpp"
#include "autograd/runtime/phrase.hpp"

/// \file
/// Ops that pick evenly spaced elements, and the op that puts them back: each is the other's derivative.

namespace xgrad {

namespace {

Tensor unslice(const Tensor& part, const Positions& positions, const Shape& shape) {
  return apply_op(Unslice{{positions}, shape}, {part});
}

}  // namespace

std::size_t Positions::offset(const Ints& strides) const {
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < strides.ndim(); ++i) {
    offset += begin[i] * strides[i];
  }
  return static_cast<std::size_t>(offset);
}

Positions Positions::behind_samples(std::int64_t samples) const {
  Positions result = *this;
  result.begin.insert(0, 0);
  result.step.insert(0, 1);
  result.count.insert(0, samples);
  return result;
}

Ints Positions::steps(const Ints& strides) const {
  Ints result = strides;
  for (std::size_t i = 0; i < strides.ndim(); ++i) {
    result[i] *= step[i];
  }
  return result;
}

void StridedSlice::eval(ConstViews in, Views out) const {
  if (out[0].size() == 0) {
    return;
  }
  const Ints strides = row_major_strides(in[0].shape());
  const std::size_t element = size_of(in[0].dtype());
  kernels::copy(element, out[0].shape(), in[0].as<std::byte>() + positions.offset(strides) * element,
                positions.steps(strides), out[0].data, row_major_strides(out[0].shape()));
}

Tensors StridedSlice::vjp(const Node& node, const Cotangents& ct) const {
  return {unslice(ct[0], positions, node.input(0).shape())};
}

Tensors StridedSlice::vmap(const Node&, const BatchedInputs& in) const {
  return {apply_op(StridedSlice{positions.behind_samples(in.size)}, {in[0]})};
}

void Unslice::eval(ConstViews in, Views out) const {
  kernels::fill(out[0].dtype(), out[0].data, out[0].size(), 0);
  const Ints strides = row_major_strides(shape);
  const std::size_t element = size_of(out[0].dtype());
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (in[i].size() > 0) {
      kernels::add_to(in[i].dtype(), in[i].shape(), in[i].data, row_major_strides(in[i].shape()),
                      out[0].as<std::byte>() + positions[i].offset(strides) * element, positions[i].steps(strides));
    }
  }
}

Tensors Unslice::vjp(const Node&, const Cotangents& ct) const {
  Tensors gradients;
  for (std::size_t i = 0; i < positions.size(); ++i) {
    gradients.push_back(ct.wanted(i) ? apply_op(StridedSlice{positions[i]}, {ct[0]}) : Tensor());
  }
  return gradients;
}

Tensors Unslice::vmap(const Node& node, const BatchedInputs& in) const {
  Unslice mapped{{}, shape};
  mapped.shape.insert(0, in.size);
  for (const auto& position : positions) {
    mapped.positions.push_back(position.behind_samples(in.size));
  }
  return {apply_op(mapped, all_batched(node, in))};
}

// One buffer, whatever the number of slices of one tensor.
Tensor Unslice::sum(std::span<const Tensor> terms) const {
  Tensors parts;
  Unslice joined{{}, shape};
  for (const Tensor& term : terms) {
    const auto* each = term.node().as<Unslice>();
    parts.insert(parts.end(), term.node().inputs().begin(), term.node().inputs().end());
    joined.positions.insert(joined.positions.end(), each->positions.begin(), each->positions.end());
  }
  return apply_op(joined, parts);
}

namespace {

// One axis of begin:end:step as Python reads it.
void add_range(Positions& positions, const Slice& s, std::int64_t size) {
  if (s.step() == 0) {
    raise<ValueError>("slice", "the step of a range is 0; give 1 or more, or -1 or less to walk backwards");
  }
  const std::int64_t step = std::clamp(s.step(), -size - 1, size + 1);  // longer ones leave the axis all the same
  const auto limit = [&](std::int64_t end, std::int64_t if_open) {
    if (end == Slice::open) {
      return if_open;
    }
    return std::clamp(end < 0 ? end + size : end, step > 0 ? std::int64_t{0} : std::int64_t{-1},
                      step > 0 ? size : size - 1);
  };
  const std::int64_t begin = limit(s.begin(), step > 0 ? 0 : size - 1);
  const std::int64_t end = limit(s.end(), step > 0 ? size : -1);
  const std::int64_t distance = step > 0 ? end - begin : begin - end;
  const std::int64_t stride = step > 0 ? step : -step;
  positions.begin.push_back(begin);
  positions.step.push_back(step);
  positions.count.push_back(distance > 0 ? (distance + stride - 1) / stride : 0);
}

// What the slices select, and the shape without the axes that single positions remove, with the new ones.
std::pair<Positions, Shape> select(const Shape& shape, std::span<const Slice> slices) {
  using Kind = Slice::Kind;
  std::size_t used = 0;
  std::size_t ellipses = 0;
  for (const Slice& s : slices) {
    used += s.kind() == Kind::index || s.kind() == Kind::range;
    ellipses += s.kind() == Kind::ellipsis;
  }
  if (used > shape.ndim() || ellipses > 1) {
    raise<ValueError>("slice", phrase("{} selectors and {} ellipses for shape {}; give at most one per axis and one "
                                      "ellipsis",
                                      used, ellipses, to_string(shape)));
  }
  std::vector<Slice> expanded(slices.begin(), slices.end());
  if (ellipses == 0) {
    expanded.push_back(ellipsis());
  }
  Positions positions;
  Shape result;
  for (const Slice& s : expanded) {
    const std::size_t axis = positions.begin.ndim();
    if (s.kind() == Kind::newaxis) {
      result.push_back(1);
    } else if (s.kind() == Kind::ellipsis) {
      for (std::size_t i = 0; i < shape.ndim() - used; ++i) {
        add_range(positions, xgrad::all(), shape[axis + i]);
        result.push_back(shape[axis + i]);
      }
    } else if (s.kind() == Kind::range) {
      add_range(positions, s, shape[axis]);
      result.push_back(positions.count.back());
    } else {
      const std::int64_t size = shape[axis];
      if (s.begin() < -size || s.begin() >= size) {
        raise<ValueError>(
            "slice", phrase("position {} of axis {} does not exist in shape {}", s.begin(), axis, to_string(shape)));
      }
      positions.begin.push_back(s.begin() < 0 ? s.begin() + size : s.begin());
      positions.step.push_back(1);
      positions.count.push_back(1);
    }
  }
  return {positions, result};
}

bool selects_all(const Positions& positions, const Shape& shape) {
  return positions.count == shape &&
         std::all_of(positions.step.begin(), positions.step.end(), [](std::int64_t step) { return step == 1; });
}

}  // namespace

Tensor slice(const Operand& x, std::span<const Slice> slices) {
  const SourceScope scope(x);
  const Tensor input = x.tensor();
  const auto [positions, shape] = located(x.where(), [&] { return select(input.shape(), slices); });
  const bool whole = selects_all(positions, input.shape());
  return reshape(whole ? input : apply_op(StridedSlice{positions}, {input}, x.where()), shape);
}

Tensor slice(const Operand& x, const Ints& begin, const Ints& end, const Ints& strides) {
  const SourceScope scope(x);
  if (begin.ndim() != end.ndim() || begin.ndim() != strides.ndim()) {
    located(x.where(), [&] {
      raise<ValueError>("slice", phrase("begin {}, end {} and strides {} must have one entry per axis",
                                        to_string(begin), to_string(end), to_string(strides)));
    });
  }
  std::vector<Slice> slices;
  for (std::size_t i = 0; i < begin.ndim(); ++i) {
    slices.push_back(range(begin[i], end[i], strides[i]));
  }
  return slice(x, slices);
}

Tensor Tensor::operator[](const Slice& s) const { return slice(Operand(*this, s.where()), std::span(&s, 1)); }

Tensor Tensor::operator[](std::initializer_list<Slice> slices) const {
  const std::source_location where = slices.size() == 0 ? node().location() : slices.begin()->where();
  return slice(Operand(*this, where), std::span(slices.begin(), slices.size()));
}

}  // namespace xgrad
