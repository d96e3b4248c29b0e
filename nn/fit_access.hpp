#pragma once

#include "nn/trainer_core.hpp"

/// \file
/// Internal: what callbacks of the library see of a fit.

namespace xgrad::nn {

/// Lives as long as the fit does.
struct detail::FitAccess {
  TrainerCore& core;                    ///< the model, the optimiser and their compiled steps
  const FitOptions& options;            ///< of fit
  const datasets::Dataset& train;       ///< what is trained on
  const datasets::Dataset* validation;  ///< null where there are no such data
  const History& history;               ///< of the epochs so far
};

}  // namespace xgrad::nn
