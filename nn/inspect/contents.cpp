#include "nn/inspect/contents.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "autograd/runtime/phrase.hpp"
#include "datasets/idx.hpp"
#include "datasets/input_file.hpp"
#include "datasets/npy.hpp"
#include "datasets/quoted.hpp"
#include "nn/checkpoint.hpp"
#include "nn/npz.hpp"
#include "nn/safetensors_file.hpp"

namespace xgrad::inspect {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view op = "xgrad-inspect";

Contents single(std::string_view kind, const fs::path& path, Array (*read)(const fs::path& path)) {
  return {kind, {"array"}, {}, [path, read](const std::string&) { return read(path); }};
}

// Arrays that are in memory.
Contents whole(std::string_view kind, const nn::State& state) {
  Contents contents{kind, {}, {}, [state](const std::string& name) { return state.at(name); }};
  for (const auto& [name, array] : state) {
    contents.names.push_back(name);
  }
  return contents;
}

Contents open_npy(const fs::path& path) { return single("NPY file", path, datasets::read_npy); }
Contents open_idx(const fs::path& path) { return single("IDX file", path, datasets::read_idx); }
Contents open_npz(const fs::path& path) { return whole("NPZ file", nn::read_npz(path, {})); }
Contents open_state(const fs::path& path) { return whole("folder of NPY files", nn::read_state(path, {})); }

Contents open_safetensors(const fs::path& path) {
  const auto file = std::make_shared<const nn::detail::SafetensorsFile>(op, path);
  const auto& entries = file->header().entries;
  Contents contents{
      "safetensors file", {}, file->header().metadata, [file](const std::string& name) {
        const auto& all = file->header().entries;
        return file->read(*std::find_if(all.begin(), all.end(), [&](const auto& entry) { return entry.name == name; }));
      }};
  for (const auto& entry : entries) {
    contents.names.push_back(entry.name);
  }
  std::sort(contents.names.begin(), contents.names.end());
  return contents;
}

// What a file begins with, decompressed.
struct Start {
  std::string bytes;
  std::uintmax_t file_bytes = 0;

  std::uint64_t byte(std::size_t i) const { return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0; }
};

// A zip file, also an empty one.
bool is_npz(const Start& start) {
  return start.bytes.starts_with("PK\x03\x04") || start.bytes.starts_with("PK\x05\x06");
}

bool is_npy(const Start& start) { return start.bytes.starts_with("\x93NUMPY"); }

// The size of the header, which is an object of JSON. Where an IDX file has such bytes, they say more than it has.
bool is_safetensors(const Start& start) {
  std::uint64_t header = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    header |= start.byte(i) << (8 * i);
  }
  return start.byte(8) == '{' && header < start.file_bytes;
}

bool is_idx(const Start& start) {
  constexpr std::array<std::uint64_t, 6> types = {0x08, 0x09, 0x0b, 0x0c, 0x0d, 0x0e};
  return start.bytes.size() >= 4 && start.byte(0) == 0 && start.byte(1) == 0 &&
         std::find(types.begin(), types.end(), start.byte(2)) != types.end();
}

struct Kind {
  bool (*is)(const Start& start);
  Contents (*open)(const fs::path& path);
};

constexpr std::array kinds = {
    Kind{is_npy, open_npy},
    Kind{is_npz, open_npz},
    Kind{is_safetensors, open_safetensors},
    Kind{is_idx, open_idx},
};

}  // namespace

Contents open(const std::filesystem::path& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    return open_state(path);
  }
  constexpr std::size_t longest = 16;
  std::array<std::byte, longest> bytes;
  const std::size_t count = datasets::InputFile(op, path).read(bytes.data(), longest);
  const Start start{{reinterpret_cast<const char*>(bytes.data()), count}, fs::file_size(path, ignored)};
  const auto* kind = std::find_if(kinds.begin(), kinds.end(), [&](const Kind& each) { return each.is(start); });
  if (kind == kinds.end()) {
    datasets::raise_file_error(op, path, "a safetensors, NPZ, NPY or IDX file",
                               phrase("one that begins with {}", datasets::backticked(start.bytes)),
                               "give another file");
  }
  return kind->open(path);
}

}  // namespace xgrad::inspect
