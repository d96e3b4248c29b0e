#include <cstdint>
#include <string>
#include <string_view>

#include "autograd/graph/operation.hpp"
#include "autograd/kernels/kernels.hpp"
#include "autograd/ops/composed.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"

/// \file
/// Updates of elements and slices that indices name, where several may meet in one place.
///
/// All of them see the tensor as n rows, and the updates as m rows that go to m positions among these.

namespace xgrad {

namespace {

/// The last axis of the indices names an element of the first axes of a tensor, of these sizes and strides: its position.
struct RowPositions {
  static constexpr std::string_view name = "row_positions";
  static constexpr bool stops_gradient = true;
  static constexpr bool maps_leading_axes = true;
  std::string caller;  ///< for errors
  Ints sizes;
  Ints strides;
  static constexpr auto attributes =
      fields("caller", &RowPositions::caller, "sizes", &RowPositions::sizes, "strides", &RowPositions::strides);

  Spec infer(Inputs in) const {
    const Shape& shape = in[0].shape();
    return {Shape(shape.begin(), shape.end() - 1), DType::int64};
  }
  void eval(ConstViews in, Views out) const {
    kernels::row_positions(caller.c_str(), in[0].as<std::int64_t>(), out[0].size(), sizes, strides,
                           out[0].as<std::int64_t>());
  }
};

/// Which of the m updates comes last at each of n positions; -1 where none comes.
struct LastUpdate {
  static constexpr std::string_view name = "last_update";
  static constexpr bool stops_gradient = true;
  static constexpr bool maps_leading_axes = true;
  std::int64_t n;
  static constexpr auto attributes = fields("n", &LastUpdate::n);

  Spec infer(Inputs in) const {
    Shape shape = in[0].shape();
    shape[shape.ndim() - 1] = n;
    return {shape, DType::int64};
  }
  void eval(ConstViews in, Views out) const {
    const std::int64_t m = in[0].shape().back();
    kernels::last_update(in[0].as<std::int64_t>(), n == 0 ? 0 : out[0].size() / n, m, n, out[0].as<std::int64_t>());
  }
};

/// Rows x (n, inner), positions (m), and rows u (m, inner): the largest, or smallest, of x and of the u that come there.
template <bool largest>
struct ScatterExtreme {
  static constexpr std::string_view name = largest ? "scatter_maximum" : "scatter_minimum";

  Spec infer(Inputs in) const { return {in[0].shape(), in[0].dtype()}; }
  void eval(ConstViews in, Views out) const {
    const std::int64_t inner = in[0].shape()[1];
    kernels::copy(size_of(in[0].dtype()), in[0].shape(), in[0].data, row_major_strides(in[0].shape()), out[0].data,
                  row_major_strides(out[0].shape()));
    kernels::scatter_extreme(in[0].dtype(), largest, in[2].data, in[1].as<std::int64_t>(), in[1].size(), inner,
                             out[0].data);
  }

