#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "autograd/kernels/lapack.hpp"
#include "autograd/kernels/lapack_calls.hpp"

namespace xgrad::kernels {

namespace {

// Calls visit for every factor of the determinant: the pivots, and -1 for each exchange.
template <class T, class Visit>
void visit_factors(std::int64_t n, const T* lu, const int* exchanges, const Visit& visit) {
  for (std::int64_t i = 0; i < n; ++i) {
    visit(static_cast<double>(lu[i * (n + 1)]) * (exchanges[i] == i + 1 ? 1 : -1));
  }
}

// The same for a matrix that is not factorized yet; a zero pivot is the only factor.
template <class T, class Visit>
void visit_factors(const char* op, std::int64_t n, const T* a, const Visit& visit) {
  if (std::any_of(a, a + n * n, [](T x) { return x != x; })) {  // eliminating around NaN, LAPACK may lose it
    visit(std::numeric_limits<double>::quiet_NaN());
    return;
  }
  auto lu = elements<T>(n * n);
  auto exchanges = elements<int>(n);
  if (copy_and_eliminate(op, n, a, lu.data(), exchanges.data()) > 0) {
    visit(0.0);
    return;
  }
  visit_factors(n, lu.data(), exchanges.data(), visit);
}

}  // namespace

void determinant(const Matrices& m, const void* a, void* det) {
  for_each_matrix(m.dtype, m.count, [&](auto zero, std::int64_t i) {
    using T = decltype(zero);
    double product = 1;
    visit_factors(m.op, m.rows, batch<T>(a, m.rows * m.rows)[i], [&](double factor) { product *= factor; });
    *batch<T>(det, 1)[i] = static_cast<T>(product);
  });
}

namespace {

struct SignAndLog {
  double sign = 1;
  double log = 0;
};

template <class T>
SignAndLog sign_and_log(const Matrices& m, const T* a) {
  SignAndLog result;
  visit_factors(m.op, m.rows, a, [&](double factor) {
    result.sign *= factor < 0 ? -1 : factor > 0 ? 1 : factor;  // NaN stays
    result.log += std::log(std::abs(factor));
  });
  return result;
}

}  // namespace

void log_determinant(const Matrices& m, const void* a, void* logdet) {
  for_each_matrix(m.dtype, m.count, [&](auto zero, std::int64_t i) {
    using T = decltype(zero);
    const auto [sign, log] = sign_and_log(m, batch<T>(a, m.rows * m.rows)[i]);
    *batch<T>(logdet, 1)[i] = sign < 0 ? std::numeric_limits<T>::quiet_NaN() : static_cast<T>(log);
  });
}

void sign_and_log_determinant(const Matrices& m, const void* a, void* sign, void* log) {
  for_each_matrix(m.dtype, m.count, [&](auto zero, std::int64_t i) {
    using T = decltype(zero);
    const SignAndLog found = sign_and_log(m, batch<T>(a, m.rows * m.rows)[i]);
    *batch<T>(sign, 1)[i] = static_cast<T>(found.sign);
    *batch<T>(log, 1)[i] = static_cast<T>(found.log);
  });
}

namespace {

template <class T>
T largest_row_sum(std::int64_t n, const T* a) {
  T largest = 0;
  for (std::int64_t row = 0; row < n; ++row) {
    T sum = 0;
    std::for_each_n(a + row * n, n, [&](T x) { sum += std::abs(x); });
    largest = std::max(largest, sum);
  }
  return largest;
}

// Whether a has so good a condition that its inverse keeps three quarters of the digits.
template <class T>
bool inverts_well(const T* a, const T* lu, int n) {
  const T norm = largest_row_sum(n, a);  // of columns, as LAPACK sees it
  auto work = elements<T>(std::int64_t{4} * n);
  auto integers = elements<int>(n);
  T reciprocal_condition = 0;
  int info = 0;
  Lapack<T>::gecon("1", &n, lu, &n, &norm, &reciprocal_condition, work.data(), integers.data(), &info, 1);
  return std::pow(reciprocal_condition, 4) > std::numeric_limits<T>::epsilon();
}

// det(a) a⁻ᵀ, where that is accurate: else false.
template <class T>
bool cofactors_by_inverse(const Matrices& m, const T* a, T* result) {
  const std::int64_t n = m.rows;
  auto exchanges = elements<int>(n);
  if (copy_and_eliminate(m.op, n, a, result, exchanges.data()) > 0) {
    return false;
  }
  double det = 1;
  visit_factors(n, result, exchanges.data(), [&](double factor) { det *= factor; });
  const int order = static_cast<int>(n);
  if (!std::isnormal(static_cast<T>(det)) || !inverts_well(a, result, order)) {
    return false;
  }
  invert_factors(order, result, exchanges.data());
  for (std::int64_t row = 0; row < n; ++row) {
    for (std::int64_t column = 0; column < row; ++column) {
      std::swap(result[row * n + column], result[column * n + row]);
    }
  }
  std::for_each_n(result, n * n, [det](T& x) { x *= static_cast<T>(det); });
  return true;
}

/// a = u diag(s) vᵀ, and det(u) det(v), which is ±1.
template <class T>
struct SingularFactors {
  std::vector<T> u, s, vt;
  T sign;

