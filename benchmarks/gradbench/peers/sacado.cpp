// Sacado: reverse mode on a graph that is recorded anew for each derivative; for second derivatives, of numbers with a tangent.

#include <Sacado.hpp>
#include <Sacado_trad.hpp>

#include "benchmarks/gradbench/peers/functions.hpp"

namespace gradbench {

namespace {

template <class Problem, class Number>
void differentiate(const Problem& problem, std::vector<Sacado::Rad::ADvar<Number>>& x) {
  Sacado::Rad::ADvar<Number> y = problem(x.data());
  Sacado::Rad::ADvar<Number>::Gradcomp();
}

struct SacadoRad {
  template <class Problem>
  static Method gradient(const Problem& problem) {
    if (problem.operations() > longest_tape) {
      return {};
    }
    return by_peer(
        "Sacado",
        [&problem](double* out) {
          std::vector<Sacado::Rad::ADvar<double>> x(problem.parameters.begin(), problem.parameters.end());
          differentiate(problem, x);
          for (std::size_t i = 0; i < x.size(); ++i) {
            out[i] = x[i].adj();
          }
        },
        problem.parameters.size());
  }

  static Method direction(const Kmeans& problem) {
    if (problem.operations() > longest_tape) {
      return {};
    }
    using Dual = Sacado::Fad::SFad<double, 1>;
    return by_peer(
        "Sacado",
        [&problem](double* out) {
          std::vector<Sacado::Rad::ADvar<Dual>> x;
          for (const double each : problem.parameters) {
            x.emplace_back(Dual(1, 0, each));
          }
          differentiate(problem, x);
          for (std::size_t i = 0; i < x.size(); ++i) {
            out[i] = x[i].adj().val() / x[i].adj().dx(0);
          }
        },
        problem.parameters.size());
  }
};

const PeerOfFunctions<SacadoRad> sacado;

}  // namespace

}  // namespace gradbench
