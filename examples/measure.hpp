#pragma once

#include <chrono>

#include <datasets/datasets.hpp>
#include <nn/nn.hpp>

/// \file
/// What the ways of training have in common: how well a model does, and how long it took.

/// What \p scores, a function of images, gives for all of \p data.
template <class Scores>
xgrad::nn::ConfusionMatrix evaluate_scores(const Scores& scores, const xgrad::datasets::Dataset& data) {
  xgrad::nn::ConfusionMatrix matrix(xgrad::datasets::FashionMnist::class_count);
  const xgrad::datasets::Batches batches(data, {.batch_size = 1000, .shuffle = false});
  for (const auto& [images, labels] : batches.epoch(0)) {
    matrix.update(scores(images), labels);
  }
  return matrix;
}

inline double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}
