#pragma once

#include <cstdint>
#include <limits>
#include <source_location>

/// \file
/// Selectors for indexing, named as in xtensor: `x[{0, all(), range(1, 5, 2), newaxis(), ellipsis()}]`.

namespace xgrad {

/// What indexing selects along one axis. Integers convert to it. It knows the place in the user's source where it was
/// written, for errors.
class Slice {
 public:
  using Source = std::source_location;  ///< filled in by itself
  /// The four sorts of selectors.
  enum class Kind : std::uint8_t { index, range, newaxis, ellipsis };
  /// Leaves an end of a range open.
  static constexpr std::int64_t open = std::numeric_limits<std::int64_t>::min();

  /// One position; the axis disappears. Negative positions count from the end.
  Slice(std::int64_t position, Source where = Source::current())
      : kind_(Kind::index), begin_(position), where_(where) {}
  /// One position, given as a literal.
  Slice(int position, Source where = Source::current()) : Slice(static_cast<std::int64_t>(position), where) {}
  /// What range, all, newaxis and ellipsis make.
  Slice(Kind kind, std::int64_t begin, std::int64_t end, std::int64_t step, Source where)
      : kind_(kind), begin_(begin), end_(end), step_(step), where_(where) {}

  Kind kind() const { return kind_; }             ///< which of the following count
  std::int64_t begin() const { return begin_; }   ///< of an index: its position; of a range: the first one, or `open`
  std::int64_t end() const { return end_; }       ///< of a range: the position it stops before, or `open`
  std::int64_t step() const { return step_; }     ///< of a range: distance to the next position, not 0
  const Source& where() const { return where_; }  ///< where the user wrote it

 private:
  Kind kind_;
  std::int64_t begin_ = open;
  std::int64_t end_ = open;
  std::int64_t step_ = 1;
  Source where_;
};

/// Positions begin, begin + step, ... before end, as Python's begin:end:step: negative ends count from the end of the
/// axis, ends beyond it are cut, a negative step walks backwards.
inline Slice range(std::int64_t begin, std::int64_t end, std::int64_t step = 1,
                   Slice::Source where = Slice::Source::current()) {
  return {Slice::Kind::range, begin, end, step, where};
}
/// Positions from \p begin to the end of the axis.
inline Slice range(std::int64_t begin, Slice::Source where = Slice::Source::current()) {
  return {Slice::Kind::range, begin, Slice::open, 1, where};
}
/// The whole axis.
inline Slice all(Slice::Source where = Slice::Source::current()) {
  return {Slice::Kind::range, Slice::open, Slice::open, 1, where};
}
/// A new axis of size 1.
inline Slice newaxis(Slice::Source where = Slice::Source::current()) { return {Slice::Kind::newaxis, 0, 0, 1, where}; }
/// As many whole axes as are left.
inline Slice ellipsis(Slice::Source where = Slice::Source::current()) {
  return {Slice::Kind::ellipsis, 0, 0, 1, where};
}

}  // namespace xgrad
