#include <array>
#include <cstdint>
#include <cstring>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "autograd/runtime/job_recorder.hpp"
#include "nn/nn.hpp"
#include "tests/runtime/threads.hpp"
#include "tests/testing.hpp"

/// \file
/// Compiled training has the same bits on any number of threads, and again.

BOOST_AUTO_TEST_SUITE(plan_threads)

namespace {

using namespace xgrad;

/// Trains \p model on batches of 64 of 300 numbers.
template <class Optimizer, class Options>
std::uint64_t train(nn::Sequential model, int steps, int threads, const Options& options) {
  const testing::Threads setting(threads);
  const random::Key key(7);
  model.initialize(key.fold(0));
  Optimizer optimizer(model.parameters(), options);
  const auto step = compile([&](const Tensor& x, const Tensor& labels) {
    const Tensor loss = nn::cross_entropy(model(x), labels);
    optimizer.minimize(loss);
    return loss;
  });
  const Tensor images = random::normal(key.fold(1), {4, 64, 300}).detach();
  const Tensor labels = argmax(images[{all(), all(), range(0, 10)}], -1).detach();
  double first = 0;
  double last = 0;
  for (int i = 0; i < steps; ++i) {
    last = step(images[i % 4], labels[i % 4]).item();
    first = i == 0 ? last : first;
  }
  BOOST_TEST(last < 0.7 * first);  // it does learn
  nn::Variables trained = optimizer.parameters();
  trained.insert(trained.end(), optimizer.state().begin(), optimizer.state().end());
  return testing::hash_of(trained);
}

/// Of 100 steps; the first product is cut into slabs.
template <class Optimizer, class Options>
void check_all_runs(const Options& options) {
  const auto run = [&](int threads) {
    return train<Optimizer>(nn::Sequential(nn::Dense(300, 96), nn::ReLU(), nn::Dense(96, 10)), 100, threads, options);
  };
  const std::uint64_t one = run(1);
  for (const int threads : {1, 2, 3, 16, 2}) {
    BOOST_TEST(run(threads) == one, "on " << threads << " threads");
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(compiled_sgd_has_the_same_bits_on_any_number_of_threads) {
  check_all_runs<nn::SGD>(nn::SGDOptions{.learning_rate = 0.05, .momentum = 0.9});
}

BOOST_AUTO_TEST_CASE(compiled_adam_has_the_same_bits_on_any_number_of_threads) {
  check_all_runs<nn::Adam>(nn::AdamOptions{.learning_rate = 1e-3});
}

// One thread computes what adjoins by one call, sixteen have a piece each: here one thread in their stead, as pieces are cut
// for no more threads than there are processors.
BOOST_AUTO_TEST_CASE(products_that_are_cut_for_many_threads_have_the_same_bits_on_one) {
  const auto run = [](int threads) {
    nn::Sequential model(nn::Dense(300, 520), nn::ReLU(), nn::Dense(520, 400), nn::ReLU(), nn::Dense(400, 10));
    return train<nn::SGD>(model, 24, threads, nn::SGDOptions{.learning_rate = 0.05});
  };
  const std::uint64_t one = run(1);
  for (const int threads : {2, 3, 4, 16}) {
    BOOST_TEST(run(threads) == one, "on " << threads << " threads");
    const runtime::JobRecorder as_many(threads);
    BOOST_TEST(run(1) == one, "cut for " << threads << " threads");
  }
}

/// What \p f gives for \p x has the bits that it has on one thread, cut for any number of threads.
template <class F>
void check_cuts(const F& f, const Tensor& x) {
  const testing::Threads one(1);
  const auto compiled = compile(f);
  const Array expected = compiled(x).array();
  for (const int threads : {2, 3, 4, 16, 64}) {
    const runtime::JobRecorder as_many(threads);
    const Array result = compiled(x).array();
    BOOST_TEST(std::memcmp(result.data(), expected.data(), expected.bytes()) == 0, "cut for " << threads << " threads");
  }
}

BOOST_AUTO_TEST_CASE(products_with_weights_of_odd_sizes_have_the_same_bits_however_they_are_cut) {
  for (const auto& [m, k, n] :
       {std::array{1, 20000, 129}, {1, 15000, 449}, {33, 2100, 641}, {64, 129, 192}, {100, 300, 784}}) {
    const Variable w(random::normal(random::Key(1), {k, n}).detach());
    const Variable transposed(random::normal(random::Key(2), {n, k}).detach());
    const Tensor x = random::normal(random::Key(3), {m, k}).detach();
    check_cuts([&](const Tensor& a) { return matmul(a, w); }, x);
    check_cuts([&](const Tensor& a) { return matmul(a, transpose(transposed)); }, x);
  }
}

// Sums over few long rows are cut in another way than those over many.
BOOST_AUTO_TEST_CASE(sums_behind_products_have_the_same_bits_however_products_are_cut) {
  const Tensor y = random::normal(random::Key(1), {16, 66'000}).detach();
  check_cuts([&](const Tensor& a) { return sum(matmul(a, y), -1); }, random::normal(random::Key(2), {70, 16}).detach());
}

// It cannot be cut along its rows, and is computed by all threads.
BOOST_AUTO_TEST_CASE(a_large_product_of_one_row_has_the_bits_of_define_by_run_on_any_number_of_threads) {
  const Tensor a = random::normal(random::Key(1), {1, 900}).detach();
  const Tensor b = random::normal(random::Key(2), {900, 1500}).detach();
  const auto product = compile([](const Tensor& x, const Tensor& y) { return matmul(x, y); });
  for (const int threads : {1, 2, 3}) {
    const testing::Threads setting(threads);
    const Array compiled = product(a, b).array();
    const Array expected = matmul(a, b).array();
    BOOST_TEST(std::memcmp(compiled.data(), expected.data(), expected.bytes()) == 0, "on " << threads << " threads");
  }
}

BOOST_AUTO_TEST_SUITE_END()
