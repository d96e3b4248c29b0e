#include "nn/npz.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/graph/operation.hpp"
#include "autograd/runtime/phrase.hpp"
#include "datasets/npy_stream.hpp"
#include "datasets/quoted.hpp"
#include "datasets/random_access_file.hpp"
#include "datasets/utf8.hpp"
#include "datasets/zip_directory.hpp"
#include "datasets/zip_entry_source.hpp"
#include "datasets/zip_writer.hpp"
#include "nn/state_name.hpp"

namespace xgrad::nn {

namespace {

using datasets::backticked;
using datasets::ZipEntry;

constexpr std::string_view suffix = ".npy";  // of the entries' names

void require_writable(std::string_view op, const std::filesystem::path& path, const State& state) {
  if (path.extension() == ".gz") {
    raise<ValueError>(op, phrase("{} would be compressed as a whole, which no reader of NPZ expects; choose a name "
                                 "without .gz",
                                 path.string()));
  }
  if (state.empty()) {
    raise<ValueError>(op, "the state is empty; give that of a model with variables");
  }
  constexpr std::size_t longest_name = 65535 - suffix.size();  // zip counts it in two bytes
  for (const auto& [name, array] : state) {
    if (!detail::is_plain_name(name) || !datasets::is_utf8(name) || name.size() > longest_name) {
      raise<ValueError>(op, phrase("{} cannot be the name of an array in a file; rename it", backticked(name)));
    }
    if (!static_cast<bool>(array)) {
      raise<ValueError>(op, phrase("array {} holds no memory; give one made from a shape", backticked(name)));
    }
    datasets::require_npy_type(op, array);
  }
}

class NpzReader {
 public:
  NpzReader(std::string_view op, const std::filesystem::path& path)
      : op_(op), path_(path), file_(op, path), entries_(datasets::read_zip_directory(file_)) {}

  State read() const {
    for (const ZipEntry& entry : entries_) {
      require_array_name(entry);
    }
    if (std::any_of(entries_.begin(), entries_.end(), [](const ZipEntry& entry) { return entry.deflated; })) {
      check();
    }
    State state;
    for (const ZipEntry& entry : entries_) {
      datasets::ZipEntrySource source = open(entry);
      const std::string name = entry.name.substr(0, entry.name.size() - suffix.size());
      state.emplace(name, datasets::read_npy_elements(source, datasets::read_npy_header(source)));
    }
    return state;
  }

 private:
  void require_array_name(const ZipEntry& entry) const {
    const std::string_view name = entry.name;
    if (!name.ends_with(suffix) || !detail::is_plain_name(name.substr(0, name.size() - suffix.size()))) {
      file_.fail("entries named as arrays, `weight.npy`, without `/`, `..` and NUL bytes", backticked(name),
                 "write the arrays with numpy.savez, under other names");
    }
  }

  // All that can be wrong, in little memory.
  void check() const {
    for (const ZipEntry& entry : entries_) {
      datasets::ZipEntrySource source = open(entry);
      datasets::read_npy_header(source);
      source.check_rest();
    }
  }

  datasets::ZipEntrySource open(const ZipEntry& entry) const {
    return {op_, phrase("{}: {}", path_.string(), backticked(entry.name)), file_, entry};
  }

  std::string_view op_;
  std::filesystem::path path_;
  datasets::RandomAccessFile file_;
  std::vector<ZipEntry> entries_;
};

}  // namespace

void write_npz(const std::filesystem::path& path, const State& state, std::source_location where) {
  constexpr std::string_view op = "write_npz";
  located(where, [&] {
    require_writable(op, path, state);
    datasets::ZipWriter zip(op, path);
    for (const auto& [name, array] : state) {
      zip.add(name + std::string(suffix), [&](const datasets::ByteSink& sink) { datasets::write_npy_to(sink, array); });
    }
    zip.publish();
  });
}

State read_npz(const std::filesystem::path& path, std::source_location where) {
  return located(where, [&] { return NpzReader("read_npz", path).read(); });
}

}  // namespace xgrad::nn
