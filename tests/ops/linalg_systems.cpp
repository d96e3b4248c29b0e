#include <cmath>
#include <limits>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "tests/testing.hpp"

namespace xgrad {

BOOST_AUTO_TEST_SUITE(ops_linalg)

namespace {

using testing::check_elements;
using testing::check_throws;
using testing::elements;
using testing::make_tensor;
using testing::random_tensor;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// Far from singular: the diagonal outweighs the rest.
Tensor regular(const Shape& shape, unsigned seed = 1) {
  const std::int64_t n = shape.back();
  return random_tensor(shape, -1, 1, seed) + (static_cast<double>(n) + 1) * eye(n, n, DType::float64);
}

double tolerance_of(DType dtype) { return dtype == DType::float64 ? 1e-13 : 1e-5; }

// Both floating types, single matrices and many, from no rows to more than LAPACK treats as one block.
template <class Check>
void for_each_case(const Check& check) {
  for (const DType dtype : {DType::float64, DType::float32}) {
    for (const Shape& leading : {Shape{}, Shape{3}, Shape{2, 2}, Shape{0}}) {
      for (const std::int64_t n : {0, 1, 2, 5, 70}) {
        Shape shape = leading;
        shape.push_back(n);
        shape.push_back(n);
        BOOST_TEST_CONTEXT(to_string(dtype) << to_string(shape)) { check(cast(regular(shape), dtype), leading, n); }
      }
    }
  }
}

// The determinant by its definition: expansion along the first row.
double expanded_determinant(const std::vector<std::vector<double>>& a) {
  if (a.empty()) {
    return 1;
  }
  double det = 0;
  for (std::size_t column = 0; column < a.size(); ++column) {
    std::vector<std::vector<double>> minor(a.begin() + 1, a.end());
    for (std::vector<double>& row : minor) {
      row.erase(row.begin() + static_cast<std::ptrdiff_t>(column));
    }
    det += (column % 2 == 0 ? 1 : -1) * a[0][column] * expanded_determinant(minor);
  }
  return det;
}

std::vector<std::vector<double>> rows_of(const Tensor& matrix) {
  std::vector<std::vector<double>> rows;
  for (std::int64_t i = 0; i < matrix.shape(0); ++i) {
    rows.push_back(elements(matrix[i]));
  }
  return rows;
}

// The derivative of the determinant by its definition: signed determinants of the matrix without row i and column j.
std::vector<double> cofactors_of(const Tensor& matrix) {
  const auto rows = rows_of(matrix);
  std::vector<double> cofactors;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t j = 0; j < rows.size(); ++j) {
      auto minor = rows;
      minor.erase(minor.begin() + static_cast<std::ptrdiff_t>(i));
      for (std::vector<double>& row : minor) {
        row.erase(row.begin() + static_cast<std::ptrdiff_t>(j));
      }
      cofactors.push_back(((i + j) % 2 == 0 ? 1 : -1) * expanded_determinant(minor));
    }
  }
  return cofactors;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_matrix_times_its_inverse_is_the_identity) {
  for_each_case([](const Tensor& a, const Shape&, std::int64_t n) {
    const Tensor y = linalg::inv(a);
    BOOST_TEST(y.dtype() == a.dtype());
    const Tensor identity = broadcast_to(eye(n, n, a.dtype()), a.shape());
    check_elements(matmul(a, y), a.shape(), elements(identity), tolerance_of(a.dtype()));
    check_elements(matmul(y, a), a.shape(), elements(identity), tolerance_of(a.dtype()));
  });
}

BOOST_AUTO_TEST_CASE(solutions_solve_their_systems) {
  for_each_case([](const Tensor& a, const Shape& leading, std::int64_t n) {
    for (const std::int64_t k : {0, 1, 3}) {
      Shape shape = leading;
      shape.push_back(n);
      shape.push_back(k);
      const Tensor b = cast(random_tensor(shape, -1, 1, 2), a.dtype());
      check_elements(matmul(a, linalg::solve(a, b)), shape, elements(b), tolerance_of(a.dtype()));
      check_elements(matmul(tril(a), linalg::solve_triangular(a, b)), shape, elements(b), tolerance_of(a.dtype()));
      check_elements(matmul(triu(a), linalg::solve_triangular(a, b, false)), shape, elements(b),
                     tolerance_of(a.dtype()));
    }
  });
}

