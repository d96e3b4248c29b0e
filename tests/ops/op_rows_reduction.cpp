#include <algorithm>
#include <cmath>
#include <numeric>

#include "op_table.hpp"

namespace xgrad::op_table::reduction_ops {

namespace {

using Op = Tensor (*)(const Operand&, const Axes&, bool);
using Function = double (*)(const std::vector<double>&);

double total(const std::vector<double>& x) { return std::accumulate(x.begin(), x.end(), 0.0); }
double average(const std::vector<double>& x) { return total(x) / static_cast<double>(x.size()); }
double largest(const std::vector<double>& x) { return *std::max_element(x.begin(), x.end()); }
double smallest(const std::vector<double>& x) { return *std::min_element(x.begin(), x.end()); }
double first_largest(const std::vector<double>& x) {
  return static_cast<double>(std::max_element(x.begin(), x.end()) - x.begin());
}
double first_smallest(const std::vector<double>& x) {
  return static_cast<double>(std::min_element(x.begin(), x.end()) - x.begin());
}
double log_sum_exp(const std::vector<double>& x) {
  double sum = 0;
  for (const double each : x) {
    sum += std::exp(each);
  }
  return std::log(sum);
}
double product(const std::vector<double>& x) { return std::accumulate(x.begin(), x.end(), 1.0, std::multiplies<>()); }
double spread(const std::vector<double>& x) {
  double sum = 0;
  for (const double each : x) {
    sum += (each - average(x)) * (each - average(x));
  }
  return sum / static_cast<double>(x.size());
}
double deviation(const std::vector<double>& x) { return std::sqrt(spread(x)); }
double length(const std::vector<double>& x) {
  return std::sqrt(std::inner_product(x.begin(), x.end(), x.begin(), 0.0));
}
double all_true(const std::vector<double>& x) { return smallest(x); }
double any_true(const std::vector<double>& x) { return largest(x); }

struct Variant {
  const char* name;
  Shape shape;
  std::vector<std::int64_t> axes;
  bool all = false;
  bool keepdims = false;
};

const std::vector<Variant> every_way = {
    {"", {3, 4}, {0, 1}, true, false},
    {"all_keepdims", {3, 4}, {0, 1}, true, true},
    {"no_axes", {}, {}, true, false},
    {"axis_0_of_none", {}, {0}},
    {"axis_last_of_none_keepdims", {}, {-1}, false, true},
    {"vector", {17}, {0}},
    {"axis_0", {3, 4}, {0}},
    {"axis_last", {2, 3, 5}, {-1}},
    {"axis_middle_keepdims", {2, 3, 4}, {1}, false, true},
    {"axes_apart", {2, 3, 4}, {0, 2}},
    {"axes_apart_keepdims", {2, 3, 4, 2}, {3, 1}, false, true},
    {"axes_adjacent", {2, 3, 4}, {-1, 1}},
    {"size_1", {3, 1, 2}, {1}},
    {"empty_result", {0, 3}, {1}},
};

Rows reduction(const char* name, Op op, Function f, bool only_one_axis, Takes takes, Derivative derivative,
               Result result) {
  Rows rows;
  for (const Variant& v : every_way) {
    if (only_one_axis && !v.all && v.axes.size() > 1) {
      continue;
    }
    const Axes axes = v.all ? Axes() : Axes(Shape(v.axes.begin(), v.axes.end()));
    rows.push_back({name,
                    v.name,
                    [op, axes, v](const Tensors& x) { return op(x[0], axes, v.keepdims); },
                    [v, f](const std::vector<Numbers>& x) { return reduce(x[0], v.axes, v.keepdims, f); },
                    {{{v.shape}}},
                    takes,
                    derivative,
                    result});
  }
  return rows;
}

// Softmax and log-softmax by their formulas.
Reference along_axis(std::int64_t axis, double (*f)(double x, double log_sum)) {
  return [axis, f](const std::vector<Numbers>& x) {
    const Numbers sums = reduce(x[0], {axis}, true, log_sum_exp);
    Numbers result = elementwise([f](const std::vector<double>& a) { return f(a[0], a[1]); })({x[0], sums});
    return result;
  };
}

double softmax_of(double x, double log_sum) { return std::exp(x) / std::exp(log_sum); }
double log_softmax_of(double x, double log_sum) { return x - log_sum; }

Rows along_an_axis() {
  const std::vector<std::vector<Input>> cases = {{{{3, 4}}}, {{{2, 3, 5}}}, {{{0, 3}}}, {{{1, 1}}}, {{{}}}};
  return {
      {"softmax", "", [](const Tensors& x) { return softmax(x[0]); }, along_axis(-1, softmax_of), cases},
      {"softmax",
       "axis_0",
       [](const Tensors& x) { return softmax(x[0], 0); },
       along_axis(0, softmax_of),
       {{{{3, 4}}}, {{{2, 3, 5}}}, {{{3, 0}}}, {{{5}}}, {{{}}}}},
      {"log_softmax", "", [](const Tensors& x) { return log_softmax(x[0]); }, along_axis(-1, log_softmax_of), cases},
      {"log_softmax",
       "axis_minus_2",
       [](const Tensors& x) { return log_softmax(x[0], -2); },
       along_axis(-2, log_softmax_of),
       {{{{3, 4}}}, {{{2, 3, 5}}}, {{{3, 0}}}}},
  };
}

}  // namespace

Rows rows() {
  using enum Derivative;
  Rows rows = along_an_axis();
  for (const Rows& more : {
           reduction("sum", sum, total, false, Takes::summed, smooth, Result::wide),
           reduction("mean", mean, average, false, Takes::floating, smooth, Result::same),
           reduction("amax", amax, largest, false, Takes::everything, smooth, Result::same),
           reduction("amin", amin, smallest, false, Takes::everything, smooth, Result::same),
           reduction("prod", prod, product, false, Takes::numbers, smooth, Result::wide),
           reduction("variance", variance, spread, false, Takes::floating, smooth, Result::same),
           reduction("stddev", stddev, deviation, false, Takes::floating, smooth, Result::same),
           reduction("norm", norm, length, false, Takes::floating, smooth, Result::same),
           reduction("logsumexp", logsumexp, log_sum_exp, false, Takes::floating, smooth, Result::same),
           reduction("argmax", argmax, first_largest, true, Takes::everything, zero, Result::int64),
           reduction("argmin", argmin, first_smallest, true, Takes::everything, zero, Result::int64),
           reduction("all", all, all_true, false, Takes::booleans, zero, Result::boolean),
           reduction("any", any, any_true, false, Takes::booleans, zero, Result::boolean),
       }) {
    rows.insert(rows.end(), more.begin(), more.end());
  }
  return rows;
}

}  // namespace xgrad::op_table::reduction_ops
