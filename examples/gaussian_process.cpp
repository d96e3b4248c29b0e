// Gaussian-process regression: hyper-parameters by the gradient of the marginal likelihood.
//
//   -log p(y) = ½ yᵀ K⁻¹ y + ½ log det K + ½ n log 2π,   K_ij = σ² exp(-(x_i - x_j)² / 2ℓ²) + ν² δ_ij
//
// K = L Lᵀ by Cholesky; log det K = 2 Σ log L_ii. The gradient goes through the factorisation.

#include <cmath>
#include <cstdio>
#include <numbers>

#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

using namespace xgrad;

namespace {

constexpr std::int64_t n = 40;

Tensor covariance(const Tensor& x, const Tensor& log_scale, const Tensor& log_length) {
  const Tensor distance = expand_dims(x, 1) - expand_dims(x, 0);
  return exp(2 * log_scale) * exp(-0.5 * square(distance / exp(log_length)));
}

// θ = (log σ, log ℓ, log ν): logarithms, so that no step can make them negative.
Tensor negative_log_likelihood(const Tensor& theta, const Tensor& x, const Tensor& y) {
  const Tensor noise = exp(2 * theta[2]) * eye(n, n, DType::float64);
  const Tensor factor = linalg::cholesky(covariance(x, theta[0], theta[1]) + noise);
  const Tensor white = linalg::solve_triangular(factor, expand_dims(y, 1));  // L⁻¹ y, so yᵀ K⁻¹ y is its square
  const double constant = 0.5 * n * std::log(2 * std::numbers::pi);
  return 0.5 * sum(square(white)) + sum(log(diagonal(factor))) + constant;
}

}  // namespace

int main() {
  // A sample of a known process: a sine with noise of standard deviation 0.1.
  const Tensor x = linspace(0, 10, n, DType::float64);
  const Tensor y = sin(x) + random::normal(random::Key(1), {n}, 0, 0.1, DType::float64);

  const Variable theta(Tensor{0.0, 0.0, -1.0}, "theta");
  nn::Adam adam({theta}, {.learning_rate = 0.05});
  const double before = negative_log_likelihood(theta, x, y).item();
  for (int step = 0; step < 300; ++step) {
    adam.minimize(negative_log_likelihood(theta, x, y));
  }
  const double after = negative_log_likelihood(theta, x, y).item();
  const Tensor found = exp(theta);
  std::printf("-log likelihood %.3f -> %.3f\n", before, after);
  std::printf("scale %.3f  length %.3f  noise %.3f\n", found[0].item(), found[1].item(), found[2].item());

  // At the optimum the gradient vanishes, and the noise that was put in is found again.
  const Tensor slope = grad(negative_log_likelihood(theta, x, y), theta);
  const bool found_noise = std::abs(found[2].item() - 0.1) < 0.03 && norm(slope).item() < 0.05;
  std::printf("%s\n", found_noise ? "check: the noise level 0.1 is recovered" : "check failed: noise or slope are off");
  return found_noise ? 0 : 1;
}
