// ADOL-C: reverse mode on a tape, which is recorded once for each problem and size.

#include <adolc/adolc.h>

#include "benchmarks/gradbench/peers/functions.hpp"

namespace gradbench {

namespace {

/// A recorded function. \p out takes as many numbers as there are parameters.
template <class Problem>
class Tape {
 public:
  explicit Tape(const Problem& problem) : x_(problem.parameters) {
    // In memory: what does not fit would go to files. No larger than that, for each derivative makes the last one anew.
    const auto buffer = static_cast<unsigned>(1000 + 8 * problem.operations());
    trace_on(number_, 1, buffer, buffer, buffer, 4 * buffer);  // second derivatives keep several numbers of each
    std::vector<adouble> x(x_.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      x[i] <<= x_[i];
    }
    adouble y = problem(x.data());
    double value = 0;
    y >>= value;
    trace_off();
  }
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;
  ~Tape() { removeTape(number_, ADOLC_REMOVE_COMPLETELY); }

  void gradient(double* out) { ::gradient(number_, count(), x_.data(), out); }
  /// The gradient over the Hessian times ones.
  void direction(double* out) {
    Numbers ones(x_.size(), 1);
    Numbers product(x_.size());
    gradient(out);
    ::hess_vec(number_, count(), x_.data(), ones.data(), product.data());
    for (std::size_t i = 0; i < x_.size(); ++i) {
      out[i] /= product[i];
    }
  }

 private:
  int count() const { return static_cast<int>(x_.size()); }

  static short next() {
    static short last = 0;
    return ++last;
  }
  const short number_ = next();
  Numbers x_;
};

/// A method that computes with a tape: `f(tape, out)`.
template <class Problem, class F>
Method on_tape(const Problem& problem, F f) {
  if (problem.operations() > longest_tape) {
    return {};
  }
  const auto start = std::chrono::steady_clock::now();
  const auto tape = std::make_shared<Tape<Problem>>(problem);
  return by_peer(
      "ADOL-C", [tape, f](double* out) { f(*tape, out); }, problem.parameters.size(), seconds_since(start));
}

struct Adolc {
  template <class Problem>
  static Method gradient(const Problem& problem) {
    return on_tape(problem, [](Tape<Problem>& tape, double* out) { tape.gradient(out); });
  }

  static Method direction(const Kmeans& problem) {
    return on_tape(problem, [](Tape<Kmeans>& tape, double* out) { tape.direction(out); });
  }
};

const PeerOfFunctions<Adolc> adol_c;

}  // namespace

}  // namespace gradbench
