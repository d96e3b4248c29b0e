#include "nn/checkpoints.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
#include "datasets/input_file.hpp"
#include "nn/saved_file.hpp"

namespace xgrad::nn {

namespace {

namespace fs = std::filesystem;

// A number and the file that has it in its name.
using Numbered = std::pair<std::int64_t, fs::path>;

// The newest first.
std::vector<Numbered> numbered_checkpoints(const fs::path& path) {
  const std::string prefix = path.stem().string() + '-';
  const std::string suffix = path.extension().string();
  std::vector<Numbered> found;
  std::error_code error;
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  for (fs::directory_iterator entry(folder, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.size() <= prefix.size() + suffix.size() || !name.starts_with(prefix) || !name.ends_with(suffix)) {
      continue;
    }
    const char* begin = name.data() + prefix.size();
    const char* end = name.data() + name.size() - suffix.size();
    std::int64_t number = 0;
    const auto [stop, failure] = std::from_chars(begin, end, number);
    if (failure == std::errc() && stop == end && number >= 0) {
      found.emplace_back(number, path.parent_path() / name);
    }
  }
  std::sort(found.rbegin(), found.rend());
  return found;
}

}  // namespace

std::optional<fs::path> find_checkpoint(const fs::path& path, std::source_location where) {
  located_at(where, [&] { datasets::require_name("find_checkpoint", path); });
  std::vector<Numbered> candidates = numbered_checkpoints(path);
  std::error_code ignored;
  const bool is_there = fs::exists(path, ignored);
  std::optional<std::pair<std::int64_t, fs::path>> best;
  const auto consider = [&](const fs::path& file) {
    try {
      const Saved saved = detail::read_saved_file("find_checkpoint", file);
      const std::int64_t steps = saved.contains("trainer/steps") ? saved.integer("trainer/steps") : 0;
      if (!best || steps > best->first) {
        best.emplace(steps, file);
      }
      return true;
    } catch (const Error& error) {
      std::fprintf(stderr, "xgrad: a checkpoint is passed over: %s\n", error.what());
      return false;
    }
  };
  for (const auto& [number, file] : candidates) {
    if (consider(file)) {
      break;
    }
  }
  if (is_there) {
    consider(path);
  }
  return best ? std::optional(best->second) : std::nullopt;
}

namespace detail {

fs::path newest_checkpoint(std::string_view op, const fs::path& path) {
  datasets::require_name(op, path);
  const std::optional<fs::path> found = find_checkpoint(path);
  if (!found) {
    datasets::raise_file_error(op, path, "a checkpoint that is whole", "none", "check the path, or begin anew");
  }
  return *found;
}

fs::path checkpoint_named(const fs::path& path, std::string_view name) {
  return path.parent_path() / phrase("{}-{}{}", path.stem().string(), name, path.extension().string());
}

fs::path numbered_checkpoint(const fs::path& path, std::int64_t steps) {
  return checkpoint_named(path, phrase("{:09}", steps));
}

void remove_old_checkpoints(const fs::path& path, std::int64_t count) {
  const std::vector<Numbered> found = numbered_checkpoints(path);
  for (auto i = static_cast<std::size_t>(count); i < found.size(); ++i) {
    std::error_code ignored;  // it is only in the way
    fs::remove(found[i].second, ignored);
  }
}

}  // namespace detail

}  // namespace xgrad::nn
