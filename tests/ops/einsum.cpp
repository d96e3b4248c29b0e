#include <algorithm>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "autograd/graph/walks.hpp"
#include "tests/testing.hpp"

// Values and derivatives of all kinds of subscripts are rows of op_rows_contraction.cpp.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(ops_einsum)

namespace {

using testing::check_elements;
using testing::check_throws;
using testing::elements;
using testing::random_tensor;

std::size_t count_of(std::string_view name, const Tensor& result) {
  std::size_t count = 0;
  for (const Node* node : topological_order(std::span(&result, 1)).nodes) {
    count += node->name() == name ? 1 : 0;
  }
  return count;
}

std::int64_t largest_size(const Tensor& result) {
  std::int64_t largest = 0;
  for (const Node* node : topological_order(std::span(&result, 1)).nodes) {
    largest = std::max(largest, node->spec(0).shape.element_count());
  }
  return largest;
}

}  // namespace

BOOST_AUTO_TEST_CASE(products_of_matrices_are_one_product_without_copies) {
  const Tensor a = random_tensor({3, 4});
  const Tensor b = random_tensor({4, 2});
  const Tensor batch = random_tensor({5, 3, 4});
  const std::vector<Tensor> results = {
      einsum("ij,jk->ik", {a, b}),       einsum("ji,jk->ik", {transpose(a), b}), einsum("ij,kj->ik", {a, transpose(b)}),
      einsum("bij,jk->bik", {batch, b}), einsum("bij,bkj->bik", {batch, batch}), tensordot(a, b, 1),
  };
  for (const Tensor& result : results) {
    BOOST_TEST(count_of("matmul", result) == 1u);
  }
  const Tensor left = testing::make_tensor(elements(transpose(a)), {4, 3}, DType::float64);
  const Tensor result = einsum("ji,jk->ik", {left, b});
  check_elements(result, {3, 2}, elements(matmul(a, b)), 1e-14);
  result.array();
  BOOST_TEST(count_of("transpose", result) == 0u);
}

BOOST_AUTO_TEST_CASE(the_pair_with_the_smallest_product_comes_first) {
  const Tensor a = random_tensor({20, 30});
  const Tensor b = random_tensor({30, 40}, -2, 2, 2);
  const Tensor v = random_tensor({40}, -2, 2, 3);
  const Tensor result = einsum("ij,jk,k->i", {a, b, v});
  BOOST_TEST(largest_size(result) == 30 * 40);
  check_elements(result, {20}, elements(matmul(a, matmul(b, v))), 1e-12);
}

BOOST_AUTO_TEST_CASE(jvp_agrees_with_vjp) {
  for (const std::string subscripts : {"ij,jk->ik", "ij,ji->", "ij,jj->i", "ij,kl->jl", "...i,...i", "ij,ij->ij"}) {
    BOOST_TEST_CONTEXT(subscripts) {
      const Tensor a = random_tensor({3, 3});
      const Tensor b = random_tensor({3, 3}, -2, 2, 2);
      const Tensor y = einsum(subscripts, {a, b});
      const Tensor ct = random_tensor(y.shape(), -2, 2, 3);
      const Tensor da = random_tensor({3, 3}, -2, 2, 4);
      const Tensor db = random_tensor({3, 3}, -2, 2, 5);
      const Tensors gradients = vjp(y, {a, b}, ct);
      const double by_vjp = sum(gradients[0] * da + gradients[1] * db).item();
      BOOST_TEST(sum(ct * jvp(y, {a, b}, {da, db})).item() == by_vjp, boost::test_tools::tolerance(1e-12));
    }
  }
}

BOOST_AUTO_TEST_CASE(vmap_agrees_with_a_loop) {
  using Function = std::function<Tensor(const Tensor&, const Tensor&)>;
  const std::vector<Function> functions = {
      [](const Tensor& a, const Tensor& b) {
        return einsum("ij,jk->ik", {a, b});
      },
      [](const Tensor& a, const Tensor& b) {
        return einsum("bi,bi->b", {a, b});
      },
      [](const Tensor& a, const Tensor& b) {
        return einsum("ii,ij->j", {a, b});
      },
      [](const Tensor& a, const Tensor& b) {
        return einsum("...i,ij->...j", {a, b});
      },
      [](const Tensor& a, const Tensor& b) { return tensordot(a, b, {1}, {0}); },
      [](const Tensor& a, const Tensor& b) { return tensordot(a, b, 0); },
      [](const Tensor& a, const Tensor& b) { return outer(a, b); },
      [](const Tensor& a, const Tensor& b) { return trace(a) * trace(b); },
  };
  const Tensor a = random_tensor({4, 3, 3});
  const Tensor b = random_tensor({4, 3, 3}, -2, 2, 2);
  for (const Function& f : functions) {
    Tensors each;
    Tensors with_one_b;
    for (std::int64_t i = 0; i < 4; ++i) {
      each.push_back(f(a[i], b[i]));
      with_one_b.push_back(f(a[i], b[0]));
    }
    check_elements(vmap(f)(a, b), stack(each).shape(), elements(stack(each)), 1e-13);
    check_elements(vmap(f, {0, unmapped})(a, b[0]), stack(with_one_b).shape(), elements(stack(with_one_b)), 1e-13);
  }
}

