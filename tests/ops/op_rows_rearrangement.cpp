#include <algorithm>
#include <numeric>

#include "op_table.hpp"

namespace xgrad::op_table::rearrangement_ops {

namespace {

using Index = std::vector<std::int64_t>;

Row row(const char* op, const char* variant, std::function<Tensor(const Tensors&)> call, Reference reference,
        const Shape& shape, Takes takes = Takes::everything) {
  return {op, variant, std::move(call), std::move(reference), {{{shape}}}, takes};
}

// The array whose element at an index is x at source(index).
Reference picked(const Shape& shape, Index (*source)(const Index&)) {
  return [=](const std::vector<Numbers>& x) { return gather(x[0], shape, source); };
}

// x where keeps(index), else value.
Reference masked(bool (*keeps)(const Index&), double value = 0) {
  return [=](const std::vector<Numbers>& x) {
    Numbers result = x[0];
    std::size_t flat = 0;
    gather(x[0], x[0].shape, [&](const Index& index) {
      if (!keeps(index)) {
        result.data[flat] = value;
      }
      ++flat;
      return index;
    });
    return result;
  };
}

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

Rows scans() {
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

Rows moves() {
  return {
      row("diagonal", "", [](const Tensors& x) { return diagonal(x[0]); },
          picked({3},
                 [](const Index& i) {
                   return Index{i[0], i[0]};
                 }),
          {3, 4}),
      row("diagonal", "below", [](const Tensors& x) { return diagonal(x[0], -1); },
          picked({2},
                 [](const Index& i) {
                   return Index{i[0] + 1, i[0]};
                 }),
          {3, 4}),
      row("diagonal", "of_two_axes", [](const Tensors& x) { return diagonal(x[0], 1, 2, 0); },
          picked({2, 2},
                 [](const Index& i) {
                   return Index{i[1] + 1, i[0], i[1]};
                 }),
          {3, 2, 4}),
      row("flip", "", [](const Tensors& x) { return flip(x[0]); },
          picked({3, 4},
                 [](const Index& i) {
                   return Index{2 - i[0], 3 - i[1]};
                 }),
          {3, 4}),
      row("flip", "axis", [](const Tensors& x) { return flip(x[0], -1); },
          picked({3, 4},
                 [](const Index& i) {
                   return Index{i[0], 3 - i[1]};
                 }),
          {3, 4}),
      row("roll", "", [](const Tensors& x) { return roll(x[0], 2, 1); },
          picked({3, 5},
                 [](const Index& i) {
                   return Index{i[0], (i[1] + 3) % 5};
                 }),
          {3, 5}),
      row("roll", "back_and_around", [](const Tensors& x) { return roll(x[0], -8, 0); },
          picked({3, 2},
                 [](const Index& i) {
                   return Index{(i[0] + 8) % 3, i[1]};
                 }),
          {3, 2}),
      row("roll", "empty", [](const Tensors& x) { return roll(x[0], 2, 0); },
          picked({0, 2}, [](const Index& i) { return i; }), {0, 2}),
      row(
          "pad", "",
          [](const Tensors& x) {
            return pad(x[0], {0, 2}, {3, 1});
          },
          [](const std::vector<Numbers>& x) {
            return masked([](const Index& i) { return i[0] < 3 && i[1] >= 2 && i[1] < 6; })(
                {gather(x[0], {6, 7}, [](const Index& i) {
                  return Index{std::min<std::int64_t>(i[0], 2), std::clamp<std::int64_t>(i[1] - 2, 0, 3)};
                })});
          },
          {3, 4}),
      row(
          "pad", "value", [](const Tensors& x) { return pad(x[0], {1}, {0}, 1); },
          [](const std::vector<Numbers>& x) {
            return Numbers{{3}, {1, x[0].data[0], x[0].data[1]}};
          },
          {2}),
      row("tile", "",
          [](const Tensors& x) {
            return tile(x[0], {2, 3});
          },
          picked({4, 9},
                 [](const Index& i) {
                   return Index{i[0] % 2, i[1] % 3};
                 }),
          {2, 3}),
      row("tile", "more_axes",
          [](const Tensors& x) {
            return tile(x[0], {2, 2});
          },
          picked({2, 6}, [](const Index& i) { return Index{i[1] % 3}; }), {3}),
      row("repeat", "", [](const Tensors& x) { return repeat(x[0], 3, 1); },
          picked({2, 9},
                 [](const Index& i) {
                   return Index{i[0], i[1] / 3};
                 }),
          {2, 3}),
      row(
          "repeat", "never", [](const Tensors& x) { return repeat(x[0], 0, 0); },
          [](const std::vector<Numbers>&) {
            return Numbers{{0, 3}, {}};
          },
          {2, 3}),
      row("split", "", [](const Tensors& x) { return split(x[0], 3)[1]; },
          picked({2, 2},
                 [](const Index& i) {
                   return Index{i[0] + 2, i[1]};
                 }),
          {6, 2}),
      row("split", "all_parts", [](const Tensors& x) { return concatenate(split(x[0], 2, -1), 0); },
          picked({6, 2},
                 [](const Index& i) {
                   return Index{i[0] % 3, i[1] + (i[0] < 3 ? 0 : 2)};
                 }),
          {3, 4}),
      row("split_at", "",
          [](const Tensors& x) {
            return split_at(x[0], {1, 4})[1];
          },
          picked({3, 2},
                 [](const Index& i) {
                   return Index{i[0] + 1, i[1]};
                 }),
          {6, 2}),
      row("split_at", "last_part",
          [](const Tensors& x) {
            return split_at(x[0], {1, 4}, 1)[2];
          },
          picked({2, 2},
                 [](const Index& i) {
                   return Index{i[0], i[1] + 4};
                 }),
          {2, 6}),
      row("tril", "", [](const Tensors& x) { return tril(x[0]); }, masked([](const Index& i) { return i[1] <= i[0]; }),
          {4, 4}),
      row("tril", "below", [](const Tensors& x) { return tril(x[0], -1); },
          masked([](const Index& i) { return i[2] <= i[1] - 1; }), {2, 4, 3}),
      row("triu", "", [](const Tensors& x) { return triu(x[0]); }, masked([](const Index& i) { return i[1] >= i[0]; }),
          {3, 5}),
      row("triu", "above", [](const Tensors& x) { return triu(x[0], 1); },
          masked([](const Index& i) { return i[1] >= i[0] + 1; }), {4, 5}),
  };
}

Rows indexed() {
  const auto along = [](const std::vector<Numbers>& x) {
    return gather(x[0], {4, 2}, [&](const Index& i) {
      return Index{i[0], static_cast<std::int64_t>(x[1].data[static_cast<std::size_t>(2 * i[0] + i[1])])};
    });
  };
  const auto scattered = [](const std::vector<Numbers>& x) {  // (5, 3), indices (4,), updates (4, 3)
    Numbers result = x[0];
    for (std::size_t i = 0; i < 4; ++i) {
      for (std::size_t j = 0; j < 3; ++j) {
        result.data[3 * static_cast<std::size_t>(x[1].data[i]) + j] += x[2].data[3 * i + j];
      }
    }
    return result;
  };
  return {
      {"take_along_axis",
       "",
       [](const Tensors& x) { return take_along_axis(x[0], x[1], 1); },
       along,
       {{{{4, 5}}, {{4, 2}, {0, 5}, Role::index}}},
       Takes::everything},
      {"scatter_add",
       "",
       [](const Tensors& x) { return scatter_add(x[0], x[1], x[2]); },
       scattered,
       {{{{5, 3}}, {{4}, {0, 5}, Role::index}, {{4, 3}}}},
       Takes::numbers},
  };
}

Rows made_from_numbers() {
  const auto constant = [](const char* op, const char* variant, std::function<Tensor(DType)> call,
                           const Numbers& expected, Takes takes) {
    return Row{op,
               variant,
               [call](const Tensors& x) { return call(x[0].dtype()); },
               [expected](const std::vector<Numbers>&) { return expected; },
               {{{{}}}},
               takes,
               Derivative::zero};
  };
  return {
      constant(
          "linspace", "", [](DType d) { return linspace(0, 1, 5, d); }, {{5}, {0, 0.25, 0.5, 0.75, 1}},
          Takes::floating),
      constant(
          "linspace", "one", [](DType d) { return linspace(3, 9, 1, d); }, {{1}, {3}}, Takes::floating),
      constant(
          "linspace", "backwards", [](DType d) { return linspace(1, -1, 3, d); }, {{3}, {1, 0, -1}}, Takes::floating),
      constant(
          "eye", "", [](DType d) { return eye(2, -1, d); }, {{2, 2}, {1, 0, 0, 1}}, Takes::everything),
      constant(
          "eye", "wide", [](DType d) { return eye(2, 3, d); }, {{2, 3}, {1, 0, 0, 0, 1, 0}}, Takes::everything),
      constant(
          "eye", "tall", [](DType d) { return eye(3, 2, d); }, {{3, 2}, {1, 0, 0, 1, 0, 0}}, Takes::everything),
  };
}

}  // namespace

Rows rows() {
  Rows rows = scans();
  for (const Rows& more : {moves(), indexed(), made_from_numbers()}) {
    rows.insert(rows.end(), more.begin(), more.end());
  }
  return rows;
}

}  // namespace xgrad::op_table::rearrangement_ops
