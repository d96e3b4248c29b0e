#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <vector>

#include <dlfcn.h>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "nn/nn.hpp"
#include "tests/runtime/threads.hpp"

/// \file
/// Counts heap allocations of compiled steps. A program of its own, for it stands in for the C library's malloc, through
/// which operator new goes too.

namespace {

std::atomic<bool> counting = false;
std::atomic<long> counted = 0;

void count_one() {
  if (counting.load(std::memory_order_relaxed)) {
    ++counted;
  }
}

/// The C library's function of that name.
template <class F>
F* behind(const char* name) {
  return reinterpret_cast<F*>(dlsym(RTLD_NEXT, name));
}

/// What is asked for while the library's own functions are being looked up; never given back.
alignas(64) std::byte early_memory[16384];
std::size_t early_used = 0;

void* early(std::size_t bytes) {
  void* block = early_memory + early_used;
  early_used += (bytes + 63) / 64 * 64;
  return early_used <= sizeof(early_memory) ? block : nullptr;
}

bool is_early(const void* block) { return block >= early_memory && block < early_memory + sizeof(early_memory); }

bool looking_up = false;

/// Calls a function of the C library and counts the call.
template <class F, class... Arguments>
void* forward(F*& function, const char* name, std::size_t bytes, Arguments... arguments) {
  count_one();
  if (function == nullptr) {
    if (looking_up) {
      return early(bytes);
    }
    looking_up = true;
    function = behind<F>(name);
    looking_up = false;
  }
  return function(arguments...);
}

}  // namespace

extern "C" {

void* malloc(std::size_t bytes) {
  static void* (*function)(std::size_t) = nullptr;
  return forward(function, "malloc", bytes, bytes);
}

void* calloc(std::size_t count, std::size_t bytes) {
  static void* (*function)(std::size_t, std::size_t) = nullptr;
  return forward(function, "calloc", count * bytes, count, bytes);
}

void* realloc(void* block, std::size_t bytes) {
  static void* (*function)(void*, std::size_t) = nullptr;
  return forward(function, "realloc", bytes, block, bytes);
}

void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
  static void* (*function)(std::size_t, std::size_t) = nullptr;
  return forward(function, "aligned_alloc", bytes, alignment, bytes);
}

int posix_memalign(void** block, std::size_t alignment, std::size_t bytes) {
  *block = aligned_alloc(alignment, bytes);
  return *block == nullptr ? 12 : 0;  // ENOMEM
}

void free(void* block) {
  static void (*function)(void*) = nullptr;
  if (is_early(block)) {
    return;
  }
  if (function == nullptr) {
    function = behind<void(void*)>("free");
  }
  function(block);
}

}  // extern "C"

namespace xgrad {

namespace {

/// How many allocations a call makes, when it has been called a few times before.
template <class F>
double allocations_per_call(const F& call) {
  constexpr int calls = 50;
  for (int i = 0; i < 100; ++i) {  // until every thread has done every kind of work
    call();
  }
  counted = 0;
  counting = true;
  for (int i = 0; i < calls; ++i) {
    call();
  }
  counting = false;
  return static_cast<double>(counted) / calls;
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
  BOOST_TEST(allocations_per_call([] { std::free(std::aligned_alloc(64, 6400)); }) == 1);
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

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
