#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "autograd/ops/random.hpp"

/// \file
/// How a model is called. Whether it is being trained is an argument, not a state: `model(x)` is inference,
/// `model(x, nn::Training(key))` is training.

namespace xgrad::nn {

class Ranks;

/// Inference, or training with or without a key for random layers; the second argument of layers to which it matters.
class Mode {
 public:
  Mode() = default;  ///< inference

  bool training() const { return training_; }  ///< false for inference

  /// The key that a random layer draws from. \param layer who asks, for the error.
  /// \throws ValueError when the mode carries none.
  random::Key key(std::string_view layer) const;

  /// The mode for part number \p part of a layer: each part draws other random numbers. Sequential folds in the
  /// position of each layer; a layer of your own that has several random layers gives each a part:
  /// `second(first(x, mode.fold(0)), mode.fold(1))`.
  Mode fold(std::uint64_t part) const;

  /// The same for a batch of which each of several ranks has a part: BatchNorm takes mean and variance over the whole. All
  /// ranks then have to call the model, also those whose part has no samples.
  Mode synchronized(std::shared_ptr<const Ranks> ranks) const {
    Mode mode = *this;
    mode.ranks_ = std::move(ranks);
    return mode;
  }
  const std::shared_ptr<const Ranks>& ranks() const { return ranks_; }  ///< as synchronized() was given, or null

 protected:
  explicit Mode(const std::optional<random::Key>& key) : training_(true), key_(key) {}  ///< training

 private:
  bool training_ = false;
  std::optional<random::Key> key_;
  std::shared_ptr<const Ranks> ranks_;
};

/// Training: dropout drops, batch normalisation normalises by the batch. The result is a pure function of the key, so
/// every step takes a new one: `model(x, nn::Training(key.fold(step)))`. In a compiled step, fold in a Variable that the
/// step increments.
class Training : public Mode {
 public:
  Training() : Mode(std::nullopt) {}                 ///< of a model without random layers
  explicit Training(random::Key key) : Mode(key) {}  ///< with a key that random layers draw from
};

}  // namespace xgrad::nn
