#pragma once

#include <cstdint>
#include <span>

#include "datasets/augmentation.hpp"

/// \file
/// Internal: rows of arrays, from all over the data set, and their dtypes.

namespace xgrad::datasets {

/// The rows at \p positions, which are all within \p rows; bytes are widened to float32 grey levels / 255 on the way.
Array gather_features(const Array& rows, std::span<const std::int64_t> positions);

/// The same, each image changed by those of \p changes that are of images; change i draws from \p key and i.
/// \p rows have the shape (n, rows, columns) or (n, channels, rows, columns).
Array gather_augmented(const Array& rows, std::span<const std::int64_t> positions,
                       std::span<const Augmentation> changes, std::uint64_t key);

/// The rows at \p positions as they are. \p op is named in the error of a position that there is not.
Array take_rows(const char* op, const Array& rows, std::span<const std::int64_t> positions);

/// The same numbers in another dtype; the array itself when it is of that already.
Array cast(const Array& array, DType dtype);

}  // namespace xgrad::datasets
