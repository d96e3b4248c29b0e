#pragma once

#include <cstdint>
#include <filesystem>

#include "autograd/array/array.hpp"

/// \file
/// PGM, an image format that most viewers open: https://netpbm.sourceforge.net/doc/pgm.html.

namespace xgrad::datasets {

/// Writes images side by side, row after row of a grid, as one PGM file of grey levels.
/// \param images (n, rows, columns), n at least 1: uint8, or floating in [0, 1] (what lies outside is cut, NaN is black).
/// \param per_row images side by side; 0 makes the grid about square. Places that are left over are black.
/// \throws ShapeError, DTypeError for other arrays.
/// \throws ValueError for a negative \p per_row, or a picture of more than 2^30 pixels.
/// \throws FileError when the file cannot be written; it appears complete or not at all.
void write_pgm(const std::filesystem::path& path, const Array& images, std::int64_t per_row = 0);

}  // namespace xgrad::datasets
