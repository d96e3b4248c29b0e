#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/array/array.hpp"
#include "nn/safetensors.hpp"

/// \file
/// What a file of arrays holds, of whatever kind it is.

namespace xgrad::inspect {

/// Arrays that are read one at a time, where the kind of file allows it.
struct Contents {
  std::string_view kind;           ///< as a sentence names it: `NPY file`
  std::vector<std::string> names;  ///< of the arrays, in order; `array` in a file of a single one
  nn::Metadata metadata;
  std::function<Array(const std::string& name)> read;  ///< \throws FileError when the array is damaged
};

/// Opens a file, or a folder of write_state. What it is, its first bytes tell, not its name.
/// \throws FileError when it cannot be read, or is none of these.
Contents open(const std::filesystem::path& path);

}  // namespace xgrad::inspect
