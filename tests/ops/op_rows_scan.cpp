#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>
#include <vector>

#include "op_table.hpp"

namespace xgrad::op_table::scan_ops {

namespace {

using Index = std::vector<std::int64_t>;

// What f makes of the elements along an axis, for every position of the others.
Reference along_axis(std::size_t axis, std::function<std::vector<double>(std::vector<double>)> f) {
  return [=](const std::vector<Numbers>& x) {
    Numbers result = x[0];
    std::int64_t inner = 1;
    for (std::size_t i = axis + 1; i < x[0].shape.ndim(); ++i) {
      inner *= x[0].shape[i];
    }
    const std::int64_t n = x[0].shape[axis];
    for (std::int64_t start = 0; start < static_cast<std::int64_t>(x[0].data.size()); ++start) {
      if (start / inner % n != 0) {
        continue;
      }
      std::vector<double> line;
      for (std::int64_t i = 0; i < n; ++i) {
        line.push_back(x[0].data[static_cast<std::size_t>(start + i * inner)]);
      }
      line = f(line);
      for (std::int64_t i = 0; i < n; ++i) {
        result.data[static_cast<std::size_t>(start + i * inner)] = line[static_cast<std::size_t>(i)];
      }
    }
    return result;
  };
}

std::vector<double> running_sum(std::vector<double> x) {
  std::partial_sum(x.begin(), x.end(), x.begin());
  return x;
}
std::vector<double> sum_behind(std::vector<double> x) {  // of the elements behind each
  double sum = 0;
  for (std::size_t i = x.size(); i-- > 0;) {
    sum += std::exchange(x[i], sum);
  }
  return x;
}
std::vector<double> sum_in_front(std::vector<double> x) {
  std::reverse(x.begin(), x.end());
  x = sum_behind(x);
  std::reverse(x.begin(), x.end());
  return x;
}
std::vector<double> sum_from_the_end(std::vector<double> x) {
  std::partial_sum(x.rbegin(), x.rend(), x.rbegin());
  return x;
}
std::vector<double> largest_so_far(std::vector<double> x) {
  std::partial_sum(x.begin(), x.end(), x.begin(), [](double a, double b) { return std::max(a, b); });
  return x;
}
std::vector<double> smallest_so_far(std::vector<double> x) {
  std::partial_sum(x.begin(), x.end(), x.begin(), [](double a, double b) { return std::min(a, b); });
  return x;
}
std::vector<double> place_of_largest_so_far(const std::vector<double>& x) {
  std::vector<double> places;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto begin = x.rend() - static_cast<std::ptrdiff_t>(i) - 1;
    places.push_back(static_cast<double>(x.rend() - std::max_element(begin, x.rend()) - 1));
  }
  return places;
}
std::vector<double> running_product(std::vector<double> x) {
  std::partial_sum(x.begin(), x.end(), x.begin(), std::multiplies<>());
  return x;
}
std::vector<double> ascending(std::vector<double> x) {
  std::sort(x.begin(), x.end());
  return x;
}
std::vector<double> descending(std::vector<double> x) {
  std::sort(x.begin(), x.end(), std::greater<>());
  return x;
}
std::vector<double> positions(const std::vector<double>& x, bool down) {
  std::vector<double> order(x.size());
  std::iota(order.begin(), order.end(), 0.0);
  std::stable_sort(order.begin(), order.end(), [&](double a, double b) {
    const double left = x[static_cast<std::size_t>(a)];
    const double right = x[static_cast<std::size_t>(b)];
    return down ? left > right : left < right;
  });
  return order;
}

}  // namespace