  // Who has the extreme value shares in the derivative: 1 where it is found, and the number of those who have it.
  struct Found {
    Tensor of_x, of_u, number;
  };
  static Found found(const Node& node) {
    const Tensor& x = node.input(0);
    const Tensor& positions = node.input(1);
    const Tensor y = node.output(0);
    const DType dtype = derivative_dtype(x.dtype());
    const Tensor of_x = cast(equal(x, y), dtype);
    const Tensor of_u = cast(equal(node.input(2), take(y, positions)), dtype);
    return {of_x, of_u, scatter_add(of_x, positions, of_u)};
  }
  Tensors vjp(const Node& node, const Cotangents& ct) const {
    const Found has = found(node);
    const Tensor share = ct[0] / has.number;
    return {has.of_x * share, Tensor(), has.of_u * take(share, node.input(1))};
  }
  Tensors jvp(const Node& node, const Tangents& t) const {
    const Found has = found(node);
    const Tensor of_x = t[0].defined() ? has.of_x * t[0] : zeros_like(has.of_x);
    const Tensor total = t[2].defined() ? scatter_add(of_x, node.input(1), has.of_u * t[2]) : of_x;
    return {total / has.number};
  }
  // The rows of all samples, one sample after another.
  Tensors vmap(const Node& node, const BatchedInputs& in) const {
    const Tensors samples = all_batched(node, in);
    const std::int64_t n = node.input(0).shape()[0];
    const std::int64_t inner = node.input(0).shape()[1];
    const std::int64_t m = node.input(1).shape()[0];
    const Tensor first_rows = arange(static_cast<double>(in.size), DType::int64) * n;
    const Tensor result = apply_op(ScatterExtreme(), {reshape(samples[0], {in.size * n, inner}),
                                                      reshape(samples[1] + expand_dims(first_rows, 1), {in.size * m}),
                                                      reshape(samples[2], {in.size * m, inner})});
    return {reshape(result, {in.size, n, inner})};
  }
};

/// The products of each run of equal positions up to every row: in each round of as many rows more, twice as many each time.
Tensor products_of_runs(const Tensor& sorted, const Tensor& rows) {
  const std::int64_t m = sorted.size();
  Tensor products = rows;
  for (std::int64_t step = 1; step < m; step *= 2) {
    const Tensor same = expand_dims(equal(sorted[{range(step, m)}], sorted[{range(0, m - step)}]), 1);
    const Tensor later = products[{range(step, m)}];
    const Tensor joined = where(same, later * products[{range(0, m - step)}], later);
    products = concatenate({products[{range(0, step)}], joined});
  }
  return products;
}

/// Rows of updates where the last one came, joined with x by join(x, update); x elsewhere.
template <class Join>
Tensor joined_with_last(const Tensor& x, const Tensor& positions, const Tensor& updates, const Join& join) {
  const Tensor last = apply_op(LastUpdate{x.shape()[0]}, {positions});
  return where(expand_dims(last >= 0, 1), join(x, take(updates, maximum(last, 0))), x);
}

Tensor scatter_rows(const Tensor& x, const Tensor& positions, const Tensor& updates, Scatter how) {
  if (positions.size() == 0) {  // nothing to choose from; a sum has derivatives, of shape (0, inner)
    if (!is_real(x.dtype())) {
      return x;
    }
    const DType dtype = derivative_dtype(x.dtype());  // there are no sums of bfloat16
    return cast(scatter_add(cast(x, dtype), positions, cast(updates, dtype)), x.dtype());
  }
  switch (how) {
    case Scatter::add: return scatter_add(x, positions, updates);
    case Scatter::maximum: return apply_op(ScatterExtreme<true>(), {x, positions, updates});
    case Scatter::minimum: return apply_op(ScatterExtreme<false>(), {x, positions, updates});
    case Scatter::multiply: {
      const Tensor order = argsort(positions, 0);
      const Tensor sorted = take(positions, order);
      return joined_with_last(x, sorted, products_of_runs(sorted, take(updates, order)),
                              [](const Tensor& a, const Tensor& b) { return a * b; });
    }
    case Scatter::replace: break;
  }
  return joined_with_last(x, positions, updates, [](const Tensor&, const Tensor& b) { return b; });
}

Tensor fitting_updates(std::string_view op, const Tensor& x, const Operand& updates, const Shape& expected,
                       Scatter how) {
  if (how == Scatter::add || how == Scatter::multiply) {
    require_countable(op, x.dtype());
  }
  const Tensor given = updates.tensor(x.dtype(), op);
  if (given.dtype() != x.dtype()) {
    raise<DTypeError>(
        op, phrase("updates are {}, the tensor {}; cast one of them", to_string(given.dtype()), to_string(x.dtype())));
  }
  if (!broadcasts_to(given.shape(), expected)) {
    raise<ShapeError>(op, phrase("updates of shape {} do not fit {}, which the indices ask for",
                                 to_string(given.shape()), to_string(expected)));
  }
  return broadcast_to(given, expected);
}

/// A tensor as rows that the last axis of indices names, k numbers for the first k axes.
struct NamedRows {
  Tensor positions;  ///< of as many rows as there are lists of k numbers
  Shape rows;        ///< (n, inner)
  Shape result;      ///< of what the indices name

