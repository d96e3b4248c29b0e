#include "benchmarks/gradbench/hello.hpp"

#include "benchmarks/gradbench/by_xgrad.hpp"
#include "benchmarks/gradbench/objectives.hpp"

namespace gradbench {

Objective hello() {
  return make_objective<Hello>("hello", {3.0}, [](const Hello& problem) {
    const auto f = [](const xgrad::Tensor& x) { return square(x); };
    const double& x = problem.parameters[0];
    return std::vector{by_xgrad(f, xgrad::grad(f), tensor(problem.parameters, {})),
                       by_hand(problem, [&x](double* out) { *out = 2 * x; })};
  });
}

}  // namespace gradbench
