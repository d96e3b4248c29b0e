#pragma once

#include "nn/losses.hpp"

/// \file
/// What the files of losses share. Not installed.

namespace xgrad::nn::detail {

/// The losses of the elements of a batch as \p reduction wants them.
Tensor reduce(const Tensor& losses, Reduction reduction);

}  // namespace xgrad::nn::detail