  NamedRows(std::string_view op, const Tensor& x, const Operand& indices) {
    const Tensor given = as_indices(op, indices);
    const std::size_t k = given.ndim() == 0 ? 0 : static_cast<std::size_t>(given.shape().back());
    if (given.ndim() == 0 || k > x.ndim()) {
      raise<ShapeError>(op,
                        phrase("indices of shape {} for a tensor of shape {}; the last axis holds a number for each "
                               "of the first axes of the tensor",
                               to_string(given.shape()), to_string(x.shape())));
    }
    const Shape first(x.shape().begin(), x.shape().begin() + static_cast<std::ptrdiff_t>(k));
    const Shape rest(x.shape().begin() + static_cast<std::ptrdiff_t>(k), x.shape().end());
    rows = {first.element_count(), rest.element_count()};
    result = Shape(given.shape().begin(), given.shape().end() - 1);
    const std::int64_t count = result.element_count();
    for (const std::int64_t size : rest) {
      result.push_back(size);
    }
    const Tensor named = apply_op(RowPositions{std::string(op), first, row_major_strides(first)}, {given});
    positions = reshape(named, {count});
  }
};

}  // namespace

Tensor scatter(const Operand& x, const Operand& indices, const Operand& updates, std::int64_t axis, Scatter how) {
  const SourceScope scope(x);
  return located(x.where(), [&] {
    const Tensor input = x.tensor();
    const std::size_t along = normalize_axis("scatter", axis, input.ndim());
    const Tensor given = as_indices("scatter", indices);
    const Shape& shape = given.shape();
    bool fits = shape.ndim() == input.ndim();
    for (std::size_t i = 0; fits && i < shape.ndim(); ++i) {
      fits = i == along || shape[i] <= input.shape()[i];
    }
    if (!fits) {
      raise<ShapeError>("scatter", phrase("indices of shape {} for a tensor of shape {}; they have as many axes, and "
                                          "are no longer along any but axis {}",
                                          to_string(shape), to_string(input.shape()), along));
    }
    const Tensor added = fitting_updates("scatter", input, updates, shape, how);
    const Ints strides = row_major_strides(input.shape());
    Tensor positions = apply_op(RowPositions{"scatter", {input.shape()[along]}, {strides[along]}},
                                {expand_dims(given, static_cast<std::int64_t>(shape.ndim()))});
    for (std::size_t i = 0; i < shape.ndim(); ++i) {
      if (i != along) {
        Shape one_axis;
        for (std::size_t k = 0; k < shape.ndim(); ++k) {
          one_axis.push_back(k == i ? shape[i] : 1);
        }
        positions = positions + reshape(arange(static_cast<double>(shape[i]), DType::int64) * strides[i], one_axis);
      }
    }
    const Tensor result = scatter_rows(reshape(input, {input.size(), 1}), reshape(positions, {given.size()}),
                                       reshape(added, {given.size(), 1}), how);
    return reshape(result, input.shape());
  });
}

Tensor scatter_nd(const Operand& x, const Operand& indices, const Operand& updates, Scatter how) {
  const SourceScope scope(x);
  return located(x.where(), [&] {
    const Tensor input = x.tensor();
    const NamedRows named("scatter_nd", input, indices);
    const Tensor added = fitting_updates("scatter_nd", input, updates, named.result, how);
    const std::int64_t m = named.positions.size();
    const Tensor result =
        scatter_rows(reshape(input, named.rows), named.positions, reshape(added, {m, named.rows[1]}), how);
    return reshape(result, input.shape());
  });
}

Tensor gather_nd(const Operand& x, const Operand& indices) {
  const SourceScope scope(x);
  return located(x.where(), [&] {
    const Tensor input = x.tensor();
    const NamedRows named("gather_nd", input, indices);
    return reshape(take(reshape(input, named.rows), named.positions), named.result);
  });
}

}  // namespace xgrad
