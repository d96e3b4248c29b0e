#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <vector>

#include "autograd/ops/ops.hpp"
#include "onnx/import/axes.hpp"
#include "onnx/import/call.hpp"
#include "onnx/import/operators.hpp"

/// \file
/// Which slices of a tensor there are, each once.

namespace xgrad::onnx::loading {

namespace {

using Positions = std::vector<std::int64_t>;

/// What is found of slices.
struct Unique {
  Positions first;    ///< where each different one is first
  Positions inverse;  ///< of every slice: which of them it is
  Positions counts;   ///< how often each of them is there
};

/// Of \p count rows of \p size elements; in ascending order, or in that of their first places.
template <class T>
Unique unique_rows(const T* elements, std::int64_t count, std::int64_t size, bool sorted) {
  const auto row = [&](std::int64_t i) { return elements + i * size; };
  const auto before = [&](std::int64_t a, std::int64_t b) {
    return std::lexicographical_compare(row(a), row(a) + size, row(b), row(b) + size);
  };
  Positions order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::stable_sort(order.begin(), order.end(), before);
  std::vector<Positions> groups;
  for (const std::int64_t i : order) {
    if (groups.empty() || before(groups.back().front(), i)) {
      groups.emplace_back();
    }
    groups.back().push_back(i);
  }
  if (!sorted) {
    std::sort(groups.begin(), groups.end(), [](const Positions& a, const Positions& b) { return a[0] < b[0]; });
  }
  Unique result;
  result.inverse.resize(static_cast<std::size_t>(count));
  for (const Positions& group : groups) {
    for (const std::int64_t i : group) {
      result.inverse[static_cast<std::size_t>(i)] = static_cast<std::int64_t>(result.first.size());
    }
    result.first.push_back(group.front());
    result.counts.push_back(static_cast<std::int64_t>(group.size()));
  }
  return result;
}

Tensors unique(const Call& call) {
  const bool along = call.says("axis");
  const Tensor x = along ? call[0] : reshape(call[0], {-1});
  const std::int64_t axis = along ? checked_axis(call, call.integer("axis", 0), x.ndim()) : 0;
  call.elements(0);  // known, or an error that says why not
  Ints order = all_axes(x.ndim());
  order.erase(static_cast<std::size_t>(axis));
  order.insert(0, axis);
  const Array rows = transpose(x, order).array();
  const std::int64_t count = rows.shape()[0];
  const bool sorted = call.flag("sorted", true);
  const Unique found = dispatch(rows.dtype(), [&](auto zero) {
    return unique_rows(rows.data<decltype(zero)>(), count, count == 0 ? 0 : rows.size() / count, sorted);
  });
  return {take(x, Tensor(found.first), axis), Tensor(found.first), Tensor(found.inverse), Tensor(found.counts)};
}

constexpr std::array unique_table = {Operator{"Unique", {1, 1}, unique, 11}};

}  // namespace

std::span<const Operator> unique_operators() { return unique_table; }

}  // namespace xgrad::onnx::loading
