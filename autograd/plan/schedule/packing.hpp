#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "autograd/plan/steps/draft.hpp"

/// \file
/// Memory that several values use one after the other.

namespace xgrad::plan {

/// A value that needs \p bytes from time \p first to time \p last.
struct Request {
  ValueId value;
  std::size_t bytes;
  std::uint32_t first;
  std::uint32_t last;
  std::size_t offset = 0;
};

/// Gives each request an offset such that no two that are alive at the same time overlap; without \p reuse, no two at all.
/// \return the bytes that all of it takes.
std::size_t pack(std::vector<Request>& requests, bool reuse);

}  // namespace xgrad::plan
