// Per-sample gradients: the gradient of every sample's loss by itself, all at once, by vmap of grad.
//
// They show which samples pull hardest, and are what private training clips and adds noise to (Abadi et al., Deep learning
// with differential privacy, 2016).

#include <cstdio>

#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

using namespace xgrad;

int main() {
  const std::int64_t samples = 8;
  const Tensor x = random::normal(random::Key(0), {samples, 5}, 0, 1, DType::float64);
  const Tensor labels = Tensor{0, 1, 2, 0, 1, 2, 0, 1};
  const Tensor weight = random::normal(random::Key(1), {5, 3}, 0, 0.5, DType::float64);

  // The loss of one sample: features (5,), label ().
  const auto loss = [](const Tensor& w, const Tensor& features, const Tensor& label) {
    return nn::cross_entropy(matmul(features, w), label);
  };
  const Tensor gradients = vmap(grad(loss), {unmapped, 0, 0})(weight, x, labels);
  const Tensor lengths = norm(gradients, {1, 2});
  for (std::int64_t i = 0; i < samples; ++i) {
    std::printf("sample %d  |gradient| %.4f\n", static_cast<int>(i), lengths[i].item());
  }

  // Their mean is the gradient of the mean loss; one at a time they come out the same.
  const auto mean_loss = [&](const Tensor& w) { return nn::cross_entropy(matmul(x, w), labels); };
  bool agree = allclose(mean(gradients, 0), grad(mean_loss)(weight), 1e-10, 1e-12);
  for (std::int64_t i = 0; i < samples; ++i) {
    agree = agree && allclose(gradients[i], grad(loss)(weight, x[i], labels[i]), 1e-10, 1e-12);
  }
  const Tensor clipped = gradients * minimum(1, 0.5 / reshape(lengths, {-1, 1, 1}));
  std::printf("mean gradient, each clipped to length 0.5: %.4f\n", norm(mean(clipped, 0)).item());
  std::printf("%s\n", agree ? "check: equal to one gradient at a time" : "check failed: the gradients differ");
  return agree ? 0 : 1;
}