  SingularFactors(const Matrices& m, const T* a)
      : u(elements<T>(m.rows * m.rows)), s(elements<T>(m.rows)), vt(elements<T>(m.rows * m.rows)) {
    const Matrices one{m.op, m.dtype, 1, m.rows, m.rows};
    singular_values(one, a, u.data(), s.data(), vt.data());
    T det_u = 0;
    T det_v = 0;
    determinant(one, u.data(), &det_u);
    determinant(one, vt.data(), &det_v);
    sign = det_u * det_v < 0 ? T{-1} : T{1};
  }

  /// The sign times all singular values but number i and number j.
  T product_without(std::int64_t i, std::int64_t j) const {
    T product = sign;
    for (std::int64_t each = 0; each < static_cast<std::int64_t>(s.size()); ++each) {
      product *= each == i || each == j ? T{1} : s[static_cast<std::size_t>(each)];
    }
    return product;
  }
};

template <class T>
void multiply(std::int64_t n, CBLAS_TRANSPOSE left, const T* x, CBLAS_TRANSPOSE right, const T* y, T* product) {
  const int order = static_cast<int>(n);
  Lapack<T>::gemm(CblasRowMajor, left, right, order, order, order, T{1}, x, order, y, order, T{0}, product, order);
}

// det(u) det(v) u diag(p) vᵀ with the products p of all singular values but one.
template <class T>
void cofactors_by_singular_values(const Matrices& m, const T* a, T* result) {
  const std::int64_t n = m.rows;
  SingularFactors<T> factors(m, a);
  for (std::int64_t i = 0; i < n; ++i) {
    const T others = factors.product_without(i, i);
    std::for_each_n(factors.vt.data() + i * n, n, [others](T& x) { x *= others; });
  }
  multiply(n, CblasNoTrans, factors.u.data(), CblasNoTrans, factors.vt.data(), result);
}

/// With a = u diag(s) vᵀ and p = uᵀ da v it is det(u) det(v) u k vᵀ, where kᵢᵢ is the sum of pⱼⱼ times all singular values but
/// two, i and j, over the other j, and kᵢⱼ is -pⱼᵢ times all but those two. Nothing is divided by.
template <class T>
void differentiate_cofactors(const Matrices& m, const T* a, const T* da, T* result) {
  const std::int64_t n = m.rows;
  const SingularFactors<T> factors(m, a);
  auto p = elements<T>(n * n);
  auto k = elements<T>(n * n);
  multiply(n, CblasTrans, factors.u.data(), CblasNoTrans, da, k.data());
  multiply(n, CblasNoTrans, k.data(), CblasTrans, factors.vt.data(), p.data());
  std::fill(k.begin(), k.end(), T{0});
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      if (i != j) {
        const T others = factors.product_without(i, j);
        k[static_cast<std::size_t>(i * n + i)] += others * p[static_cast<std::size_t>(j * n + j)];
        k[static_cast<std::size_t>(i * n + j)] -= others * p[static_cast<std::size_t>(j * n + i)];
      }
    }
  }
  multiply(n, CblasNoTrans, factors.u.data(), CblasNoTrans, k.data(), p.data());
  multiply(n, CblasNoTrans, p.data(), CblasNoTrans, factors.vt.data(), result);
}

}  // namespace

void cofactors_derivative(const Matrices& m, const void* a, const void* da, void* derivative) {
  const std::int64_t size = m.rows * m.rows;
  for_each_matrix(m.dtype, size == 0 ? 0 : m.count, [&](auto zero, std::int64_t i) {
    using T = decltype(zero);
    const T* matrix = batch<T>(a, size)[i];
    const T* direction = batch<T>(da, size)[i];
    T* result = batch<T>(derivative, size)[i];
    if (all_finite(matrix, size) && all_finite(direction, size)) {
      differentiate_cofactors(m, matrix, direction, result);
    } else {
      std::fill_n(result, size, std::numeric_limits<T>::quiet_NaN());
    }
  });
}

void cofactors(const Matrices& m, const void* a, void* cofactors) {
  const std::int64_t size = m.rows * m.rows;
  for_each_matrix(m.dtype, size == 0 ? 0 : m.count, [&](auto zero, std::int64_t i) {
    using T = decltype(zero);
    const T* matrix = batch<T>(a, size)[i];
    T* result = batch<T>(cofactors, size)[i];
    if (!all_finite(matrix, size)) {
      std::fill_n(result, size, std::numeric_limits<T>::quiet_NaN());
    } else if (!cofactors_by_inverse(m, matrix, result)) {
      cofactors_by_singular_values(m, matrix, result);
    }
  });
}

}  // namespace xgrad::kernels
