#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "datasets/dataset.hpp"
#include "nn/rank_facts.hpp"
#include "nn/rank_talk.hpp"
#include "nn/saved.hpp"
#include "nn/sharded_step.hpp"
#include "nn/trainer_core.hpp"

/// \file
/// Internal: what has to be the same on all ranks.

namespace xgrad::nn::detail {

/// What tells \p data, called \p name, from others.
void add_dataset(Facts& facts, const std::string& name, const datasets::Dataset& data);

/// Before the first step: throws ValueError, on all ranks, where options of the Trainer, the model or \p facts differ, with all
/// that does; and gives all variables the contents that they have on the root.
void agree_at_start(std::string_view op, TrainerCore& core, const Facts& facts);

/// After an epoch: throws ValueError, on all ranks, where variables have other elements than on the root.
void require_equal_variables(TrainerCore& core);

/// The wish of the first rank that has one.
StopRequest first_wish(RankTalk& talk, const StopRequest& own);

/// What the root has.
double as_on_root(RankTalk& talk, double own);

/// What \p read gives on the root, for all.
Saved read_on_root(RankTalk& talk, const std::function<Saved()>& read);

}  // namespace xgrad::nn::detail
