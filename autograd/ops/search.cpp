#include <algorithm>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <vector>

#include "autograd/graph/operation.hpp"
#include "autograd/kernels/kernels.hpp"
#include "autograd/ops/composed.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"

/// \file
/// Ops that give positions and numbers of elements: searches and counts.

namespace xgrad {

namespace {

/// Where values (.., m) belong in sorted rows (.., n) with the same axes in front.
struct SearchSorted {
  static constexpr std::string_view name = "searchsorted";
  static constexpr bool stops_gradient = true;
  static constexpr bool total = true;
  bool right;
  static constexpr auto attributes = fields("right", &SearchSorted::right);

  Spec infer(Inputs in) const { return {in[1].shape(), DType::int64}; }
  void eval(ConstViews in, Views out) const {
    const std::int64_t m = in[1].shape().back();
    kernels::search_sorted(in[0].dtype(), in[0].data, in[0].shape().back(), in[1].data, in[1].size(), m, right,
                           out[0].as<std::int64_t>());
  }
  Tensors vmap(const Node& node, const BatchedInputs& in) const { return {apply_op(*this, all_batched(node, in))}; }
};

struct BinCount {
  static constexpr std::string_view name = "bincount";
  static constexpr bool stops_gradient = true;
  static constexpr bool maps_leading_axes = true;
  std::int64_t length;
  static constexpr auto attributes = fields("length", &BinCount::length);

  Spec infer(Inputs in) const {
    Shape shape = in[0].shape();
    shape[shape.ndim() - 1] = length;
    return {shape, DType::int64};
  }
  void eval(ConstViews in, Views out) const {
    const std::int64_t count = in[0].shape().back();
    kernels::count_numbers(name.data(), in[0].as<std::int64_t>(), length == 0 ? 0 : out[0].size() / length, count,
                           length, out[0].as<std::int64_t>());
  }
};

/// The sums of weights (.., n) by their numbers (.., n), for numbers in [0, length).
struct WeightedBinCount {
  static constexpr std::string_view name = "bincount";
  static constexpr bool linear = true;
  std::int64_t length;
  static constexpr auto attributes = fields("length", &WeightedBinCount::length);

  Spec infer(Inputs in) const {
    Shape shape = in[1].shape();
    shape[shape.ndim() - 1] = length;
    return {shape, in[0].dtype()};
  }
  void eval(ConstViews in, Views out) const {
    dispatch_numbers(
        in[0].dtype(),
        [&](auto zero) {
          using T = decltype(zero);
          add<T, std::conditional_t<is_floating(xgrad::dtype_of<T>()), double, std::uint64_t>>(
              in, out);  // of integers: modulo 2^64
        },
        name);
  }
  Tensors vjp(const Node& node, const Cotangents& ct) const {
    return {take_along_axis(ct[0], node.input(1), -1), Tensor()};
  }
  Tensors vmap(const Node& node, const BatchedInputs& in) const { return {apply_op(*this, all_batched(node, in))}; }

 private:
  template <class T, class Sum>
  void add(ConstViews in, Views out) const {
    const std::int64_t count = in[1].shape().back();
    const std::int64_t rows = length == 0 ? 0 : out[0].size() / length;
    std::vector<std::int64_t> often(static_cast<std::size_t>(length));
    std::vector<Sum> sums(static_cast<std::size_t>(length));
    if (length == 0) {
      kernels::count_numbers(name.data(), in[1].as<std::int64_t>(), in[1].size(), 1, length, nullptr);
    }
    for (std::int64_t row = 0; row < rows; ++row) {
      const std::int64_t* numbers = in[1].as<std::int64_t>() + row * count;
      const T* weights = in[0].as<T>() + row * count;
      kernels::count_numbers(name.data(), numbers, 1, count, length, often.data());  // throws for those outside
      std::fill(sums.begin(), sums.end(), Sum{});
      for (std::int64_t i = 0; i < count; ++i) {
        sums[static_cast<std::size_t>(numbers[i])] += static_cast<Sum>(weights[i]);
      }
      T* result = out[0].as<T>() + row * length;
      std::transform(sums.begin(), sums.end(), result, [](Sum sum) { return static_cast<T>(sum); });
    }
  }
};

}  // namespace

Tensor searchsorted(const Operand& sorted, const Operand& values, bool right) {
  const SourceScope scope(sorted);
  return located(sorted.where(), [&] {
    const Tensor rows = sorted.tensor();
    const Tensor sought = values.tensor(rows.dtype(), "searchsorted");
    if (sought.dtype() != rows.dtype()) {
      raise<DTypeError>("searchsorted", phrase("values are {}, the sorted ones {}; cast one of them",
                                               to_string(sought.dtype()), to_string(rows.dtype())));
    }
    if (rows.ndim() == 1) {  // the same row for all
      return reshape(apply_op(SearchSorted{right}, {rows, reshape(sought, {sought.size()})}), sought.shape());
    }
    const auto front = [](const Tensor& x) { return Shape(x.shape().begin(), x.shape().end() - 1); };
    if (rows.ndim() == 0 || sought.ndim() == 0 || front(rows) != front(sought)) {
      raise<ShapeError>(
          "searchsorted",
          phrase("sorted numbers of shape {} and values of shape {}; give one row for all, or one for each "
                 "row of values",
                 to_string(rows.shape()), to_string(sought.shape())));
    }
    return apply_op(SearchSorted{right}, {rows, sought});
  });
}

Tensor bincount(const Operand& x, std::int64_t length) {
  const SourceScope scope(x);
  return located(x.where(), [&] {
    const Tensor numbers = as_indices("bincount", x);
    if (length < 0) {
      raise<ValueError>("bincount", phrase("the length is {}; give 0 or more", length));
    }
    return apply_op(BinCount{length}, {reshape(numbers, {numbers.size()})});
  });
}

Tensor bincount(const Operand& x, const Operand& weights, std::int64_t length) {
  const SourceScope scope(x);
  const Tensor each = weights.tensor();
  return located(x.where(), [&] {
    const Tensor numbers = as_indices("bincount", x);
    if (length < 0) {
      raise<ValueError>("bincount", phrase("the length is {}; give 0 or more", length));
    }
    if (each.shape() != numbers.shape()) {
      raise<ShapeError>("bincount", phrase("numbers of shape {} and weights of shape {}; give one weight for each",
                                           to_string(numbers.shape()), to_string(each.shape())));
    }
    if (is_storage(each.dtype())) {
      raise<DTypeError>("bincount", phrase("the weights are {}; cast them to int64, or to a floating dtype",
                                           to_string(each.dtype())));
    }
    return apply_op(WeightedBinCount{length}, {reshape(each, {each.size()}), reshape(numbers, {numbers.size()})});
  });
}

}  // namespace xgrad
