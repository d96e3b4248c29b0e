#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

/// \file
/// Internal: pictures inside of a page.

namespace xgrad::nn::detail {

/// A PNG file (ISO/IEC 15948) of 8 bits per sample. \param pixels (rows, columns, channels), of 1 channel, grey, or 3, RGB.
std::string png_file(std::span<const std::uint8_t> pixels, std::uint32_t rows, std::uint32_t columns,
                     std::uint32_t channels);

/// \p bytes in base64 (RFC 4648).
std::string base64(std::string_view bytes);

}  // namespace xgrad::nn::detail
