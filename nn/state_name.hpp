#pragma once

#include <string_view>

/// \file
/// Internal: which names arrays in files may have.

namespace xgrad::nn::detail {

/// Whether \p name can stand for a file of its own in a folder, and nowhere else: it is not empty, and has no `/`, no `..`
/// and no NUL byte.
constexpr bool is_plain_name(std::string_view name) {
  return !name.empty() && name.find_first_of(std::string_view("/\0", 2)) == std::string_view::npos &&
         name.find("..") == std::string_view::npos;
}

}  // namespace xgrad::nn::detail
