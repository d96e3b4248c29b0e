// A layer of your own: a struct with a table of its members and a call operator. Parameters, initialisation, copies,
// state and freezing follow from the table; what is different in training follows from the mode.
//
// Here: DropConnect (Wan et al., Regularization of neural networks using DropConnect, 2013), a dense layer that drops
// weights, not elements, in training.

#include <cmath>
#include <cstdio>

#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

using namespace xgrad;

namespace {

// z = x (M ⊙ W) + b: in training each element of M is 1 / (1 - rate) with probability 1 - rate, else 0; in inference 1.
struct DropConnect : nn::Layer<DropConnect> {
  DropConnect(std::int64_t in, std::int64_t out, double drop_rate)
      : weight(zeros({in, out}), "weight"), bias(zeros({out}), "bias"), rate(drop_rate) {
    draw(random::Key(0));
  }

  Variable weight, bias;
  double rate;
  static constexpr auto members = fields("weight", &DropConnect::weight, "bias", &DropConnect::bias);

  Tensor operator()(const Operand& x, const nn::Mode& mode = {}) const {
    return matmul(x, mode.training() ? drop(weight, mode.key("drop_connect")) : weight.read()) + bias;
  }

  // Called by initialize().
  void draw(random::Key key) const {
    weight.assign(nn::init::he_uniform(key, weight.shape()));
    bias.assign(zeros(bias.shape()));
  }

 private:
  Tensor drop(const Tensor& w, random::Key key) const {
    return where(random::bernoulli(key, 1 - rate, w.shape()), w / (1 - rate), 0.0);
  }
};

bool check(const char* what, bool holds) {
  std::printf("%-70s %s\n", what, holds ? "yes" : "NO");
  return holds;
}

// Whether the mean over many keys is what inference gives: within 5 standard errors, everywhere.
bool is_unbiased(const DropConnect& layer, const Tensor& x) {
  Tensors samples;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    samples.push_back(layer(x, nn::Training(random::Key(i))));
  }
  const Tensor all_samples = stack(samples);
  const Tensor standard_error = stddev(all_samples, 0) / std::sqrt(2000.0);
  return all(abs(mean(all_samples, 0) - layer(x)) <= 5 * standard_error).item<bool>();
}

// Two classes, inside and outside of a circle: no straight line tells them apart.
double train(const nn::Sequential& model) {
  const Tensor points = random::uniform(random::Key(1), {512, 2}, -1, 1);
  const Tensor labels = cast(sum(square(points), -1) > 0.6, DType::int64);
  constexpr std::int64_t steps = 400;
  nn::Adam adam(model.parameters());
  const nn::Schedule rate = nn::schedules::linear(1e-2, 0, steps);
  for (std::int64_t step = 0; step < steps; ++step) {
    adam.learning_rate().assign(rate(step));
    const nn::Training mode(random::Key(2).fold(static_cast<std::uint64_t>(step)));
    adam.minimize(nn::cross_entropy(model(points, mode), labels));
  }
  return nn::accuracy(model(points), labels);
}

}  // namespace

int main() {
  const DropConnect layer(6, 4, 0.3);
  const Tensor x = random::normal(random::Key(3), {5, 6});
  const nn::Training mode{random::Key(4)};
  bool good = check("inference is a dense layer", allclose(layer(x), matmul(x, layer.weight) + layer.bias));
  good &= check("training is a pure function of the key", allclose(layer(x, mode), layer(x, mode), 0, 0));
  good &= check("another key drops other weights", !allclose(layer(x, mode), layer(x, nn::Training(random::Key(5)))));
  good &= check("the mean over keys is what inference gives", is_unbiased(layer, x));

  nn::Sequential model(DropConnect(2, 64, 0.1), nn::ReLU(), DropConnect(64, 2, 0.1));
  model.initialize(random::Key(0));
  const nn::Sequential copy = model.clone();
  good &= check("the model knows its parameters",
                model.parameter_count() == 2 * 64 + 64 + 64 * 2 + 2 && model.named_parameters()[2].name == "2.weight");
  const double accuracy = train(model);
  std::printf("accuracy after training: %.4f\n", accuracy);
  good &= check("it learns", accuracy > 0.92);
  good &= check("a copy made before has weights of its own",
                !allclose(copy.parameters()[0], model.parameters()[0], 1e-3, 1e-3));
  std::printf("checks: %s\n", good ? "all passed" : "FAILED");
  return good ? 0 : 1;
}
