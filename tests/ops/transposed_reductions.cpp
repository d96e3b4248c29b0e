#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "tests/testing.hpp"

/// \file
/// Reductions of transposed tensors, which reduce the tensor itself.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(ops_transposed_reductions)

namespace {

using testing::check_elements;
using testing::elements;
using testing::random_tensor;

using Reduction = Tensor (*)(const Operand&, const Axes&, bool);

struct Named {
  const char* name;
  Reduction reduce;
};

const Named reductions[] = {{"sum", sum},   {"mean", mean}, {"amax", amax},           {"amin", amin},
                            {"norm", norm}, {"prod", prod}, {"logsumexp", logsumexp}, {"variance", variance}};

const std::vector<Ints> orders = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
const std::vector<Axes> some_axes = {Axes(),     Axes(0),     Axes(1),    Axes(-1),
                                     Axes{0, 1}, Axes{0, -1}, Axes{1, 2}, Axes{2, 0, 1}};

void check_alike(const Tensor& actual, const Tensor& expected) {
  check_elements(actual, expected.shape(), elements(expected), 1e-14);
}

}  // namespace

BOOST_AUTO_TEST_CASE(they_give_what_reductions_of_a_copy_give) {
  const Tensor x = random_tensor({2, 3, 4});
  for (const Ints& order : orders) {
    const Tensor copy = transpose(x, order).detach();
    for (const Axes& axes : some_axes) {
      for (const bool keepdims : {false, true}) {
        for (const Named& each : reductions) {
          BOOST_TEST_CONTEXT(each.name << " of order " << order << " over " << axes.list()) {
            check_alike(each.reduce(transpose(x, order), axes, keepdims), each.reduce(copy, axes, keepdims));
          }
        }
        check_alike(all(transpose(x > -0.9, order), axes, keepdims), all(copy > -0.9, axes, keepdims));
        if (axes.all() || axes.list().ndim() == 1) {  // positions among all elements depend on their order
          check_alike(argmax(transpose(x, order), axes, keepdims), argmax(copy, axes, keepdims));
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(their_derivatives_are_those_of_the_tensor) {
  for (const Ints& order : orders) {
    BOOST_CHECK_NO_THROW(check_grads(
        [&](const Tensors& x) { return exp(sum(square(transpose(x[0], order)), 1)) + sum(transpose(x[0], order), 1); },
        {random_tensor({2, 3, 2})}));
    BOOST_CHECK_NO_THROW(check_grads(
        [&](const Tensors& x) {
          return square(norm(transpose(x[0], order), {0, 2}));
        },
        {random_tensor({2, 3, 2})}));
  }
}

BOOST_AUTO_TEST_CASE(nothing_is_transposed_on_the_way) {
  const Tensor a = random_tensor({3, 5});
  BOOST_TEST(print_graph(sum(transpose(a), 1)).find("transpose(") == std::string::npos);
  BOOST_TEST(print_graph(amax(transpose(a), 0, true)).find("transpose(") == std::string::npos);
  check_elements(sum(transpose(a), 1), {5}, elements(sum(a, 0)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
