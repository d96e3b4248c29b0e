#include <algorithm>
#include <cmath>
#include <cstdint>

#include "autograd/graph/operation.hpp"
#include "autograd/ops/composed.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"

/// \file
/// Statistics, and other functions of other ops.

namespace xgrad {

namespace {

Shape with_ones(Shape shape, const Ints& axes) {
  for (const std::int64_t axis : axes) {
    shape[static_cast<std::size_t>(axis)] = 1;
  }
  return shape;
}

// What makes of a mean over n elements a sum divided by n - correction, as in NumPy: by 0 where there are too few.
double corrected_by(const Tensor& input, const Tensor& over_n, double correction) {
  const double n = static_cast<double>(input.size()) / static_cast<double>(std::max<std::int64_t>(over_n.size(), 1));
  return n / std::max(n - correction, 0.0);
}

}  // namespace

Tensor variance(const Operand& x, const Axes& axes, bool keepdims, double correction) {
  const SourceScope scope(x);
  const Tensor input = x.tensor();
  const Tensor over_n = variance(input, axes, keepdims);
  return over_n * corrected_by(input, over_n, correction);
}

Tensor stddev(const Operand& x, const Axes& axes, bool keepdims, double correction) {
  const SourceScope scope(x);
  const Tensor input = x.tensor();
  const Tensor over_n = stddev(input, axes, keepdims);
  return over_n * std::sqrt(corrected_by(input, over_n, correction));
}

namespace {

/// The axes that stay, and those that go, behind them.
struct Parting {
  Ints order;
  Shape kept;
  std::int64_t count = 1;  // of the elements that become one

