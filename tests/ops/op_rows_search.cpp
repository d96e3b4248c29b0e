#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <map>
#include <numbers>
#include <vector>

#include "op_table.hpp"

namespace xgrad::op_table::search_ops {

namespace {

using Index = std::vector<std::int64_t>;
using Joins = std::function<double(double old, double update)>;

double last_of(double, double update) { return update; }
double sum_of(double old, double update) { return old + update; }
double product_of(double old, double update) { return old * update; }
double largest_of(double old, double update) { return std::max(old, update); }
double smallest_of(double old, double update) { return std::min(old, update); }

std::size_t offset(std::int64_t i) { return static_cast<std::size_t>(i); }

// x (n, 3), indices and updates (m, 2), along axis 0: one update after another.
Reference scattered(const Joins& join) {
  return [join](const std::vector<Numbers>& x) {
    Numbers result = x[0];
    for (std::size_t i = 0; i < x[1].data.size(); ++i) {
      double& place = result.data[3 * offset(static_cast<std::int64_t>(x[1].data[i])) + i % 2];
      place = join(place, x[2].data[i]);
    }
    return result;
  };
}

// x (4, 3, 2), indices (m, 2) of slices (2,), updates (m, 2).
Reference slices_scattered(const Joins& join) {
  return [join](const std::vector<Numbers>& x) {
    Numbers result = x[0];
    for (std::size_t i = 0; i < x[2].data.size(); ++i) {
      const std::size_t row = i / 2 * 2;
      double& place =
          result.data[offset(static_cast<std::int64_t>(6 * x[1].data[row] + 2 * x[1].data[row + 1])) + i % 2];
      place = join(place, x[2].data[i]);
    }
    return result;
  };
}

Rows scatters() {
  Rows rows;
  const std::vector<Input> places = {{{4, 3}}, {{6, 2}, {0, 4}, Role::index}, {{6, 2}}};
  const std::vector<Input> no_places = {{{4, 3}}, {{0, 2}, {0, 4}, Role::index}, {{0, 2}}};
  const std::vector<Input> slices = {{{4, 3, 2}}, {{7, 2}, {0, 2.9}, Role::index}, {{7, 2}}};
  const std::vector<Input> no_slices = {{{4, 3, 2}}, {{0, 2}, {0, 3}, Role::index}, {{0, 2}}};
  struct Way {
    const char* name;
    Scatter how;
    Joins join;
    Takes takes;
  };
  for (const Way& way :
       {Way{"", Scatter::replace, last_of, Takes::everything}, Way{"summed", Scatter::add, sum_of, Takes::numbers},
        Way{"multiplied", Scatter::multiply, product_of, Takes::numbers},
        Way{"largest", Scatter::maximum, largest_of, Takes::everything},
        Way{"smallest", Scatter::minimum, smallest_of, Takes::everything}}) {
    rows.push_back({"scatter",
                    way.name,
                    [how = way.how](const Tensors& x) { return scatter(x[0], x[1], x[2], 0, how); },
                    scattered(way.join),
                    {places, no_places},
                    way.takes});
    rows.push_back({"scatter_nd",
                    way.name,
                    [how = way.how](const Tensors& x) { return scatter_nd(x[0], x[1], x[2], how); },
                    slices_scattered(way.join),
                    {slices, no_slices},
                    way.takes});
  }
  rows.push_back({"gather_nd",
                  "",
                  [](const Tensors& x) { return gather_nd(x[0], x[1]); },
                  [](const std::vector<Numbers>& x) {
                    return gather(x[0], {5, 2}, [&](const Index& i) {
                      return Index{static_cast<std::int64_t>(x[1].data[offset(2 * i[0])]),
                                   static_cast<std::int64_t>(x[1].data[offset(2 * i[0] + 1)]), i[1]};
                    });
                  },
                  {{{{4, 3, 2}}, {{5, 2}, {0, 2.9}, Role::index}}},
                  Takes::everything});
  return rows;
}

Numbers places_found(const Numbers& sorted, const Numbers& values, bool right) {
  Numbers result{values.shape, {}};
  const auto n = offset(sorted.shape.back());
  const auto row_of = [&](std::size_t i) { return sorted.shape.ndim() == 1 ? 0 : i / offset(values.shape.back()); };
  for (std::size_t i = 0; i < values.data.size(); ++i) {
    const auto row = sorted.data.begin() + static_cast<std::ptrdiff_t>(row_of(i) * n);
    const double value = values.data[i];
    result.data.push_back(static_cast<double>(std::count_if(row, row + static_cast<std::ptrdiff_t>(n),
                                                            [&](double x) { return right ? x <= value : x < value; })));
  }
  return result;
}

Rows searches() {
  const auto zero = Derivative::zero;
  return {
      {"searchsorted",
       "",
       [](const Tensors& x) { return searchsorted(sort(x[0]), x[1]); },
       [](const std::vector<Numbers>& x) { return places_found(x[0], x[1], false); },
       {{{{7}}, {{2, 4}}}, {{{7}}, {{}}}, {{{0}}, {{3}}}},
       Takes::everything,
       zero,
       Result::int64},
      {"searchsorted",
       "rows",
       [](const Tensors& x) { return searchsorted(sort(x[0]), x[1], true); },
       [](const std::vector<Numbers>& x) { return places_found(x[0], x[1], true); },
       {{{{3, 5}}, {{3, 4}}}, {{{2, 3}}, {{2, 0}}}},
       Takes::everything,
       zero,
       Result::int64},
      {"bincount",
       "",
       [](const Tensors& x) { return bincount(x[0], 6); },
       [](const std::vector<Numbers>& x) {
         Numbers result{{6}, std::vector<double>(6)};
         for (const double each : x[0].data) {
           ++result.data[offset(static_cast<std::int64_t>(each))];
         }
         return result;
       },
       {{{{3, 4}, {0, 5}, Role::index}}, {{{0}, {0, 5}, Role::index}}},
       Takes::everything,
       zero,
       Result::int64},
  };
}

// Where the diagonal of n elements is in a matrix.
Reference on_diagonal(std::int64_t n, std::int64_t k) {
  return [=](const std::vector<Numbers>& x) {
    const std::int64_t size = n + std::abs(k);
    const std::int64_t count = n == 0 ? 1 : static_cast<std::int64_t>(x[0].data.size()) / n;
    Numbers result{{count, size, size}, std::vector<double>(offset(count * size * size))};
    for (std::int64_t i = 0; i < count * n; ++i) {
      const std::int64_t row = i % n - std::min<std::int64_t>(k, 0);
      result.data[offset((i / n * size + row) * size + row + k)] = x[0].data[offset(i)];
    }
    return result;
  };
}

Rows diagonals() {
  const auto everything = Takes::everything;
  return {
      {"diag_embed",
       "",
       [](const Tensors& x) { return diag_embed(x[0]); },
       on_diagonal(3, 0),
       {{{{2, 3}}}},
       everything},
      {"diag_embed",
       "above",
       [](const Tensors& x) { return diag_embed(x[0], 2); },
       on_diagonal(3, 2),
       {{{{2, 3}}}},
       everything},
      {"diag_embed",
       "below",
       [](const Tensors& x) { return diag_embed(x[0], -1); },
       on_diagonal(4, -1),
       {{{{1, 4}}}},
       everything},
      {"diag_embed",
       "of_none",
       [](const Tensors& x) { return diag_embed(x[0], -2); },
       on_diagonal(0, -2),
       {{{{1, 0}}}},
       everything},
      {"diag_embed",
       "axes",
       [](const Tensors& x) {
         return transpose(diag_embed(x[0], 1, 2, 0), {1, 2, 0});
       },
       on_diagonal(3, 1),
       {{{{2, 3}}}},
       everything},
  };
}

using Function = double (*)(double);

Row special(const char* op, const char* variant, Tensor (*call)(const Operand&), Function f, const Domain& domain) {
  return {op, variant, [call](const Tensors& x) { return call(x[0]); },
          elementwise([f](const std::vector<double>& x) { return f(x[0]); }), unary_cases(domain)};
}

double inverse_erf(double x) {
  double y = 0;
  for (int i = 0; i < 60; ++i) {
    y -= (std::erf(y) - x) / (2 * std::numbers::inv_sqrtpi * std::exp(-y * y));
  }
  return y;
}

// Sums over thousands of terms, and what is left of them: no series that converges fast.
long double terms_of_polygamma(int n, double x) {
  const long double far = 4000 + static_cast<long double>(x);
  long double sum = n == 1 ? 1 / far + 1 / (2 * far * far) + 1 / (6 * far * far * far)
                           : 1 / (2 * far * far) + 1 / (2 * far * far * far) + 1 / (4 * far * far * far * far);
  for (int k = 0; k < 4000; ++k) {
    sum += std::pow(k + static_cast<long double>(x), -n - 1.0L);
  }
  return sum;
}
double trigamma_of(double x) { return static_cast<double>(terms_of_polygamma(1, x)); }
double tetragamma_of(double x) { return static_cast<double>(-2 * terms_of_polygamma(2, x)); }
double digamma_of(double x) {
  const long double far = 4000 + static_cast<long double>(x);
  long double sum = std::log(far) - 1 / (2 * far) - 1 / (12 * far * far);
  for (int k = 0; k < 4000; ++k) {
    sum -= 1 / (k + static_cast<long double>(x));
  }
  return static_cast<double>(sum);
}

Rows functions_of_statistics() {
  const Domain positive{0.3, 4};
  return {
      special("erfinv", "", erfinv, inverse_erf, {-0.9, 0.9}),
      special("lgamma", "", lgamma, std::lgamma, positive),
      special("lgamma", "negative", lgamma, std::lgamma, {-2.7, -2.3}),
      special("digamma", "", digamma, digamma_of, positive),
      special("digamma", "negative", digamma, digamma_of, {-1.7, -1.3}),
      special(
          "polygamma", "1", [](const Operand& x) { return polygamma(1, x); }, trigamma_of, positive),
      special(
          "polygamma", "2", [](const Operand& x) { return polygamma(2, x); }, tetragamma_of, positive),
      special("polygamma", "1_negative", [](const Operand& x) { return polygamma(1, x); }, trigamma_of, {-1.7, -1.3}),
      special("polygamma", "2_negative", [](const Operand& x) { return polygamma(2, x); }, tetragamma_of, {-0.9, -0.6}),
      special("exp2", "", exp2, std::exp2, {}),
      special("log10", "", log10, std::log10, {0.1, 3}),
  };
}

}  // namespace

Rows rows() {
  Rows rows = scatters();
  for (const Rows& more : {searches(), diagonals(), functions_of_statistics()}) {
    rows.insert(rows.end(), more.begin(), more.end());
  }
  return rows;
}

}  // namespace xgrad::op_table::search_ops
