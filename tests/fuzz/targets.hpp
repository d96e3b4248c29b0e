#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

/// \file
/// The readers of files, which are given any bytes.

namespace xgrad::fuzz {

/// A reader. It may throw the errors that it documents; anything else is a fault.
struct Target {
  std::string_view name;
  void (*read)(const std::filesystem::path& path);
  std::size_t times = 10;  ///< how many times the size of a file it may hold in memory at once
};

/// Those of optional libraries that are there.
std::span<const Target> optional_targets();

/// \throws std::out_of_range when there is none of that name.
const Target& target_named(std::string_view name);

/// Gives \p bytes to the target as a file.
void run(const Target& target, std::span<const std::uint8_t> bytes);

/// Memory that \p target may hold at once, for a file of \p bytes: some times its size, where it may be compressed the
/// largest that it can decompress to, and what does not depend on the file.
std::size_t allowed_memory(const Target& target, std::span<const std::uint8_t> bytes);

}  // namespace xgrad::fuzz
