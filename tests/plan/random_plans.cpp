#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "random_graphs.hpp"
#include "tests/runtime/threads.hpp"
#include "tests/testing.hpp"

/// \file
/// Random graphs: plans, with every pass and without each, compute what the nodes do one by one.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(plan_random_plans)

namespace {

using testing::GraphArguments;
using testing::RandomGraph;

/// What some calls gave: the results, then the contents of the variables, call by call.
using Outcome = std::vector<Array>;

constexpr int calls = 2;

/// The same elements elsewhere: who holds the content of a variable keeps it from being written in place.
Array copy_of(const Array& array) {
  Array copy(array.shape(), array.dtype());
  std::memcpy(copy.data(), array.data(), array.bytes());
  return copy;
}

template <class F>
Outcome outcome_of(const RandomGraph& graph, const F& make_step) {
  const std::vector<Variable> variables = graph.make_variables();
  const GraphArguments arguments = graph.arguments();
  const auto step = make_step(variables);
  Outcome outcome;
  for (int call = 0; call < calls; ++call) {
    for (const Tensor& result : step(arguments)) {
      outcome.push_back(copy_of(result.array()));
    }
    for (const Variable& variable : variables) {
      outcome.push_back(copy_of(variable.read().array()));
    }
  }
  return outcome;
}

Outcome node_by_node(const RandomGraph& graph) {
  return outcome_of(graph, [&](const std::vector<Variable>& variables) {
    return [&graph, &variables](const GraphArguments& arguments) {
      const Tensors results = graph(arguments, variables, testing::evaluate_node_by_node);
      testing::evaluate_node_by_node(results);
      return results;
    };
  });
}

Outcome define_by_run(const RandomGraph& graph) {
  return outcome_of(graph, [&](const std::vector<Variable>& variables) {
    return [&graph, &variables](const GraphArguments& arguments) {
      const Tensors results = graph(arguments, variables);
      evaluate(results);
      return results;
    };
  });
}

Outcome compiled(const RandomGraph& graph, const PlanOptions& options) {
  return outcome_of(graph, [&](const std::vector<Variable>& variables) {
    const auto step = compile(
        [&graph, &variables](const Tensor& x, const Tensor& y, const Tensor& labels) {
          return graph({x, y, labels}, variables);
        },
        {.plan = options});
    return [step](const GraphArguments& arguments) { return step(arguments[0], arguments[1], arguments[2]); };
  });
}

/// The largest difference of two arrays' elements, relative to \p a's largest element or 1; infinite where one is not
/// finite and the other is another.
double difference(const Array& a, const Array& b) {
  return dispatch(a.dtype(), [&](auto zero) {
    using T = decltype(zero);
    double scale = 1;
    double largest = 0;
    for (std::int64_t i = 0; i < a.size(); ++i) {
      const auto x = static_cast<double>(a.data<T>()[i]);
      const auto y = static_cast<double>(b.data<T>()[i]);
      if (std::isfinite(x) && std::isfinite(y)) {
        scale = std::max(scale, std::abs(x));
        largest = std::max(largest, std::abs(x - y));
      } else if (!(x == y || (std::isnan(x) && std::isnan(y)))) {
        return std::numeric_limits<double>::infinity();
      }
    }
    return largest / scale;
  });
}

/// What is wrong with \p actual, or nothing.
std::string mismatch(const Outcome& actual, const Outcome& expected, double tolerance) {
  if (actual.size() != expected.size()) {
    return "another number of results";
  }
  for (std::size_t i = 0; i < actual.size(); ++i) {
    if (actual[i].shape() != expected[i].shape() || actual[i].dtype() != expected[i].dtype()) {
      return "result " + std::to_string(i) + " has another shape or dtype";
    }
    const double off = difference(expected[i], actual[i]);
    if (off > (is_floating(actual[i].dtype()) ? tolerance : 0)) {
      return "result " + std::to_string(i) + " differs by " + std::to_string(off);
    }
  }
  return "";
}

bool same_bits(const Outcome& a, const Outcome& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Array& x, const Array& y) {
    return x.bytes() == y.bytes() && std::memcmp(x.data(), y.data(), x.bytes()) == 0;
  });
}

constexpr bool Passes::*all_passes[] = {&Passes::constants,      &Passes::common,   &Passes::scalars,
                                        &Passes::simplification, &Passes::slabs,    &Passes::fusion,
                                        &Passes::accumulation,   &Passes::in_place, &Passes::reuse};

void check_plans(unsigned seed, RandomGraph::Size size) {
  const RandomGraph graph(seed, size);
  const Outcome expected = node_by_node(graph);
  const auto check = [&](const char* what, const PlanOptions& options) {
    std::string wrong;
    try {
      wrong = mismatch(compiled(graph, options), expected, graph.tolerance());
    } catch (const Error& error) {
      wrong = error.what();
    }
    BOOST_TEST(wrong == "", "graph " << seed << " " << what << ": " << wrong);
  };
  BOOST_TEST(mismatch(define_by_run(graph), expected, graph.tolerance()) == "", "graph " << seed << " define-by-run");
  check("with all passes", {.verify = true});
  PlanOptions none{.verify = true};
  const char* names[] = {"constants", "common",       "scalars",  "simplification", "slabs",
                         "fusion",    "accumulation", "in_place", "reuse"};
  for (std::size_t i = 0; i < std::size(all_passes); ++i) {
    PlanOptions without{.verify = true};
    without.passes.*all_passes[i] = false;
    none.passes.*all_passes[i] = false;
    check(names[i], without);
  }
  check("without any pass", none);
}

}  // namespace

BOOST_AUTO_TEST_CASE(small_graphs_give_the_same_with_every_pass_and_without_each) {
  for (unsigned seed = 1; seed <= 300; ++seed) {
    check_plans(seed, RandomGraph::Size::small);
  }
}

BOOST_AUTO_TEST_CASE(large_graphs_give_the_same_with_every_pass_and_without_each) {
  for (unsigned seed = 1; seed <= 50; ++seed) {
    check_plans(seed, RandomGraph::Size::large);
  }
}

BOOST_AUTO_TEST_CASE(results_have_the_same_bits_on_any_number_of_threads_and_again) {
  std::vector<std::pair<Outcome, Outcome>> first;
  for (const int threads : {1, 1, 2, 3}) {
    const testing::Threads setting(threads);
    for (unsigned seed = 1; seed <= 100; ++seed) {
      const RandomGraph graph(seed, seed % 4 == 0 ? RandomGraph::Size::large : RandomGraph::Size::small);
      const Outcome plan = compiled(graph, {});
      const Outcome plain = define_by_run(graph);
      if (first.size() < seed) {
        first.emplace_back(plan, plain);
      }
      BOOST_TEST(same_bits(plan, first[seed - 1].first), "graph " << seed << " on " << threads << " threads");
      BOOST_TEST(same_bits(plain, first[seed - 1].second), "graph " << seed << " on " << threads << ", define-by-run");
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
