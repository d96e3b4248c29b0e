#include <algorithm>
#include <cmath>

#include "autograd/graph/operation.hpp"
#include "autograd/kernels/kernels.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"

/// \file
/// Tensors made from numbers.

namespace xgrad {

namespace {

void require_fitting(std::string_view op, double number, DType dtype) {
  if (!fits(number, dtype)) {
    raise<DTypeError>(op, phrase("{} cannot hold {}; give another dtype", to_string(dtype), number));
  }
}

struct Full {
  static constexpr std::string_view name = "full";
  static constexpr bool cheap = true;
  static constexpr bool stops_gradient = true;
  double value;
  Spec spec;
  static constexpr auto attributes = fields("value", &Full::value, "", &Full::spec);
  static constexpr bool total = true;

  Spec infer(Inputs) const {
    require_sizes(name, spec.shape);
    require_fitting(name, value, spec.dtype);
    return spec;
  }
  void eval(ConstViews, Views out) const { kernels::fill(spec.dtype, out[0].data, out[0].size(), value); }
};

/// An integer that a double does not hold.
struct FullInteger {
  static constexpr std::string_view name = "full";
  static constexpr bool cheap = true;
  static constexpr bool stops_gradient = true;
  std::int64_t value;
  Shape shape;
  static constexpr auto attributes = fields("value", &FullInteger::value, "shape", &FullInteger::shape);
  static constexpr bool total = true;

  Spec infer(Inputs) const {
    require_sizes(name, shape);
    return {shape, DType::int64};
  }
  void eval(ConstViews, Views out) const { kernels::fill_integer(out[0].as<std::int64_t>(), out[0].size(), value); }
};

}  // namespace

Tensor detail::full_of_integer(const Shape& shape, std::int64_t value, DType dtype, Source where) {
  const auto rounded = static_cast<double>(value);
  if (dtype == DType::int64 && (rounded >= 0x1p63 || static_cast<std::int64_t>(rounded) != value)) {
    return apply_op(FullInteger{value, shape}, Inputs(), where);
  }
  return full(shape, rounded, dtype, where);
}

Tensor full(const Shape& shape, double value, DType dtype, Source where) {
  return apply_op(Full{value, {shape, dtype}}, Inputs(), where);
}
Tensor zeros(const Shape& shape, DType dtype, Source where) { return full(shape, 0.0, dtype, where); }
Tensor ones(const Shape& shape, DType dtype, Source where) { return full(shape, 1.0, dtype, where); }

Tensor full_like(const Operand& x, double value) {
  const SourceScope scope(x);
  const Tensor pattern = x.tensor();
  return full(pattern.shape(), value, pattern.dtype());
}
Tensor detail::full_like_of_integer(const Operand& x, std::int64_t value) {
  const SourceScope scope(x);
  const Tensor pattern = x.tensor();
  return full_of_integer(pattern.shape(), value, pattern.dtype(), Source::current());
}
Tensor zeros_like(const Operand& x) { return full_like(x, 0.0); }
Tensor ones_like(const Operand& x) { return full_like(x, 1.0); }

namespace {

struct Arange {
  static constexpr std::string_view name = "arange";
  static constexpr bool cheap = true;
  static constexpr bool stops_gradient = true;
  double start;
  double stop;
  double step;
  DType dtype;
  static constexpr auto attributes =
      fields("start", &Arange::start, "stop", &Arange::stop, "step", &Arange::step, "dtype", &Arange::dtype);
  static constexpr bool total = true;

  Spec infer(Inputs) const {
    const double count = std::ceil((stop - start) / step);
    if (step == 0 || !std::isfinite(count)) {
      raise<ValueError>(name, phrase("from {} to {} in steps of {} is not a finite list; give a step other than 0",
                                     start, stop, step));
    }
    if (!fits(std::max(count, 0.0), DType::int64)) {
      raise<ValueError>(
          name, phrase("from {} to {} in steps of {} are {} numbers; give a longer step", start, stop, step, count));
    }
    require_fitting(name, start, dtype);
    require_fitting(name, step, dtype);
    if (count > 0) {
      require_fitting(name, start + (count - 1) * step, dtype);
    }
    return {{count > 0 ? static_cast<std::int64_t>(count) : 0}, dtype};
  }
  void eval(ConstViews, Views out) const { kernels::arange(dtype, out[0].data, out[0].size(), start, step); }
};

}  // namespace

Tensor arange(double start, double stop, double step, DType dtype, Source where) {
  return apply_op(Arange{start, stop, step, dtype}, Inputs(), where);
}
Tensor arange(double stop, DType dtype, Source where) { return arange(0, stop, 1, dtype, where); }

Tensor linspace(double start, double stop, std::int64_t count, DType dtype, Source where) {
  const SourceScope scope(where);
  return located(where, [&] {
    if (!is_floating(dtype)) {
      raise<DTypeError>("linspace", phrase("it makes floating numbers, not {}", to_string(dtype)));
    }
    if (count < 1) {
      raise<ValueError>("linspace", phrase("it makes 1 number or more, not {}", count));
    }
    // Measured from both ends, so that both are exact.
    const Tensor i = arange(0, static_cast<double>(count), 1, DType::float64);
    const double steps = count > 1 ? static_cast<double>(count - 1) : 1;
    return cast(start * ((steps - i) / steps) + stop * (i / steps), dtype);
  });
}

Tensor eye(std::int64_t rows, std::int64_t columns, DType dtype, Source where) {
  const SourceScope scope(where);
  return located(where, [&] {
    const std::int64_t width = columns < 0 ? rows : columns;
    require_sizes("eye", {rows, width});
    const Tensor row = arange(0, static_cast<double>(rows), 1, DType::int64);
    const Tensor column = arange(0, static_cast<double>(width), 1, DType::int64);
    return cast(equal(expand_dims(row, 1), column), dtype);
  });
}

Tensor eye(std::int64_t rows, DType dtype, Source where) { return eye(rows, rows, dtype, where); }

}  // namespace xgrad
