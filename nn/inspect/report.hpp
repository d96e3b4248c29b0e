#pragma once

#include <string>

#include "nn/inspect/contents.hpp"

/// \file
/// What xgrad-inspect prints.

namespace xgrad::inspect {

/// The arrays as a table, one line each, and the metadata. \param name of the file, for the first line.
std::string describe(const std::string& name, const Contents& contents);

/// What is different, a line each; empty when nothing is.
std::string differences(const Contents& one, const Contents& other);

}  // namespace xgrad::inspect
