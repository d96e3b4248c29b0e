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
  const std::size_t prefix = path.stem().native().size() + 1;
  if (name.size() <= prefix) {
    return std::nullopt;
  }
  std::int64_t number = -1;
  std::from_chars(name.data() + prefix, name.data() + name.size(), number);
  // Only a name that we would give: `run-1.safetensors` is somebody else's.
  const bool is_ours = number >= 0 && detail::numbered_checkpoint(path, number).filename() == fs::path(name);
  return is_ours ? std::optional(number) : std::nullopt;
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
  return located_at(where, [&] { return detail::find_checkpoint("find_checkpoint", path); });
}

namespace detail {

std::optional<fs::path> find_checkpoint(std::string_view op, const fs::path& path) {
  datasets::require_name(op, path);
  std::optional<Numbered> best;  // by the number of steps
  std::vector<std::string> damaged;
  const auto consider = [&](const fs::path& file) {
    try {
      const Saved saved = read_saved_file(op, file);
      const std::int64_t steps = saved.contains("trainer/steps") ? saved.integer("trainer/steps") : 0;
      if (!best || steps > best->first) {
        best.emplace(steps, file);
      }
      return true;
    } catch (const Error& error) {
      damaged.emplace_back(error.what());
      return false;
    }
  };
  for (const auto& [number, file] : numbered_checkpoints(path)) {
    if (consider(file)) {
      break;
    }
  }
  std::error_code ignored;
  if (fs::exists(path, ignored)) {
    consider(path);
  }
  if (!best && !damaged.empty()) {  // to begin anew would be to lose it
    raise<FileError>(op, phrase("{}: there are checkpoints, and none of them can be read; mend them, or remove them to "
                                "begin anew:\n  {}",
                                path.string(), damaged.front()));
  }
  for (const std::string& each : damaged) {
    std::fprintf(stderr, "xgrad: a checkpoint is passed over: %s\n", each.c_str());
  }
  return best ? std::optional(best->second) : std::nullopt;
}

fs::path newest_checkpoint(std::string_view op, const fs::path& path) {
  const std::optional<fs::path> found = find_checkpoint(op, path);
  if (!found) {
    datasets::raise_file_error(op, path, "a checkpoint", "none", "check the path, or begin anew");
  }
  return *found;
}

fs::path checkpoint_named(const fs::path& path, std::string_view name) {
  return path.parent_path() / phrase("{}-{}{}", path.stem().string(), name, path.extension().string());
}

fs::path numbered_checkpoint(const fs::path& path, std::int64_t steps) {
  return checkpoint_named(path, phrase("{:09}", steps));
}

bool remove_old_checkpoints(const fs::path& path, std::int64_t steps, std::int64_t count) {
  bool has_later = false;
  for (const auto& [number, file] : numbered_checkpoints(path)) {
    has_later = has_later || number > steps;
    if (number <= steps && --count < 0) {
      std::error_code ignored;  // it is only in the way
      fs::remove(file, ignored);
    }
  }
  remove_left_of_run(path);
  return has_later;
}

}  // namespace detail

}  // namespace xgrad::nn
