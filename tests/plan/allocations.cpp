#include <cstdlib>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "nn/nn.hpp"
#include "tests/runtime/counted_malloc.hpp"
#include "tests/runtime/threads.hpp"

/// \file
/// Counts heap allocations of compiled steps.

namespace xgrad {

namespace {

/// How many allocations a call makes, when it has been called a few times before.
template <class F>
double allocations_per_call(const F& call) {
  constexpr int calls = 50;
  for (int i = 0; i < 100; ++i) {  // until every thread has done every kind of work
    call();
  }
  testing::take_allocation_count();
  for (int i = 0; i < calls; ++i) {
    call();
  }
  return static_cast<double>(testing::take_allocation_count()) / calls;
}

/// A network in the size of the usual first example, trained with Adam.
struct Training {
  nn::Sequential model{nn::Dense(784, 128), nn::ReLU(), nn::Dense(128, 10)};
  nn::Adam adam{model.parameters()};
  Tensor images = random::normal(random::Key(1), {64, 784}).detach();
  Tensor labels = remainder(arange(64, DType::int64), 10).detach();

  Training() { model.initialize(random::Key(2)); }
  Tensor step(const Tensor& x, const Tensor& y) {
    const Tensor loss = nn::cross_entropy(model(x), y);
    adam.minimize(loss);
    return loss;
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(plan_allocations)

BOOST_AUTO_TEST_CASE(allocations_are_counted) {
  BOOST_TEST(allocations_per_call([] { std::vector<int>(100, 1).shrink_to_fit(); }) == 1);
  BOOST_TEST(allocations_per_call([] {
               void* const volatile block = std::aligned_alloc(64, 6400);  // volatile: or the compiler leaves it out
               std::free(block);
             }) == 1);
}

BOOST_AUTO_TEST_CASE(a_compiled_training_step_makes_no_allocation) {
  for (const int threads : {1, 2}) {
    const testing::Threads setting(threads);
    Training training;
    const auto step = compile([&](const Tensor& x, const Tensor& y) { return training.step(x, y); });
    BOOST_TEST(allocations_per_call([&] { step(training.images, training.labels); }) == 0);
    double last = 0;
    BOOST_TEST(allocations_per_call([&] { last = step(training.images, training.labels).item(); }) == 0);
    BOOST_TEST(last > 0);
  }
}

BOOST_AUTO_TEST_CASE(a_plan_that_runs_into_the_same_outputs_makes_no_allocation) {
  Training training;
  const auto step = compile([&](const Tensor& x, const Tensor& y) { return training.step(x, y); });
  const Plan plan = step.plan(training.images, training.labels);
  const std::vector<Array> inputs{training.images.array(), training.labels.array()};
  std::vector<Array> outputs(plan.output_count());
  BOOST_TEST(allocations_per_call([&] { plan.run(inputs, outputs); }) == 0);
}

BOOST_AUTO_TEST_CASE(two_compiled_functions_in_turn_make_no_allocation) {
  Training training;
  const auto step = compile([&](const Tensor& x, const Tensor& y) { return training.step(x, y); });
  const auto forward_pass = compile([&](const Tensor& x) { return training.model(x); });
  BOOST_TEST(allocations_per_call([&] { forward_pass(training.images); }) == 0);
  BOOST_TEST(allocations_per_call([&] {
               step(training.images, training.labels);
               forward_pass(training.images);
             }) == 0);
}

// Whatever the number of steps, of operands, and of values that a gradient reads.
BOOST_AUTO_TEST_CASE(loops_and_branches_make_no_allocation) {
  Tensors captured;
  for (unsigned i = 0; i < 20; ++i) {
    captured.push_back(random::normal(random::Key(i), {3}).detach());
  }
  const auto f = [&](const Tensor& x) {
    const auto step = [&](const Tensor& c, const Tensor& i) {
      Tensor next = fori(
          3, [&](const Tensor&, const Tensor& d) { return sin(d + x) * 0.5; }, c);
      for (const Tensor& each : captured) {
        next = tanh(next * each);
      }
      return cond(
          remainder(i, 2) == 0, [&](const Tensor& y) { return y * captured[0]; },
          [&](const Tensor& y) { return sum(y) + x; }, next);
    };
    return sum(scan(step, x, 40));
  };
  const Tensor x = random::normal(random::Key(99), {3}).detach();
  for (const int threads : {1, 2}) {
    const testing::Threads setting(threads);
    const auto value = compile(f);
    BOOST_TEST(allocations_per_call([&] { value(x); }) == 0);
    const auto gradient = compile([&](const Tensor& y) { return grad(f)(y); });
    BOOST_TEST(allocations_per_call([&] { gradient(x); }) == 0);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
