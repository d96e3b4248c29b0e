#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "autograd/graph/tensor.hpp"

/// \file
/// Tensors whose axes have names, and their products.

namespace xgrad {

/// The name of an axis.
using Index = int;
using Indices = std::vector<Index>;

bool contains(const Indices& indices, Index index);

/// A tensor and the names of its axes.
struct Indexed {
  Tensor tensor;
  Indices indices;

  std::int64_t size(Index index) const;
  /// The product of the sizes of several.
  std::int64_t size(const Indices& several) const;
  /// The axes in another order.
  Tensor arranged(const Indices& order) const;
  /// The sum over all indices but those in \p kept.
  Indexed summed(const Indices& kept) const;
};

/// The product of two tensors over equal indices, summed over common indices that are not in \p kept.
Indexed contract(const Indexed& a, const Indexed& b, const Indices& kept);

/// \throws DTypeError unless all operands are of one floating type.
void require_same_floating(std::string_view op, const Tensors& operands);

}  // namespace xgrad
