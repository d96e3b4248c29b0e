#include "autograd/kernels/isa/exponentials.hpp"
#include "autograd/kernels/isa/sets.hpp"
#include "autograd/kernels/isa/trigonometry.hpp"

namespace xgrad::kernels::XGRAD_ISA {

// √(-2 log(1 - u)) (cos(2π v), sin(2π v)): G. Box and M. Muller, A note on the generation of random normal deviates, 1958.
void normal_pairs(double* u, double* v, std::int64_t count) {
  using V = Batch<double>;
  using Trigonometry = Trigonometry<double>;
  for (std::int64_t i = 0; i < count; i += lanes<double>) {
    const V radius = xsimd::sqrt(V(-2.0) * Exponentials<double>::log(V(1.0) - load(u + i)));
    const V angle = V(6.283185307179586) * load(v + i);
    const Trigonometry::Parts parts = Trigonometry::parts(Trigonometry::reduced(angle));
    store(u + i, radius * Trigonometry::cosine(angle, parts));
    store(v + i, radius * Trigonometry::sine(angle, parts));
  }
}

}  // namespace xgrad::kernels::XGRAD_ISA
