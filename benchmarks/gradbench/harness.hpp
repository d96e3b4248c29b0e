#pragma once

// What the objectives and their peers share. C++17 without xgrad, for some peers are compiled in that.

#include <chrono>
#include <functional>
#include <initializer_list>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace gradbench {

using Numbers = std::vector<double>;

/// Something to be timed.
struct Computation {
  std::function<void()> run;
  std::function<Numbers()> result;  ///< what the last run gave
};

/// One way to compute an objective and its derivative on given data.
struct Method {
  std::string name;
  Computation primal;  ///< nothing where it is that of the objective by hand
  Computation derivative;
  double preparation = 0;  ///< seconds before the first derivative: planning, or recording a tape
};

/// An objective on data of one size, computed by xgrad, by hand, and by what else there is, in this order.
struct Case {
  std::string size;
  std::vector<Method> methods;
  std::function<Numbers()> expected;  ///< the derivative by central differences, or in closed form
  double tolerance;                   ///< of what is expected, relative to its largest number
  std::shared_ptr<const void> data;   ///< which the methods refer to
};

/// The smallest case is first.
struct Objective {
  std::string name;
  std::vector<std::function<Case()>> cases;
  std::size_t checked = 1;  ///< how many of the first ones are small, and differ in more than their size
};

/// Numbers that are the same in every run.
class Random {
 public:
  double uniform(double low, double high) { return std::uniform_real_distribution<double>(low, high)(engine_); }
  Numbers uniform(std::size_t count, double low, double high) {
    Numbers result(count);
    for (double& each : result) {
      each = uniform(low, high);
    }
    return result;
  }
  std::size_t below(std::size_t limit) { return engine_() % limit; }

 private:
  std::mt19937_64 engine_{1};
};

inline double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// How other libraries compute a problem: one function for each that is installed and can. What is too large for one is given
/// back without a derivative.
template <class Problem>
std::vector<Method (*)(const Problem&)>& peers_of() {
  static std::vector<Method (*)(const Problem&)> list;
  return list;
}

/// As a constant of a peer's file, puts the function on the list.
template <class Problem>
struct Peer {
  explicit Peer(Method (*make)(const Problem&)) { peers_of<Problem>().push_back(make); }
};

/// A method that writes into memory which it has: `primal(out)` and `derivative(out)` take a pointer to so many numbers.
template <class F, class G>
Method by_hand(F primal, std::size_t values, G derivative, std::size_t derivatives) {
  const auto computation = [](auto f, std::size_t count) {
    const auto out = std::make_shared<Numbers>(count);
    return Computation{[f, out] { f(out->data()); }, [out] { return *out; }};
  };
  return {"by hand", computation(primal, values), computation(derivative, derivatives)};
}

/// The same for a problem that is a function to one number, whose gradient is known as code.
template <class Problem, class G>
Method by_hand(const Problem& problem, G gradient) {
  const auto primal = [&problem](double* out) { *out = problem(problem.parameters.data()); };
  return by_hand(primal, 1, gradient, problem.parameters.size());
}

/// A method of a peer for the derivative alone.
template <class G>
Method by_peer(const char* name, G derivative, std::size_t derivatives, double preparation = 0) {
  Method result = by_hand([](double*) {}, 0, derivative, derivatives);
  return {name, {}, result.derivative, preparation};
}

/// The largest number of operations that is recorded on a tape, which takes some fifty bytes for each.
inline constexpr double longest_tape = 3e7;

/// The gradient of a function to one number, by central differences.
template <class F>
Numbers central_differences(const F& f, Numbers at) {
  Numbers result(at.size());
  for (std::size_t i = 0; i < at.size(); ++i) {
    const double here = at[i];
    const double step = 6e-6 * (here < -1 ? -here : here > 1 ? here : 1);  // ∛ε, where both errors are equal
    at[i] = here + step;
    const double above = f(at.data());
    at[i] = here - step;
    result[i] = (above - f(at.data())) / (2 * step);
    at[i] = here;
  }
  return result;
}

/// The cases of a problem: a type with its data, made from a size, and its function.
template <class Problem>
Objective make_objective(const char* name, std::initializer_list<typename Problem::Size> sizes,
                         std::vector<Method> (*methods)(const Problem&), Numbers (*expected)(const Problem&),
                         double tolerance = 1e-6) {
  Objective result{name, {}};
  for (const auto& size : sizes) {
    result.cases.push_back([size, methods, expected, tolerance] {
      const auto problem = std::make_shared<const Problem>(size);
      Case made{problem->title(), methods(*problem), [problem, expected] { return expected(*problem); }, tolerance,
                problem};
      for (const auto peer : peers_of<Problem>()) {
        Method method = peer(*problem);
        if (method.derivative.run) {
          made.methods.push_back(std::move(method));
        }
      }
      return made;
    });
  }
  return result;
}

/// The same for functions to one number, checked by central differences.
template <class Problem>
Objective make_objective(const char* name, std::initializer_list<typename Problem::Size> sizes,
                         std::vector<Method> (*methods)(const Problem&)) {
  return make_objective<Problem>(
      name, sizes, methods, [](const Problem& problem) { return central_differences(problem, problem.parameters); });
}

}  // namespace gradbench
