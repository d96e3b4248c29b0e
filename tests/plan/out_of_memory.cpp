#include <functional>
#include <new>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "autograd/runtime/pool.hpp"
#include "nn/nn.hpp"
#include "tests/runtime/counted_malloc.hpp"
#include "tests/runtime/threads.hpp"
#include "tests/testing.hpp"

/// \file
/// Memory runs out at every single allocation in turn: each gives an exception, nothing has changed, and the next try
/// succeeds.

namespace xgrad {

namespace {

using testing::elements;

using Numbers = std::vector<double>;

/// What is done, and what can be seen of it before and after. Both keep their state alive.
struct Scene {
  std::function<void()> act;
  std::function<Numbers()> look;
};

/// \param make a scene from the beginning. \param anew whatever was kept of former ones is given up: plans, formulas, memory.
void fail_everywhere(const std::function<Scene()>& make, bool anew = true) {
  const Scene whole = make();
  const Numbers before = whole.look();
  whole.act();
  const Numbers after = whole.look();
  for (long number = 1;; ++number) {
    const Scene scene = make();
    if (anew) {
      runtime::release_cached_memory();
    }
    bool thrown = false;
    testing::fail_at_allocation(number);
    try {
      scene.act();
    } catch (const std::bad_alloc&) {
      thrown = true;
    } catch (const MemoryError&) {
      thrown = true;
    }
    const bool failed = testing::allocation_has_failed();
    testing::fail_at_allocation(0);
    BOOST_TEST_INFO("allocation " << number);
    BOOST_REQUIRE(scene.look() == (thrown ? before : after));
    if (thrown) {
      scene.act();
      BOOST_TEST_INFO("the second try after allocation " << number);
      BOOST_REQUIRE(scene.look() == after);
    }
    if (!failed) {
      BOOST_TEST(number > 5);  // something was allocated
      return;
    }
  }
}

/// A scene of a function of two matrices, which gives numbers.
std::function<Scene()> of_function(const std::function<Tensors(const Tensor&, const Tensor&)>& f) {
  return [f] {
    const auto results = std::make_shared<Numbers>();
    const Tensor x = sin(reshape(arange(12.0, DType::float64), {3, 4})).detach();
    const Tensor y = cos(reshape(arange(12.0, DType::float64), {4, 3})).detach();
    return Scene{[=] {
                   Numbers found;
                   for (const Tensor& each : f(x, y)) {
                     const Numbers numbers = elements(each);
                     found.insert(found.end(), numbers.begin(), numbers.end());
                   }
                   results->swap(found);
                 },
                 [=] { return *results; }};
  };
}

/// Fits a line of its own with an optimiser.
struct TrainingSteps {
  nn::Sequential model{nn::Dense(3, 4), nn::Tanh(), nn::Dense(4, 2)};
  nn::Adam adam{model.parameters()};
  Tensor x = sin(reshape(arange(15.0f), {5, 3})).detach();
  Tensor y = Tensor{0, 1, 1, 0, 1};

