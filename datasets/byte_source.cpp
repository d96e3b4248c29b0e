#include "datasets/byte_source.hpp"

#include <algorithm>

#include "datasets/input_file.hpp"

namespace xgrad::datasets {

std::vector<std::byte> ByteSource::read_bytes(std::size_t count) {
  constexpr std::size_t first_block = std::size_t{1} << 20;
  std::vector<std::byte> bytes;
  while (bytes.size() < count) {
    const std::size_t have = bytes.size();
    bytes.resize(std::min(count, std::max(first_block, 2 * have)));
    const std::size_t found = have + read(bytes.data() + have, bytes.size() - have);
    if (found < bytes.size()) {
      bytes.resize(found);
      break;
    }
  }
  return bytes;
}

void ByteSource::fail(std::string_view expected, std::string_view found, std::string_view next_step) const {
  raise_file_error(op_, name_, expected, found, next_step);
}

}  // namespace xgrad::datasets
