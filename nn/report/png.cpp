#include "nn/report/png.hpp"

#include <cstddef>

#include <zlib.h>

namespace xgrad::nn::detail {

namespace {

void add_big_endian(std::string& bytes, std::uint32_t number) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    bytes += static_cast<char>(number >> shift & 0xffU);
  }
}

// Length, type, data, and the checksum of the last two.
void add_chunk(std::string& file, const std::string& type, const std::string& data) {
  add_big_endian(file, static_cast<std::uint32_t>(data.size()));
  const std::string checked = type + data;
  file += checked;
  const auto* bytes = reinterpret_cast<const Bytef*>(checked.data());
  add_big_endian(file, static_cast<std::uint32_t>(crc32(0, bytes, static_cast<uInt>(checked.size()))));
}

std::string deflated(const std::string& bytes) {
  uLongf size = compressBound(static_cast<uLong>(bytes.size()));
  std::string packed(size, '\0');
  compress2(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(bytes.data()),
            static_cast<uLong>(bytes.size()), Z_BEST_COMPRESSION);
  packed.resize(size);
  return packed;
}

}  // namespace

std::string png_file(std::span<const std::uint8_t> pixels, std::uint32_t rows, std::uint32_t columns,
                     std::uint32_t channels) {
  std::string header;
  add_big_endian(header, columns);
  add_big_endian(header, rows);
  constexpr char depth = 8;
  constexpr char grey = 0;
  constexpr char colour = 2;
  header += {depth, channels == 1 ? grey : colour, 0, 0, 0};  // deflate, the usual filters, not interlaced
  std::string lines;
  const std::size_t line = std::size_t{columns} * channels;
  for (std::size_t row = 0; row < rows; ++row) {
    lines += '\0';  // no filter
    lines.append(reinterpret_cast<const char*>(pixels.data()) + row * line, line);
  }
  std::string file = "\x89PNG\r\n\x1a\n";
  add_chunk(file, "IHDR", header);
  add_chunk(file, "IDAT", deflated(lines));
  add_chunk(file, "IEND", "");
  return file;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](std::size_t at) {
      return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : std::uint32_t{0};
    };
    const std::uint32_t group = byte(i) << 16U | byte(i + 1) << 8U | byte(i + 2);
    text += letters[group >> 18U];
    text += letters[group >> 12U & 63U];
    text += i + 1 < bytes.size() ? letters[group >> 6U & 63U] : '=';
    text += i + 2 < bytes.size() ? letters[group & 63U] : '=';
  }
  return text;
}

}  // namespace xgrad::nn::detail
