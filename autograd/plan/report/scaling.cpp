#include "autograd/plan/report/scaling.hpp"

#include <ostream>

#include "autograd/runtime/phrase.hpp"

namespace xgrad {

std::string to_string(const ScalingReport& report) {
  std::string text = phrase("{:>7} {:>12} {:>8} {:>12}  {}\n", "workers", "us per run", "speed-up", "measured us",
                            "what costs most of the speed-up, and how much of the run");
  for (const ScalingRow& row : report.rows) {
    const std::string measured = row.measured ? phrase("{:.2f}", *row.measured * 1e6) : "";
    const std::string line =
        phrase("{:>7} {:>12.2f} {:>8.2f} {:>12}  {}", row.workers, row.seconds * 1e6, row.speedup, measured, row.limit);
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  const double barrier = report.barrier_seconds * 1e6;
  text += report.barrier_threads < 2
              ? phrase("a barrier is taken to cost {:.2f} us on 2 threads, as there is no second one here", barrier)
              : phrase("a barrier takes {:.2f} us on {} threads, measured", barrier, report.barrier_threads);
  return text +
         phrase(
             ", and in proportion on more\n"
             "not in it: memory bandwidth, clocks that fall when more cores work, and that each core has a cache "
             "of its own\n"
             "from medians of {} runs; measured is the shortest\n",
             report.repetitions);
}

std::ostream& operator<<(std::ostream& out, const ScalingReport& report) { return out << to_string(report); }

}  // namespace xgrad
