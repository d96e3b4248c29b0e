#include <cmath>
#include <cstdint>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "nn/nn.hpp"
#include "tests/testing.hpp"

namespace xgrad {

BOOST_AUTO_TEST_SUITE(nn_trainer_products)

namespace {

using datasets::Dataset;
using testing::elements;

const datasets::BatchOptions batches_of_16{.batch_size = 16, .seed = 9};

/// Three classes that a linear model can tell apart, mostly.
Dataset make_data() {
  const Tensor x = random::normal(random::Key(3), {50, 6});
  return {x.array(), argmax(x[{all(), range(0, 3)}], -1).array()};
}

nn::Sequential make_model() {
  nn::Sequential model(nn::Dense(6, 16), nn::ReLU(), nn::Dense(16, 3));
  model.initialize(random::Key(1));
  return model;
}

}  // namespace

BOOST_AUTO_TEST_CASE(products_are_rounded_in_training_evaluation_and_prediction) {
  const Dataset data = make_data();
  const CompileOptions rounded{.products = ProductPrecision::bfloat16};
  const nn::Sequential by_hand = make_model();
  nn::Adam adam(by_hand.parameters(), {.learning_rate = 0.01});
  const auto step = compile(
      [&](const Tensor& x, const Tensor& y) {
        const Tensor loss = nn::cross_entropy(by_hand(x, nn::Training(random::Key(0))), y);
        adam.minimize(loss);
        return loss;
      },
      rounded);
  const datasets::Batches batches(data, batches_of_16);
  for (int epoch = 0; epoch < 4; ++epoch) {
    for (const auto& [x, y] : batches.epoch(epoch)) {
      step(x, y);
    }
  }
  const auto weights_with = [&](ProductPrecision products) {
    const nn::Sequential model = make_model();
    nn::Trainer trainer(model, nn::Adam(model.parameters(), {.learning_rate = 0.01}), nn::cross_entropy,
                        {.batches = batches_of_16, .products = products});
    trainer.fit(data, {.epochs = 4, .progress = nn::Progress::quiet});
    const Tensor predicted = trainer.predict(data.features());
    const auto predict = compile([&](const Tensor& x) { return model(x); }, {.products = products});
    BOOST_TEST(elements(predicted) == elements(predict(Tensor(data.features()))), boost::test_tools::per_element());
    const double loss = nn::cross_entropy(predict(Tensor(data.features())), Tensor(data.targets())).item();
    BOOST_TEST(std::abs(trainer.evaluate(data)["loss"] - loss) < 1e-5);
    return testing::hash_of(model.parameters());
  };
  const std::uint64_t weights = weights_with(ProductPrecision::bfloat16);
  BOOST_TEST(weights == testing::hash_of(by_hand.parameters()));
  BOOST_TEST(weights != weights_with(ProductPrecision::float32));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
