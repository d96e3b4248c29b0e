#include <cmath>

#include "autograd/ops/ops.hpp"

/// \file
/// Whether tensors are equal, or nearly so.

namespace xgrad {

bool allclose(const Operand& a, const Operand& b, double relative, double absolute, bool equal_nan) {
  const SourceScope scope(a);
  const auto as_double = [](const Operand& x) { return x.weak() ? x.tensor(DType::float64) : cast(x, DType::float64); };
  const Tensor left = as_double(a);
  const Tensor right = as_double(b);
  const Shape shape = located(a.where(), [&] { return broadcast_shapes("allclose", left.shape(), right.shape()); });
  const Array x = broadcast_to(left, shape).array();
  const Array y = broadcast_to(right, shape).array();
  for (std::int64_t i = 0; i < x.size(); ++i) {
    const double p = x.data<double>()[i];
    const double q = y.data<double>()[i];
    const bool close = p == q || (std::isfinite(q) && std::abs(p - q) <= absolute + relative * std::abs(q)) ||
                       (equal_nan && std::isnan(p) && std::isnan(q));
    if (!close) {
      return false;
    }
  }
  return true;
}

}  // namespace xgrad