  Parting(const Shape& shape, const Ints& reduced) {
    for (std::size_t axis = 0; axis < shape.ndim(); ++axis) {
      if (std::find(reduced.begin(), reduced.end(), static_cast<std::int64_t>(axis)) == reduced.end()) {
        order.push_back(static_cast<std::int64_t>(axis));
        kept.push_back(shape[axis]);
      } else {
        count *= shape[axis];
      }
    }
    for (const std::int64_t axis : reduced) {
      order.push_back(axis);
    }
  }
};

// Elements of the reduced axes side by side on one last axis, in order: NaN last. Between two of them linearly.
Tensor quantile_of(std::string_view op, const Tensor& input, double q, const Axes& axes, bool keepdims) {
  require_floating(op, input.dtype());
  const Ints reduced = reduced_axes(op, axes, input.ndim());
  const Parting parting(input.shape(), reduced);
  const std::int64_t n = parting.count;
  if (n == 0) {
    raise<ShapeError>(op, phrase("there is no element to choose from: axes {} of shape {} are empty",
                                 to_string(reduced), to_string(input.shape())));
  }
  Shape rows = parting.kept;
  rows.push_back(n);
  const Tensor sorted = sort(reshape(transpose(input, parting.order), rows), -1);
  const auto at = [&](std::int64_t i) {
    return reshape(on_axis(sorted, parting.kept.ndim(), range(i, i + 1)), parting.kept);
  };
  const double position = q * static_cast<double>(n - 1);
  const auto below = static_cast<std::int64_t>(std::floor(position));
  const double weight = position - static_cast<double>(below);
  const Tensor lower = at(below);
  const Tensor between = weight == 0 ? lower : lower + (at(below + 1) - lower) * weight;
  const Tensor greatest = at(n - 1);
  const Tensor result = where(isnan(greatest), greatest, between);
  return keepdims ? reshape(result, with_ones(input.shape(), reduced)) : result;
}

}  // namespace

Tensor quantile(const Operand& x, double q, const Axes& axes, bool keepdims) {
  const SourceScope scope(x);
  return located(x.where(), [&] {
    if (!(q >= 0 && q <= 1)) {
      raise<ValueError>("quantile", phrase("q is {}; give one in [0, 1], as 0.5 for the median", q));
    }
    return quantile_of("quantile", x.tensor(), q, axes, keepdims);
  });
}

Tensor median(const Operand& x, const Axes& axes, bool keepdims) {
  const SourceScope scope(x);
  return located(x.where(), [&] { return quantile_of("median", x.tensor(), 0.5, axes, keepdims); });
}

Tensor cov(const Operand& x, double correction) {
  const SourceScope scope(x);
  return located(x.where(), [&] {
    const Tensor given = x.tensor();
    require_floating("cov", given.dtype());
    if (given.ndim() != 1 && given.ndim() != 2) {
      raise<ShapeError>("cov", phrase("shape {} is no table; give (variables, observations), or (observations,)",
                                      to_string(given.shape())));
    }
    const Tensor table = given.ndim() == 2 ? given : expand_dims(given, 0);
    const Tensor deviations = table - mean(table, 1, true);
    const auto n = static_cast<double>(table.shape()[1]);
    const Tensor products = matmul(deviations, transpose(deviations)) / std::max(n - correction, 0.0);
    return given.ndim() == 2 ? products : reshape(products, Shape());
  });
}

Tensor corrcoef(const Operand& x) {
  const SourceScope scope(x);
  const Tensor given = x.tensor();
  located(x.where(), [&] { require_floating("corrcoef", given.dtype()); });
  const Tensor c = cov(given, 0);
  if (c.ndim() == 0) {
    return c / c;
  }
  const Tensor scales = sqrt(diagonal(c));
  return clip(c / expand_dims(scales, 1) / expand_dims(scales, 0), -1, 1);
}

Tensor diff(const Operand& x, std::int64_t n, std::int64_t axis) {
  const SourceScope scope(x);
  return located(x.where(), [&] {
    Tensor result = x.tensor();
    require_countable("diff", result.dtype());
    if (n < 0) {
      raise<ValueError>("diff", phrase("n is {}; differences are taken 0 times or more", n));
    }
    const std::size_t place = normalize_axis("diff", axis, result.ndim());
    for (std::int64_t i = 0; i < n && result.shape()[place] > 0; ++i) {
      const std::int64_t size = result.shape()[place];
      result = on_axis(result, place, range(1, size)) - on_axis(result, place, range(0, size - 1));
    }
    return result;
  });
}

// a[i, 1, j, 1] b[1, k, 1, l], read as [ik, jl].
Tensor kron(const Operand& a, const Operand& b) {
  const SourceScope scope(a);
  return located(a.where(), [&] {
    const Tensor left = a.tensor();
    const Tensor right = b.tensor(left.dtype());
    require_countable("kron", left.dtype());
    const std::size_t ndim = std::max(left.ndim(), right.ndim());
    const auto size = [&](const Tensor& x, std::size_t axis) {
      const std::size_t missing = ndim - x.ndim();
      return axis < missing ? 1 : x.shape()[axis - missing];
    };
    Shape of_left;
    Shape of_right;
    Shape result;
    for (std::size_t axis = 0; axis < ndim; ++axis) {
      of_left.push_back(size(left, axis));
      of_left.push_back(1);
      of_right.push_back(1);
      of_right.push_back(size(right, axis));
      result.push_back(size(left, axis) * size(right, axis));
    }
    return reshape(reshape(left, of_left) * reshape(right, of_right), result);
  });
}

Tensor cross(const Operand& a, const Operand& b, std::int64_t axis) {
  const SourceScope scope(a);
  return located(a.where(), [&] {
    const Tensor left = a.tensor();
    const Tensor right = b.tensor(left.dtype());
    require_countable("cross", left.dtype());
    for (const Tensor& each : {left, right}) {
      const std::size_t place = normalize_axis("cross", axis, each.ndim());
      if (each.shape()[place] != 3) {
        raise<ShapeError>("cross", phrase("axis {} of shape {} has size {}; vectors have three components", axis,
                                          to_string(each.shape()), each.shape()[place]));
      }
    }
    // Component i is a[i + 1] b[i + 2] - a[i + 2] b[i + 1], counted around.
    return roll(left, -1, axis) * roll(right, -2, axis) - roll(left, -2, axis) * roll(right, -1, axis);
  });
}

Tensors meshgrid(const Tensors& axes, Source where) {
  const SourceScope scope(where);
  Shape shape;
  for (const Tensor& axis : axes) {
    if (axis.ndim() != 1) {
      located(where, [&] {
        raise<ShapeError>("meshgrid", phrase("a coordinate has shape {}; give vectors", to_string(axis.shape())));
      });
    }
    shape.push_back(axis.size());
  }
  Tensors grids;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    Shape own;
    for (std::size_t k = 0; k < axes.size(); ++k) {
      own.push_back(k == i ? shape[i] : 1);
    }
    grids.push_back(broadcast_to(reshape(axes[i], own), shape));
  }
  return grids;
}

}  // namespace xgrad
