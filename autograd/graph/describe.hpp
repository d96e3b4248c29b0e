#pragma once

#include <string>

#include "autograd/graph/tensor.hpp"

/// \file
/// Tensors in messages. Not installed.

namespace xgrad::detail {

/// `float32(3,) made by exp at main.cpp:12`, `float32(3,) variable 'weight'`.
std::string describe(const Tensor& tensor);

}  // namespace xgrad::detail
