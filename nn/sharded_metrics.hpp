#pragma once

#include <cstdint>
#include <vector>

#include "nn/metrics.hpp"
#include "nn/rank_talk.hpp"
#include "nn/sharding.hpp"

/// \file
/// Internal: metrics where every part of the batches is counted by itself.

namespace xgrad::nn::detail {

/// For each part of the batches, metrics of its own. Brought together in the order of the parts, they are the same for any
/// number of ranks.
class ShardedMetrics {
 public:
  /// \throws ValueError for a metric that cannot be brought together.
  ShardedMetrics(const std::vector<Metric>& all, const Sharding& sharding);

  void reset();
  /// \p part of those of this rank, from 0.
  Metric& at(std::int64_t part, std::size_t metric) { return parts_[static_cast<std::size_t>(part)][metric]; }

  /// What each metric has counted, of all parts of all ranks, in order.
  std::vector<std::vector<Saved>> gather(RankTalk& talk) const;
  /// Gives the metrics of \p all what the parts have counted together.
  void collect(RankTalk& talk, std::vector<Metric>& all) const;
  /// Has the parts of this rank go on from \p counted, which gather gave on any number of ranks. Where there are not as many
  /// as parts, the first part takes all that there is, together.
  void load(std::size_t metric, const std::vector<Saved>& counted);

 private:
  std::vector<std::vector<Metric>> parts_;  // of this rank
  Sharding sharding_;
};

/// What all have counted together, in \p metric.
void bring_together(Metric& metric, const std::vector<Saved>& counted);

}  // namespace xgrad::nn::detail
