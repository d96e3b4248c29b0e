#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>

#include "autograd/autograd.hpp"
#include "tests/plan/random_ops.hpp"
#include "tests/testing.hpp"

/// \file
/// Loops whose steps are drawn at random: what they give, and their derivatives, are those of the unrolled graph.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(loops_random_loops)

namespace {

using testing::GraphArguments;

constexpr std::int64_t steps = 5;

/// One step of operations on a carry, a slice and a captured tensor. The same seed draws the same step.
class RandomStep : private testing::RandomOps {
 public:
  RandomStep(unsigned seed, const GraphArguments& arguments, const Tensor& captured)
      : RandomOps(seed, DType::float64, arguments) {
    floats_.push_back(captured);
  }

  std::pair<Tensor, Tensor> run() {
    const std::size_t count = 2 + pick(10);
    for (std::size_t i = 0; i < count; ++i) {
      if (const Tensor next = draw(); next.shape().ndim() <= 4 && next.size() <= 400) {
        floats_.push_back(next);
      }
    }
    const Tensor& carry = arguments_[0];
    Tensor next = carry * 0.5 + sum(arguments_[1]) * 0.1;
    for (const Tensor& each : floats_) {
      next = next + 0.2 * (each.shape() == carry.shape() ? sin(each)
                           : each.size() > 0             ? tanh(mean(each))
                                                         : zeros({}, dtype_));
    }
    return {tanh(next), floats_.back()};
  }

 private:
  Tensor draw() {
    switch (pick(10)) {
      case 0:
      case 1: return unary(any());
      case 2:
      case 3: return binary();
      case 4: return selection();
      case 5: return reduction();
      case 6: return product();
      case 7: return layout(any());
      case 8: return along_an_axis();
      default: return indexed();
    }
  }
};

struct Inputs {
  Tensor carry, xs, captured;
};

Inputs inputs_of(unsigned seed) {
  return {testing::random_tensor({2, 3}, -1, 1, 3 * seed), testing::random_tensor({steps, 3}, -1, 1, 3 * seed + 1),
          testing::random_tensor({3, 2}, -1, 1, 3 * seed + 2)};
}

Tensor number_of(const Tensor& last, const Tensor& results) {
  return sum(last * 1.5) + (results.size() > 0 ? mean(sin(results)) : zeros({}, DType::float64));
}

Tensor looped(unsigned seed, const Tensor& carry, const Tensor& xs, const Tensor& captured) {
  const Tensor labels = Tensor{0, 2, 1};
  const auto [last, results] = scan(
      [&](const Tensor& c, const Tensor& x) {
        const GraphArguments arguments{c, x, labels};
        return RandomStep(seed, arguments, captured).run();
      },
      carry, xs);
  return number_of(last, results);
}

Tensor unrolled(unsigned seed, const Tensor& carry, const Tensor& xs, const Tensor& captured) {
  const Tensor labels = Tensor{0, 2, 1};
  Tensor c = carry;
  Tensors rows;
  for (std::int64_t i = 0; i < steps; ++i) {
    const GraphArguments arguments{c, xs[i], labels};
    const auto [next, result] = RandomStep(seed, arguments, captured).run();
    c = next;
    rows.push_back(result);
  }
  return number_of(c, stack(rows));
}

template <class F>
Tensors everything(const F& f, const Inputs& in) {
  const std::vector<std::size_t> all{0, 1, 2};
  Tensors results{f(in.carry, in.xs, in.captured)};
  const auto gradients = [&](const Tensor& c, const Tensor& xs, const Tensor& w) {
    return value_and_grad(f, all)(c, xs, w).second;
  };
  for (const Tensor& each : gradients(in.carry, in.xs, in.captured)) {
    results.push_back(each);
  }
  const auto second = [&](const Tensor& c, const Tensor& xs, const Tensor& w) {
    Tensor total = zeros({}, DType::float64);
    for (const Tensor& each : gradients(c, xs, w)) {
      total = total + sum(sin(each));
    }
    return total;
  };
  for (const Tensor& each : value_and_grad(second, all)(in.carry, in.xs, in.captured).second) {
    results.push_back(each);
  }
  const Tensor samples = testing::random_tensor({3, 2, 3}, -1, 1, 77);
  results.push_back(vmap(grad(f), {0, unmapped, unmapped})(samples, in.xs, in.captured));
  return results;
}

double distance(const Tensor& a, const Tensor& b) {
  const std::vector<double> one = testing::elements(a);
  const std::vector<double> other = testing::elements(b);
  double largest = 1;
  double difference = a.shape() == b.shape() ? 0 : 1;
  for (std::size_t i = 0; i < std::min(one.size(), other.size()); ++i) {
    largest = std::max(largest, std::abs(other[i]));
    difference = std::max(difference, std::abs(one[i] - other[i]));
  }
  return difference / largest;
}

struct Row {
  unsigned seed;
  std::string name;
};

const std::vector<Row>& rows() {
  static const std::vector<Row> all = [] {
    std::vector<Row> list;
    for (unsigned seed = 1; seed <= 60; ++seed) {
      list.push_back({seed, "seed_" + std::to_string(seed)});
    }
    return list;
  }();
  return all;
}

void check(const Row& row) {
  const Inputs in = inputs_of(row.seed);
  const auto f = [&](const Tensor& c, const Tensor& xs, const Tensor& w) { return looped(row.seed, c, xs, w); };
  const auto g = [&](const Tensor& c, const Tensor& xs, const Tensor& w) { return unrolled(row.seed, c, xs, w); };
  const Tensors expected = everything(g, in);
  const Tensors eager = everything(f, in);
  const Tensors compiled = compile([&](const Tensor& c, const Tensor& xs, const Tensor& w) {
    return everything(f, {c, xs, w});
  })(in.carry, in.xs, in.captured);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    BOOST_TEST_CONTEXT("result " << i) {
      BOOST_TEST(distance(eager[i], expected[i]) < 1e-12);
      BOOST_TEST(distance(compiled[i], expected[i]) < 1e-12);
    }
  }
}

}  // namespace

const testing::CasePerRow cases(rows(), &Row::name, check);

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
