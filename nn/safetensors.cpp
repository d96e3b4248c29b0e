#include "nn/safetensors.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <span>
#include <vector>

#include "autograd/graph/operation.hpp"
#include "autograd/runtime/phrase.hpp"
#include "datasets/output_file.hpp"
#include "datasets/quoted.hpp"
#include "nn/safetensors_file.hpp"
#include "nn/saved_file.hpp"
#include "nn/state_name.hpp"

namespace xgrad::nn {

namespace detail {

namespace {

static_assert(std::endian::native == std::endian::little, "elements are written as they are in memory");

constexpr std::size_t size_bytes = 8;                  // of the header's size, which comes first
constexpr std::uint64_t largest_header = 100'000'000;  // as the reference implementation has it

}  // namespace

SafetensorsFile::SafetensorsFile(std::string_view op, const std::filesystem::path& path) : file_(op, path) {
  if (file_.size() < size_bytes) {
    refuse("a safetensors file, which begins with the size of its header", phrase("{} bytes", file_.size()));
  }
  std::array<std::byte, size_bytes> start;
  file_.read(0, start);
  const auto header_bytes = std::bit_cast<std::uint64_t>(start);
  const std::uint64_t most = std::min(file_.size() - size_bytes, largest_header);
  if (header_bytes > most) {
    refuse(phrase("a safetensors file, with a header of at most {} bytes", most), phrase("{}", header_bytes));
  }
  std::string text(header_bytes, '\0');
  file_.read(size_bytes, std::as_writable_bytes(std::span(text)));
  data_begin_ = size_bytes + header_bytes;
  header_ =
      parse_safetensors_header(text, file_.size() - data_begin_,
                               [this](std::string_view expected, std::string_view found) { refuse(expected, found); });
}

Array SafetensorsFile::read(const SafetensorsEntry& entry) const {
  Array elements(entry.shape, entry.type->dtype);
  if (entry.type->decode == nullptr) {
    file_.read(data_begin_ + entry.begin, std::span(static_cast<std::byte*>(elements.data()), elements.bytes()));
    return elements;
  }
  std::vector<std::byte> stored(entry.end - entry.begin);
  file_.read(data_begin_ + entry.begin, stored);
  entry.type->decode(stored.data(), elements.size(), elements);
  return elements;
}

void SafetensorsFile::refuse(std::string_view expected, std::string_view found) const {
  file_.fail(expected, found, "write or fetch the file again");
}

void write_safetensors_file(std::string_view op, const std::filesystem::path& path, const State& arrays,
                            const Metadata& metadata) {
  if (path.extension() == ".gz") {
    raise<ValueError>(op, phrase("{} would be compressed, but arrays are read from where they are in the file; choose "
                                 "a name without .gz",
                                 path.string()));
  }
  // Large elements first, so that all are aligned.
  std::vector<const State::value_type*> order;
  for (const auto& named : arrays) {
    if (!static_cast<bool>(named.second)) {
      raise<ValueError>(
          op, phrase("array {} holds no memory; give one made from a shape", datasets::backticked(named.first)));
    }
    order.push_back(&named);
  }
  std::stable_sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    return size_of(a->second.dtype()) > size_of(b->second.dtype());
  });
  SafetensorsHeader header{.entries = {}, .metadata = metadata};
  std::uint64_t end = 0;
  for (const auto* named : order) {
    const Array& array = named->second;
    header.entries.push_back(
        {named->first, &safetensors_type_of(array.dtype()), array.shape(), end, end + array.bytes()});
    end += array.bytes();
  }
  const std::string text = write_safetensors_header(op, header);
  datasets::OutputFile file(op, path);
  const auto size = std::bit_cast<std::array<std::byte, size_bytes>>(std::uint64_t{text.size()});
  file.write(std::span(size));
  file.write(text);
  for (const auto* named : order) {
    file.write(std::span(static_cast<const std::byte*>(named->second.data()), named->second.bytes()));
  }
  file.publish();
}

}  // namespace detail

void write_safetensors(const std::filesystem::path& path, const State& state, const Metadata& metadata,
                       std::source_location where) {
  constexpr std::string_view op = "write_safetensors";
  located(where, [&] {
    for (const auto& [name, array] : state) {
      if (!detail::is_plain_name(name) || name == "__metadata__") {
        raise<ValueError>(op,
                          phrase("{} cannot be the name of an array in a file; rename it", datasets::backticked(name)));
      }
    }
    detail::write_safetensors_file(op, path, state, metadata);
  });
}

State read_safetensors(const std::filesystem::path& path, std::source_location where) {
  return located(where, [&] {
    const detail::SafetensorsFile file("read_safetensors", path);
    if (detail::is_saved_file(file.header().metadata)) {
      raise<FileError>("read_safetensors", phrase("{}: this is a checkpoint, of more than weights; take those by "
                                                  "read_saved(path).state(\"model\")",
                                                  path.string()));
    }
    for (const detail::SafetensorsEntry& entry : file.header().entries) {
      if (!detail::is_plain_name(entry.name)) {
        file.refuse("names of arrays without `/`, `..` and NUL bytes", datasets::backticked(entry.name));
      }
    }
    State state;
    for (const detail::SafetensorsEntry& entry : file.header().entries) {
      state.emplace(entry.name, file.read(entry));
    }
    return state;
  });
}

Metadata read_safetensors_metadata(const std::filesystem::path& path, std::source_location where) {
  return located(where, [&] { return detail::SafetensorsFile("read_safetensors_metadata", path).header().metadata; });
}

}  // namespace xgrad::nn
