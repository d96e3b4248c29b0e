#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "autograd/plan/schedule/schedule.hpp"

/// \file
/// How the pieces of a phase are shared out.

namespace xgrad::plan {

/// What is computed in one go: rows of a group, or slabs that adjoin.
struct Item {
  std::uint32_t group;
  std::int64_t first, last;
  std::int64_t slab, slabs;
};

/// The pieces of a phase, in an order in which threads have parts of the list that cost alike. Where to cut follows from the schedule
/// alone, and so do the bits; but what adjoins, and one thread takes together, it computes by one call. So fewer threads pack
/// and read factors less often.
class Stage {
 public:
  Stage(const Phase& phase, std::span<const Group> groups);

  /// Groups that are called on the calling thread, behind the pieces.
  const std::vector<std::uint32_t>& alone() const { return alone_; }
  /// Whether the pieces are worth other threads.
  bool is_parallel() const;
  /// Into how many units the list is cut for \p threads: a thread takes one at a time, of its own part or of another's. Parts
  /// cost about the same. Each is halved again and again, so that its first units are large, and the last ones small enough to
  /// help each other; some may be empty.
  std::int64_t units(int threads) const;
  /// Whether one number of threads takes the same units as the other.
  bool is_cut_alike(int threads, int others) const;
  /// The group of the first piece of a unit, or Draft::none for an empty one.
  std::uint32_t group_of(std::int64_t unit, int threads) const;

  /// Calls \p compute(item) for all that is in \p unit of units(threads).
  template <class F>
  void run_unit(std::int64_t unit, int threads, const F& compute) const {
    run(begin_of(unit, threads), begin_of(unit + 1, threads), compute);
  }
  /// The same for all pieces, on the calling thread.
  template <class F>
  void run_all(const F& compute) const {
    run(0, pieces_.size(), compute);
  }

 private:
  static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

  struct Piece {
    Item item;
    std::size_t span;             // how many that adjoin one call computes at most
    double middle = 0;            // what comes before its middle costs, of all, from 0 to 1
    std::size_t previous = none;  // the piece that it adjoins
    std::size_t next = none;
  };

  void add_pieces(std::uint32_t number, const Group& group);
  void sort_pieces(std::span<const Group> groups);
  void link_pieces(std::span<const Group> groups, std::span<const std::size_t> places, std::vector<Piece>& sorted);
  void weigh_pieces(std::span<const Group> groups);
  int cuts_of(int threads) const;
  std::size_t begin_of_part(std::int64_t part, int threads) const;
  std::size_t begin_of(std::int64_t unit, int threads) const;
  std::size_t place_in_run(std::size_t piece, std::size_t first) const;
  Item joined(std::size_t piece, std::size_t last) const;

  template <class F>
  void run(std::size_t first, std::size_t last, const F& compute) const {
    for (std::size_t i = first; i < last; ++i) {
      if (!joins_ || place_in_run(i, first) % pieces_[i].span == 0) {  // else an earlier one has it
        compute(joined(i, last));
      }
    }
  }

  std::vector<Piece> pieces_;
  std::vector<std::uint32_t> alone_;
  double cost_ = 0;     // nanoseconds, of all pieces
  bool joins_ = false;  // pieces that adjoin are better computed together
};

}  // namespace xgrad::plan
