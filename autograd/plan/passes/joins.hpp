#pragma once

#include <cstdint>
#include <vector>

#include "autograd/plan/passes/step_order.hpp"
#include "autograd/plan/steps/draft.hpp"

/// \file
/// Which steps of a draft may become one.

namespace xgrad::plan {

/// Which steps read what others compute, while some of them become one. The draft's steps are joined by who uses this: a
/// step stays under its number until it is part of another.
class Joins {
 public:
  explicit Joins(const Draft& draft);

  /// Whether the step is part of another.
  bool is_gone(std::uint32_t step) const { return into_[step] != step; }
  /// The step that computes a value now; Draft::none for what is given.
  std::uint32_t producer(ValueId id) { return producers_[id] == Draft::none ? Draft::none : current(producers_[id]); }

  /// Whether the consumer depends on the producer through no other step: joined, they would wait for each other. Either
  /// all that the producer leads to and that comes before the consumer is looked at, or all that the consumer needs and
  /// that comes after the producer. Where both are too much to look at, the answer is no.
  bool may_join(std::uint32_t producer, std::uint32_t consumer);
  /// Makes both one, under the number of the consumer, right after may_join has said that they may be.
  void join(std::uint32_t producer, std::uint32_t consumer);

 private:
  enum class Search { nothing, path, too_long };
  template <class Neighbours>
  Search look(std::uint32_t from, std::uint32_t to, const Neighbours& neighbours);
  template <class Enter>
  void for_readers(std::uint32_t step, const Enter& enter);
  template <class Enter>
  void for_producers(std::uint32_t step, const Enter& enter);
  bool in_direction(std::uint32_t a, std::uint32_t b) const {
    return forward_ ? order_.before(a, b) : order_.before(b, a);
  }
  std::uint32_t current(std::uint32_t step);

  const Draft& draft_;
  std::vector<std::uint32_t> producers_;  // per value, as at the start
  std::vector<std::uint32_t> previous_effect_;
  std::vector<std::uint32_t> next_effect_;
  std::vector<std::vector<std::uint32_t>> readers_;  // per value and its aliases, as at the start
  std::vector<std::uint32_t> into_;                  // per step: the one that it is a part of, or itself
  std::vector<std::uint32_t> seen_;                  // per step: in which search
  std::uint32_t epoch_ = 0;
  StepOrder order_;
  std::vector<std::uint32_t> between_;  // what the last search has found
  bool forward_ = true;                 // whether that were readers of readers, rather than producers of producers
};

}  // namespace xgrad::plan
