#pragma once

#include <filesystem>

/// \file
/// What elementwise functions give at the ends of the ranges, as cases for other programs.

namespace xgrad::testing {

/// Elementwise ops on zeros of both signs, infinities, NaN, very small and very large numbers, into folders of \p folder.
void write_special_values(const std::filesystem::path& folder);

}  // namespace xgrad::testing
