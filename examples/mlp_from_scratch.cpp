// A multilayer perceptron on Fashion-MNIST from tensors alone, each line beside its formula.
//
// The network has 784 inputs, 128 hidden units and 10 outputs:
//   z₁ = x W₁ + b₁    h = max(z₁, 0)    z₂ = h W₂ + b₂
// xgrad::nn has the same things ready-made: Dense, ReLU, cross_entropy, SGD.

#include <cmath>
#include <cstdio>

#include <autograd/autograd.hpp>
#include <datasets/datasets.hpp>

#include "flags.hpp"

using namespace xgrad;

namespace {

constexpr std::int64_t inputs = 784, hidden = 128, classes = 10;
constexpr double required_accuracy = 0.85;

struct Network {
  Variable w1, b1, w2, b2;
};

// Normal weights of variance 2 / (number of inputs) keep the size of h from layer to layer (He et al., 2015).
Network make_network(random::Key key) {
  return {Variable(random::normal(key.fold(1), {inputs, hidden}, 0, std::sqrt(2.0 / inputs)), "w1"),
          Variable(zeros({hidden}), "b1"),
          Variable(random::normal(key.fold(2), {hidden, classes}, 0, std::sqrt(2.0 / hidden)), "w2"),
          Variable(zeros({classes}), "b2")};
}

Tensor logits(const Network& net, const Tensor& x) {
  const Tensor h = relu(matmul(x, net.w1) + net.b1);  // h = max(x W₁ + b₁, 0)
  return matmul(h, net.w2) + net.b2;                  // z = h W₂ + b₂
}

// L = 1/n Σ (log Σⱼ exp zⱼ - z_y), the mean of -log softmax(z)_y
Tensor cross_entropy(const Tensor& z, const Tensor& y) {
  return mean(logsumexp(z, -1) - sum(z * one_hot(y, classes), -1));
}

Tensors gradients(const Network& net, const Tensor& x, const Tensor& y) {
  return grad(cross_entropy(logits(net, x), y), Tensors{net.w1, net.b1, net.w2, net.b2});
}

// The same four gradients worked out by hand: what the chain rule says for this network.
Tensors gradients_by_hand(const Network& net, const Tensor& x, const Tensor& y) {
  const double n = static_cast<double>(x.shape(0));
  const Tensor z1 = matmul(x, net.w1) + net.b1;
  const Tensor h = relu(z1);
  const Tensor z2 = matmul(h, net.w2) + net.b2;

  const Tensor delta2 = (softmax(z2) - one_hot(y, classes)) / n;  // δ₂ = ∂L/∂z₂ = (softmax(z₂) - onehot(y)) / n
  const Tensor dw2 = matmul(transpose(h), delta2);                // ∂L/∂W₂ = hᵀ δ₂
  const Tensor db2 = sum(delta2, 0);                              // ∂L/∂b₂ = Σ δ₂ over the batch
  const Tensor dh = matmul(delta2, transpose(net.w2));            // ∂L/∂h = δ₂ W₂ᵀ
  const Tensor delta1 = where(z1 > 0, dh, 0.0);                   // δ₁ = ∂L/∂z₁ = ∂L/∂h ⊙ 1[z₁ > 0]
  const Tensor dw1 = matmul(transpose(x), delta1);                // ∂L/∂W₁ = xᵀ δ₁
  const Tensor db1 = sum(delta1, 0);                              // ∂L/∂b₁ = Σ δ₁ over the batch
  return {dw1, db1, dw2, db2};
}

// The largest difference between the two, relative to the largest entry of each gradient.
double largest_difference(const Tensors& a, const Tensors& b) {
  Tensors differences;
  for (std::size_t i = 0; i < a.size(); ++i) {
    differences.push_back(amax(abs(a[i] - b[i])) / amax(abs(b[i])));
  }
  return amax(stack(differences)).item();
}

// One step of gradient descent; alpha is the learning rate α.
void descend(const Network& net, const Tensors& g, double alpha) {
  assign({{net.w1, net.w1 - alpha * g[0]},    // W₁ ← W₁ - α ∂L/∂W₁
          {net.b1, net.b1 - alpha * g[1]},    // b₁ ← b₁ - α ∂L/∂b₁
          {net.w2, net.w2 - alpha * g[2]},    // W₂ ← W₂ - α ∂L/∂W₂
          {net.b2, net.b2 - alpha * g[3]}});  // b₂ ← b₂ - α ∂L/∂b₂
}

// The fraction of images whose largest logit stands at the label.
double accuracy(const Network& net, const datasets::Dataset& data) {
  const auto [x, y] = datasets::Batches(data, {.batch_size = data.size(), .shuffle = false}).epoch(0)[0];
  return mean(cast(argmax(logits(net, x), -1) == y, DType::float64)).item();
}

// Whether the network got as good as it should.
bool run(const std::string& folder, int epochs) {
  const auto data = datasets::FashionMnist::load(folder);
  const datasets::Batches batches(data.train, {.batch_size = 50});
  const Network net = make_network(random::Key(0));

  const datasets::Batch batch = batches.epoch(0)[0];
  const double difference = largest_difference(gradients(net, batch.features, batch.targets),
                                               gradients_by_hand(net, batch.features, batch.targets));
  std::printf("automatic gradients against those by hand: largest relative difference %.1e\n", difference);

  double test_accuracy = 0;
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    const double alpha = 0.1 * (epochs - epoch + 1) / epochs;  // smaller steps towards the end
    for (const auto& [x, y] : batches.epoch(epoch)) {
      descend(net, gradients(net, x, y), alpha);
    }
    test_accuracy = accuracy(net, data.test);
    std::printf("epoch %d/%d  test accuracy %.4f\n", epoch, epochs, test_accuracy);
  }
  const bool good = difference < 1e-5 && test_accuracy >= required_accuracy;
  if (!good) {
    std::fprintf(stderr, "expected a difference below 1e-5 and a test accuracy of %.2f or more\n", required_accuracy);
  }
  std::printf("test_accuracy=%.4f\n", test_accuracy);
  return good;
}

}  // namespace

int main(int argc, char** argv) {
  std::string folder;
  int epochs = 5;
  Flags flags("Trains a multilayer perceptron written out by hand on Fashion-MNIST.");
  flags.add("--data", folder, "Folder of the four IDX files [XGRAD_DATA, or the Debian package's]");
  flags.add("--epochs", epochs, "Passes over the training images").range(1, 1000);
  if (const auto code = flags.parse(argc, argv)) {
    return *code;
  }
  try {
    return run(folder, epochs) ? 0 : 1;
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
