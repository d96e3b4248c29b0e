#include <sstream>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "autograd/runtime/workers.hpp"
#include "tests/distributed/world_of_tests.hpp"

/// \file
/// Collectives in compiled functions: in program order, once per call, whoever reads what they give.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(distributed_plans)

namespace {

using testing::check_elements;
using testing::close;
using testing::of_all_ranks;
using testing::tree_sum;
using testing::world;

std::size_t own() { return static_cast<std::size_t>(world().rank()); }

}  // namespace

BOOST_AUTO_TEST_CASE(a_step_of_training_is_that_of_all_samples) {
  const Tensors samples = of_all_ranks({8, 5}, 3);
  const Tensors targets = of_all_ranks({8}, 4);
  const Variable w(testing::random_tensor({5}), "w");
  const Variable reference(w.read().detach(), "reference");
  const double count = 8 * static_cast<double>(world().size());
  const auto loss = [](const Tensor& weights, const Tensor& x, const Tensor& y) {
    return sum(square(tanh(matmul(x, weights)) - y));
  };
  const auto step = compile([&](const Tensor& x, const Tensor& y) {
    const Tensor weights = w.read();
    const auto [value, gradient] = value_and_grad([&](const Tensor& v) { return loss(v, x, y); })(weights);
    w.assign(weights - 0.1 * world().all_reduce(gradient) / count);
    return world().all_reduce(value) / count;
  });
  for (int i = 0; i < 5; ++i) {
    const Tensor before = reference.read();
    const Tensor all_samples = concatenate(samples);
    const Tensor all_targets = concatenate(targets);
    const Tensor expected = loss(before, all_samples, all_targets) / count;
    reference.assign(before -
                     0.1 * grad([&](const Tensor& v) { return loss(v, all_samples, all_targets); })(before) / count);
    BOOST_TEST(close(step(samples[own()], targets[own()]), expected));
    BOOST_TEST(close(w.read(), reference.read()));
  }
}

BOOST_AUTO_TEST_CASE(what_nobody_reads_happens_all_the_same) {
  // Were it left out on one rank, the next collective would meet another one.
  const auto f = compile([](const Tensor& x) {
    const Tensor unused = world().all_reduce(x);
    const Tensor again = world().all_reduce(x);  // not merged
    return world().all_gather(x) + sum(again) * 0;
  });
  const Tensors x = of_all_ranks({4});
  for (int i = 0; i < 2; ++i) {
    BOOST_TEST(close(f(x[own()]), concatenate(x)));
  }
  std::ostringstream text;
  text << f.plan(x[own()]);
  if (world().size() > 1) {
    BOOST_TEST(text.str().find("all_reduce") != std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(only_one_rank_reads_the_result) {
  const Tensor x = static_cast<double>(world().rank() + 1);
  const Tensor total = world().all_reduce(x);
  const Tensor all = compile([](const Tensor& a) { return world().all_gather(reshape(a, {1})); })(x);
  if (world().is_root()) {
    BOOST_TEST(total.item() == static_cast<double>(world().size() * (world().size() + 1) / 2));
    BOOST_TEST(all.size() == world().size());
  }
}

BOOST_AUTO_TEST_CASE(gradients_and_higher_derivatives_of_compiled_functions) {
  const Tensors x = of_all_ranks({6});
  const Tensor mine = x[own()];
  const auto f = [](const Tensor& a) { return sum(exp(0.1 * world().all_reduce(sin(a)))); };
  BOOST_TEST(close(compile(grad(f))(mine), grad(f)(mine)));
  const auto g = [&](const Tensor& a) { return sum(sin(grad(f)(a))); };
  BOOST_TEST(close(compile(grad(g))(mine), grad(g)(mine)));
  BOOST_TEST(close(grad(compile(f))(mine), grad(f)(mine)));
  const auto inner = compile(f);
  BOOST_TEST(close(compile(grad([&](const Tensor& a) { return inner(a) * inner(2.0 * a); }))(mine),
                   grad([&](const Tensor& a) { return f(a) * f(2.0 * a); })(mine)));
}

BOOST_AUTO_TEST_CASE(a_function_that_is_computed_again) {
  const Tensors x = of_all_ranks({6});
  const Tensor mine = x[own()];
  const auto f = [](const Tensor& a) { return sum(exp(0.1 * world().all_reduce(sin(a)))); };
  const auto checkpointed = [&](const Tensor& a) { return checkpoint(f)(a) * 2; };
  const Tensor expected = grad([&](const Tensor& a) { return f(a) * 2; })(mine);
  const Tensor found = grad(checkpointed)(mine);
  const Tensor compiled = compile(grad(checkpointed))(mine);
  if (world().is_root()) {  // nothing is left to be done when one rank alone reads it
    BOOST_TEST(close(found, expected));
  }
  BOOST_TEST(close(compiled, expected));
}

BOOST_AUTO_TEST_CASE(the_same_bits_for_any_number_of_threads) {
  const int before = runtime::num_threads();
  const Tensors x = of_all_ranks({300, 200});
  const auto f = compile([](const Tensor& a) { return world().all_reduce(matmul(transpose(a), tanh(a))); });
  runtime::set_num_threads(1);
  const std::vector<double> one = testing::elements(f(x[own()]));
  runtime::set_num_threads(3);
  BOOST_TEST((testing::elements(f(x[own()])) == one));
  runtime::set_num_threads(before);
}

BOOST_AUTO_TEST_CASE(debug_print_and_collectives_are_in_orders_of_their_own) {
  const auto f = compile([](const Tensor& x) {
    const Tensor sum_of_all = world().all_reduce(x);
    debug::print("");
    return sum_of_all + world().all_reduce(2 * x);
  });
  const Tensors x = of_all_ranks({2});
  BOOST_TEST(close(f(x[own()]), 3 * tree_sum(x)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
