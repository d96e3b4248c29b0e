#pragma once

#include <string>
#include <vector>

#include "autograd/doctor/findings.hpp"

/// \file
/// From findings to advice.

namespace xgrad::doctor {

/// What could be better, one plain sentence or two each, the most important first; empty when nothing could.
std::vector<std::string> advice(const Findings& findings);

}  // namespace xgrad::doctor
