#pragma once

#include <datasets/datasets.hpp>
#include <nn/nn.hpp>

#include "benchmarks/task.hpp"

namespace benchmarks {

/// The network with its initial weights.
xgrad::nn::Sequential make_model(const std::vector<int>& hidden);

/// Whole batches of shuffled training images.
xgrad::datasets::Batches make_batches(const Settings& settings);

/// Steps per epoch.
int count_steps(const Settings& settings, const xgrad::datasets::Batches& batches);

}  // namespace benchmarks
