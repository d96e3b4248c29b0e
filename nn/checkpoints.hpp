#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <source_location>
#include <string_view>

/// \file
/// Which of the checkpoints of a run there are.

namespace xgrad::nn {

/// The newest checkpoint of a run that is whole, if there is one: the file \p path, or one of those that
/// `callbacks::checkpoint(path, {.keep_last = n})` numbers, `run-000000123.safetensors` for `run.safetensors`. By how many
/// steps had been taken. One that is damaged is passed over, with a line on standard error, for an older one.
///
///     trainer.fit(train, {.callbacks = {nn::callbacks::checkpoint(path)}, .resume = nn::find_checkpoint(path)});
/// \throws FileError when there are checkpoints, and none can be read: beginning anew would replace them. And for a path
///         that is empty or has a NUL byte.
std::optional<std::filesystem::path> find_checkpoint(const std::filesystem::path& path,
                                                     std::source_location where = std::source_location::current());

namespace detail {

/// The same. \throws FileError as from \p op.
std::optional<std::filesystem::path> find_checkpoint(std::string_view op, const std::filesystem::path& path);
/// The file that find_checkpoint finds. \throws FileError as from \p op, also when there is none.
std::filesystem::path newest_checkpoint(std::string_view op, const std::filesystem::path& path);

/// `run-NAME.safetensors` for `run.safetensors`.
std::filesystem::path checkpoint_named(const std::filesystem::path& path, std::string_view name);
/// The name of a checkpoint after \p steps steps.
std::filesystem::path numbered_checkpoint(const std::filesystem::path& path, std::int64_t steps);
/// Removes all numbered checkpoints up to \p steps but the last \p count of them, and what killed writers left. Later ones
/// stay, which are of another run. \return whether there are any.
bool remove_old_checkpoints(const std::filesystem::path& path, std::int64_t steps, std::int64_t count);

}  // namespace detail

}  // namespace xgrad::nn
