#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

/// \file
/// What more cores would do for a plan.

namespace xgrad {

/// What a run of a plan takes on some number of threads, each with a core of its own.
struct ScalingRow {
  int workers = 1;     ///< threads, the calling one included
  double seconds = 0;  ///< of one run, as expected from what its pieces take
  double speedup = 1;  ///< how many times as fast as on one thread that is
  std::optional<double> measured =
      {};                  ///< seconds of the shortest run on so many threads here, where there are so many
  std::string limit = {};  ///< what takes most of what is missing to an even share of the work for each
};

/// What a plan takes on 1, 2, 4 to 64 cores, and on as many as there are threads. Made by Plan::scaling.
struct ScalingReport {
  std::vector<ScalingRow> rows;  ///< by number of workers
  double barrier_seconds = 0;    ///< that threads take to wait for each other
  int barrier_threads = 0;  ///< how many of them; less than 2 where there were none, and barrier_seconds is a guess
  int repetitions = 0;      ///< how many runs of each kind were measured
};

/// A table, one line per number of workers.
std::string to_string(const ScalingReport& report);
/// Prints the table.
std::ostream& operator<<(std::ostream& out, const ScalingReport& report);

}  // namespace xgrad
