#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "nn/callbacks.hpp"

/// \file
/// Internal: how training shows how far it is.

namespace xgrad::nn {

/// Where text goes.
using Write = std::function<void(const std::string&)>;

/// A line per epoch: `epoch 3/10  loss 0.4123  accuracy 0.8512  2.1 s`.
Callback progress_lines(const Write& write);

/// The same, and while an epoch goes on a line that changes in place, at most ten times a second:
/// `epoch 3/10 [=====>    ]  512/938  0:12 left  loss 0.4123`. It is cut at \p columns characters.
Callback progress_bar(const Write& write, std::size_t columns);

}  // namespace xgrad::nn
