#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <source_location>
#include <string>
#include <string_view>

#include "autograd/graph/tensor.hpp"
#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
#include "nn/layer.hpp"

/// \file
/// For optimisers' and schedules' own use: the checks of their arguments.

namespace xgrad::nn::detail {

inline void require(bool holds, std::string_view who, std::string_view what, double value) {
  if (!holds) {
    raise<ValueError>(who, phrase("{}, got {}", what, value));
  }
}

inline void require_not_negative(std::string_view who, std::string_view what, double value) {
  require(value >= 0 && std::isfinite(value), who, phrase("{} is 0 or more", what), value);
}

inline void require_positive(std::string_view who, std::string_view what, double value) {
  require(value > 0 && std::isfinite(value), who, phrase("{} is above 0", what), value);
}

inline void require_count(std::string_view who, std::string_view what, std::int64_t count, std::int64_t least = 1) {
  require(count >= least, who, phrase("{} is {} or more", what, least), static_cast<double>(count));
}

/// The decay of an average.
inline void require_decay(std::string_view who, std::string_view what, double value) {
  require(value >= 0 && value < 1, who, phrase("{} is in [0, 1)", what), value);
}

/// \p number, a float64 tensor of shape (), which is checked when it is computed: 0 or more.
Tensor checked_not_negative(std::string_view who, std::string_view what, const Tensor& number);
/// The same for the decay of an average: in [0, 1).
Tensor checked_decay(std::string_view who, std::string_view what, const Tensor& number);

/// What a parameter is called: its position among all, and its name: `0.weight`.
std::string parameter_name(std::size_t position, const Variable& parameter);

/// At least one parameter, each floating and given once.
void require_trainable(std::string_view who, const Variables& parameters);

/// The gradients of \p loss with respect to all parameters; an error says which of them it does not depend on.
Tensors gradients_of(const Tensor& loss, const Variables& parameters, const std::source_location& where);

/// One gradient per parameter, of its shape and dtype.
void require_gradients(std::string_view who, const Tensors& gradients, const Variables& parameters);

}  // namespace xgrad::nn::detail
