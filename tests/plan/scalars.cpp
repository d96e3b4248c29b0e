#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "tests/testing.hpp"

/// \file
/// Small tensors that plans compute number by number: the same bits as kernel by kernel, in one step.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(plan_scalars)

namespace {

using testing::CasePerRow;
using testing::check_throws;
using testing::make_tensor;

PlanOptions options(bool scalars) {
  PlanOptions result;
  result.verify = true;
  result.passes.scalars = scalars;
  return result;
}

template <class T>
bool same_numbers(const Array& x, const Array& y) {
  return std::equal(x.data<T>(), x.data<T>() + x.size(), y.data<T>(), [](T one, T other) {
    return std::memcmp(&one, &other, sizeof(T)) == 0 || (std::isnan(one) && std::isnan(other));
  });
}

// Which of two NaN comes out is up to the compiler, with the pass and without.
bool same_bits(const Tensor& a, const Tensor& b) {
  const Array x = a.array();
  const Array y = b.array();
  if (x.shape() != y.shape() || x.dtype() != y.dtype()) {
    return false;
  }
  return x.dtype() == DType::float64   ? same_numbers<double>(x, y)
         : x.dtype() == DType::float32 ? same_numbers<float>(x, y)
                                       : std::memcmp(x.data(), y.data(), x.bytes()) == 0;
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

std::size_t steps_of(const std::string& text) { return count_of(text, " = "); }

Tensor argument(DType dtype) { return make_tensor({0.3, -1.2, 0.7, 2.1, -0.0, 1e-3}, {6}, dtype); }

/// A function of six numbers, all of whose nodes become one step.
struct Taken {
  const char* name;
  Tensors (*f)(const Tensor& x);
};

// A node to test stands between scalar ones, which save so much that the pass takes all of them.
Tensor before(const Tensor& x) {
  Tensor y = x[0];
  for (int i = 1; i < 6; ++i) {
    y = y * x[i] + sin(y);
  }
  return y;
}

constexpr Taken all_taken[] = {
    {"maps", [](const Tensor& x) { return Tensors{before(x) / x[1] - 3}; }},
    {"maps_that_broadcast",
     [](const Tensor& x) {
       return Tensors{before(x) * reshape(x, {2, 3}) + x[{range(0, 3)}]};
     }},
    {"several_results",
     [](const Tensor& x) {
       return Tensors{before(x), sin(before(x)), before(x) + x[2]};
     }},
    {"a_number_given_on",
     [](const Tensor& x) {
       return Tensors{before(x), x[3], reshape(x[3], {1, 1})};
     }},
    {"slices", [](const Tensor& x) { return Tensors{before(x) * x[{range(5, 0, -2)}]}; }},
    {"gradients_of_slices", [](const Tensor& x) { return Tensors{grad(before(x), x)}; }},
    {"concatenation",
     [](const Tensor& x) {
       return Tensors{concatenate({reshape(before(x), {1}), x[{range(1, 3)}]}, 0)};
     }},
    {"stacks",
     [](const Tensor& x) {
       return Tensors{stack({before(x), x[1], x[2] * x[3]}), before(x)};
     }},
    {"stacks_of_columns",
     [](const Tensor& x) {
       return Tensors{stack({x[{range(0, 2)}] * before(x), x[{range(2, 4)}]}, 1)};
     }},
    {"broadcasts",
     [](const Tensor& x) {
       return Tensors{broadcast_to(before(x), {2, 3})};
     }},
    {"transposes",
     [](const Tensor& x) {
       return Tensors{transpose(reshape(x, {2, 3}) * before(x))};
     }},
    {"reshapes",
     [](const Tensor& x) {
       return Tensors{reshape(x * before(x), {3, 2})[{all(), 1}]};
     }},
    {"sums_of_rows",
     [](const Tensor& x) {
       return Tensors{sum(reshape(x * before(x), {2, 3}), 1)};
     }},
    {"sums_of_columns",
     [](const Tensor& x) {
       return Tensors{sum(reshape(x * before(x), {2, 3}), 0)};
     }},
    {"comparisons_and_where",
     [](const Tensor& x) {
       return Tensors{where(before(x) < x[1], x[2], -x[3]), before(x) < x[1]};
     }},
    {"casts_of_truth", [](const Tensor& x) { return Tensors{cast(before(x) < x, x.dtype()) * x[1]}; }},
    {"second_derivatives", [](const Tensor& x) { return Tensors{grad(sum(square(grad(before(x), x))), x)}; }},
};

void check_taken(const Taken& taken) {
  for (const DType dtype : {DType::float32, DType::float64}) {
    const auto with = compile([&](const Tensor& x) { return taken.f(x); }, {.plan = options(true)});
    const auto without = compile([&](const Tensor& x) { return taken.f(x); }, {.plan = options(false)});
    const Tensor x = argument(dtype);
    const std::string text = with.plan(x).text();
    BOOST_TEST(steps_of(text) == 1u, text);
    BOOST_TEST(count_of(text, " = scalars(") == 1u, text);
    const Tensors expected = without(x);
    const Tensors actual = with(x);
    BOOST_TEST_REQUIRE(actual.size() == expected.size());
    for (std::size_t i = 0; i < actual.size(); ++i) {
      BOOST_TEST(same_bits(actual[i], expected[i]), actual[i] << " should be " << expected[i]);
    }
  }
}

const CasePerRow taken_cases(all_taken, &Taken::name, check_taken);

}  // namespace

BOOST_AUTO_TEST_CASE(nan_and_infinities_take_their_way) {
  const double infinity = std::numeric_limits<double>::infinity();
  const auto f = [](const Tensor& x) {
    const Tensor y = where(x[0] > x[1], x[0] / x[2], maximum(x[1], x[3])) * 0.0 + relu(x[4]);
    return Tensors{y, stack({y, -y, x[0] - x[1]}), y == y, y < x[5]};
  };
  const auto with = compile(f, {.plan = options(true)});
  const auto without = compile(f, {.plan = options(false)});
  const std::vector<double> numbers = {0, -0.0, 1, infinity, -infinity, std::numeric_limits<double>::quiet_NaN()};
  for (std::size_t first = 0; first < numbers.size(); ++first) {
    for (std::size_t step = 1; step < numbers.size(); ++step) {
      std::vector<double> elements;
      for (std::size_t i = 0; i < 6; ++i) {
        elements.push_back(numbers[(first + i * step) % numbers.size()]);
      }
      const Tensor x = make_tensor(elements, {6}, DType::float64);
      const Tensors expected = without(x);
      const Tensors actual = with(x);
      for (std::size_t i = 0; i < actual.size(); ++i) {
        BOOST_TEST(same_bits(actual[i], expected[i]), "of " << x << ": " << actual[i] << ", not " << expected[i]);
      }
    }
  }
}

namespace {

/// Scalars and short vectors of one random function, with a product of matrices and whole numbers between.
class RandomScalars {
 public:
  explicit RandomScalars(unsigned seed) : seed_(seed) {}

