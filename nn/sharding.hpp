#pragma once

#include <bit>
#include <cstdint>

#include "autograd/runtime/phrase.hpp"
#include "nn/trainer.hpp"

/// \file
/// Internal: which parts of a batch are whose.

namespace xgrad::nn::detail {

/// Parts of a batch, and those of one rank, which follow each other.
struct Sharding {
  std::int64_t parts = 1;  ///< of a batch: shards, or, without shards, one per rank
  std::int64_t first = 0;  ///< of this rank
  std::int64_t own = 1;    ///< how many are this rank's

  bool is_own(std::int64_t part) const { return part >= first && part < first + own; }

  /// \throws ValueError for numbers that do not go together.
  static Sharding of(const TrainerOptions& options) {
    const std::int64_t ranks = options.world ? options.world->size() : 1;
    const auto is_power_of_two = [](std::int64_t n) {
      return n > 0 && std::has_single_bit(static_cast<std::uint64_t>(n));
    };
    const std::int64_t shards = options.shards;
    if (shards != 0 && (!is_power_of_two(shards) || !is_power_of_two(ranks) || shards % ranks != 0)) {
      raise<ValueError>("trainer",
                        phrase("{} shards on {} ranks; both are powers of two, and there are at least as many "
                               "shards as ranks",
                               shards, ranks));
    }
    if (shards != 0 && options.synchronize_batch_norm) {
      raise<ValueError>("trainer",
                        "with shards, batch normalisation is not synchronised, as each shard is a batch of its own; "
                        "leave one of the two out");
    }
    const std::int64_t parts = shards == 0 ? ranks : shards;
    const std::int64_t own = parts / ranks;
    return {parts, options.world ? options.world->rank() * own : 0, own};
  }
};

}  // namespace xgrad::nn::detail
