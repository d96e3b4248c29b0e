#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nn/layer.hpp"
#include "nn/rank_facts.hpp"
#include "nn/rank_talk.hpp"

/// \file
/// Internal: what callbacks assign, which has to be the same on all ranks.

namespace xgrad::nn::detail {

/// Numbers that a step reads, which are compared before each, and larger variables, of which it is known whether somebody has
/// assigned them since the last step. These are compared where that is so on any rank. A compiled function that has a
/// variable for itself writes in place, which is not seen here: all variables are compared at the end of the epoch.
class WatchedVariables {
 public:
  WatchedVariables() = default;
  WatchedVariables(std::vector<NamedVariable> numbers, std::vector<NamedVariable> variables)
      : numbers_(std::move(numbers)), variables_(std::move(variables)) {}

  /// What the variables hold now has not been assigned by somebody else.
  void note();
  /// The names of those that have been assigned since.
  Facts assigned() const;
  /// The numbers, and the names in \p assigned, for others.
  std::string packed(const Facts& assigned) const;

  /// \param own what this rank has assigned, with hashes where they are there. \param all packed() of all ranks.
  /// \throws ValueError on all ranks, when they have not assigned the same; with all that differs.
  void require_alike(RankTalk& talk, const Facts& own, const std::vector<std::string>& all) const;

 private:
  Facts with_hashes(Facts own, const Facts& names) const;

  std::vector<NamedVariable> numbers_;
  std::vector<NamedVariable> variables_;
  std::vector<std::uint64_t> contents_;  // numbers of the nodes that the variables held when note() was called
};

}  // namespace xgrad::nn::detail