BOOST_AUTO_TEST_CASE(wrong_subscripts_are_refused) {
  const Tensor a = zeros({2, 3});
  const Tensor b = zeros({4, 5});
  const auto refuses = [&]<class E>(E*, const char* subscripts, const Tensors& tensors,
                                    std::initializer_list<std::string_view> words) {
    BOOST_TEST_CONTEXT(subscripts) {
      check_throws<E>([&] { einsum(subscripts, tensors); }, {"[einsum] ", "einsum.cpp:"});
      check_throws<E>([&] { einsum(subscripts, tensors); }, words);
    }
  };
  ValueError* const value = nullptr;
  ShapeError* const shape = nullptr;
  refuses(value, "ij,jk->ik", {a}, {"2 operands, got 1"});
  refuses(value, "ij", {a, a}, {"1 operands, got 2"});
  refuses(value, "i1->i", {a}, {"'1'", "i1->i", "letters"});
  refuses(value, "i.j->i", {a}, {"'.'"});
  refuses(value, "......", {a}, {"'.'", "ellipsis"});
  refuses(value, "ij->i>", {a}, {"'>'"});
  refuses(value, "ij->ik", {a}, {"index 'k'", "no operand"});
  refuses(value, "ij->ii", {a}, {"index 'i'", "twice"});
  refuses(value, "i...->i", {a}, {"no ellipsis", "1 axes"});
  refuses(shape, "ijk->i", {a}, {"operand 0", "(2, 3)", "'ijk'", "3 axes"});
  refuses(shape, "i->i", {a}, {"operand 0", "(2, 3)", "1 axes"});
  refuses(shape, "ijk...->i", {a}, {"(2, 3)", "3 axes"});
  refuses(shape, "ij,jk->ik", {a, b}, {"index 'j'", "size 3", "4 along axis 0 of operand 1", "(4, 5)"});
  refuses(shape, "ii->i", {a}, {"index 'i'", "size 2", "3 along axis 1"});
  refuses(shape, "...i,...j->...ij", {a, b}, {"axis -1 of the ellipsis", "size 2", "4"});
  check_throws<DTypeError>(
      [&] {
        einsum("i,i->", {zeros({2}), zeros({2}, DType::float64)});
      },
      {"[einsum] ", "float32", "float64", "cast"});
}

BOOST_AUTO_TEST_CASE(wrong_axes_are_refused) {
  const Tensor a = zeros({2, 3});
  const Tensor b = zeros({4, 5});
  check_throws<ShapeError>([&] { tensordot(a, b, {1}, {0}); },
                           {"[tensordot] axis 1 of shape (2, 3) and axis 0 of shape (4, 5)", "einsum.cpp:"});
  check_throws<ValueError>([&] { tensordot(a, b, {0, 1}, {0}); }, {"[tensordot] 2 axes of a and 1 of b"});
  check_throws<ValueError>([&] { tensordot(a, b, {2}, {0}); }, {"[tensordot] ", "axis 2"});
  check_throws<ValueError>([&] { tensordot(a, a, {0, 0}, {0, 1}); }, {"[tensordot] ", "twice"});
  check_throws<ValueError>([&] { tensordot(a, b, 3); }, {"[tensordot] 3 axes", "(2, 3)", "(4, 5)", "have 2"});
  check_throws<ValueError>([&] { tensordot(a, b, -1); }, {"[tensordot] -1 axes"});
  check_throws<ShapeError>([&] { trace(zeros({3})); }, {"[trace] ", "(3,)", "einsum.cpp:"});
  check_throws<DTypeError>([&] { outer(zeros({3}), zeros({3}, DType::float64)); }, {"[outer] ", "float32", "float64"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
