#pragma once

#include <filesystem>

#include "autograd/array/array.hpp"

/// \file
/// IDX, the file format of MNIST and its relatives: http://yann.lecun.com/exdb/mnist.
///
/// | bytes          | content                                                                                     |
/// | -------------- | ------------------------------------------------------------------------------------------- |
/// | 2              | 0                                                                                           |
/// | 1              | element type: 08 ubyte, 09 sbyte, 0B short, 0C int, 0D float, 0E double                     |
/// | 1              | number of dimensions                                                                        |
/// | 4 a dimension  | size, unsigned, big endian, outermost first                                                 |
/// | the rest       | the elements, row-major, big endian                                                         |

namespace xgrad::datasets {

/// Reads an IDX file, plain or compressed by gzip (told by content, not by name), of up to eight dimensions.
///
/// ubyte gives uint8; sbyte and short are widened to int32 like int; float gives float32, double float64.
/// Memory grows with what the file really holds: sizes in its header are not believed before.
/// \throws FileError naming the file, what was expected and what was found, when the file cannot be read, is not IDX,
///         is truncated or damaged (gzip's checksum is verified), or goes on after the last element.
Array read_idx(const std::filesystem::path& path);

/// Writes \p array as an IDX file, compressed by gzip when the name ends in `.gz`. uint8, int32, float32 and float64
/// become ubyte, int, float and double. The file appears complete or not at all: it is written under a temporary name
/// beside \p path and then renamed, replacing what was there.
/// \throws DTypeError for boolean and int64, which IDX does not have.
/// \throws ValueError for an Array without elements' memory or a dimension of 2^32 or more.
/// \throws FileError when the file cannot be written.
void write_idx(const std::filesystem::path& path, const Array& array);

}  // namespace xgrad::datasets
