#pragma once

#include "nn/callbacks.hpp"
#include "nn/report/run_record.hpp"

/// \file
/// Internal: what a fit is.

namespace xgrad::nn::detail {

/// The head of its record: machine, command line, options of the Trainer and of fit that are not the default, seed.
RunRecord describe_fit(const TrainingState& training);

}  // namespace xgrad::nn::detail
