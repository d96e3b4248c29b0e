#pragma once

#include <cstdint>

#include "autograd/array/array.hpp"

/// \file
/// Internal: orders of samples.

namespace xgrad::datasets {

/// 0, 1, ..., count - 1 as int64.
Array ascending(std::int64_t count);

/// The same numbers in an order that is a pure function of \p key and \p count.
Array permutation(std::int64_t count, std::uint64_t key);

}  // namespace xgrad::datasets
