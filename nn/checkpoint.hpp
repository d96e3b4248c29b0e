#pragma once

#include <filesystem>
#include <source_location>

#include "nn/layer.hpp"

/// \file
/// The state of a model in files.

namespace xgrad::nn {

/// Writes what `model.state()` gives into a folder, one NPY file per variable: `0.weight.npy`. The folder appears
/// complete or not at all: it is written under another name, then put in the place of the earlier one. Once the function
/// has returned, it outlasts a power failure.
/// \throws FileError when it cannot be written, or when there is something at \p folder that is no state.
/// \throws ValueError for a name that cannot be that of a file.
void write_state(const std::filesystem::path& folder, const State& state,
                 std::source_location where = std::source_location::current());

/// Reads what write_state wrote: `model.load_state(nn::read_state(folder))`.
/// \throws FileError when there is no such folder, it has no NPY files, or one of them is damaged.
State read_state(const std::filesystem::path& folder, std::source_location where = std::source_location::current());

}  // namespace xgrad::nn