BOOST_AUTO_TEST_CASE(triangles_stand_on_either_side_with_a_diagonal_of_ones_or_their_own) {
  using linalg::Diagonal;
  using linalg::Side;
  const Tensor a = random_tensor({2, 1, 3, 3}) + 3 * eye(3, 3, DType::float64);
  const Tensor ones = eye(3, 3, DType::float64);
  const Tensor b = random_tensor({4, 2, 3}, -1, 1, 2);
  const Shape shape = {2, 4, 2, 3};
  const std::vector<double> expected = elements(broadcast_to(b, shape));
  for (const bool lower : {true, false}) {
    const Tensor given = lower ? tril(a) : triu(a);
    const Tensor unit = (lower ? tril(a, -1) : triu(a, 1)) + ones;
    const auto solve = [&](Side side, Diagonal diagonal) {
      return linalg::solve_triangular(a, side == Side::left ? swapaxes(b, -1, -2) : b, lower, side, diagonal);
    };
    check_elements(matmul(solve(Side::right, Diagonal::given), given), shape, expected, 1e-13);
    check_elements(matmul(solve(Side::right, Diagonal::unit), unit), shape, expected, 1e-13);
    check_elements(swapaxes(matmul(given, solve(Side::left, Diagonal::given)), -1, -2), shape, expected, 1e-13);
    check_elements(swapaxes(matmul(unit, solve(Side::left, Diagonal::unit)), -1, -2), shape, expected, 1e-13);
    const Tensor vector = {1.0, -2.0, 0.5};
    const Tensor row = expand_dims(linalg::solve_triangular(a, vector, lower, Side::right), -2);
    check_elements(matmul(row, given), {2, 1, 1, 3}, elements(broadcast_to(vector, {2, 1, 1, 3})), 1e-13);
  }
  check_throws<ShapeError>(
      [&] {
        linalg::solve_triangular(a, zeros({3, 2}, DType::float64), true, Side::right);
      },
      {"[linalg::solve_triangular]", "linalg_systems.cpp"});
}

BOOST_AUTO_TEST_CASE(a_diagonal_of_ones_is_neither_read_nor_given_a_gradient) {
  using linalg::Diagonal;
  using linalg::Side;
  const Tensor a = {{nan, nan}, {2.0, 0.0}};
  const Tensor x = linalg::solve_triangular(a, Tensor{1.0, 5.0}, true, Side::left, Diagonal::unit);
  check_elements(x, {2}, {1, 3});
  check_elements(grad(sum(x), a), {2, 2}, {0, 0, -1, 0});
}

BOOST_AUTO_TEST_CASE(signs_and_logarithms_of_determinants) {
  const Tensor a = random_tensor({6, 3, 3});
  const linalg::SlogDet parts = linalg::slogdet(a);
  check_elements(parts.sign * exp(parts.logabsdet), {6}, elements(linalg::det(a)), 1e-13);
  BOOST_TEST(all(abs(parts.sign) == 1.0).item<bool>());
  const linalg::SlogDet singular = linalg::slogdet(Tensor{{1.0, 2.0}, {2.0, 4.0}});
  BOOST_TEST(singular.sign.item() == 0);
  BOOST_TEST(singular.logabsdet.item() == -std::numeric_limits<double>::infinity());
  const linalg::SlogDet large = linalg::slogdet(-1e200 * eye(3, 3, DType::float64));
  BOOST_TEST(large.sign.item() == -1);
  BOOST_TEST(large.logabsdet.item() == 600 * std::log(10.0), boost::test_tools::tolerance(1e-14));
  BOOST_TEST(std::isnan(linalg::slogdet(Tensor{{nan, 1.0}, {1.0, 1.0}}).sign.item()));
  BOOST_TEST(linalg::slogdet(zeros({2, 0, 0})).sign.shape() == Shape({2}));
  check_elements(linalg::slogdet(zeros({2, 0, 0})).sign, {2}, {1, 1});
  check_throws<ShapeError>([] { linalg::slogdet(zeros({2, 3})); }, {"[linalg::slogdet]", "(2, 3)"});
}

