// Times GradBench's objectives and their derivatives, by xgrad and by others, on one thread; or checks them.
//
// Prints a line for each method and size, with tabs between: objective, size, method, and the seconds that preparation, primal
// and derivative take. benchmarks/compare.py makes a table of them.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <autograd/runtime/workers.hpp>

#include "benchmarks/gradbench/objectives.hpp"
#include "examples/flags.hpp"

namespace {

using namespace gradbench;

struct Settings {
  std::string only;
  bool quick = false;
  bool check = false;
  int rounds = 7;
};

std::vector<Objective> all_objectives() {
  return {hello(), lse(), llsq(), det(), kmeans(), ode(), gmm(), lstm(), ba(), ht(), particle(), saddle()};
}

/// A computation and the seconds of its turns.
class Timed {
 public:
  explicit Timed(const Computation& computation) : run_(computation.run) {
    if (run_) {
      run_();
      while (turn() * repetitions_ < shortest_turn) {
        repetitions_ *= 2;
      }
    }
  }

  void take_a_turn() {
    if (run_) {
      seconds_.push_back(turn());
    }
  }

  /// The median; not a number where there is nothing to compute.
  double seconds() {
    if (seconds_.empty()) {
      return std::nan("");
    }
    std::sort(seconds_.begin(), seconds_.end());
    return seconds_[seconds_.size() / 2];
  }

 private:
  static constexpr double shortest_turn = 0.02;

  double turn() const {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < repetitions_; ++i) {
      run_();
    }
    return seconds_since(start) / repetitions_;
  }

  std::function<void()> run_;
  int repetitions_ = 1;
  Numbers seconds_;
};

/// All methods take turns, so that each sees the same changes of the machine.
void measure(const std::string& objective, const Case& each, int rounds) {
  std::vector<Timed> timed;
  for (const Method& method : each.methods) {
    timed.emplace_back(method.primal);
    timed.emplace_back(method.derivative);
  }
  for (int round = 0; round < rounds; ++round) {
    for (Timed& computation : timed) {
      computation.take_a_turn();
    }
  }
  for (std::size_t i = 0; i < each.methods.size(); ++i) {
    std::printf("%s\t%s\t%s\t%.4g\t%.4g\t%.4g\n", objective.c_str(), each.size.c_str(), each.methods[i].name.c_str(),
                each.methods[i].preparation, timed[2 * i].seconds(), timed[2 * i + 1].seconds());
  }
  std::fflush(stdout);
}

/// The largest difference, relative to the largest number where that is not 0.
double difference(const Numbers& a, const Numbers& b) {
  if (a.size() != b.size()) {
    return HUGE_VAL;
  }
  double largest = 0;
  double result = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::abs(b[i]));
    const double each = std::abs(a[i] - b[i]);
    result = std::isnan(each) ? HUGE_VAL : std::max(result, each);
  }
  return largest > 0 ? result / largest : result;
}

bool holds(const std::string& what, double difference, double tolerance) {
  const bool good = difference <= tolerance;
  std::printf("%s %s: differs by %.2g\n", good ? "ok" : "WRONG", what.c_str(), difference);
  return good;
}

Numbers result_of(const Computation& computation) {
  computation.run();
  return computation.result();
}

/// Whether all agree with each other to rounding, and with the expected derivative as well as differences do.
bool check(const std::string& objective, const Case& each) {
  const std::string name = objective + ", " + each.size + ", ";
  const Numbers value = result_of(each.methods[1].primal);
  const Numbers derivative = result_of(each.methods[1].derivative);
  bool good = holds(name + "derivative by hand", difference(derivative, each.expected()), each.tolerance);
  for (const Method& method : each.methods) {
    if (method.primal.run) {
      good &= holds(name + method.name + ", primal", difference(result_of(method.primal), value), 1e-10);
    }
    good &= holds(name + method.name + ", derivative", difference(result_of(method.derivative), derivative), 1e-10);
  }
  return good;
}

/// The objectives of these names, which have commas between; all for none.
std::vector<Objective> chosen_objectives(const std::string& names) {
  std::vector<Objective> all = all_objectives();
  if (names.empty()) {
    return all;
  }
  std::vector<Objective> chosen;
  std::istringstream list(names);
  for (std::string name; std::getline(list, name, ',');) {
    const auto found = std::find_if(all.begin(), all.end(), [&](const Objective& each) { return each.name == name; });
    if (found == all.end()) {
      std::string known;
      for (const Objective& each : all) {
        known += (known.empty() ? "" : ", ") + each.name;
      }
      throw std::invalid_argument("there is no objective '" + name + "'; there are " + known);
    }
    chosen.push_back(*found);
  }
  return chosen;
}

bool run(const Settings& settings) {
  xgrad::runtime::set_num_threads(1);
  bool good = true;
  for (const Objective& objective : chosen_objectives(settings.only)) {
    const std::size_t sizes = settings.check ? objective.checked : settings.quick ? 2 : objective.cases.size();
    for (std::size_t i = 0; i < std::min(sizes, objective.cases.size()); ++i) {
      const Case each = objective.cases[i]();
      if (settings.check) {
        good &= check(objective.name, each);
      } else {
        measure(objective.name, each, settings.quick ? 3 : settings.rounds);
      }
    }
  }
  return good;
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  Flags flags("Times GradBench's objectives and their derivatives on one thread.");
  flags.add("--only", settings.only, "Objectives, with commas between (all of them)");
  flags.add("--rounds", settings.rounds, "How often each computation has its turn").range(1, 1000);
  flags.add("--quick", settings.quick, "The two smallest sizes, three rounds");
  flags.add("--check", settings.check, "Compare results with each other and with differences, at small sizes");
  if (const auto code = flags.parse(argc, argv)) {
    return *code;
  }
  try {
    return run(settings) ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
