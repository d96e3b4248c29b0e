#include <functional>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "tests/distributed/world_of_tests.hpp"

/// \file
/// Derivatives of collectives, compared with those of the same function of all ranks' inputs on one rank alone.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(distributed_derivatives)

namespace {

using testing::close;
using testing::of_all_ranks;
using testing::tree_sum;
using testing::world;

std::size_t own() { return static_cast<std::size_t>(world().rank()); }
std::int64_t ranks() { return world().size(); }

/// A collective, and what it gives to a rank, computed from what all of them have.
struct Case {
  std::string name;
  Shape shape;
  std::function<Tensor(const Tensor&)> together;
  std::function<Tensor(const Tensors&, std::int64_t rank)> alone;
};

std::vector<Case> cases() {
  return {
      {"all_reduce",
       {2, 3},
       [](const Tensor& x) { return world().all_reduce(x); },
       [](const Tensors& x, std::int64_t) { return tree_sum(x); }},
      {"broadcast",
       {2, 3},
       [](const Tensor& x) { return world().broadcast(x, ranks() - 1); },
       [](const Tensors& x, std::int64_t) { return x.back(); }},
      {"all_gather",
       {2, 3},
       [](const Tensor& x) { return world().all_gather(x); },
       [](const Tensors& x, std::int64_t) { return concatenate(x); }},
      {"reduce_scatter",
       {2 * ranks(), 3},
       [](const Tensor& x) { return world().reduce_scatter(x); },
       [](const Tensors& x, std::int64_t rank) { return tree_sum(x)[range(2 * rank, 2 * rank + 2)]; }},
  };
}

// What rank r makes of what it gets, which differs from rank to rank.
Tensor loss_of(const Tensor& y, std::int64_t rank) {
  return sum(sin(y * (1.0 + static_cast<double>(rank))) * (2.0 - static_cast<double>(rank)));
}

Tensor together(const Case& each, const Tensor& x) { return loss_of(each.together(sin(x)), world().rank()); }

Tensor alone(const Case& each, const Tensors& x) {
  Tensors inputs;
  for (const Tensor& tensor : x) {
    inputs.push_back(sin(tensor));
  }
  Tensor total = 0.0;
  for (std::int64_t rank = 0; rank < ranks(); ++rank) {
    total = total + loss_of(each.alone(inputs, rank), rank);
  }
  return total;
}

// The gradient of the total with respect to what this rank has, times what this rank gives.
Tensor slope_together(const Case& each, const Tensor& x, const Tensor& v) {
  return sum(grad(together(each, x), x) * v);
}

Tensor slope_alone(const Case& each, const Tensors& x, const Tensors& v) {
  const Tensors gradients = grad(alone(each, x), x, Unreached::zeros);
  Tensor total = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    total = total + sum(gradients[i] * v[i]);
  }
  return total;
}

}  // namespace

BOOST_AUTO_TEST_CASE(gradients_of_first_to_third_order) {
  for (const Case& each : cases()) {
    BOOST_TEST_CONTEXT(each.name) {
      const Tensors x = of_all_ranks(each.shape);
      const Tensors v = of_all_ranks(each.shape, 2);
      const Tensor mine = x[own()];
      BOOST_TEST(close(grad(together(each, mine), mine), grad(alone(each, x), x, Unreached::zeros)[own()]));
      BOOST_TEST(close(grad(slope_together(each, mine, v[own()]), mine),
                       grad(slope_alone(each, x, v), x, Unreached::zeros)[own()]));
      const Tensor third = grad(sum(grad(slope_together(each, mine, v[own()]), mine) * v[own()]), mine);
      const Tensors second = grad(slope_alone(each, x, v), x, Unreached::zeros);
      Tensor total = 0.0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        total = total + sum(second[i] * v[i]);
      }
      BOOST_TEST(close(third, grad(total, x, Unreached::zeros)[own()]));
    }
  }
}

BOOST_AUTO_TEST_CASE(tangents) {
  for (const Case& each : cases()) {
    BOOST_TEST_CONTEXT(each.name) {
      const Tensors x = of_all_ranks(each.shape);
      const Tensors v = of_all_ranks(each.shape, 2);
      const Tensor mine = x[own()];
      const Tensor expected = each.alone(x, world().rank());
      BOOST_TEST(close(jvp(sin(each.together(mine)), {mine}, {v[own()]}), jvp(sin(expected), x, v)));
    }
  }
}

BOOST_AUTO_TEST_CASE(samples) {
  for (const Case& each : cases()) {
    BOOST_TEST_CONTEXT(each.name) {
      const auto f = [&](const Tensor& x) { return together(each, x); };
      constexpr std::int64_t count = 3;
      Shape shape = each.shape;
      shape.insert(0, count);
      const Tensors x = of_all_ranks(shape);
      const Tensor values = vmap(f)(x[own()]);
      const Tensor gradients = vmap(grad(f))(x[own()]);
      const Tensor compiled = compile(vmap(grad(f)))(x[own()]);
      for (std::int64_t i = 0; i < count; ++i) {
        Tensors sample;
        for (const Tensor& all : x) {
          sample.push_back(all[i]);
        }
        const Tensor given = each.alone({[&] {
                                          Tensors inputs;
                                          for (const Tensor& tensor : sample) {
                                            inputs.push_back(sin(tensor));
                                          }
                                          return inputs;
                                        }()},
                                        world().rank());
        BOOST_TEST(close(values[i], loss_of(given, world().rank())));
        BOOST_TEST(close(gradients[i], grad(alone(each, sample), sample, Unreached::zeros)[own()]));
        BOOST_TEST(close(compiled[i], gradients[i]));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_total_that_one_rank_alone_returns) {
  const Tensors x = of_all_ranks({3});
  const Tensor mine = x[own()];
  const Tensor factor = world().rank() == 0 ? 1.0 : 0.0;
  const Tensor gradient = grad(factor * sum(exp(world().all_reduce(mine))), mine);
  BOOST_TEST(close(gradient, exp(tree_sum(x))));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
