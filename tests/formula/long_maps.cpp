#include <array>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "autograd/formula/pieces.hpp"
#include "autograd/graph/description.hpp"
#include "tests/testing.hpp"

/// \file
/// Formulas that are too long for one map are several, and agree with the same computation written with tensors.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(formula_long_maps)

namespace {

using testing::check_elements;
using testing::random_tensor;

/// The same up to the rounding of some thousand steps.
bool close(const Tensor& a, const Tensor& b) { return a.shape() == b.shape() && allclose(a, b, 1e-9, 1e-9); }

/// The same code on Scalars and on tensors, of more than 5,000 primitives.
struct LongFormula {
  std::string name;
  Formula formula;
  std::function<Tensor(const Tensor&, const Tensor&)> f;
};

template <class F>
LongFormula long_formula(const std::string& name, const F& f) {
  return {name, Formula([f](Scalar a, Scalar b) { return f(a, b); }, name),
          [f](const Tensor& a, const Tensor& b) { return f(a, b); }};
}

const std::vector<LongFormula>& long_formulas() {
  static const std::vector<LongFormula> table = {
      long_formula("iterated",
                   [](auto a, auto b) {
                     for (int i = 0; i < 1300; ++i) {
                       a = a + 0.001 * sin(a * b);
                     }
                     return a;
                   }),
      // Values of the beginning are used to the end.
      long_formula("two_states",
                   [](auto a, auto b) {
                     auto p = a;
                     auto q = b;
                     for (int i = 0; i < 600; ++i) {
                       const auto force = -sin(p) + 0.1 * a;
                       q = q + 0.005 * force - 0.001 * b * q;
                       p = p + 0.005 * q;
                     }
                     return p * q;
                   }),
      // Conditions go from piece to piece, too.
      long_formula("branches",
                   [](auto a, auto b) {
                     const auto above = a > b;
                     auto x = a * b;
                     for (int i = 0; i < 1300; ++i) {
                       x = where(above, x + 0.001 * tanh(x), x - 0.001 * a);
                     }
                     return x;
                   }),
  };
  return table;
}

void check_against_tensors(const LongFormula& each) {
  BOOST_TEST(each.formula.program().steps.size() > 5000U);
  const Tensor a = random_tensor({3, 2}, -1, 1, 1);
  const Tensor b = random_tensor({2}, 0.5, 1.5, 2);
  const Tensor mapped = map(each.formula, {a, b});
  const Tensor expected = each.f(a, b);
  BOOST_TEST((mapped.shape() == expected.shape()));
  BOOST_TEST(close(mapped, expected));

  const Tensors first = grad(sum(mapped), {a, b});
  const Tensors expected_first = grad(sum(expected), {a, b});
  const Tensors tangents{cos(a), sin(b)};
  BOOST_TEST(close(jvp(mapped, {a, b}, tangents), jvp(expected, {a, b}, tangents)));
  for (std::size_t i = 0; i < first.size(); ++i) {
    BOOST_TEST_CONTEXT("input " << i) {
      BOOST_TEST(close(first[i], expected_first[i]));
      const Tensors second = grad(sum(square(first[i])), {a, b});
      const Tensors expected_second = grad(sum(square(expected_first[i])), {a, b});
      BOOST_TEST(close(second[0], expected_second[0]));
      BOOST_TEST(close(second[1], expected_second[1]));
    }
  }
}

const testing::CasePerRow agree(long_formulas(), &LongFormula::name, check_against_tensors);

BOOST_AUTO_TEST_CASE(they_are_compiled_and_mapped_over_samples) {
  const LongFormula& each = long_formulas()[1];
  const Tensor a = random_tensor({4}, -1, 1, 3);
  const Tensor b = random_tensor({4}, 0.5, 1.5, 4);
  const auto gradient = [&](const Tensor& x, const Tensor& y) { return grad(sum(map(each.formula, {x, y})), x); };
  const Tensor expected = gradient(a, b);
  BOOST_TEST(close(compile(gradient)(a, b), expected));
  BOOST_TEST(close(vmap(gradient)(a, b), expected));
}

BOOST_AUTO_TEST_CASE(integers_and_truth_values) {
  const Formula sum_of_powers([](Scalar a) {
    Scalar s = a;
    for (int i = 0; i < 2600; ++i) {
      s = s * a - s + 1;
    }
    return s;
  });
  const Tensor x = testing::make_tensor({0, 1, 2}, {3}, DType::int64);
  const Tensor y = map(sum_of_powers, {x});
  BOOST_TEST((y.dtype() == DType::int64));
  check_elements(y, {3}, {0, 1, 2602});
  const Formula any([](Scalar a) {
    Scalar s = a > 1;
    for (int i = 0; i < 5000; ++i) {
      s = logical_or(s, a > 2.0 + i);
    }
    return s;
  });
  BOOST_TEST((map(any, {x}).dtype() == DType::boolean));
  check_elements(map(any, {x}), {3}, {0, 0, 1});
}

BOOST_AUTO_TEST_CASE(one_node_where_it_fits_and_a_few_where_not) {
  const auto nodes_of = [](int steps) {
    const Tensor x = {0.5};
    const Tensor y = map(
        [steps](Scalar s) {
          for (int i = 0; i < steps; ++i) {
            s = sin(s);
          }
          return s;
        },
        x);
    return Description(std::array{y}).nodes().size();
  };
  BOOST_TEST(nodes_of(static_cast<int>(detail::longest_program)) == 1U);
  const std::size_t several = nodes_of(static_cast<int>(detail::longest_program) + 1);
  BOOST_TEST(several > 1U);
  BOOST_TEST(several <= 2 * (detail::longest_program / detail::longest_piece + 1));
}

// Honest to the end: no piece hides the NaN of another.
BOOST_AUTO_TEST_CASE(undefined_stays_undefined) {
  const Formula f([](Scalar s) {
    s = s * s / s;
    for (int i = 0; i < 1300; ++i) {
      s = s + 0.001 * sin(s * s);
    }
    return s;
  });
  const Tensor x = {0.0, 1.0};
  Tensor y = map(f, {x});
  for (int order = 0; order <= 3; ++order) {
    BOOST_TEST_CONTEXT("order " << order) {
      const std::vector<double> elements = testing::elements(y);
      BOOST_TEST(std::isnan(elements[0]));
      BOOST_TEST(std::isfinite(elements[1]));
    }
    y = grad(sum(y), x);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

}  // namespace xgrad
