#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "autograd/plan/steps/draft.hpp"

/// \file
/// The order that the steps of a plan have to keep.

namespace xgrad::plan {

/// What has to come before a step: the steps whose outputs it reads, and those that must not see or undo its writes.
class Dependencies {
 public:
  explicit Dependencies(const Draft& draft);

  std::uint32_t producer(ValueId id) const { return producers_[id]; }
  const std::vector<std::uint32_t>& before(std::uint32_t step) const { return before_[step]; }

  /// Lets output number \p output be written over the old content of its variable, if everything that reads the old
  /// content and everything that may throw can come first. \return whether it can.
  bool write_in_place(std::size_t output);

  /// A product that only one elementwise step reads is not computed before that step can follow, block by block, while it
  /// is in the cache: dW and the update of W, which waits until nothing reads the old W.
  void join_products_with_readers();

  /// Stands among steps for all that may throw: it comes when all rows of them are done.
  std::uint32_t barrier() const { return barrier_; }

  /// Whether \p step, which writes in place, has to wait for all rows of \p first, which reads old content of other rows.
  bool waits_for_all_rows(std::uint32_t step, std::uint32_t first) const;

  /// Steps, and the barrier, in an order that respects all of it.
  std::vector<std::uint32_t> order() const;

 private:
  /// The content of an argument before the run.
  struct Old {
    std::vector<std::uint32_t> readers;  // steps
    bool returned = false;               // as an output
  };

  Old* old_content(ValueId value);
  bool reads_in_step(const Step& step, ValueId output, const Old& old);
  bool reads_in_rows(const Step& step, ValueId output, const Old& old);
  void wait_with(std::uint32_t product, std::uint32_t reader);
  void add(std::uint32_t first, std::uint32_t second);
  void mark_reachable_from(std::uint32_t step);
  bool is_reached(std::uint32_t step) const { return reached_[step] == epoch_; }

  const Draft& draft_;
  std::vector<std::uint32_t> producers_;
  std::uint32_t barrier_;
  std::vector<std::vector<std::uint32_t>> before_;
  std::vector<std::vector<std::uint32_t>> after_;
  std::vector<std::vector<std::uint32_t>> kept_back_by_;  // per writer: steps that must not see or undo its writes
  std::vector<std::vector<std::uint32_t>> complete_;      // per writer in place: steps of which all rows come before
  std::vector<Old> old_;                                  // per argument
  std::vector<std::uint32_t> returned_;                   // per value: how many outputs it is
  std::vector<std::uint32_t> reached_;                    // per step: in which search
  std::uint32_t epoch_ = 0;
  std::vector<std::uint32_t> path_;
};

}  // namespace xgrad::plan