BOOST_AUTO_TEST_CASE(rows_are_exchanged_where_a_pivot_would_be_0) {
  const Tensor a = {{0.0, 0.0, 2.0}, {4.0, 0.0, 0.0}, {0.0, 8.0, 0.0}};
  check_elements(linalg::solve(a, Tensor{2.0, 4.0, 8.0}), {3}, {1, 1, 1});
  check_elements(linalg::solve(a, Tensor{{2.0, 4.0}, {4.0, 8.0}, {8.0, 32.0}}), {3, 2}, {1, 2, 1, 4, 1, 2});
  check_elements(linalg::inv(a), {3, 3}, {0, 0.25, 0, 0, 0, 0.125, 0.5, 0, 0});
  BOOST_TEST(linalg::det(a).item() == 64);
  BOOST_TEST(linalg::det(transpose(a)).item() == 64);
}

BOOST_AUTO_TEST_CASE(vectors_and_broadcasting_on_the_right_side) {
  const Tensor a = regular({3, 3});
  const Tensor many = regular({2, 1, 3, 3});
  const Tensor vector = random_tensor({3});
  const Tensor sides = random_tensor({5, 3, 2}, -1, 1, 3);
  check_elements(matmul(a, linalg::solve(a, vector)), {3}, elements(vector), 1e-13);
  check_elements(matmul(tril(a), linalg::solve_triangular(a, vector)), {3}, elements(vector), 1e-13);
  const Tensor for_each = linalg::solve(many, vector);
  BOOST_TEST(to_string(for_each.shape()) == "(2, 1, 3)");
  check_elements(matmul(many[1], for_each[1][0]), {1, 3}, elements(vector), 1e-13);
  check_elements(matmul(a, linalg::solve(a, sides)), {5, 3, 2}, elements(sides), 1e-13);
  const Tensor all = linalg::solve(many, sides);
  check_elements(matmul(many, all), {2, 5, 3, 2}, elements(stack({sides, sides})), 1e-13);
  check_elements(linalg::solve_triangular(many, sides)[{1, 4}], {3, 2},
                 elements(linalg::solve_triangular(many[{1, 0}], sides[4])));
}

BOOST_AUTO_TEST_CASE(the_other_triangle_is_neither_read_nor_given_a_gradient) {
  const Tensor a = {{2.0, nan}, {1.0, 4.0}};
  const Tensor b = {{2.0}, {9.0}};
  const Tensor x = linalg::solve_triangular(a, b);
  check_elements(x, {2, 1}, {1, 2});
  BOOST_TEST(elements(grad(sum(x), a))[1] == 0);
  const Tensor upper = transpose(a);
  const Tensor y = linalg::solve_triangular(upper, Tensor{{4.0}, {8.0}}, false);
  check_elements(y, {2, 1}, {1, 2});
  BOOST_TEST(elements(grad(sum(y), upper))[2] == 0);
}

