#pragma once

#include <nlohmann/json_fwd.hpp>

#include "nn/history.hpp"

/// \file
/// Internal: an epoch's scores as logs and records have them.

namespace xgrad::nn::detail {

/// The numbers of an object, but for `epoch`; null is NaN. What is no number is no score.
Scores scores_of_json(const nlohmann::ordered_json& json);

}  // namespace xgrad::nn::detail
