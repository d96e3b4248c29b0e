#pragma once

#include <cstdint>
#include <string_view>

#include "autograd/graph/tensor.hpp"

/// \file
/// What losses and metrics of classes share. Not installed.

namespace xgrad::nn::detail {

/// \p labels as int64, which are checked when they are computed: each in [0, classes). Errors name \p who and the row.
Tensor checked_labels(std::string_view who, const Tensor& labels, std::int64_t classes);

/// The labels of a metric: integers as they are, or where the probabilities of floating targets are largest.
/// Throws DTypeError for floating targets that are not of the shape of the scores.
Tensor as_labels(std::string_view who, const Tensor& scores, const Tensor& targets);

}  // namespace xgrad::nn::detail
