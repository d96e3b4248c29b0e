#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "onnx/import/call.hpp"

/// \file
/// Internal: the activations of recurrent operators, by name.

namespace xgrad::onnx::loading {

using Activation = std::function<Tensor(const Tensor&)>;

/// Whether there is an activation of this name; capitals do not matter.
bool is_activation(std::string_view name);

/// What a recurrent node says of its activations, or \p otherwise for each direction: those of all directions in order.
/// \throws ValueError when their number is not right.
std::vector<Activation> activations_of(const Call& call, std::size_t directions,
                                       const std::vector<std::string>& otherwise);

}  // namespace xgrad::onnx::loading
