#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "autograd/array/shape.hpp"

/// \file
/// Internal: numbers that may depend on the size of the batch. A function is traced at two sizes of it, and what is not the
/// same in both traces is taken for a multiple of the size, or of its inverse.

namespace xgrad::onnx {

/// Two sizes of the batch. What meets by chance at the one size does not at the other.
using BatchSizes = std::array<std::int64_t, 2>;

/// A size, or the product of one and the size of the batch.
struct Size {
  std::int64_t factor = 0;  ///< all of it, or times the size of the batch
  bool symbolic = false;    ///< whether the size of the batch is a factor

  /// Same number, whatever the batch.
  friend bool operator==(const Size&, const Size&) = default;
};
using Sizes = std::vector<Size>;

/// A number, or one times the size of the batch, or divided by it.
struct Number {
  enum class Kind : std::uint8_t { constant, times_batch, per_batch };

  double factor = 0;
  Kind kind = Kind::constant;
};

/// What \p first at one size of the batch and \p second at the other are; nothing where it is neither the same nor a
/// multiple.
std::optional<Size> common_size(std::int64_t first, std::int64_t second, const BatchSizes& batch);
/// The same of numbers.
std::optional<Number> common_number(double first, double second, const BatchSizes& batch);

/// The product of both; nothing where the size of the batch would be a factor twice.
std::optional<Size> product(const Size& a, const Size& b);

/// How many sizes are symbolic.
std::size_t symbolic_count(const Sizes& sizes);

/// The sizes that two shapes broadcast to, which they do.
Sizes broadcast_sizes(const Sizes& a, const Sizes& b);

}  // namespace xgrad::onnx
