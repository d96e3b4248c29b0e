#pragma once

#include "benchmarks/gradbench/harness.hpp"

// GradBench's objectives (https://github.com/gradbench/gradbench), stated from their definitions.

namespace gradbench {

Objective hello();     ///< x²
Objective lse();       ///< log Σ exp xᵢ
Objective llsq();      ///< a polynomial fitted to a step, by least squares
Objective det();       ///< a determinant by expansion along the first row
Objective kmeans();    ///< how far points are from their centres; a step of Newton's method
Objective ode();       ///< a linear differential equation, by the method of Runge and Kutta
Objective gmm();       ///< the likelihood of a mixture of Gaussians
Objective lstm();      ///< the loss of a recurrent network
Objective ba();        ///< bundle adjustment: a sparse Jacobian
Objective ht();        ///< hand tracking: a dense Jacobian
Objective particle();  ///< the field that brings a particle to the origin: a minimum of paths of derivatives
Objective saddle();    ///< a minimum of maxima

}  // namespace gradbench