BOOST_AUTO_TEST_CASE(determinants_by_definition) {
  for (const DType dtype : {DType::float64, DType::float32}) {
    for (const std::int64_t n : {0, 1, 2, 3, 5}) {
      // Well conditioned, or float32 would not have the digits; every other one negative, with its determinant when n is
      // odd.
      const Tensor sign = reshape(Tensor{1.0, -1.0, 1.0, -1.0}, {4, 1, 1});
      const Tensor a = cast(sign * (random_tensor({4, n, n}) + 5 * eye(n, n, DType::float64)), dtype);
      const Tensor det = linalg::det(a);
      const Tensor logdet = linalg::logdet(a);
      BOOST_TEST(det.dtype() == dtype);
      for (std::int64_t i = 0; i < 4; ++i) {
        const double expected = expanded_determinant(rows_of(a[i]));
        check_elements(det[i], {}, {expected}, tolerance_of(dtype));
        check_elements(logdet[i], {}, {expected < 0 ? nan : std::log(expected)}, tolerance_of(dtype));
        check_elements(linalg::det(a[i]), {}, {expected}, tolerance_of(dtype));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(determinants_of_special_matrices) {
  const Tensor singular = {{1.0, 2.0}, {2.0, 4.0}};
  BOOST_TEST(linalg::det(singular).item() == 0);
  BOOST_TEST(linalg::logdet(singular).item() == -infinity);
  BOOST_TEST(std::isnan(linalg::logdet(Tensor{{0.0, 1.0}, {1.0, 0.0}}).item()));
  BOOST_TEST(std::isnan(linalg::det(Tensor{{nan, 1.0}, {1.0, 0.0}}).item()));
  // exp(460) and exp(-460) are not representable in float32, their logarithms are.
  const Tensor large = eye(200) * 10;
  BOOST_TEST(linalg::det(large).item() == infinity);
  check_elements(linalg::logdet(large), {}, {200 * std::log(10)}, 1e-6);
  check_elements(linalg::logdet(eye(200) / 10), {}, {-200 * std::log(10)}, 1e-6);
}

// The cofactor of element (i, j) of a matrix of 3 rows is a determinant of 2: its derivatives are single elements.
BOOST_AUTO_TEST_CASE(second_derivatives_of_determinants_of_singular_matrices) {
  const Tensor a = {{.1, .3}, {.3, .9}};
  const Tensor gradient = grad(linalg::det(a), a);
  check_elements(gradient, {2, 2}, {.9, -.3, -.3, .1}, 1e-15);
  check_elements(grad(gradient[0][0], a), {2, 2}, {0, 0, 0, 1}, 1e-15);
  check_elements(grad(gradient[0][1], a), {2, 2}, {0, 0, -1, 0}, 1e-15);
  check_elements(jvp(gradient, {a}, {Tensor{{1.0, 2.0}, {3.0, 4.0}}}), {2, 2}, {4, -3, -2, 1}, 1e-14);
  const Tensor b = {{1.0, 2.0, 3.0}, {2.0, 4.0, 6.0}, {3.0, 6.0, 9.0}};  // of rank 1
  const auto cofactors = [](const Tensor& x) { return grad(linalg::det(x), x); };
  check_elements(grad(cofactors(b)[0][0], b), {3, 3}, {0, 0, 0, 0, 9, -6, 0, -6, 4}, 1e-13);
  check_elements(grad(cofactors(b)[2][1], b), {3, 3}, {-6, 0, 2, 3, 0, -1, 0, 0, 0}, 1e-13);
  const Tensor both = vmap([&](const Tensor& x) { return grad(cofactors(x)[0][0], x); })(stack({b, b}));
  check_elements(both[1], {3, 3}, {0, 0, 0, 0, 9, -6, 0, -6, 4}, 1e-13);
  check_grads([](const Tensors& x) { return linalg::det(x[0]); },
              {Tensor{{1.0, 2.0, 0.5}, {-1.0, 1.0, 2.0}, {0.0, 3.0, 1.0}}}, {.order = 3});
}

BOOST_AUTO_TEST_CASE(matrices_with_nan_give_nan) {
  const float none = std::numeric_limits<float>::quiet_NaN();
  for (const Tensor& a : {Tensor({{1.0F, 2.0F}, {none, 3.0F}}), Tensor({{none, 0.0F}, {0.0F, 0.0F}})}) {
    check_elements(linalg::inv(a), {2, 2}, {nan, nan, nan, nan});
    check_elements(linalg::solve(a, Tensor{1.0F, 2.0F}), {2}, {nan, nan});
    check_elements(linalg::det(a), {}, {nan});
    check_elements(linalg::logdet(a), {}, {nan});
    const Tensor twice = cast(a, DType::float64);
    check_elements(linalg::inv(twice), {2, 2}, {nan, nan, nan, nan});
    check_elements(linalg::det(twice), {}, {nan});
  }
}

BOOST_AUTO_TEST_CASE(the_gradient_of_a_determinant_is_its_cofactors_also_where_it_is_0) {
  const Tensor left = random_tensor({4, 4});
  const Tensor right = random_tensor({4, 4}, -1, 1, 2);
  for (std::int64_t rank = 0; rank <= 4; ++rank) {
    const Tensor a = matmul(left[{all(), range(0, rank)}], right[{range(0, rank)}]).detach();
    const Tensor gradient = grad(linalg::det(a), a);
    check_elements(gradient, {4, 4}, cofactors_of(a), 1e-13);
    const Tensor direction = random_tensor({4, 4}, -1, 1, 3);
    check_elements(jvp(linalg::det(a), {a}, {direction}), {}, {sum(gradient * direction).item()}, 1e-13);
  }
  check_elements(grad(linalg::det(Tensor{{3.0}}), Tensor{{3.0}}, Unreached::zeros), {1, 1}, {0});
  const Tensor one = {{3.0}};
  check_elements(grad(linalg::det(one), one), {1, 1}, {1}, 1e-15);
}

// Of u diag(s) vᵀ it is det(u) det(v) u diag(p) vᵀ, where pᵢ is the product of all s but sᵢ.
BOOST_AUTO_TEST_CASE(the_gradient_of_a_determinant_at_any_distance_from_a_singular_matrix) {
  const std::int64_t n = 6;
  const Tensor u = linalg::qr(random_tensor({n, n})).q;
  const Tensor v = linalg::qr(random_tensor({n, n}, -1, 1, 2)).q;
  const double sign = linalg::det(u).item() * linalg::det(v).item();
  for (const double smallest : {1.0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-8, 1e-12, 1e-16, 0.0}) {
    const Tensor s = {1.0, 3.0, 2.0, smallest, 1.0, 0.5};
    const Tensor others = {3 * smallest, smallest, 1.5 * smallest, 3.0, 3 * smallest, 6 * smallest};
    const std::vector<double> expected = elements(sign * matmul(u * others, transpose(v)));
    for (const DType dtype : {DType::float64, DType::float32}) {
      const Tensor a = cast(matmul(u * s, transpose(v)), dtype).detach();
      BOOST_TEST_CONTEXT(to_string(dtype) << ' ' << smallest) {
        check_elements(grad(linalg::det(a), a), {n, n}, expected, dtype == DType::float64 ? 1e-11 : 1e-4);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(singular_matrices_are_refused_with_the_pivot) {
  // With quotients that are exact: by others, a pivot may be rounded to 0 or not.
  const Tensor singular = {{1.0, 2.0, 4.0}, {2.0, 4.0, 8.0}, {1.0, 1.0, 1.0}};
  const Tensor side = {1.0, 1.0, 1.0};
  check_throws<ValueError>([&] { linalg::solve(singular, side).array(); },
                           {"[linalg::solve] the matrix is singular: pivot ", " of 3 is 0", "linalg_systems.cpp:"});
  check_throws<ValueError>(
      [&] {
        linalg::inv(zeros({2, 2})).array();
      },
      {"[linalg::inv] the matrix is singular: pivot 1 of 2 is 0"});
  check_throws<ValueError>(
      [&] {
        linalg::inv(stack({eye(2), zeros({2, 2}), zeros({2, 2})})).array();
      },
      {"[linalg::inv] matrix 1 of 3 is singular: pivot 1 of 2 is 0"});
  check_throws<ValueError>(
      [&] {
        linalg::solve_triangular(Tensor{{1.0, 0.0}, {5.0, 0.0}}, Tensor{1.0, 1.0}).array();
      },
      {"[linalg::solve_triangular] the matrix is singular: element (1, 1)", "diagonal"});
}

BOOST_AUTO_TEST_CASE(operands_that_are_no_system_are_refused_at_once) {
  const Tensor square = zeros({3, 3});
  const auto shapes = {zeros({3}), zeros({2, 3}), zeros({3, 3, 2})};
  for (const Tensor& wrong : shapes) {
    check_throws<ShapeError>([&] { linalg::inv(wrong); }, {"[linalg::inv] ", to_string(wrong.shape())});
    check_throws<ShapeError>([&] { linalg::det(wrong); }, {"[linalg::det] ", to_string(wrong.shape())});
    check_throws<ShapeError>([&] { linalg::logdet(wrong); }, {"[linalg::logdet] ", to_string(wrong.shape())});
    check_throws<ShapeError>([&] { linalg::solve(wrong, square); }, {"[linalg::solve] ", to_string(wrong.shape())});
  }
  check_throws<ShapeError>(
      [&] {
        linalg::solve(square, zeros({2, 3}));
      },
      {"[linalg::solve] ", "(3, 3)", "(2, 3)", "3 rows", "linalg_systems.cpp:"});
  check_throws<ShapeError>([&] { linalg::solve_triangular(square, zeros({4})); },
                           {"[linalg::solve_triangular] ", "(3, 3)", "(4, 1)"});
  check_throws<ShapeError>([&] { linalg::solve(square, Tensor(1.0F)); }, {"[linalg::solve] ", "()"});
  check_throws<ShapeError>(
      [&] {
        linalg::solve(zeros({2, 3, 3}), zeros({4, 3, 1}));
      },
      {"[linalg::solve] ", "(2,)", "(4,)"});
  check_throws<DTypeError>(
      [&] {
        linalg::solve(square, zeros({3, 3}, DType::float64));
      },
      {"[linalg::solve] ", "float32", "float64"});
  check_throws<DTypeError>([&] { linalg::inv(zeros({2, 2}, DType::int64)); }, {"[linalg::inv] ", "int64", "cast"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
