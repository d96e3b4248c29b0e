#include <algorithm>
#include <vector>

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
      row("pad", "reflect",
          [](const Tensors& x) {
            return pad(x[0], {0, 2}, {1, 5}, PadMode::reflect);
          },
          picked({3, 10},
                 [](const Index& i) {
                   const std::int64_t columns[] = {2, 1, 0, 1, 2, 1, 0, 1, 2, 1};
                   return Index{i[0] == 2 ? 0 : i[0], columns[i[1]]};
                 }),
          {2, 3}),
      row("pad", "edge",
          [](const Tensors& x) {
            return pad(x[0], {1, 0}, {2, 4}, PadMode::edge);
          },
          picked({5, 7},
                 [](const Index& i) {
                   return Index{std::clamp<std::int64_t>(i[0] - 1, 0, 1), std::min<std::int64_t>(i[1], 2)};
                 }),
          {2, 3}),
      row("pad", "wrap",
          [](const Tensors& x) {
            return pad(x[0], {1, 4}, {0, 5}, PadMode::wrap);
          },
          picked({3, 12},
                 [](const Index& i) {
                   return Index{(i[0] + 1) % 2, (i[1] + 2) % 3};
                 }),
          {2, 3}),
      row("pad", "reflect_of_one", [](const Tensors& x) { return pad(x[0], {2}, {1}, PadMode::reflect); },
          picked({4}, [](const Index&) { return Index{0}; }), {1}),
      row("pad", "wrap_of_none",
          [](const Tensors& x) {
            return pad(x[0], {0, 1}, {0, 1}, PadMode::wrap);
          },
          picked({0, 5}, [](const Index& i) { return i; }), {0, 3}),
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
  Rows rows = moves();
  for (const Rows& more : {indexed(), made_from_numbers()}) {
    rows.insert(rows.end(), more.begin(), more.end());
  }
  return rows;
}

}  // namespace xgrad::op_table::rearrangement_ops