  Tensors operator()(const Tensor& x, const Tensor& whole) const {
    std::mt19937 engine(seed_);
    Tensors all = {x, x[0], x[{range(1, 4)}], x[4], reshape(x[5], {1})};
    const auto any = [&] { return all[engine() % all.size()]; };
    const auto number = [&] {
      const Tensor t = any();
      return reshape(t, {t.size()})[static_cast<std::int64_t>(engine() % static_cast<unsigned>(t.size()))];
    };
    for (int i = 0; i < 60; ++i) {
      all.push_back(next(engine() % 16, any, number, whole, x.dtype()));
    }
    Tensors results(all.end() - 8, all.end());
    results.push_back(grad(sum(stack({number(), number(), number()})), x));
    return results;
  }

 private:
  template <class Any, class Number>
  static Tensor next(unsigned kind, const Any& any, const Number& number, const Tensor& whole, DType dtype) {
    const Tensor t = any();
    switch (kind) {
      case 0: return t * number();
      case 1: return tanh(t) + number();
      case 2: return t - number() * 0.5;
      case 3: return number() / (square(t) + 1);
      case 4: return stack({number(), number(), number()});
      case 5: return concatenate({reshape(t, {t.size()}), reshape(number(), {1})}, 0)[{range(0, 6)}];
      case 6: return reshape(t, {t.size()})[{range(t.size() - 1, Slice::open, -1)}];
      case 7: return sum(stack({t, t * number()}), 0);
      case 8: return sum(t);
      case 9: return where(t < number(), t, sin(t));
      case 10: return cast(t < number(), dtype);
      case 11: return transpose(broadcast_to(number(), {2, 3}));
      case 12:
        return matmul(broadcast_to(number(), {2, 2}),
                      stack({stack({number(), number()}), stack({number(), number()})}));
      case 13: return number() * cast(whole[1] * whole[0], dtype);
      case 14: return sigmoid(t) * exp(-abs(number()));
      default: return number() * number() + number();
    }
  }

  unsigned seed_;
};

Tensors outcome(const RandomScalars& f, bool scalars, DType dtype) {
  return compile(f, {.plan = options(scalars)})(argument(dtype), Tensor{3, 2});
}

}  // namespace

BOOST_AUTO_TEST_CASE(random_graphs_have_the_same_bits_with_the_pass_and_without) {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    const DType dtype = seed % 2 == 0 ? DType::float32 : DType::float64;
    const RandomScalars f(seed);
    const Tensors actual = outcome(f, true, dtype);
    const Tensors expected = outcome(f, false, dtype);
    for (std::size_t i = 0; i < actual.size(); ++i) {
      BOOST_TEST(same_bits(actual[i], expected[i]),
                 "graph " << seed << ", result " << i << ": " << actual[i] << ", not " << expected[i]);
    }
  }
}

BOOST_AUTO_TEST_CASE(what_others_compute_between_splits_a_run) {
  const auto f = [](const Tensor& x, const Tensor& m) {
    const Tensor a = before(x);
    const Tensor b = sum(matmul(m * a, m));  // of many elements: reads a number, and gives one
    return before(stack({a, b, a * b, x[0], x[1], x[2]}));
  };
  const auto with = compile(f, {.plan = options(true)});
  const Tensor x = argument(DType::float32);
  const Tensor m = ones({20, 20}) * 0.01;
  const std::string text = with.plan(x, m).text();
  BOOST_TEST(count_of(text, " = scalars(") == 2u, text);
  BOOST_TEST(same_bits(with(x, m), compile(f, {.plan = options(false)})(x, m)));
}

