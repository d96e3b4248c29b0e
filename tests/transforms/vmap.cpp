#include "autograd/transforms/vmap.hpp"

#include <array>
#include <tuple>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "tests/testing.hpp"

namespace xgrad {

BOOST_AUTO_TEST_SUITE(transforms_vmap)

namespace {

using testing::check_elements;
using testing::check_throws;
using testing::close;
using testing::random_tensor;

}  // namespace

BOOST_AUTO_TEST_CASE(applies_the_function_to_every_sample) {
  const auto f = [](const Tensor& x) { return softmax(x) * sum(x); };
  const Tensor xs = random_tensor({5, 3});
  const Tensor all_at_once = vmap(f)(xs);
  for (std::int64_t i = 0; i < 5; ++i) {
    BOOST_TEST(close(all_at_once[i], f(xs[i])));
  }
}

BOOST_AUTO_TEST_CASE(several_results) {
  const auto loss = [](const Tensor& w, const Tensor& x) { return sum(tanh(w * x)); };
  const Tensor w = random_tensor({3});
  const Tensor xs = random_tensor({5, 3}, -1, 1, 2);
  const auto [losses, gradients] = vmap(value_and_grad(loss), {unmapped, 0})(w, xs);
  const auto [again, both] = vmap(value_and_grad(loss, {0, 1}), {unmapped, 0}, -1)(w, xs);
  BOOST_TEST(close(losses, vmap(loss, {unmapped, 0})(w, xs)));
  BOOST_TEST(close(gradients, vmap(grad(loss), {unmapped, 0})(w, xs)));
  BOOST_TEST(close(again, losses));
  BOOST_TEST_REQUIRE(both.size() == 2u);
  BOOST_TEST(close(transpose(both[0]), gradients));
  BOOST_TEST(close(transpose(both[1]), vmap(grad(loss, 1), {unmapped, 0})(w, xs)));
}

BOOST_AUTO_TEST_CASE(results_that_do_not_depend_on_the_samples_are_repeated) {
  const Tensor w = {1.0, 2.0};
  const auto f = [&](const Tensor& x) { return std::tuple(w * 2.0, x, Tensors{}, std::array<Tensor, 1>{x * x}); };
  const auto [same, x, none, squares] = vmap(f)(Tensor{3.0, 4.0, 5.0});
  check_elements(same, {3, 2}, {2, 4, 2, 4, 2, 4});
  check_elements(x, {3}, {3, 4, 5});
  BOOST_TEST(none.empty());
  check_elements(squares[0], {3}, {9, 16, 25});
}

BOOST_AUTO_TEST_CASE(the_function_sees_one_sample_and_is_called_once) {
  int calls = 0;
  const auto f = [&](const Tensor& x) {
    ++calls;
    BOOST_TEST(x.shape() == Shape({3}));
    return x + 1.0;
  };
  vmap(f)(random_tensor({5, 3})).array();
  BOOST_TEST(calls == 1);
}

BOOST_AUTO_TEST_CASE(axes_of_arguments_and_result) {
  const auto dot = [](const Tensor& a, const Tensor& b) { return sum(a * b); };
  const Tensor a = random_tensor({4, 3}, -1, 1, 1);
  const Tensor b = random_tensor({3, 4}, -1, 1, 2);
  const Tensor c = random_tensor({3}, -1, 1, 3);
  BOOST_TEST(close(vmap(dot, {0, 1})(a, b), sum(a * transpose(b), 1)));
  BOOST_TEST(close(vmap(dot, {0, unmapped})(a, c), matmul(a, c)));
  const auto twice = [](const Tensor& x) { return stack({x, 2.0 * x}); };
  BOOST_TEST(vmap(twice, {0}, -1)(a).shape() == Shape({2, 3, 4}));
  BOOST_TEST(close(vmap(twice, {-1}, 1)(a)[0], transpose(a)));
}

BOOST_AUTO_TEST_CASE(results_that_do_not_depend_on_samples_are_repeated) {
  const Tensor result = vmap([](const Tensor&) { return Tensor{1.0, 2.0}; })(random_tensor({3, 4}));
  check_elements(result, {3, 2}, {1, 2, 1, 2, 1, 2});
}

BOOST_AUTO_TEST_CASE(tensors_from_outside_are_the_same_for_all_samples) {
  const Tensor w = random_tensor({3, 2});
  const Tensor xs = random_tensor({5, 3}, -1, 1, 2);
  BOOST_TEST(close(vmap([&](const Tensor& x) { return matmul(x, w); })(xs), matmul(xs, w)));
}

BOOST_AUTO_TEST_CASE(vmap_of_grad_gives_gradients_per_sample) {
  const auto loss = [](const Tensor& w, const Tensor& x) { return square(sum(w * x) - 1.0); };
  const Tensor w = {0.5, -0.5, 1.0};
  const Tensor xs = random_tensor({4, 3});
  const Tensor per_sample = vmap(grad(loss), {unmapped, 0})(w, xs);
  for (std::int64_t i = 0; i < 4; ++i) {
    BOOST_TEST(close(per_sample[i], grad(loss)(w, xs[i])));
  }
}

BOOST_AUTO_TEST_CASE(grad_of_vmap) {
  const auto f = [](const Tensor& x) { return sum(x * x * x); };
  const Tensor xs = random_tensor({4, 3});
  const auto total = [&](const Tensor& all) { return sum(vmap(f)(all)); };
  BOOST_TEST(close(grad(total)(xs), 3.0 * square(xs)));
}

BOOST_AUTO_TEST_CASE(vmap_of_vmap_and_of_hessian) {
  const auto product = [](const Tensor& a, const Tensor& b) { return a * b; };
  const Tensor a = {1.0, 2.0, 3.0};
  const Tensor b = {10.0, 20.0};
  const auto row = [&](const Tensor& x) { return vmap(product, {unmapped, 0})(x, b); };
  check_elements(vmap(row)(a), {3, 2}, {10, 20, 20, 40, 30, 60});

  const auto f = [](const Tensor& x) { return sum(square(x)) * sum(x); };
  const Tensor xs = random_tensor({2, 3});
  const Tensor hessians = vmap(hessian(f))(xs);
  BOOST_TEST(close(hessians[1], hessian(f)(xs[1])));
}

BOOST_AUTO_TEST_CASE(indices_of_every_sample) {
  const Tensor table = random_tensor({6, 2});
  const Tensor indices = {{0, 5, -1}, {2, 2, 3}};
  const Tensor own_indices = vmap([&](const Tensor& i) { return take(table, i); })(indices);
  const Tensor own_columns = vmap([&](const Tensor& i) { return take(transpose(table), i, 1); })(indices);
  for (std::int64_t i = 0; i < 2; ++i) {
    BOOST_TEST(close(own_indices[i], take(table, indices[i])));
    BOOST_TEST(close(own_columns[i], take(transpose(table), indices[i], 1)));
  }
  const Tensor rows = random_tensor({2, 4}, -1, 1, 3);
  const Tensor own_both =
      vmap([](const Tensor& x, const Tensor& i) { return take(x, i); })(rows, remainder(indices[{all(), range(1)}], 4));
  BOOST_TEST(own_both.shape() == Shape({2, 2}));
  check_throws<ValueError>(
      [&] { vmap([](const Tensor& x, const Tensor& i) { return take(x, i); })(rows, indices).array(); },
      {"[take] index 5"});
}

BOOST_AUTO_TEST_CASE(gradients_through_indices_of_every_sample) {
  const Tensor xs = random_tensor({3, 4});
  const Tensor indices = {{0, 0}, {1, 3}, {2, 1}};
  const auto f = [](const Tensor& x, const Tensor& i) { return sum(square(take(x, i))); };
  const Tensor gradients = vmap(grad(f))(xs, indices);
  for (std::int64_t i = 0; i < 3; ++i) {
    BOOST_TEST(close(gradients[i], grad(f)(xs[i], indices[i])));
  }
}

BOOST_AUTO_TEST_CASE(mistakes_are_errors) {
  const auto add_both = [](const Tensor& a, const Tensor& b) { return a + b; };
  check_throws<ValueError>([&] { vmap(add_both)(random_tensor({2}), random_tensor({3})); },
                           {"[vmap] argument 1 has 3 samples", "another has 2"});
  check_throws<ValueError>(
      [&] {
        vmap(add_both, {unmapped, unmapped})(random_tensor({2}), random_tensor({2}));
      },
      {"[vmap] no argument is mapped"});
  check_throws<ValueError>([&] { vmap(add_both, {0})(random_tensor({2}), random_tensor({2})); },
                           {"[vmap] 1 axes for 2 arguments"});
  check_throws<ValueError>([&] { vmap(add_both)(Tensor(1.0), random_tensor({2})); }, {"[vmap] axis 0"});
  check_throws<ValueError>(
      [] {
        vmap([](const Tensor& x) { return x * x.item(); })(Tensor{1.0, 2.0});
      },
      {"[vmap] the tensor stands for values that are given later"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
