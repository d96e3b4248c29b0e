#pragma once

#include <string>

#include "autograd/graph/node.hpp"
#include "autograd/provenance/primitive.hpp"

/// \file
/// Why numbers are not finite, in words. Not installed.

namespace xgrad::provenance {

/// What is likely wrong where \p primitive, computing in \p dtype, gave NaN or an infinity, and what helps.
std::string cause_of(const Primitive& primitive, DType dtype, bool in_derivative);

/// The same for an operation that is no formula. \param gives what is not finite. \param largest absolute value that went in.
std::string cause_of(const Node& node, double gives, double largest);

}  // namespace xgrad::provenance