Rows rows() {
  Rows rows;
  const auto scan = [&](const char* op, const char* variant, std::function<Tensor(const Tensor&)> call,
                        Reference reference, const Shape& shape, Takes takes, Derivative derivative, Result result) {
    rows.push_back({op,
                    variant,
                    [call](const Tensors& x) { return call(x[0]); },
                    std::move(reference),
                    {{{shape}}},
                    takes,
                    derivative,
                    result});
  };
  using enum Derivative;
  const auto empty = [](const std::vector<Numbers>& x) { return x[0]; };
  scan(
      "cumsum", "", [](const Tensor& x) { return cumsum(x, 0); }, along_axis(0, running_sum), {3, 4}, Takes::numbers,
      smooth, Result::wide);
  scan(
      "cumsum", "axis_middle", [](const Tensor& x) { return cumsum(x, -2); }, along_axis(1, running_sum), {2, 3, 4},
      Takes::numbers, smooth, Result::wide);
  scan(
      "cumsum", "empty", [](const Tensor& x) { return cumsum(x, 0); }, empty, {0, 2}, Takes::numbers, smooth,
      Result::wide);
  scan(
      "cumsum", "exclusive", [](const Tensor& x) { return cumsum(x, 1, true); }, along_axis(1, sum_in_front), {2, 5},
      Takes::numbers, smooth, Result::wide);
  scan(
      "cumsum", "exclusive_reverse", [](const Tensor& x) { return cumsum(x, 0, true, true); },
      along_axis(0, sum_behind), {4, 3}, Takes::numbers, smooth, Result::wide);
  scan(
      "cumsum", "reverse", [](const Tensor& x) { return cumsum(x, -1, false, true); }, along_axis(1, sum_from_the_end),
      {2, 5}, Takes::numbers, smooth, Result::wide);
  scan(
      "cumsum", "exclusive_of_none", [](const Tensor& x) { return cumsum(x, 0, true); }, empty, {0, 2}, Takes::numbers,
      smooth, Result::wide);
  scan(
      "cummax", "", [](const Tensor& x) { return cummax(x, 1).values; }, along_axis(1, largest_so_far), {3, 9},
      Takes::everything, smooth, Result::same);
  scan(
      "cummax", "indices", [](const Tensor& x) { return cummax(x, 0).indices; }, along_axis(0, place_of_largest_so_far),
      {9, 2}, Takes::everything, zero, Result::int64);
  scan(
      "cummin", "", [](const Tensor& x) { return cummin(x, -2).values; }, along_axis(1, smallest_so_far), {2, 6, 2},
      Takes::everything, smooth, Result::same);
  scan(
      "cummin", "empty", [](const Tensor& x) { return cummin(x, 0).values; }, empty, {0, 2}, Takes::everything, smooth,
      Result::same);
  scan(
      "cumprod", "", [](const Tensor& x) { return cumprod(x, 0); }, along_axis(0, running_product), {3, 4},
      Takes::numbers, smooth, Result::wide);
  scan(
      "cumprod", "axis_last", [](const Tensor& x) { return cumprod(x, -1); }, along_axis(2, running_product), {2, 1, 5},
      Takes::numbers, smooth, Result::wide);
  scan(
      "cumprod", "size_1", [](const Tensor& x) { return cumprod(x, 0); }, empty, {1, 2}, Takes::numbers, smooth,
      Result::wide);
  scan(
      "cumprod", "empty", [](const Tensor& x) { return cumprod(x, 1); }, empty, {2, 0}, Takes::numbers, smooth,
      Result::wide);
  scan(
      "sort", "", [](const Tensor& x) { return sort(x); }, along_axis(1, ascending), {3, 5}, Takes::everything, smooth,
      Result::same);
  scan(
      "sort", "descending_axis_0", [](const Tensor& x) { return sort(x, 0, true); }, along_axis(0, descending), {6, 2},
      Takes::everything, smooth, Result::same);
  scan(
      "sort", "empty", [](const Tensor& x) { return sort(x, 0); }, empty, {0, 2}, Takes::everything, smooth,
      Result::same);
  scan(
      "argsort", "", [](const Tensor& x) { return argsort(x); },
      along_axis(1, [](auto x) { return positions(x, false); }), {3, 9}, Takes::everything, zero, Result::int64);
  scan(
      "argsort", "descending_axis_0", [](const Tensor& x) { return argsort(x, 0, true); },
      along_axis(0, [](auto x) { return positions(x, true); }), {9, 2}, Takes::everything, zero, Result::int64);
  const auto first = [](Reference all) -> Reference {
    return [all](const std::vector<Numbers>& x) {
      return gather(all(x), {3, 2}, [](const Index& index) { return index; });
    };
  };
  scan(
      "topk", "", [](const Tensor& x) { return topk(x, 2).values; }, first(along_axis(1, descending)), {3, 5},
      Takes::everything, smooth, Result::same);
  scan(
      "topk", "smallest", [](const Tensor& x) { return topk(x, 3, 0, false).values; },
      [](const std::vector<Numbers>& x) {
        return gather(along_axis(0, ascending)(x), {3, 2}, [](const Index& i) { return i; });
      },
      {5, 2}, Takes::everything, smooth, Result::same);
  scan(
      "topk", "indices", [](const Tensor& x) { return topk(x, 2).indices; },
      first(along_axis(1, [](auto x) { return positions(x, true); })), {3, 5}, Takes::everything, zero, Result::int64);
  return rows;
}

}  // namespace xgrad::op_table::scan_ops
