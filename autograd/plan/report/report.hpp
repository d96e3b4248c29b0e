#pragma once

#include <span>
#include <string>
#include <string_view>

#include "autograd/plan/run/executable.hpp"

/// \file
/// Plans as text and as drawings.

namespace xgrad::plan {

std::string kernels_text(const Executable& plan);  ///< one numbered line per kernel call, phase by phase
std::string memory_text(const Executable& plan);   ///< which value is where, and when

/// Kernels and the values between them, for Graphviz. \param arguments what they are called: `weight`.
std::string dot_text(const Executable& plan, std::span<const std::string> arguments);

/// In how many pieces a group is computed.
std::string group_text(const Group& group);
/// What step number \p step is called in reports: `matmul at train.cpp:12`.
std::string step_title(const Executable& plan, std::uint32_t step);
/// What it computes: the product with its sizes, the formula of a map.
std::string step_text(const Executable& plan, std::uint32_t step);
/// \p text between the quotes of a string in JSON or DOT.
std::string escaped(std::string_view text);
/// Floating-point operations of a step: of a product 2 m k n, of a map one per element and primitive.
double step_flops(const Executable& plan, std::uint32_t step);
/// Bytes that a step reads and writes.
double step_bytes(const Executable& plan, std::uint32_t step);

}  // namespace xgrad::plan
