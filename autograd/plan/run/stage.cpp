#include "autograd/plan/run/stage.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "autograd/plan/schedule/cost.hpp"

namespace xgrad::plan {

namespace {

/// How much of the group comes before the middle of \p item, from 0 to 1.
double position_of(const Item& item, const Group& group) {
  const double middle = static_cast<double>(item.first + item.last) / 2 / static_cast<double>(group.rows);
  return (static_cast<double>(item.slab) + middle) / static_cast<double>(group.slabs);
}

/// Whether one call may compute both.
bool adjoin(const Item& a, const Item& b, const Group& group) {
  if (group.span == 1) {
    return false;
  }
  if (a.slab == b.slab) {
    return a.last == b.first;
  }
  return group.blocks() == 1 && b.slab == a.slab + 1 && b.slab % group.span != 0;
}

}  // namespace

// Pieces stand in the order of the part of their group, and threads take parts of the list that cost alike, one behind the
// other: so each gets about the same part of every group, and two find their rows of weights in their own caches again.
Stage::Stage(const Phase& phase, std::span<const Group> groups) {
  for (const std::uint32_t number : phase.groups) {
    if (groups[number].alone) {
      alone_.push_back(number);
    } else {
      cost_ += groups[number].cost;
      add_pieces(number, groups[number]);
    }
  }
  sort_pieces(groups);
  weigh_pieces(groups);
}

bool Stage::is_parallel() const { return pieces_.size() > 1 && cost_ > piece_cost; }

std::int64_t Stage::units(int threads) const {
  const int cuts = cuts_of(threads);
  return cuts == 0 ? static_cast<std::int64_t>(pieces_.size()) : std::int64_t{threads} * cuts;
}

bool Stage::is_cut_alike(int threads, int others) const {
  return threads == others || pieces_.size() <= static_cast<std::size_t>(std::min(threads, others)) || !is_parallel();
}

std::uint32_t Stage::group_of(std::int64_t unit, int threads) const {
  const std::size_t first = begin_of(unit, threads);
  return first < begin_of(unit + 1, threads) ? pieces_[first].item.group : Draft::none;
}

void Stage::add_pieces(std::uint32_t number, const Group& group) {
  for (std::int64_t slab = 0; slab < group.slabs; ++slab) {
    for (std::int64_t first = 0; first < group.rows; first += group.block) {
      const std::int64_t last = std::min(first + group.block, group.rows);
      pieces_.push_back({{number, first, last, slab, 1}, static_cast<std::size_t>(group.span)});
    }
  }
}

void Stage::sort_pieces(std::span<const Group> groups) {
  std::vector<std::pair<double, std::size_t>> order;  // and the place that it had
  for (const Piece& piece : pieces_) {
    const Group& group = groups[piece.item.group];
    // What is one piece goes to the last thread: the first one has the work between the stages.
    order.emplace_back(group.pieces() == 1 ? 1 : position_of(piece.item, group), order.size());
  }
  std::sort(order.begin(), order.end());
  std::vector<Piece> sorted;
  std::vector<std::size_t> place(order.size());
  for (const auto& [position, before] : order) {
    place[before] = sorted.size();
    sorted.push_back(pieces_[before]);
  }
  link_pieces(groups, place, sorted);
  pieces_ = std::move(sorted);
}

// Neighbours stand side by side where they were added.
void Stage::link_pieces(std::span<const Group> groups, std::span<const std::size_t> places,
                        std::vector<Piece>& sorted) {
  for (std::size_t i = 0; i + 1 < pieces_.size(); ++i) {
    const Item& item = pieces_[i].item;
    if (item.group == pieces_[i + 1].item.group && adjoin(item, pieces_[i + 1].item, groups[item.group])) {
      sorted[places[i]].next = places[i + 1];
      sorted[places[i + 1]].previous = places[i];
      joins_ = true;
    }
  }
}

void Stage::weigh_pieces(std::span<const Group> groups) {
  double before = 0;
  for (Piece& piece : pieces_) {
    const Group& group = groups[piece.item.group];
    const double cost = group.cost / static_cast<double>(group.pieces());
    piece.middle = cost_ > 0 ? (before + cost / 2) / cost_ : 0;
    before += cost;
  }
}

// How many units a thread's part has; 0 where each piece is one.
int Stage::cuts_of(int threads) const {
  if (threads == 1 || pieces_.size() <= static_cast<std::size_t>(threads)) {
    return threads == 1 ? 1 : 0;
  }
  const auto halvings = static_cast<int>(std::bit_width(pieces_.size() / static_cast<std::size_t>(threads)));
  return 1 + (joins_ ? std::min(halvings, 2) : halvings);
}

std::size_t Stage::begin_of_part(std::int64_t part, int threads) const {
  if (part == threads) {
    return pieces_.size();
  }
  const double begin = static_cast<double>(part) / threads;
  const auto first = std::partition_point(pieces_.begin(), pieces_.end(),
                                          [begin](const Piece& piece) { return piece.middle < begin; });
  return static_cast<std::size_t>(first - pieces_.begin());
}

std::size_t Stage::begin_of(std::int64_t unit, int threads) const {
  const int cuts = cuts_of(threads);
  if (cuts == 0) {
    return static_cast<std::size_t>(unit);
  }
  const std::int64_t part = unit / cuts;
  if (part == threads) {
    return pieces_.size();
  }
  const std::size_t end = begin_of_part(part + 1, threads);
  return end - ((end - begin_of_part(part, threads)) >> (unit % cuts));
}

// How many of those that it adjoins, one behind the other, come between \p first and \p piece.
std::size_t Stage::place_in_run(std::size_t piece, std::size_t first) const {
  std::size_t place = 0;
  for (; pieces_[piece].previous != none && pieces_[piece].previous >= first; ++place) {
    piece = pieces_[piece].previous;
  }
  return place;
}

// \p piece with those before \p last that one call computes with it.
Item Stage::joined(std::size_t piece, std::size_t last) const {
  Item item = pieces_[piece].item;
  std::size_t next = pieces_[piece].next;
  for (std::size_t count = 1; next < last && count < pieces_[piece].span; ++count) {
    const Item& more = pieces_[next].item;
    item.slabs += more.slab == item.slab ? 0 : 1;
    item.last = more.last;
    next = pieces_[next].next;
  }
  return item;
}

}  // namespace xgrad::plan
