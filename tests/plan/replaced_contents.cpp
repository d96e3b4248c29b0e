#include <cstddef>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "nn/nn.hpp"

/// \file
/// New contents of variables that are computed without compile(): whether they are written over the old ones, and what must not
/// be seen of it.

BOOST_AUTO_TEST_SUITE(plan_replaced_contents)

namespace {

using namespace xgrad;

constexpr int updates = 4;  // the first run of a plan writes over nothing

const void* place_of(const Variable& variable) { return variable.value<float>().data(); }

std::vector<float> numbers_of(const Tensor& tensor) {
  const auto elements = tensor.value<float>();
  return {elements.begin(), elements.end()};
}

/// x, after enough steps for a plan.
Tensor steps_of(const Tensor& x) {
  Tensor y = x;
  for (int i = 0; i < 16; ++i) {
    y = softplus(y) * (0.5F + static_cast<float>(i));
  }
  return y;
}

Tensor next_of(const Tensor& old, const Tensor& x) { return old * 0.5F + steps_of(x); }

/// Updates of which nobody else has a copy, as an initialiser's elements would be. They are to be assigned in a statement of
/// its own: temporary tensors live as long as the one that made them.
template <class... All>
std::vector<Assignment> listed(All&&... all) {
  std::vector<Assignment> result;
  (result.push_back(std::forward<All>(all)), ...);
  return result;
}

struct Cell {
  Variable variable{Tensor({1.0F, 2.0F, 3.0F, 4.0F}), "v"};
  Tensor x{1.0F, -1.0F, 0.5F, 0.0F};
  std::vector<float> expected = numbers_of(variable);

