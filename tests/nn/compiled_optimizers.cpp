#include <functional>
#include <memory>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "nn/nn.hpp"

/// \file
/// Every optimiser in a compiled step, with batch statistics, clipping and a learning rate that changes.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(nn_compiled_optimizers)

namespace {

using Make = std::function<std::unique_ptr<nn::Optimizer>(const nn::Variables&)>;

template <class T>
Make maker() {
  return [](const nn::Variables& parameters) { return std::make_unique<T>(parameters); };
}

struct Outcome {
  double loss;
  std::size_t traces;
};

Outcome train(const Make& make, bool compiled) {
  const Tensor x = random::uniform(random::Key(1), {16, 6}, -1, 1).detach();
  const Tensor y = arange(16, DType::int64) / 6;
  nn::Sequential model(nn::Dense(6, 8), nn::BatchNorm(8), nn::GELU(), nn::Dense(8, 3));
  model.initialize(random::Key(3));
  const auto optimizer = make(model.parameters());
  const auto plain = [&](const Tensor& images, const Tensor& labels) {
    const Tensor loss = nn::cross_entropy(model(images, nn::Training(random::Key(5))), labels);
    optimizer->minimize(loss, {.norm = 1.0});
    return loss;
  };
  const auto step = compile(plain);
  double loss = 0;
  for (int i = 0; i < 40; ++i) {
    if (i == 20) {
      optimizer->learning_rate().assign(optimizer->learning_rate().item() * 0.5);
    }
    loss = (compiled ? step(x, y) : plain(x, y)).item();
  }
  return {loss, step.trace_count()};
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_optimizer_trains_alike_compiled_and_define_by_run) {
  const Make all[] = {maker<nn::SGD>(),     maker<nn::Lion>(),    maker<nn::Adam>(),  maker<nn::AdamW>(),
                      maker<nn::Adamax>(),  maker<nn::NAdam>(),   maker<nn::RAdam>(), maker<nn::RMSprop>(),
                      maker<nn::Adagrad>(), maker<nn::Adadelta>()};
  for (const Make& make : all) {
    const Outcome compiled = train(make, true);
    BOOST_TEST(compiled.loss == train(make, false).loss, boost::test_tools::tolerance(1e-3));
    BOOST_TEST(compiled.traces == 1U);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
