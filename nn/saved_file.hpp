#pragma once

#include <filesystem>
#include <string_view>

#include "nn/saved.hpp"

/// \file
/// Internal: files of a Saved, for those who know which function the user called.

namespace xgrad::nn::detail {

/// As write_saved. \throws FileError, ValueError as if from \p op.
void write_saved_file(std::string_view op, const std::filesystem::path& path, const Saved& saved);

/// As read_saved. \throws FileError as if from \p op.
Saved read_saved_file(std::string_view op, const std::filesystem::path& path);

}  // namespace xgrad::nn::detail
