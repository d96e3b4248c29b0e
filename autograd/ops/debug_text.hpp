#pragma once

#include <span>
#include <string>
#include <string_view>

#include "autograd/graph/spec.hpp"
#include "autograd/ops/debug.hpp"

/// \file
/// Texts with tensors in them. Not installed.

namespace xgrad::debug {

/// \p format with the elements of \p tensors in its places.
std::string text_of(const std::string& format, ConstViews tensors);

/// \throws ValueError `[op]` when \p format does not name as many tensors as there are, or has a format that numbers do not
/// have.
void require_fitting(std::string_view op, const Format& format, std::span<const Operand> operands);

/// The elements of \p view where they are, for as long as they are there.
Array borrowed(const ConstView& view);

}  // namespace xgrad::debug
