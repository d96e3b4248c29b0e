#include "autograd/graph/variable.hpp"

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "tests/testing.hpp"

namespace xgrad {

BOOST_AUTO_TEST_SUITE(graph_variable)

namespace {

using testing::check_elements;
using testing::check_throws;

}  // namespace

BOOST_AUTO_TEST_CASE(reading_gives_the_same_leaf_until_the_next_assignment) {
  const Variable w(Tensor{1.0, 2.0}, "w");
  const Tensor before = w;
  BOOST_TEST(w.read().same_as(before));
  w.assign(w * 2.0);
  BOOST_TEST(!w.read().same_as(before));
  check_elements(w, {2}, {2, 4});
  check_elements(before, {2}, {1, 2});
  BOOST_TEST(w.read().node().inputs().empty());
}

BOOST_AUTO_TEST_CASE(gradients_with_respect_to_variables) {
  const Variable w(Tensor{1.0, 2.0}, "w");
  const Variable b(Tensor(0.5), "b");
  const Tensor loss = sum(square(w * 3.0 + b));
  const Tensors gradients = grad(loss, {w, b});
  check_elements(gradients[0], {2}, {21, 39});
  check_elements(gradients[1], {}, {20});
  check_elements(grad(loss, w), {2}, {21, 39});
}

BOOST_AUTO_TEST_CASE(a_gradient_after_an_assignment_is_an_error_that_says_so) {
  const Variable w(Tensor{1.0}, "weight");
  const Tensor loss = sum(square(w));
  w.assign(w + 1.0);
  check_throws<GradientError>([&] { grad(loss, w); }, {"'weight'", "assigned since", "before", "variable.cpp:"});
  const Variable other(Tensor{1.0}, "other");
  try {
    grad(loss, other);
    BOOST_ERROR("nothing was thrown");
  } catch (const GradientError& error) {
    BOOST_TEST((std::string_view(error.what()).find("assigned since") == std::string_view::npos));
  }
}

BOOST_AUTO_TEST_CASE(two_variables_are_swapped_in_one_update) {
  const Variable a(Tensor{1.0, 2.0});
  const Variable b(Tensor{3.0, 4.0});
  assign({{a, b}, {b, a}});
  check_elements(a, {2}, {3, 4});
  check_elements(b, {2}, {1, 2});
}

BOOST_AUTO_TEST_CASE(an_update_computes_from_the_old_contents) {
  const Variable a(2.0);
  const Variable b(10.0);
  assign({{a, a + b}, {b, a * b}});
  BOOST_TEST(a.item() == 12);
  BOOST_TEST(b.item() == 20);
  const Tensor shared = a + 1.0;
  assign({{a, shared}, {b, shared}});
  BOOST_TEST(a.item() == 13);
  BOOST_TEST(b.item() == 13);
}

BOOST_AUTO_TEST_CASE(a_failing_update_changes_nothing) {
  const Variable a(Tensor{1.0});
  const Variable b(Tensor{2});
  const Tensor before = a;
  BOOST_CHECK_THROW(assign({{a, a + 1.0}, {b, b / 0}}), ValueError);
  BOOST_CHECK_THROW(assign({{a, a + 1.0}, {b, Tensor{1, 2}}}), ShapeError);
  BOOST_CHECK_THROW(assign({{a, a + 1.0}, {b, Tensor{1.0}}}), DTypeError);
  BOOST_TEST(a.read().same_as(before));
  BOOST_TEST(b.item() == 2);
}

BOOST_AUTO_TEST_CASE(shape_and_dtype_are_kept) {
  const Variable w(zeros({2, 3}), "w");
  check_throws<ShapeError>([&] { w.assign(zeros({3, 2})); }, {"[assign]", "'w'", "(2, 3)", "(3, 2)", "variable.cpp:"});
  check_throws<DTypeError>([&] { w.assign(zeros({2, 3}, DType::float64)); }, {"'w'", "float32", "float64", "cast"});
  check_throws<ShapeError>([&] { w.assign(1.0); }, {"(2, 3)", "()"});
  const Variable rate(0.1f);
  rate.assign(0.5);
  BOOST_TEST(rate.dtype() == DType::float32);
  BOOST_TEST(rate.item() == 0.5);
  const Variable count(std::int64_t{0});
  count.assign(count + 1);
  BOOST_TEST(count.item<int>() == 1);
  check_throws<DTypeError>([&] { count.assign(0.5); }, {"[assign]", "0.5", "int64"});
  rate.assign(xt::xarray<float>(2.0f));
  BOOST_TEST(rate.item() == 2);
}

BOOST_AUTO_TEST_CASE(a_value_that_is_held_never_changes) {
  const Variable w(Tensor{1.0, 2.0});
  const auto held = w.value<double>();
  for (int i = 0; i < 10; ++i) {
    w.assign(w + 1.0);
  }
  BOOST_TEST(held(0) == 1);
  BOOST_TEST(held(1) == 2);
  check_elements(w, {2}, {11, 12});
}

BOOST_AUTO_TEST_CASE(copies_share_the_cell_and_clones_do_not) {
  const Variable w(Tensor{1.0}, "w");
  const Variable same = w;
  const Variable clone = w.clone();
  same.assign(Tensor{5.0});
  BOOST_TEST(w.item() == 5);
  BOOST_TEST(clone.item() == 1);
  BOOST_TEST(clone.name() == "w");
  BOOST_TEST(w.same_as(same));
  BOOST_TEST(!w.same_as(clone));
  BOOST_TEST(w.id() == same.id());
  BOOST_TEST(w.id() != clone.id());
}

BOOST_AUTO_TEST_CASE(two_values_for_one_variable_are_an_error) {
  const Variable w(Tensor{1.0}, "w");
  check_throws<ValueError>(
      [&] {
        assign({{w, Tensor{2.0}}, {w, Tensor{3.0}}});
      },
      {"[assign] variable 'w' is given two new values at once"});
  BOOST_TEST(w.item() == 1);
}

BOOST_AUTO_TEST_CASE(a_list_of_one_variable_gives_a_list_of_gradients) {
  const Variable w(Tensor{1.0, 2.0}, "w");
  const Tensors gradients = grad(sum(w * w), {w});
  BOOST_TEST(gradients.size() == 1u);
  check_elements(gradients[0], {2}, {2, 4});
}

BOOST_AUTO_TEST_CASE(zeros_are_not_given_for_a_variable_that_was_assigned_since) {
  const Variable w(Tensor{1.0}, "w");
  const Tensor y = sum(w * w);
  w.assign(Tensor{2.0});
  check_throws<GradientError>([&] { grad(y, w, Unreached::zeros); }, {"has been assigned since"});
  check_elements(grad(sum(stop_gradient(w) * 2.0), w, Unreached::zeros), {1}, {0});
}

BOOST_AUTO_TEST_CASE(renaming_shows_in_printed_graphs) {
  Variable w(Tensor{1.0});
  w.rename("scale");
  BOOST_TEST(w.name() == "scale");
  BOOST_TEST(print_graph(w * 2.0).find("variable 'scale'") != std::string::npos);
  BOOST_TEST(w.item() == 1);
}

BOOST_AUTO_TEST_CASE(variables_start_from_arrays_numbers_and_computed_tensors) {
  check_elements(Variable(xt::xarray<double>{1, 2}), {2}, {1, 2});
  const Tensor x = {1.0, 2.0};
  const Variable w(exp(x) * 0.0 + x);
  BOOST_TEST(w.read().node().inputs().empty());
  BOOST_TEST(w.size() == 2);
  check_throws<GradientError>([&] { grad(sum(w * 1.0), x); }, {"does not depend"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
