#include "bits_training.hpp"

#include <cinttypes>
#include <cstdint>
#include <cstdio>

#include "autograd/autograd.hpp"
#include "nn/nn.hpp"
#include "tests/testing.hpp"

namespace xgrad::bits {

namespace {

/// 70-50-30-10 with batch and layer normalisation and dropout, in batches of 37: products of all orders with a rest beside
/// whole tiles, reductions both ways, random numbers.
template <class Optimizer, class Options>
void print_trained(const char* name, const Options& options) {
  const random::Key key(11);
  nn::Sequential model(nn::Dense(70, 50), nn::BatchNorm(50), nn::ReLU(), nn::Dropout(0.2), nn::Dense(50, 30),
                       nn::LayerNorm(30), nn::GELU(), nn::Dense(30, 10));
  model.initialize(key.fold(0));
  Optimizer optimizer(model.parameters(), options);
  const Tensor inputs = random::normal(key.fold(1), {4, 37, 70});
  const Tensor labels = argmax(inputs[{all(), all(), range(0, 10)}], -1);
  const auto step = compile([&](const Tensor& x, const Tensor& expected, const Tensor& number) {
    const Tensor loss = nn::cross_entropy(model(x, nn::Training(key.fold(2).fold(number))), expected);
    optimizer.minimize(loss);
    return loss;
  });
  constexpr std::int64_t steps = 60;
  for (std::int64_t i = 0; i < steps; ++i) {
    step(inputs[i % 4], labels[i % 4], Tensor(i)).array();
  }
  nn::Variables trained = model.variables();
  trained.insert(trained.end(), optimizer.state().begin(), optimizer.state().end());
  std::printf("training_%s float32 %016" PRIx64 "\n", name, testing::hash_of(trained));
}

}  // namespace

void print_training() {
  print_trained<nn::SGD>("sgd", nn::SGDOptions{.learning_rate = 0.05, .momentum = 0.9, .weight_decay = 1e-3});
  print_trained<nn::AdamW>("adamw", nn::AdamWOptions{.learning_rate = 0.01});
}

}  // namespace xgrad::bits
