#pragma once

#include <cstddef>
#include <functional>
#include <span>

#include "autograd/array/array.hpp"
#include "datasets/byte_source.hpp"

/// \file
/// Internal: the NPY format from and to anything that holds bytes. npy.hpp says what it is.

namespace xgrad::datasets {

/// An element type of the format.
struct NpyType;

/// What comes before the elements.
struct NpyHeader {
  const NpyType* type = nullptr;
  bool swapped = false;  ///< big endian
  bool fortran_order = false;
  Shape shape;

  std::size_t data_bytes() const;  ///< of all elements, as the format keeps them
};

/// Reads the header. \throws FileError for what is no NPY, and where \p source states to have more bytes behind it than
/// the elements, or fewer.
NpyHeader read_npy_header(ByteSource& source);

/// Reads the elements, which are the rest of \p source. \throws FileError when there are fewer bytes or more.
Array read_npy_elements(ByteSource& source, const NpyHeader& header);

/// Takes the next bytes that are written.
using ByteSink = std::function<void(std::span<const std::byte>)>;

/// \throws DTypeError, as if from \p op, for elements of a type that the format does not have.
void require_npy_type(std::string_view op, const Array& array);

/// Gives \p sink an array, which has memory and a type that the format has.
void write_npy_to(const ByteSink& sink, const Array& array);

}  // namespace xgrad::datasets
