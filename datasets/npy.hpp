#pragma once

#include <filesystem>

#include "autograd/array/array.hpp"

/// \file
/// NPY, NumPy's file format of one array: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html.

namespace xgrad::datasets {

/// Reads an NPY file of format 1.0, 2.0 or 3.0, plain or compressed by gzip, of up to eight dimensions: what
/// `numpy.save` writes.
///
/// Elements are boolean, uint8, int32, int64, float32 or float64, in either byte order; float16 is
/// widened to float32, int8, int16 and uint16 to int32, uint32 to int64. Arrays in Fortran order are put into row-major order. Memory grows with what the
/// file really holds: sizes in its header are not believed before.
/// \throws FileError naming the file, what was expected and what was found, when the file cannot be read, is not NPY,
///         has elements of another type, is truncated, or goes on after the last element.
Array read_npy(const std::filesystem::path& path);

/// Writes \p array as an NPY file that `numpy.load` reads: format 1.0, little endian, row-major; compressed by gzip when
/// the name ends in `.gz`. The file appears complete or not at all.
/// \throws ValueError for an Array without elements' memory. \throws DTypeError for bfloat16, which the format does not
///         have: cast to float32, or take safetensors. \throws FileError when the file cannot be written.
void write_npy(const std::filesystem::path& path, const Array& array);

}  // namespace xgrad::datasets
