#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/array/array.hpp"
#include "nn/safetensors.hpp"

/// \file
/// Internal: the header of a safetensors file, which is JSON: names, element types, shapes and places of arrays, and
/// metadata.

namespace xgrad::nn::detail {

/// An element type of the format.
struct SafetensorsType {
  std::string_view name;  ///< such as `F32`
  std::size_t bytes;      ///< of an element in the file
  DType dtype;            ///< what it is read as
  /// Puts \p count elements at \p stored into \p elements; null where they are alike in memory.
  void (*decode)(const std::byte* stored, std::int64_t count, Array& elements);
};

/// What elements of \p dtype are written as.
const SafetensorsType& safetensors_type_of(DType dtype);

/// An array in a safetensors file.
struct SafetensorsEntry {
  std::string name;
  const SafetensorsType* type = nullptr;
  Shape shape;
  std::uint64_t begin = 0;  ///< of its bytes, counted from the end of the header
  std::uint64_t end = 0;    ///< behind the last of them
};

/// What the header says.
struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;  ///< in the order of their bytes
  Metadata metadata;
};

/// Says what was expected and what was found.
using Refuse = std::function<void(std::string_view expected, std::string_view found)>;

/// Reads a header of arrays that fill \p data_bytes bytes without a gap. \p refuse throws.
SafetensorsHeader parse_safetensors_header(std::string_view text, std::uint64_t data_bytes, const Refuse& refuse);

/// The header as text, padded so that arrays begin at a multiple of eight bytes.
/// \throws ValueError, as if from \p op, for what is no UTF-8.
std::string write_safetensors_header(std::string_view op, const SafetensorsHeader& header);

}  // namespace xgrad::nn::detail
