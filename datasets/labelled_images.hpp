#pragma once

#include <cstdint>

#include "autograd/array.hpp"

/// \file
/// Images with one class label each.

namespace xgrad::datasets {

/// Images and, for each, the number of its class. Kept as bytes: Batches widens what a step needs.
struct LabelledImages {
  Array images;  ///< uint8 (n, rows, columns)
  Array labels;  ///< uint8 (n,)

  /// Number of images.
  std::int64_t size() const { return images.shape().empty() ? 0 : images.shape()[0]; }
};

}  // namespace xgrad::datasets
