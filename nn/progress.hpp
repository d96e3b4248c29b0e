#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "autograd/runtime/progress_line.hpp"
#include "nn/callbacks.hpp"
#include "nn/trainer.hpp"

/// \file
/// Internal: how training shows how far it is.

namespace xgrad::nn {

/// Where text goes.
using Write = std::function<void(const std::string&)>;
/// How many characters a line may have, which may change from line to line.
using Columns = std::function<std::size_t()>;

/// A line per epoch: `epoch 3/10  loss 0.4123  accuracy 0.8512  2.1 s`.
Callback progress_lines(const Write& write);

/// The same, and while an epoch goes on a line that changes in place, at most ten times a second:
/// `epoch 3/10 [=====>    ]  512/938  0:12 left  loss 0.4123`. No line is longer than \p columns: of an epoch's, names
/// become short, and what matters least goes first.
Callback progress_bar(const Write& write, const Columns& columns);

/// What fit shows, on standard output.
Callback progress_of_fit(Progress progress);
/// Whether fit shows a bar.
bool shows_bar(Progress progress);
/// Whether what has a bar alone shows it.
runtime::ProgressLine::Shown shown_by(Progress progress);

}  // namespace xgrad::nn