  /// One more update, from what the variable holds.
  void expect_next() {
    const std::vector<float> added = numbers_of(steps_of(x));
    for (std::size_t i = 0; i < expected.size(); ++i) {
      expected[i] = expected[i] * 0.5F + added[i];
    }
  }
  void give_up() const {
    std::vector<Assignment> all = listed(Assignment(variable, next_of(variable, x)));
    assign(std::move(all));
  }
};

BOOST_AUTO_TEST_CASE(a_content_that_nobody_sees_is_written_over) {
  Cell cell;
  std::vector<const void*> places;
  for (int i = 0; i < updates; ++i) {
    cell.expect_next();
    cell.give_up();
    places.push_back(place_of(cell.variable));
    BOOST_TEST(numbers_of(cell.variable) == cell.expected, boost::test_tools::per_element());
  }
  BOOST_TEST(places[3] == places[2]);
}

BOOST_AUTO_TEST_CASE(a_tensor_that_was_read_keeps_its_elements) {
  Cell cell;
  for (int i = 0; i < updates; ++i) {
    const Tensor before = cell.variable.read();
    const auto view = cell.variable.value<float>();
    const std::vector<float> old = cell.expected;
    cell.expect_next();
    cell.give_up();
    BOOST_TEST(numbers_of(before) == old, boost::test_tools::per_element());
    BOOST_TEST(view(0) == old[0]);
    BOOST_TEST(numbers_of(cell.variable) == cell.expected, boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(a_view_keeps_its_elements) {
  Cell cell;
  for (int i = 0; i < updates; ++i) {
    const auto view = cell.variable.value<float>();
    const float old = cell.expected[0];
    cell.expect_next();
    cell.give_up();
    BOOST_TEST(view(0) == old);
  }
}

BOOST_AUTO_TEST_CASE(what_was_built_from_it_is_computed_from_the_old_content) {
  Cell cell;
  for (int i = 0; i < updates; ++i) {
    const Tensor later = cell.variable.read() * 2.0F;
    const float old = cell.expected[1];
    cell.expect_next();
    cell.give_up();
    BOOST_TEST(numbers_of(later)[1] == 2.0F * old);
    BOOST_TEST(numbers_of(cell.variable) == cell.expected, boost::test_tools::per_element());
  }
}

// The new value is x v: its derivative with respect to x is the old content, which nobody else holds.
BOOST_AUTO_TEST_CASE(a_new_value_that_is_held_can_be_differentiated) {
  const Variable v(Tensor({1.0F, 2.0F}), "v");
  float old = 2.0F;
  for (int i = 0; i < updates; ++i) {
    const Tensor x{3.0F, 3.0F};
    const std::vector<Assignment> all{{v, x * v + 0.0F * steps_of(Tensor{1.0F, 1.0F})}};
    assign(all);
    BOOST_TEST(numbers_of(grad(sum(all[0].second), x))[1] == old);
    old *= 3.0F;
    BOOST_TEST(numbers_of(v)[1] == old);
  }
}

BOOST_AUTO_TEST_CASE(a_value_that_is_not_finite_changes_no_variable) {
  const Variable v(Tensor({1.0F, 2.0F}), "v");
  const Variable w(Tensor({1.0F, 2.0F}), "w");
  const auto update = [&](float scale) {
    const Tensor grown = debug::require_finite(w * scale);
    std::vector<Assignment> all = listed(Assignment(v, next_of(v, Tensor{1.0F, 1.0F})), Assignment(w, grown));
    assign(std::move(all));
  };
  for (int i = 0; i < updates; ++i) {
    update(1.0F);
  }
  const std::vector<float> before = numbers_of(v);
  BOOST_CHECK_THROW(update(3e38F), NotFiniteError);
  BOOST_TEST(numbers_of(v) == before, boost::test_tools::per_element());
  BOOST_TEST(numbers_of(w)[1] == 2.0F);
}

BOOST_AUTO_TEST_CASE(variables_that_need_each_other) {
  const Variable v(Tensor({1.0F, 2.0F}), "v");
  const Variable w(Tensor({5.0F, 7.0F}), "w");
  for (int i = 0; i < updates; ++i) {
    const Tensor nothing = 0.0F * steps_of(Tensor{1.0F, 1.0F});
    std::vector<Assignment> all = listed(Assignment(v, w + nothing), Assignment(w, v + nothing));
    assign(std::move(all));
    BOOST_TEST(numbers_of(v)[1] == (i % 2 == 0 ? 7.0F : 2.0F));
    BOOST_TEST(numbers_of(w)[1] == (i % 2 == 0 ? 2.0F : 7.0F));
  }
}

BOOST_AUTO_TEST_CASE(variables_that_are_given_one_value) {
  const Variable v(Tensor({1.0F, 2.0F}), "v");
  const Variable w(Tensor({5.0F, 7.0F}), "w");
  float expected = 2.0F;
  for (int i = 0; i < updates; ++i) {
    Tensor next = v * 0.5F + w + 0.0F * steps_of(Tensor{1.0F, 1.0F});
    expected = expected * 0.5F + (i == 0 ? 7.0F : expected);
    std::vector<Assignment> all = listed(Assignment(v, next), Assignment(w, next));
    next = Tensor();
    assign(std::move(all));
    BOOST_TEST(numbers_of(v)[1] == expected);
    BOOST_TEST(numbers_of(w)[1] == expected);
  }
  v.assign(Tensor{0.0F, 0.0F});
  BOOST_TEST(numbers_of(w)[1] == expected);
}

// The loss is held, and could be differentiated again: so weights are not written over, but moments are.
BOOST_AUTO_TEST_CASE(moments_of_optimisers_are_written_over) {
  nn::Sequential model(nn::Dense(3, 4), nn::ReLU(), nn::Dense(4, 2));
  model.initialize(random::Key(1));
  nn::Adam adam(model.parameters());
  const Tensor x = random::normal(random::Key(2), {5, 3});
  const Tensor y = random::normal(random::Key(3), {5, 2});
  std::vector<std::vector<const void*>> moments;
  for (int i = 0; i < updates; ++i) {
    const Tensor loss = nn::mse(model(x), y);
    const Tensor weight = model.parameters().front().read();
    const std::vector<float> before = numbers_of(weight);
    const Tensor slope = grad(loss, weight);
    adam.minimize(loss);
    BOOST_TEST(numbers_of(weight) == before, boost::test_tools::per_element());
    BOOST_TEST(numbers_of(model.parameters().front()) != before);
    BOOST_TEST(numbers_of(slope) == numbers_of(grad(loss, weight)), boost::test_tools::per_element());
    moments.emplace_back();
    for (const Variable& state : adam.state()) {
      if (state.shape().ndim() > 0) {
        moments.back().push_back(place_of(state));
      }
    }
  }
  BOOST_TEST(moments[0].size() == 8U);
  BOOST_TEST((moments[3] == moments[2]));
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
