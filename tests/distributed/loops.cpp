#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "tests/distributed/world_of_tests.hpp"

/// \file
/// Collectives in the steps of loops and in branches, and derivatives through them.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(distributed_loops)

namespace {

using testing::check_throws;
using testing::close;
using testing::of_all_ranks;
using testing::tree_sum;
using testing::world;

std::size_t own() { return static_cast<std::size_t>(world().rank()); }

// A step that mixes what all ranks have.
Tensor step_together(const Tensor& c, const Tensor& w) { return tanh(w * world().all_reduce(c * c) + c); }

Tensors step_alone(const Tensors& c, const Tensors& w) {
  Tensors squares;
  for (const Tensor& each : c) {
    squares.push_back(each * each);
  }
  const Tensor total = tree_sum(squares);
  Tensors next;
  for (std::size_t i = 0; i < c.size(); ++i) {
    next.push_back(tanh(w[i] * total + c[i]));
  }
  return next;
}

constexpr int steps = 4;

Tensor loop_together(const Tensor& c, const Tensor& w) {
  return sum(fori(
      steps, [&](const Tensor&, const Tensor& carry) { return step_together(carry, w); }, c));
}

Tensor unrolled_together(Tensor c, const Tensor& w) {
  for (int i = 0; i < steps; ++i) {
    c = step_together(c, w);
  }
  return sum(c);
}

Tensor alone(Tensors c, const Tensors& w) {
  for (int i = 0; i < steps; ++i) {
    c = step_alone(c, w);
  }
  Tensor total = 0.0;
  for (const Tensor& each : c) {
    total = total + sum(each);
  }
  return total;
}

}  // namespace

BOOST_AUTO_TEST_CASE(values_and_gradients_through_steps) {
  const Tensors c = of_all_ranks({3});
  const Tensors w = of_all_ranks({3}, 2);
  const Tensor my_c = c[own()];
  const Tensor my_w = w[own()];
  const Tensor expected_c = grad(alone(c, w), c)[own()];
  const Tensor expected_w = grad(alone(c, w), w)[own()];
  BOOST_TEST(close(loop_together(my_c, my_w), unrolled_together(my_c, my_w)));
  BOOST_TEST(close(grad(unrolled_together(my_c, my_w), my_c), expected_c));
  BOOST_TEST(close(grad(loop_together(my_c, my_w), my_c), expected_c));
  BOOST_TEST(close(grad(loop_together(my_c, my_w), my_w), expected_w));
  const auto compiled = compile(
      [](const Tensor& a, const Tensor& b) { return grad([&](const Tensor& v) { return loop_together(a, v); })(b); });
  BOOST_TEST(close(compiled(my_c, my_w), expected_w));
  BOOST_TEST(close(compiled(my_c, my_w), expected_w));
}

BOOST_AUTO_TEST_CASE(second_derivatives_and_tangents_through_steps) {
  const Tensors c = of_all_ranks({3});
  const Tensors w = of_all_ranks({3}, 2);
  const Tensors v = of_all_ranks({3}, 3);
  const Tensors first = grad(alone(c, w), w);
  Tensor slope = 0.0;
  for (std::size_t i = 0; i < w.size(); ++i) {
    slope = slope + sum(first[i] * v[i]);
  }
  const Tensor expected = grad(slope, w)[own()];
  const auto second = [&](const Tensor& a) {
    return grad([&](const Tensor& b) {
      return sum(grad([&](const Tensor& d) { return loop_together(c[own()], d); })(b) * v[own()]);
    })(a);
  };
  BOOST_TEST(close(second(w[own()]), expected));
  BOOST_TEST(close(compile(second)(w[own()]), expected));
  const auto tangent_of = [&](const auto& f) {
    return jvp([&](const Tensor& a) { return f(c[own()], a); }, {w[own()]}, {v[own()]}).second;
  };
  BOOST_TEST(close(tangent_of(loop_together), tangent_of(unrolled_together)));
}

BOOST_AUTO_TEST_CASE(samples_through_steps) {
  const Tensors c = of_all_ranks({2, 3});
  const Tensors w = of_all_ranks({3}, 2);
  const auto gradient = [&](const Tensor& a) {
    return grad([&](const Tensor& b) { return loop_together(b, w[own()]); })(a);
  };
  const Tensor mapped = vmap(gradient)(c[own()]);
  for (std::int64_t i = 0; i < 2; ++i) {
    BOOST_TEST(close(mapped[i], gradient(c[own()][i])));
  }
}

BOOST_AUTO_TEST_CASE(slices_results_and_every_kind_of_collective) {
  const Tensors x = of_all_ranks({5, 2});
  const auto f = [](const Tensor& rows) {
    const auto [last, all] = scan(
        [](const Tensor& carry, const Tensor& row) {
          const Tensor gathered = world().all_gather(row * carry);
          const Tensor mine = world().reduce_scatter(sin(gathered));
          return std::pair(tanh(world().broadcast(carry + mine)), sum(mine));
        },
        ones({2}, DType::float64), rows);
    return sum(last) + sum(all * all);
  };
  const auto unrolled = [](const Tensor& rows) {
    Tensor carry = ones({2}, DType::float64);
    Tensor total = 0.0;
    for (std::int64_t i = 0; i < 5; ++i) {
      const Tensor mine = world().reduce_scatter(sin(world().all_gather(rows[i] * carry)));
      total = total + square(sum(mine));
      carry = tanh(world().broadcast(carry + mine));
    }
    return sum(carry) + total;
  };
  const Tensor mine = x[own()];
  BOOST_TEST(close(f(mine), unrolled(mine)));
  BOOST_TEST(close(grad(f)(mine), grad(unrolled)(mine)));
  BOOST_TEST(close(compile(grad(f))(mine), grad(unrolled)(mine)));
}

BOOST_AUTO_TEST_CASE(loops_that_stop_where_all_ranks_agree) {
  const Tensor x = static_cast<double>(world().rank() + 1);
  const auto f = [](const Tensor& start) {
    return while_loop([](const Tensor& c) { return world().all_reduce(c) < 1000.0; },
                      [](const Tensor& c) { return 2 * c; }, start, {.max_steps = 20})
        .carry;
  };
  const double total = static_cast<double>(world().size() * (world().size() + 1) / 2);
  double factor = 1;
  while (factor * total < 1000) {
    factor *= 2;
  }
  BOOST_TEST(f(x).item() == factor * static_cast<double>(world().rank() + 1));
  BOOST_TEST(grad(f)(x).item() == factor);
}

BOOST_AUTO_TEST_CASE(branches_that_all_ranks_take) {
  const Tensors x = of_all_ranks({3});
  const auto f = [](const Tensor& a) {
    return cond(
        world().all_reduce(Tensor(1)) > 0, [](const Tensor& b) { return sum(square(world().all_reduce(b))); },
        [](const Tensor& b) { return sum(b); }, a);
  };
  BOOST_TEST(close(f(x[own()]), sum(square(tree_sum(x)))));
  const Tensor expected = static_cast<double>(2 * world().size()) * tree_sum(x);
  BOOST_TEST(close(grad(f)(x[own()]), expected));
  BOOST_TEST(close(compile(grad(f))(x[own()]), expected));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
