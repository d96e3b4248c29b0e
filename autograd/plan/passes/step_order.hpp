#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

/// \file
/// An order that changes.

namespace xgrad::plan {

/// Steps in a row, of which some move to another place: a linked list with ascending labels, so that two steps are
/// compared in constant time. Where labels are too close to put another between them, a few are spread again.
/// (Dietz and Sleator, "Two algorithms for maintaining order in a list", 1987.)
class StepOrder {
 public:
  /// The steps 0, 1, ... \p count - 1, in this order.
  explicit StepOrder(std::size_t count);

  /// Whether \p a comes before \p b.
  bool before(std::uint32_t a, std::uint32_t b) const { return label_[a] < label_[b]; }
  /// Takes \p step out of its place and puts it behind \p other.
  void move_behind(std::uint32_t step, std::uint32_t other);
  /// Takes \p step out of its place and puts it in front of \p other.
  void move_ahead(std::uint32_t step, std::uint32_t other);

 private:
  std::uint64_t room_behind(std::uint32_t step) const;
  void make_room_behind(std::uint32_t step);

  // The last entry stands for both ends of the list.
  std::uint32_t ends() const { return static_cast<std::uint32_t>(label_.size() - 1); }

  std::vector<std::uint64_t> label_;
  std::vector<std::uint32_t> next_;
  std::vector<std::uint32_t> previous_;
};

}  // namespace xgrad::plan
