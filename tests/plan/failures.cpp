#include <atomic>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "autograd/graph/variable_cell.hpp"
#include "nn/nn.hpp"
#include "tests/testing.hpp"

/// \file
/// Steps that fail in the middle, and where in memory new contents are written.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(plan_failures)

namespace {

using detail::CellAccess;
using testing::check_elements;
using testing::random_tensor;

/// x + 1; the call number \p fails_at throws.
struct FailsOnce {
  static constexpr std::string_view name = "fails_once";
  static constexpr bool linear = true;
  std::atomic<int>* calls;
  int fails_at;
  bool own_error;

  Spec infer(Inputs in) const { return {in[0].shape(), in[0].dtype()}; }
  void eval(ConstViews in, Views out) const {
    if (++*calls == fails_at) {
      if (own_error) {
        throw std::runtime_error("out of luck");
      }
      raise<ValueError>(name, "out of luck");
    }
    for (std::int64_t i = 0; i < in[0].size(); ++i) {
      out[0].as<double>()[i] = in[0].as<double>()[i] + 1;
    }
  }
  Tensors vjp(const Node&, const Cotangents& ct) const { return {ct[0]}; }
};

std::vector<Array> copies_of(const std::vector<Variable>& variables) {
  std::vector<Array> copies;
  for (const Variable& variable : variables) {
    const Array content = CellAccess::content(variable);
    copies.emplace_back(content.shape(), content.dtype());
    std::memcpy(copies.back().data(), content.data(), content.bytes());
  }
  return copies;
}

bool same_bits(const std::vector<Variable>& variables, const std::vector<Array>& arrays) {
  for (std::size_t i = 0; i < variables.size(); ++i) {
    const Array content = CellAccess::content(variables[i]);
    if (std::memcmp(content.data(), arrays[i].data(), arrays[i].bytes()) != 0) {
      return false;
    }
  }
  return true;
}

/// A network of some size with Adam, whose step also does \p extra with the activations.
struct Training {
  nn::Sequential model{nn::Dense(40, 64), nn::Tanh(), nn::Dense(64, 5)};
  nn::Adam adam{model.parameters(), {.learning_rate = 0.01}};
  std::vector<Variable> variables;
  Tensor x = random::normal(random::Key(3), {96, 40}).detach();
  Tensor labels = (remainder(arange(96, DType::int64), 5) * 1).detach();

  Training() {
    model.initialize(random::Key(1));
    variables = adam.parameters();
    variables.insert(variables.end(), adam.state().begin(), adam.state().end());
  }
  Tensor loss(const Tensor& images, const Tensor& targets) const { return nn::cross_entropy(model(images), targets); }
  auto compiled_step() {
    return compile([this](const Tensor& images, const Tensor& targets) {
      const Tensor result = loss(images, targets);
      adam.minimize(result);
      return result;
    });
  }
};

/// Calls that succeed change the variables; the one that fails leaves them, bit for bit.
void check_recovery(const std::vector<Variable>& variables, const std::function<void()>& good,
                    const std::function<void()>& bad) {
  for (int round = 0; round < 2; ++round) {
    const std::vector<Array> start = copies_of(variables);
    good();
    BOOST_TEST(!same_bits(variables, start));
    const std::vector<Array> before = copies_of(variables);
    BOOST_CHECK_THROW(bad(), std::exception);
    BOOST_TEST(same_bits(variables, before));
  }
}

const void* address(const Variable& variable) { return CellAccess::content(variable).data(); }

}  // namespace

BOOST_AUTO_TEST_CASE(a_label_out_of_range_changes_no_weight_and_no_moment) {
  Training training;
  const auto step = training.compiled_step();
  const Tensor wrong = where(arange(96, DType::int64) < std::int64_t{95}, training.labels, std::int64_t{5});
  check_recovery(
      training.variables, [&] { step(training.x, training.labels); }, [&] { step(training.x, wrong); });
}

BOOST_AUTO_TEST_CASE(a_check_of_finiteness_that_fails_changes_no_weight_and_no_moment) {
  Training training;
  const auto step = compile(
      [&](const Tensor& x, const Tensor& labels) {
        const Tensor loss = training.loss(x, labels);
        training.adam.minimize(loss);
        return loss;
      },
      {.plan = {.check_finite = true, .verify = true}});
  const Tensor infinite = where(arange(40) < 39.0, training.x, std::numeric_limits<double>::infinity());
  check_recovery(
      training.variables, [&] { step(training.x, training.labels); }, [&] { step(infinite, training.labels); });
  testing::check_throws<ValueError>([&] { step(infinite, training.labels); }, {"NaN or infinite"});
}

