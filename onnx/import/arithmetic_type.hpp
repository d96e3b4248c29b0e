#pragma once

#include "autograd/array/dtype.hpp"
#include "autograd/graph/tensor.hpp"
#include "autograd/ops/ops.hpp"

/// \file
/// Internal: arithmetic on types that we keep but do not compute in.

namespace xgrad::onnx::loading {

/// f(x, more...) in int32 where they are boolean or uint8, and back: as the last eight bits count, exact.
template <class F, class... More>
Tensor with_arithmetic(const F& f, const Tensor& x, const More&... more) {
  const DType dtype = x.dtype();
  if (dtype != DType::uint8 && dtype != DType::boolean) {
    return f(x, more...);
  }
  return cast(f(cast(x, DType::int32), cast(more, DType::int32)...), dtype);
}

/// f(x) in float64 where x is of integers, and back, for functions that give no integers.
template <class F>
Tensor with_floating(const F& f, const Tensor& x) {
  return is_floating(x.dtype()) ? f(x) : cast(f(cast(x, DType::float64)), x.dtype());
}

}  // namespace xgrad::onnx::loading
