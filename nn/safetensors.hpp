#pragma once

#include <filesystem>
#include <map>
#include <source_location>
#include <string>

#include "nn/layer.hpp"

/// \file
/// The state of a model as a safetensors file: https://github.com/huggingface/safetensors, what PyTorch, JAX and others
/// exchange weights in.

namespace xgrad::nn {

/// Texts by their names, which a file holds beside its arrays.
using Metadata = std::map<std::string, std::string>;

/// Writes \p state as one safetensors file, which `safetensors.torch.load_file` and its kin read. It appears complete or
/// not at all. Any dtype.
/// \throws FileError when it cannot be written.
/// \throws ValueError for a name that is empty, has a `/`, `..` or NUL byte in it, is `__metadata__` or no UTF-8; for
///         metadata that are no UTF-8; and for a path that ends in `.gz`, as arrays are read from where they are.
void write_safetensors(const std::filesystem::path& path, const State& state, const Metadata& metadata = {},
                       std::source_location where = std::source_location::current());

/// Reads a safetensors file. BF16 stays bfloat16; F16 is widened to float32, I8, I16 and U16 to int32, U32 to int64.
/// What is malformed is refused before memory is taken for it: a header larger than the file, or than 100 MB; ranges that
/// overlap, leave gaps, or do not belong to their shapes; names that are there twice, or that write_safetensors refuses.
/// \throws FileError naming the file, what was expected and what was found.
State read_safetensors(const std::filesystem::path& path, std::source_location where = std::source_location::current());

/// The metadata of a safetensors file alone. \throws FileError as read_safetensors does.
Metadata read_safetensors_metadata(const std::filesystem::path& path,
                                   std::source_location where = std::source_location::current());

}  // namespace xgrad::nn
