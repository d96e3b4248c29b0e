#pragma once

#include <filesystem>
#include <source_location>

#include "nn/layer.hpp"

/// \file
/// The state of a model as an NPZ file, NumPy's zip file of arrays:
/// https://numpy.org/doc/stable/reference/generated/numpy.savez.html.

namespace xgrad::nn {

/// Writes \p state as one NPZ file, which `numpy.load` reads: an NPY file for each array, not compressed, any dtype but bfloat16. It
/// appears complete or not at all; there is no limit to its size.
/// \throws FileError when it cannot be written.
/// \throws ValueError for an empty state, an array without memory, a name that is empty, not UTF-8, or has a `/`, `..` or
///         NUL byte in it; and for a path that ends in `.gz`, as no reader expects that.
/// \throws DTypeError for bfloat16, which NumPy does not have.
void write_npz(const std::filesystem::path& path, const State& state,
               std::source_location where = std::source_location::current());

/// Reads an NPZ file: what write_npz, `numpy.savez` and `numpy.savez_compressed` write, with the element types of
/// datasets::read_npy.
///
/// What is malformed is refused before memory is taken for it: names that are there twice, or that write_npz refuses;
/// entries that are encrypted, overlap, or are larger or smaller than the directory of the file and their own header say;
/// wrong checksums. A file with compressed entries is read twice: first to check it, as an entry can have a thousand times
/// the size of what it takes in the file.
/// \throws FileError naming the file, what was expected and what was found.
State read_npz(const std::filesystem::path& path, std::source_location where = std::source_location::current());

}  // namespace xgrad::nn