BOOST_AUTO_TEST_CASE(an_indefinite_matrix_changes_nothing) {
  const Variable a(random_tensor({3, 3}) * 0.0, "a");
  const Variable count(Tensor(0.0) * 1.0, "count");
  const auto step = compile([&](const Tensor& x) {
    count.assign(count + 1.0);
    a.assign(a + x);
    return sum(linalg::cholesky(a));
  });
  const Tensor good = eye(3, -1, DType::float64);
  check_recovery(
      {a, count}, [&] { step(good); }, [&] { step(good * -10.0); });
  BOOST_TEST(count.item() == 2);
}

BOOST_AUTO_TEST_CASE(an_op_of_a_users_own_that_throws_changes_nothing) {
  for (const bool own_error : {false, true}) {
    Training training;
    const Variable w(random_tensor({200, 30}) * 1.0, "w");
    std::atomic<int> calls = 0;
    const auto step = compile([&](const Tensor& x) {
      const Tensor y = apply_op(FailsOnce{&calls, 3, own_error}, {w * 2.0 + x});
      const Tensor penalty = cast(sum(square(grad(sum(y * y), w))), DType::float32);
      w.assign(w * 0.5 + tanh(y));
      training.adam.minimize(training.loss(training.x, training.labels) + penalty * 1e-3);
      return sum(w * 1.0);
    });
    std::vector<Variable> variables = training.variables;
    variables.push_back(w);
    const Tensor x = random_tensor({200, 30}, -1, 1, 5);
    step(x);
    step(x);
    const std::vector<Array> before = copies_of(variables);
    BOOST_CHECK_THROW(step(x), std::exception);
    BOOST_TEST(same_bits(variables, before));
    step(x);
    BOOST_TEST(!same_bits(variables, before));
    BOOST_TEST(calls == 4);
  }
}

BOOST_AUTO_TEST_CASE(define_by_run_failures_change_nothing_either) {
  Training training;
  const auto step = [&](const Tensor& labels) { training.adam.minimize(training.loss(training.x, labels)); };
  const Tensor wrong = training.labels + std::int64_t{1};
  check_recovery(
      training.variables, [&] { step(training.labels); }, [&] { step(wrong); });
}

BOOST_AUTO_TEST_CASE(variables_are_written_where_they_are_when_nobody_else_can_see_them) {
  Training training;
  const auto step = training.compiled_step();
  step(training.x, training.labels);  // fills the places of initial values that are shared
  std::vector<const void*> places;
  for (const Variable& variable : training.variables) {
    places.push_back(address(variable));
  }
  for (int call = 0; call < 3; ++call) {
    step(training.x, training.labels);
    for (std::size_t i = 0; i < places.size(); ++i) {
      BOOST_TEST(address(training.variables[i]) == places[i], training.variables[i].name());
    }
  }
}

BOOST_AUTO_TEST_CASE(a_variable_whose_content_is_held_moves_and_the_held_content_stays) {
  const Variable w(random_tensor({500, 20}) * 1.0, "w");
  const auto step = compile([&](const Tensor& x) { w.assign(w * 0.5 + x); });
  const Tensor x = ones({500, 20}, DType::float64);
  step(x);
  const void* place = address(w);
  {
    const auto held = w.value<double>();
    const double first = held(0, 0);
    const std::vector<Array> before = copies_of({w});
    step(x);
    BOOST_TEST(address(w) != place);
    BOOST_TEST(held(0, 0) == first);
    BOOST_TEST(std::memcmp(&held(0, 0), before[0].data(), before[0].bytes()) == 0);
  }
  const Tensor later = w * 3.0;  // not computed yet
  const double expected = w.value<double>()(1, 1) * 3;
  place = address(w);
  step(x);
  BOOST_TEST(address(w) != place);
  BOOST_TEST(later.value<double>()(1, 1) == expected);
  const Variable other = w.clone();
  step(x);
  BOOST_TEST(address(w) != address(other));
  step(w);  // the argument is the content itself
  const double old = other.value<double>()(2, 3);
  BOOST_TEST(w.value<double>()(2, 3) == (old * 0.5 + 1) * 1.5, boost::test_tools::tolerance(1e-15));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
