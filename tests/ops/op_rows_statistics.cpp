#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

#include "op_table.hpp"

namespace xgrad::op_table::statistics_ops {

namespace {

using Function = std::function<double(std::vector<double>)>;

double mean_of(const std::vector<double>& x) {
  return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
}

Function variance_over(double correction) {
  return [=](const std::vector<double>& x) {
    double sum = 0;
    for (const double each : x) {
      sum += (each - mean_of(x)) * (each - mean_of(x));
    }
    return sum / (static_cast<double>(x.size()) - correction);
  };
}

Function stddev_over(double correction) {
  return [f = variance_over(correction)](const std::vector<double>& x) { return std::sqrt(f(x)); };
}

Function quantile_at(double q) {
  return [=](std::vector<double> x) {
    std::sort(x.begin(), x.end());
    const double position = q * static_cast<double>(x.size() - 1);
    const auto below = static_cast<std::size_t>(position);
    const double above = x[std::min(below + 1, x.size() - 1)];
    return x[below] + (above - x[below]) * (position - static_cast<double>(below));
  };
}

Reference reduced(const std::vector<std::int64_t>& axes, bool keepdims, const Function& f) {
  return [=](const std::vector<Numbers>& x) { return reduce(x[0], axes, keepdims, f); };
}

Rows reductions() {
  return {
      {"variance",
       "corrected",
       [](const Tensors& x) { return variance(x[0], 1, false, 1); },
       reduced({1}, false, variance_over(1)),
       {{{{3, 4}}}, {{{2, 3, 5}}}}},
      {"stddev",
       "corrected",
       [](const Tensors& x) { return stddev(x[0], 0, true, 1); },
       reduced({0}, true, stddev_over(1)),
       {{{{3, 4}}}, {{{5}}}}},
      {"quantile",
       "axis_0",
       [](const Tensors& x) { return quantile(x[0], 0.3, 0); },
       reduced({0}, false, quantile_at(0.3)),
       {{{{4, 3}}}, {{{7}}}, {{{1, 2}}}, {{{3, 0}}}}},
      {"quantile",
       "axes_apart_keepdims",
       [](const Tensors& x) {
         return quantile(x[0], 1, {0, 2}, true);
       },
       reduced({0, 2}, true, quantile_at(1)),
       {{{{2, 3, 2}}}}},
      {"median",
       "",
       [](const Tensors& x) { return median(x[0], -1); },
       reduced({-1}, false, quantile_at(0.5)),
       {{{{3, 4}}}, {{{2, 5}}}, {{{}}}}},
  };
}

Numbers covariances(const std::vector<Numbers>& x, double correction) {
  const auto v = static_cast<std::size_t>(x[0].shape[0]);
  const auto n = static_cast<std::size_t>(x[0].shape[1]);
  const auto row = [&](std::size_t i) {
    const auto first = x[0].data.begin() + static_cast<std::ptrdiff_t>(i * n);
    return std::vector<double>(first, first + static_cast<std::ptrdiff_t>(n));
  };
  Numbers result{{x[0].shape[0], x[0].shape[0]}, {}};
  for (std::size_t i = 0; i < v; ++i) {
    for (std::size_t j = 0; j < v; ++j) {
      double sum = 0;
      for (std::size_t k = 0; k < n; ++k) {
        sum += (row(i)[k] - mean_of(row(i))) * (row(j)[k] - mean_of(row(j)));
      }
      result.data.push_back(sum / (static_cast<double>(n) - correction));
    }
  }
  return result;
}

Numbers correlations(const std::vector<Numbers>& x) {
  const Numbers c = covariances(x, 0);
  const auto v = static_cast<std::size_t>(c.shape[0]);
  Numbers result = c;
  for (std::size_t i = 0; i < v * v; ++i) {
    result.data[i] /= std::sqrt(c.data[i / v * (v + 1)] * c.data[i % v * (v + 1)]);
  }
  return result;
}

Numbers differences(const std::vector<Numbers>& x) {  // twice, along axis 0 of (n, m)
  const std::int64_t m = x[0].shape[1];
  Numbers result{{std::max<std::int64_t>(x[0].shape[0] - 2, 0), m}, {}};
  const auto at = [&](std::int64_t i, std::int64_t j) { return x[0].data[static_cast<std::size_t>(i * m + j)]; };
  for (std::int64_t i = 0; i < result.shape[0]; ++i) {
    for (std::int64_t j = 0; j < m; ++j) {
      result.data.push_back(at(i + 2, j) - 2 * at(i + 1, j) + at(i, j));
    }
  }
  return result;
}

Numbers kronecker(const std::vector<Numbers>& x) {  // of (n, m) and (k,)
  const std::int64_t k = x[1].shape[0];
  Numbers result{{x[0].shape[0], x[0].shape[1] * k}, {}};
  for (const double a : x[0].data) {
    for (const double b : x[1].data) {
      result.data.push_back(a * b);
    }
  }
  return result;
}

Numbers vector_products(const std::vector<Numbers>& x) {  // of (n, 3) and (3,)
  Numbers result = x[0];
  const std::vector<double>& b = x[1].data;
  for (std::size_t i = 0; i < result.data.size(); i += 3) {
    const double* a = &x[0].data[i];
    result.data[i] = a[1] * b[2] - a[2] * b[1];
    result.data[i + 1] = a[2] * b[0] - a[0] * b[2];
    result.data[i + 2] = a[0] * b[1] - a[1] * b[0];
  }
  return result;
}

}  // namespace

Rows rows() {
  Rows rows = reductions();
  for (const Row& more : Rows{
           {"cov",
            "",
            [](const Tensors& x) { return cov(x[0]); },
            [](const std::vector<Numbers>& x) { return covariances(x, 1); },
            {{{{3, 5}}}, {{{1, 4}}}}},
           {"corrcoef", "", [](const Tensors& x) { return corrcoef(x[0]); }, correlations, {{{{3, 5}}}}},
           {"diff",
            "twice",
            [](const Tensors& x) { return diff(x[0], 2, 0); },
            differences,
            {{{{5, 2}}}, {{{2, 3}}}, {{{1, 3}}}, {{{4, 0}}}},
            Takes::numbers},
           {"kron",
            "",
            [](const Tensors& x) { return kron(x[0], x[1]); },
            kronecker,
            {{{{2, 3}}, {{2}}}, {{{2, 1}}, {{0}}}},
            Takes::numbers},
           {"meshgrid",
            "",
            [](const Tensors& x) {
              return meshgrid({x[0], x[0]})[1];
            },
            [](const std::vector<Numbers>& x) {
              const std::int64_t n = x[0].shape[0];
              return gather(x[0], {n, n}, [](const std::vector<std::int64_t>& i) { return std::vector{i[1]}; });
            },
            {{{{4}}}, {{{0}}}},
            Takes::everything},
           {"cross",
            "",
            [](const Tensors& x) { return cross(x[0], x[1]); },
            vector_products,
            {{{{4, 3}}, {{3}}}, {{{0, 3}}, {{3}}}},
            Takes::numbers},
       }) {
    rows.push_back(more);
  }
  return rows;
}

}  // namespace xgrad::op_table::statistics_ops