  TrainingSteps() { model.initialize(random::Key(2)); }
  Tensor step() {
    const Tensor loss = nn::cross_entropy(model(x), y);
    adam.minimize(loss);
    return loss;
  }
  Numbers look() const {
    Numbers all;
    for (const Variable& variable : adam.state()) {
      const Numbers numbers = elements(variable);
      all.insert(all.end(), numbers.begin(), numbers.end());
    }
    for (const Variable& parameter : model.parameters()) {
      const Numbers numbers = elements(parameter);
      all.insert(all.end(), numbers.begin(), numbers.end());
    }
    return all;
  }
};

Tensor network(const Tensor& x, const Tensor& y, int layers = 4) {
  Tensor h = x;
  for (int i = 0; i < layers; ++i) {
    h = tanh(matmul(matmul(h, y), x) + sum(h * 0.5, 1, true));
  }
  return sum(softmax(h, 1) * h);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(plan_out_of_memory)

BOOST_AUTO_TEST_CASE(expressions) {
  fail_everywhere(of_function([](const Tensor& x, const Tensor& y) {
    return Tensors{matmul(x, y) + 1.0, concatenate({sort(x, 1), exp(x)}, 0), amax(x, 0), cumsum(y, 1)};
  }));
}

BOOST_AUTO_TEST_CASE(graphs_that_are_planned) {
  fail_everywhere(of_function([](const Tensor& x, const Tensor& y) { return Tensors{network(x, y)}; }));
}

BOOST_AUTO_TEST_CASE(derivatives) {
  fail_everywhere(of_function([](const Tensor& x, const Tensor& y) {
    Tensors results = grad(network(x, y, 1), {x, y});
    results.push_back(hvp([&](const Tensor& each) { return network(each, y, 1); })(x, ones({3, 4}, DType::float64)));
    return results;
  }));
}

BOOST_AUTO_TEST_CASE(functions_over_a_batch) {
  fail_everywhere(of_function([](const Tensor& x, const Tensor& y) {
    return Tensors{vmap([&](const Tensor& row) { return sum(tanh(matmul(expand_dims(row, 0), y))); })(x)};
  }));
}

BOOST_AUTO_TEST_CASE(formulas) {
  fail_everywhere(of_function([](const Tensor& x, const Tensor&) {
    const Tensor y = map([](Scalar s) { return s * exp(-s * s) / (1.0 + tanh(s)); }, x);
    return Tensors{y, grad(sum(grad(sum(y), x)), x)};
  }));
}

BOOST_AUTO_TEST_CASE(compiled_functions) {
  fail_everywhere(of_function([](const Tensor& x, const Tensor& y) {
    const auto inner =
        compile([](const Tensor& a) { return checkpoint([](const Tensor& t) { return exp(t) * t; })(a); });
    const auto outer = compile([&](const Tensor& a, const Tensor& b) {
      return Tensors{network(a, b), grad(sum(inner(a)), a)};
    });
    return outer(x, y);
  }));
}

BOOST_AUTO_TEST_CASE(factorisations) {
  fail_everywhere(of_function([](const Tensor& x, const Tensor& y) {
    const Tensor square = matmul(x, y) + 4.0 * eye(3, 3, DType::float64);
    return Tensors{linalg::inv(square), linalg::det(square), linalg::qr(square).r};
  }));
}

BOOST_AUTO_TEST_CASE(assignments) {
  fail_everywhere([] {
    const auto variables = std::make_shared<std::vector<Variable>>();
    for (int i = 0; i < 5; ++i) {
      variables->emplace_back(full({2}, i, DType::float64));
    }
    return Scene{[=] {
                   std::vector<Assignment> updates;
                   for (const Variable& each : *variables) {
                     updates.emplace_back(each, each * 2.0 + 1.0);
                   }
                   assign(updates);
                 },
                 [=] {
                   Numbers all;
                   for (const Variable& each : *variables) {
                     all.push_back(each.read()[0].item());
                   }
                   return all;
                 }};
  });
}

BOOST_AUTO_TEST_CASE(training_steps) {
  fail_everywhere([] {
    const auto training = std::make_shared<TrainingSteps>();
    return Scene{[=] { training->step(); }, [=] { return training->look(); }};
  });
}

// There is a plan, which has run, and writes over the old moments.
BOOST_AUTO_TEST_CASE(training_steps_after_others) {
  fail_everywhere(
      [] {
        const auto training = std::make_shared<TrainingSteps>();
        for (int i = 0; i < 4; ++i) {
          training->step();
        }
        return Scene{[=] { training->step(); }, [=] { return training->look(); }};
      },
      false);
}

BOOST_AUTO_TEST_CASE(compiled_training_steps) {
  for (const int calls : {0, 2}) {  // before: then the plan is there, and writes over the old weights
    fail_everywhere([=] {
      const auto training = std::make_shared<TrainingSteps>();
      const auto step = std::make_shared<decltype(compile(std::function<Tensor()>()))>(
          compile(std::function<Tensor()>([=] { return training->step(); })));
      for (int i = 0; i < calls; ++i) {
        (*step)();
      }
      return Scene{[=] { (*step)(); }, [=] { return training->look(); }};
    });
  }
}

BOOST_AUTO_TEST_CASE(numbers_of_threads) {
  const testing::Threads threads(1);
  fail_everywhere([] {
    const auto sums = std::make_shared<Numbers>();
    return Scene{[=] {
                   Numbers found;
                   for (const int count : {3, 2, 5}) {
                     runtime::set_num_threads(count);
                     found.push_back(sum(sin(arange(100'000.0))).item());
                   }
                   sums->swap(found);
                 },
                 [=] { return *sums; }};
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
