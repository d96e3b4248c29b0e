#include <atomic>
#include <chrono>
#include <cmath>
#include <fstream>
#include <thread>
#include <vector>

#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "autograd/runtime/pool.hpp"
#include "tests/graph/user_ops.hpp"
#include "tests/testing.hpp"

namespace xgrad {

BOOST_AUTO_TEST_SUITE(plan_evaluate)

namespace {

using testing::check_elements;
using testing::own_softsign;

std::size_t bytes_in_use() { return runtime::pool_status().in_use; }

/// Memory of this process that is in RAM.
std::size_t resident_bytes() {
  std::size_t total = 0;
  std::size_t resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

/// x + 1 and x + 2, and which of them were wanted the last time.
struct Both {
  static constexpr std::string_view name = "both";
  static constexpr bool skips_outputs = true;
  static inline std::vector<bool> wanted;

  Specs infer(Inputs in) const { return Specs(2, {in[0].shape(), in[0].dtype()}); }
  void eval(ConstViews in, Views out) const {
    wanted.clear();
    for (std::size_t k = 0; k < 2; ++k) {
      wanted.push_back(out[k].data != nullptr);
      for (std::int64_t i = 0; wanted[k] && i < in[0].size(); ++i) {
        out[k].as<double>()[i] = in[0].as<double>()[i] + static_cast<double>(k + 1);
      }
    }
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(outputs_that_nobody_wants_are_skipped) {
  const Tensor x = {1.0, 2.0};
  for (std::size_t k = 0; k < 2; ++k) {
    const auto one = [&](const Tensor& a) { return apply_op_all(Both(), Tensors{a})[k] * 2; };
    const std::vector<bool> expected = {k == 0, k == 1};
    const double first = k == 0 ? 4 : 6;
    check_elements(one(x), {2}, {first, first + 2});
    BOOST_TEST(Both::wanted == expected);
    Both::wanted.clear();
    check_elements(compile(one)(x), {2}, {first, first + 2});
    BOOST_TEST(Both::wanted == expected);
  }
  const auto whole = [](const Tensor& a) { return apply_op_all(Both(), Tensors{a}); };
  check_elements(compile(whole)(x)[1], {2}, {3, 4});
  BOOST_TEST(Both::wanted == std::vector<bool>(2, true));
}

BOOST_AUTO_TEST_CASE(nothing_is_computed_before_it_is_asked_for) {
  std::atomic<int> computed = 0;
  const Tensor y = own_softsign(own_softsign(Tensor{1.0, 2.0}, &computed), &computed);
  const Tensor gradient = grad(sum(y), y);
  BOOST_TEST(computed == 0);
  y.array();
  BOOST_TEST(computed == 2);
  y.array();
  BOOST_TEST(y.value<double>()(0) == 1 / 3.0);
  BOOST_TEST(computed == 2);
}

BOOST_AUTO_TEST_CASE(values_of_held_tensors_are_kept) {
  std::atomic<int> computed = 0;
  const Tensor held = own_softsign(Tensor{1.0}, &computed);
  const Tensor y = exp(own_softsign(held, &computed));
  y.array();
  BOOST_TEST(computed == 2);
  held.array();
  exp(held).array();
  BOOST_TEST(computed == 2);
  // What nobody held is computed again.
  exp(y.node().input(0)).array();
  BOOST_TEST(computed == 3);
}

BOOST_AUTO_TEST_CASE(the_forward_pass_is_shared_with_the_gradient_unless_the_loss_is_read_first) {
  const Tensor x = {1.0, 2.0};
  std::atomic<int> computed = 0;
  const auto make_loss = [&] { return sum(square(exp(own_softsign(x * 2.0, &computed)))); };
  {
    const Tensor loss = make_loss();
    const Tensor gradient = grad(loss, x);
    evaluate(Tensors{loss, gradient});
    BOOST_TEST(computed == 1);
    loss.item();
    gradient.array();
    BOOST_TEST(computed == 1);
  }
  computed = 0;
  {
    const Tensor loss = make_loss();
    const Tensor gradient = grad(loss, x);
    gradient.array();  // keeps the loss's value if it comes by it
    BOOST_TEST(computed == 1);
  }
  computed = 0;
  {
    const Tensor loss = make_loss();
    loss.item();
    BOOST_TEST(computed == 1);
    grad(loss, x).array();
    BOOST_TEST(computed == 2);
  }
}

BOOST_AUTO_TEST_CASE(shared_subexpressions_are_computed_once) {
  std::atomic<int> computed = 0;
  const Tensor shared = own_softsign(Tensor{1.0, -2.0}, &computed);
  const Tensor a = shared + 1.0;
  const Tensor b = shared * shared;
  evaluate(Tensors{a, b, a});
  BOOST_TEST(computed == 1);
  check_elements(a, {2}, {1.5, 1 - 2 / 3.0}, 1e-15);
  check_elements(b, {2}, {0.25, 4 / 9.0}, 1e-15);
}

BOOST_AUTO_TEST_CASE(scratch_is_given_back) {
  constexpr std::int64_t size = 100000;
  const Tensor x = zeros({size}).detach();
  const std::size_t before = bytes_in_use();
  Tensor y = x;
  for (int i = 0; i < 50; ++i) {
    y = sin(y) + 1.0f;
  }
  const Tensor loss = sum(y);
  const Tensor gradient = grad(loss, x);
  y = Tensor();
  gradient.array();
  // The gradient, and the input of the last sine, which the loss holds; of a hundred more nodes nothing.
  const std::size_t kept = (bytes_in_use() - before) / (size * sizeof(float));
  BOOST_TEST(kept == 2u);
}

BOOST_AUTO_TEST_CASE(a_failing_evaluation_gives_its_scratch_back) {
  const Tensor x = zeros({100000}).detach();
  const std::size_t before = bytes_in_use();
  {
    const Tensor wrong = sum(exp(x)) + cast(Tensor(1) / Tensor(0), DType::float32);
    BOOST_CHECK_THROW(wrong.array(), ValueError);
    BOOST_CHECK_THROW(wrong.array(), ValueError);
  }
  BOOST_TEST(bytes_in_use() == before);
}

BOOST_AUTO_TEST_CASE(no_memory_is_lost) {
  const auto update = [] {
    const Variable w(ones({10, 10}));
    const Tensor loss = sum(square(matmul(w, w)));
    w.assign(w - 0.1f * grad(loss, w));
    w.value<float>();
  };
  update();  // what is kept for good, such as derivatives of formulas, is there
  const std::size_t before = bytes_in_use();
  update();
  BOOST_TEST(bytes_in_use() == before);
}

BOOST_AUTO_TEST_CASE(a_chain_of_a_million_nodes) {
  const Tensor x = 1.0;
  Tensor y = x;
  for (int i = 0; i < 1000000; ++i) {
    y = y * 1.000001;
  }
  BOOST_TEST(y.item() == std::pow(1.000001, 1e6), boost::test_tools::tolerance(1e-9));
  Tensor gradient = grad(y, x);
  BOOST_TEST(gradient.item() == std::pow(1.000001, 1e6), boost::test_tools::tolerance(1e-9));
  gradient = Tensor();
  y = Tensor();
}

BOOST_AUTO_TEST_CASE(a_graph_with_exponentially_many_paths) {
  const auto start = std::chrono::steady_clock::now();
  const Tensor x = 1.0;
  Tensor y = x;
  for (int i = 0; i < 60; ++i) {
    y = y * y;  // x to the power of 2^60
  }
  const Tensor gradient = grad(y, x);
  BOOST_TEST(y.item() == 1);
  BOOST_TEST(gradient.item() == std::exp2(60));
  BOOST_TEST(print_graph(y).size() < 10000u);
  y = Tensor();
  BOOST_TEST((std::chrono::steady_clock::now() - start < std::chrono::seconds(1)));
}

BOOST_AUTO_TEST_CASE(a_long_training_loop_does_not_grow) {
  const Variable w(Tensor{5.0f, -3.0f});
  const Variable velocity(zeros({2}));
  const auto steps = [&](int count) {
    for (int i = 0; i < count; ++i) {
      const Tensor gradient = grad(sum(square(w - 1.0f)), w);
      const Tensor v = 0.9f * velocity + gradient;
      assign({{velocity, v}, {w, w - 0.01f * v}});
    }
  };
  steps(20000);
  const std::size_t in_use = bytes_in_use();
  const std::size_t resident = resident_bytes();
  steps(100000);
  BOOST_TEST(bytes_in_use() == in_use);
  BOOST_TEST(resident_bytes() < resident + (std::size_t{2} << 20));
  check_elements(w, {2}, {1, 1}, 1e-5);
}

BOOST_AUTO_TEST_CASE(two_threads_use_the_same_tensors) {
  for (int round = 0; round < 200; ++round) {
    const Tensor x = {0.5, 1.5};
    const Tensor y = exp(sin(x * 2.0));
    const Tensor loss = sum(y * y);
    std::vector<double> results[2];
    const auto work = [&](std::size_t who) {
      results[who] = testing::elements(grad(loss, x));
      results[who].push_back(loss.item());
      results[who].push_back(y.value<double>()(1));
    };
    std::thread first(work, 0);
    std::thread second(work, 1);
    first.join();
    second.join();
    BOOST_TEST(results[0] == results[1]);
    BOOST_TEST(results[0][0] == 4 * std::cos(1) * std::exp(2 * std::sin(1)), boost::test_tools::tolerance(1e-14));
  }
}

BOOST_AUTO_TEST_CASE(threads_build_and_compute_their_own_graphs) {
  std::vector<std::thread> threads;
  std::atomic<int> right = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&right, t] {
      for (int i = 0; i < 300; ++i) {
        const double factor = t + 1;  // a formula of this thread's own, and one that all share
        const Tensor x = {1.0, 2.0};
        const Tensor y = sum(map([factor](Scalar a) { return factor * a * a * a; }, x) + softplus(x) * 0.0);
        right += grad(grad(y, x)[0], x)[0].item() == 6 * factor;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  BOOST_TEST(right == 1200);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
