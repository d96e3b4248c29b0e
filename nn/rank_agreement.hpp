#pragma once

#include <functional>
#include <string>
#include <vector>

#include "nn/fitting.hpp"
#include "nn/rank_talk.hpp"
#include "nn/saved.hpp"
#include "nn/sharded_step.hpp"

/// \file
/// Internal: what has to be the same on all ranks.

namespace xgrad::nn::detail {

/// Before the first step: throws ValueError, on all ranks, where options, data, model or callbacks differ, with all that
/// does; and gives all variables the contents that they have on the root.
void agree_at_start(TrainerCore& core, const FitData& data, const FitOptions& options,
                    const std::vector<std::string>& callbacks);

/// The wish of the first rank that has one.
StopRequest first_wish(RankTalk& talk, const StopRequest& own);

/// What the root has.
double as_on_root(RankTalk& talk, double own);

/// What \p read gives on the root, for all.
Saved read_on_root(RankTalk& talk, const std::function<Saved()>& read);

}  // namespace xgrad::nn::detail
