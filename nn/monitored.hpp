#pragma once

#include <limits>
#include <source_location>
#include <string>
#include <string_view>

#include "nn/callbacks.hpp"
#include "nn/saved.hpp"

/// \file
/// Internal: scores that callbacks watch.

namespace xgrad::nn::callbacks {

/// \throws ValueError, as from \p callback, when training has no score called \p monitor.
void require_score(std::string_view callback, const TrainingState& training, const std::string& monitor,
                   const std::source_location& where);

/// The best score so far.
class Best {
 public:
  /// \p maximize whether a larger one is better; \p min_delta by how much it must be.
  Best(bool maximize, double min_delta)
      : sign_(maximize ? -1 : 1), min_delta_(min_delta), best_(std::numeric_limits<double>::infinity()) {}

  /// Takes note of a score. \return whether it is the best.
  bool update(double score) {
    const bool better = sign_ * score < best_ - min_delta_;
    best_ = better ? sign_ * score : best_;
    return better;
  }

  void save(Saved& saved) const { saved.put("value", best_); }   ///< puts in what it has seen
  void load(const Saved& saved) { saved.load("value", best_); }  ///< takes that back

 private:
  double sign_;
  double min_delta_;
  double best_;  // of sign · score: the least
};

}  // namespace xgrad::nn::callbacks
