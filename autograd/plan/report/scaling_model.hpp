#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

/// \file
/// What a run takes on more threads, from what its pieces take on one: numbers in, numbers out.

namespace xgrad::plan {

/// A part of a run: what the calling thread does alone, or the pieces of one parallel_for.
struct Stretch {
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

  std::uint32_t phase = none;              ///< none for what happens around the phases
  bool shared = false;                     ///< whether threads share the pieces out
  std::vector<double> seconds = {};        ///< of each piece on one thread; of one where not shared
  std::vector<std::uint32_t> groups = {};  ///< of the schedule, per piece; empty for what is of none

  double total() const;
};

/// When all pieces are done, where \p workers threads begin at once: each runs those of its own equal part of the list, then
/// what the thread behind it has not begun, and so on, as parallel_for does.
double finish_time(std::span<const double> pieces, int workers);

/// Seconds that threads take to wait for each other.
struct Barrier {
  int threads;
  double seconds;
};

/// Of \p workers threads: as measured, and in proportion to their number where so many were not: the thread that waits
/// reads a cache line of each other one. \p measured is sorted by threads; without any it is a guess.
double barrier_of(std::span<const Barrier> measured, int workers);

/// What keeps the time from being the work over the number of workers.
struct Loss {
  enum class Kind : std::uint8_t { none, alone, pieces, barriers };

  Kind kind = Kind::none;
  double seconds = 0;
  std::uint32_t phase = Stretch::none;  ///< of alone and pieces
  std::uint32_t group = Stretch::none;  ///< with the longest piece there
  std::int64_t count = 0;               ///< of pieces of that group in one parallel_for, or of barriers
};

struct Prediction {
  double seconds = 0;
  Loss largest;  ///< losses of one phase are added up
};

Prediction predict(std::span<const Stretch> run, std::span<const Barrier> barriers, int workers);

/// Piece by piece the median of runs, of those that are cut as the last one is: loops may take other numbers of steps.
std::vector<Stretch> median_of(std::span<const std::vector<Stretch>> runs);
double median(std::vector<double> numbers);

}  // namespace xgrad::plan
