#pragma once

#include <cstdint>
#include <span>

#include "datasets/augmentation.hpp"

/// \file
/// Internal: the samples of a batch, from all over the data set.

namespace xgrad::datasets {

/// The rows at \p positions, which are all within \p rows; bytes are widened to float32 grey levels / 255 on the way.
Array gather_features(const Array& rows, std::span<const std::int64_t> positions);

/// The same, each image changed by those of \p changes that are of images; change i draws from \p key and i.
/// \p rows have the shape (n, rows, columns) or (n, channels, rows, columns).
Array gather_augmented(const Array& rows, std::span<const std::int64_t> positions,
                       std::span<const Augmentation> changes, std::uint64_t key);

/// The rows at \p positions as they are.
Array gather_targets(const Array& rows, std::span<const std::int64_t> positions);

}  // namespace xgrad::datasets
