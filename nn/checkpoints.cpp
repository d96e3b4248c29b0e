#include "nn/checkpoints.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
#include "datasets/input_file.hpp"
#include "datasets/unpublished.hpp"
#include "nn/saved_file.hpp"

namespace xgrad::nn {

namespace {

namespace fs = std::filesystem;

// A number and the file that has it in its name.
using Numbered = std::pair<std::int64_t, fs::path>;

// f(name) for all that is in the folder of path.
template <class F>
void each_beside(const fs::path& path, F f) {
  std::error_code error;
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  for (fs::directory_iterator entry(folder, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    f(entry->path().filename().string());
  }
}

// The number in the name of a checkpoint of the run.
std::optional<std::int64_t> number_of(const fs::path& path, std::string_view name) {
  const std::string prefix = path.stem().string() + '-';
  const std::string suffix = path.extension().string();
  if (name.size() <= prefix.size() + suffix.size() || !name.starts_with(prefix) || !name.ends_with(suffix)) {
    return std::nullopt;
  }
  const char* begin = name.data() + prefix.size();
  const char* end = name.data() + name.size() - suffix.size();
  std::int64_t number = 0;
  const auto [stop, failure] = std::from_chars(begin, end, number);
  return failure == std::errc() && stop == end && number >= 0 ? std::optional(number) : std::nullopt;
}

// The newest first.
std::vector<Numbered> numbered_checkpoints(const fs::path& path) {
  std::vector<Numbered> found;
  each_beside(path, [&](const std::string& name) {
    if (const auto number = number_of(path, name)) {
      found.emplace_back(*number, path.parent_path() / name);
    }
  });
  std::sort(found.rbegin(), found.rend());
  return found;
}

// A writer that was killed left `.run-000000123.safetensors.0123456789abcdef.part`; the next one writes another number.
void remove_left_of_run(const fs::path& path) {
  constexpr std::size_t added = std::string_view(".0123456789abcdef.part").size();
  std::set<fs::path> targets;
  each_beside(path, [&](std::string_view name) {
    if (name.size() > added + 1 && name.starts_with('.') && name.ends_with(".part")) {
      const std::string_view target = name.substr(1, name.size() - 1 - added);
      if (number_of(path, target)) {
        targets.insert(path.parent_path() / target);
      }
    }
  });
  for (const fs::path& target : targets) {
    datasets::remove_left(target);
  }
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
  remove_left_of_run(path);
}

}  // namespace detail

}  // namespace xgrad::nn
