#include <cstdint>

#include <boost/test/unit_test.hpp>

#include "autograd/ops/ops.hpp"
#include "autograd/ops/random.hpp"
#include "nn/nn.hpp"
#include "tests/runtime/threads.hpp"
#include "tests/testing.hpp"

BOOST_AUTO_TEST_SUITE(nn_determinism)

namespace {

using namespace xgrad;

struct Outcome {
  std::uint64_t hash;  ///< of the weights and the optimiser's state
  double first_loss;
  double last_loss;
};

/// 300-96-10 in batches of 64, large enough that products, reductions and formulas are cut in pieces; the labels are
/// those of a random linear map.
template <class Optimizer, class Options>
Outcome train(int threads, std::uint64_t seed, const Options& options) {
  const testing::Threads setting(threads);
  const random::Key key(seed);
  nn::Sequential model(nn::Dense(300, 96), nn::ReLU(), nn::Dense(96, 10));
  model.initialize(key.fold(0));
  Optimizer optimizer(model.parameters(), options);
  const Tensor images = random::normal(key.fold(1), {4, 64, 300});
  const Tensor labels = argmax(matmul(images, random::normal(key.fold(2), {300, 10})), -1);
  Outcome outcome{};
  constexpr int steps = 200;
  for (int step = 0; step < steps; ++step) {
    const Tensor loss = nn::cross_entropy(model(images[step % 4]), labels[step % 4]);
    optimizer.minimize(loss);
    (step == 0 ? outcome.first_loss : outcome.last_loss) = loss.item();
  }
  nn::Variables trained = optimizer.parameters();
  trained.insert(trained.end(), optimizer.state().begin(), optimizer.state().end());
  outcome.hash = testing::hash_of(trained);
  return outcome;
}

template <class Optimizer, class Options>
void check_all_runs(const Options& options) {
  const Outcome one = train<Optimizer>(1, 7, options);
  BOOST_TEST(one.last_loss < 0.5 * one.first_loss);  // it does learn
  for (const int threads : {1, 2, 3}) {
    BOOST_TEST(train<Optimizer>(threads, 7, options).hash == one.hash, "on " << threads << " threads");
  }
  BOOST_TEST(train<Optimizer>(2, 8, options).hash != one.hash);
}

BOOST_AUTO_TEST_CASE(sgd_with_momentum_has_the_same_bits_on_any_number_of_threads) {
  check_all_runs<nn::SGD>(nn::SGDOptions{.learning_rate = 0.05, .momentum = 0.9});
}

BOOST_AUTO_TEST_CASE(adam_has_the_same_bits_on_any_number_of_threads) {
  check_all_runs<nn::Adam>(nn::AdamOptions{.learning_rate = 1e-3});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