BOOST_AUTO_TEST_CASE(float64_and_float32_are_runs_of_their_own) {
  const auto f = [](const Tensor& x) {
    return before(cast(stack({before(x), x[1], x[2], x[3], x[4], x[5]}), DType::float32));
  };
  const auto with = compile(f, {.plan = options(true)});
  const Tensor x = argument(DType::float64);
  const std::string text = with.plan(x).text();
  BOOST_TEST(count_of(text, " = scalars(") == 2u, text);
  BOOST_TEST(same_bits(with(x), compile(f, {.plan = options(false)})(x)));
}

BOOST_AUTO_TEST_CASE(effects_keep_their_order) {
  const auto f = [](const Tensor& x) {
    const Tensor shown = debug::print("first {}", before(x));
    const Tensor other = debug::print("second {}", x[0] * 2);
    return before(x) * other + shown * sin(other) + square(other);
  };
  const Tensor x = argument(DType::float64);
  BOOST_TEST(same_bits(compile(f, {.plan = options(true)})(x), compile(f, {.plan = options(false)})(x)));
}

BOOST_AUTO_TEST_CASE(whole_numbers_are_left_alone_and_fail_where_they_are_written) {
  const auto f = [](const Tensor& n, const Tensor& x) { return before(x) * cast(n[0] / n[1], DType::float64); };
  const auto with = compile(f, {.plan = options(true)});
  const Tensor x = argument(DType::float64);
  BOOST_TEST(same_bits(with(Tensor{7, 2}, x), compile(f, {.plan = options(false)})(Tensor{7, 2}, x)));
  check_throws<ValueError>([&] { with(Tensor{7, 0}, x).array(); }, {"[divide]", "divided by zero", "scalars.cpp"});
}

BOOST_AUTO_TEST_CASE(a_number_that_is_not_finite_is_found_at_its_operation) {
  const auto f =
      compile([](const Tensor& x) { return sqrt(log(x[1]) * x[0]) + before(x); }, {.plan = {.check_finite = true}});
  check_throws<ValueError>([&] { f(argument(DType::float64)).array(); }, {"log", "scalars.cpp"});
}

BOOST_AUTO_TEST_CASE(variables_are_written_in_place) {
  for (const bool scalars : {true, false}) {
    const Variable w(argument(DType::float64), "w");
    const auto step = compile(
        [&](const Tensor& x) {
          const Tensor old = w.read();
          w.assign(old * before(x) + stack({old[1], old[0], old[2], old[5], old[4], old[3]}));
        },
        {.plan = options(scalars)});
    for (int i = 0; i < 3; ++i) {
      step(argument(DType::float64));
    }
    static Array first;
    if (scalars) {
      first = w.read().array();
      BOOST_TEST(count_of(step.plan(argument(DType::float64)).text(), "[over argument 1]") == 2u);
    } else {
      BOOST_TEST(same_bits(Tensor(first), w.read()));
    }
  }
}

BOOST_AUTO_TEST_CASE(bodies_of_loops_are_computed_number_by_number) {
  const auto f = [](const Tensor& x) {
    const auto step = [&](const Tensor&, const Tensor& c) {
      const Tensor moved = stack({c[0] + 0.01 * (c[1] - c[0] * x[2]), c[1] - 0.01 * sin(c[0]) * x[3]});
      return where(moved[0] < 10, moved, c);
    };
    return value_and_grad([&](const Tensor& start) { return sum(fori(37, step, start)); })(x[{range(0, 2)}]);
  };
  const Tensor x = argument(DType::float64);
  const auto [value, gradient] = compile(f, {.plan = options(true)})(x);
  const auto [other_value, other_gradient] = compile(f, {.plan = options(false)})(x);
  BOOST_TEST(same_bits(value, other_value));
  BOOST_TEST(same_bits(gradient, other_gradient));
}

BOOST_AUTO_TEST_CASE(long_vectors_are_left_to_vectors) {
  const auto f = compile([](Tensor x) {
    for (int i = 0; i < 8; ++i) {
      x = x * x + 1;
    }
    return x;
  });
  BOOST_TEST(count_of(f.plan(ones({14})).text(), " = scalars(") == 0u);
  BOOST_TEST(count_of(f.plan(ones({100})).text(), " = scalars(") == 0u);
  BOOST_TEST(count_of(f.plan(ones({})).text(), " = scalars(") == 1u);
}

BOOST_AUTO_TEST_CASE(the_text_says_how_much_is_computed) {
  const auto f = compile([](const Tensor& x) { return stack({x[0] * x[1] + x[2], x[1]}); });
  const std::string text = f.plan(argument(DType::float32)).text();
  BOOST_TEST(count_of(text, "2 operations on single numbers, from 3 to 2") == 1u, text);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
