#include "tests/fuzz/targets.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

#include "autograd/runtime/error.hpp"
#include "datasets/csv.hpp"
#include "datasets/idx.hpp"
#include "datasets/npy.hpp"
#include "datasets/schema.hpp"
#include "nn/npz.hpp"
#include "nn/safetensors.hpp"
#include "nn/saved.hpp"

namespace xgrad::fuzz {

namespace {

namespace fs = std::filesystem;

template <class Read>
void read_unless_damaged(const Read& read) {
  try {
    read();
  } catch (const FileError&) {
  } catch (const ValueError&) {  // where the options name what the file does not have
  }
}

void read_idx(const fs::path& path) {
  read_unless_damaged([&] { datasets::read_idx(path); });
}

void read_npy(const fs::path& path) {
  read_unless_damaged([&] { datasets::read_npy(path); });
}

void read_npz(const fs::path& path) {
  read_unless_damaged([&] { nn::read_npz(path); });
}

void read_safetensors(const fs::path& path) {
  read_unless_damaged([&] { nn::read_safetensors(path); });
  read_unless_damaged([&] { nn::read_safetensors_metadata(path); });
}

void read_checkpoint(const fs::path& path) {
  read_unless_damaged([&] { nn::read_saved(path); });
}

// Reads the file in one of several ways, which its size chooses. Categories of a feature take memory for every one of
// them in every record: here there are few.
void read_csv(const fs::path& path) {
  const std::array<datasets::CsvOptions, 4> ways = {
      datasets::CsvOptions{},
      datasets::CsvOptions{.header = false, .separator = ';'},
      datasets::CsvOptions{.header = false, .categorical = {-1}},
      datasets::CsvOptions{.target = 0, .categorical = {1}, .ignored = {2}, .max_categories = 2},
  };
  const std::size_t way = fs::file_size(path) % (ways.size() + 1);
  read_unless_damaged([&] {
    if (way < ways.size()) {
      datasets::read_csv(path, ways[way]);
    } else {
      const auto schema = datasets::Schema::fit(path, {.max_categories = 2});
      schema.read_rows(path);
      datasets::Schema::from_json(schema.json());
    }
  });
}

void read_schema(const fs::path& path) {
  read_unless_damaged([&] { datasets::Schema::load(path); });
}

constexpr std::array own_targets = {
    Target{"checkpoint", read_checkpoint},
    Target{"csv", read_csv},
    Target{"idx", read_idx},
    Target{"npy", read_npy},
    Target{"npz", read_npz},
    Target{"safetensors", read_safetensors},
    Target{"schema", read_schema},
};

// A file in memory.
class MemoryFile {
 public:
  explicit MemoryFile(std::span<const std::uint8_t> bytes) : descriptor_(::memfd_create("fuzz", MFD_CLOEXEC)) {
    if (descriptor_ < 0 || ::write(descriptor_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
      throw std::runtime_error("no file in memory can be made");
    }
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile() { ::close(descriptor_); }

  fs::path path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

bool may_be_compressed(std::span<const std::uint8_t> bytes) {
  constexpr std::array<std::uint8_t, 2> gzip = {0x1f, 0x8b};
  constexpr std::array<std::uint8_t, 2> zip = {'P', 'K'};
  return (bytes.size() > gzip.size() && std::equal(gzip.begin(), gzip.end(), bytes.begin())) ||
         std::search(bytes.begin(), bytes.end(), zip.begin(), zip.end()) != bytes.end();
}

}  // namespace

const Target& target_named(std::string_view name) {
  for (const std::span<const Target> targets : {std::span<const Target>(own_targets), optional_targets()}) {
    const auto found =
        std::find_if(targets.begin(), targets.end(), [&](const Target& target) { return target.name == name; });
    if (found != targets.end()) {
      return *found;
    }
  }
  throw std::out_of_range("no such target: " + std::string(name));
}

void run(const Target& target, std::span<const std::uint8_t> bytes) { target.read(MemoryFile(bytes).path()); }

std::size_t allowed_memory(const Target& target, std::span<const std::uint8_t> bytes) {
  constexpr std::size_t deflated_most = 1032;  // bytes that deflate makes of one
  constexpr std::size_t constant = std::size_t{2} << 20;
  return target.times * bytes.size() * (may_be_compressed(bytes) ? deflated_most : 1) + constant;
}

}  // namespace xgrad::fuzz
