#pragma once

#include <array>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "autograd/graph/tensor.hpp"

/// \file
/// For transformations' own use: what users' functions return, taken apart into tensors and put together again.

namespace xgrad::detail {

/// Tensors, the first few without an allocation.
class ShortTensors {
 public:
  std::size_t size() const { return count_; }
  Tensor& operator[](std::size_t i) { return i < few ? first_[i] : rest_[i - few]; }
  const Tensor& operator[](std::size_t i) const { return i < few ? first_[i] : rest_[i - few]; }
  void push_back(Tensor tensor) {
    if (count_ < few) {
      first_[count_] = std::move(tensor);
    } else {
      rest_.push_back(std::move(tensor));
    }
    ++count_;
  }

 private:
  static constexpr std::size_t few = 4;
  std::array<Tensor, few> first_;
  Tensors rest_;
  std::size_t count_ = 0;
};

/// What a function returned: its tensors in order, and the lengths of the lists among them.
struct Results {
  ShortTensors tensors;
  std::vector<std::size_t> lengths;
};

/// Takes the tensors out of Results in order.
struct ResultReader {
  Results results;
  std::size_t next_tensor = 0;
  std::size_t next_length = 0;
};

/// How a result of type T is put into Results and taken out again.
template <class T>
struct Packing;

template <>
struct Packing<Tensor> {
  static void put(const Tensor& tensor, Results& results) { results.tensors.push_back(tensor); }
  static Tensor take(ResultReader& reader) { return std::move(reader.results.tensors[reader.next_tensor++]); }
};

template <>
struct Packing<Tensors> {
  static void put(const Tensors& list, Results& results) {
    results.lengths.push_back(list.size());
    for (const Tensor& tensor : list) {
      results.tensors.push_back(tensor);
    }
  }
  static Tensors take(ResultReader& reader) {
    Tensors list(reader.results.lengths[reader.next_length++]);
    for (Tensor& tensor : list) {
      tensor = Packing<Tensor>::take(reader);
    }
    return list;
  }
};

template <class T>
concept Packable = requires(const T& value, Results& results) { Packing<T>::put(value, results); };

template <class Tuple, class... T>
struct TuplePacking {
  static void put(const Tuple& tuple, Results& results) {
    std::apply([&](const T&... part) { (Packing<T>::put(part, results), ...); }, tuple);
  }
  static Tuple take(ResultReader& reader) { return Tuple{Packing<T>::take(reader)...}; }  // braces: from left to right
};

template <Packable A, Packable B>
struct Packing<std::pair<A, B>> : TuplePacking<std::pair<A, B>, A, B> {};
template <Packable... T>
struct Packing<std::tuple<T...>> : TuplePacking<std::tuple<T...>, T...> {};

template <Packable T, std::size_t N>
struct Packing<std::array<T, N>> {
  static void put(const std::array<T, N>& list, Results& results) {
    for (const T& part : list) {
      Packing<T>::put(part, results);
    }
  }
  static std::array<T, N> take(ResultReader& reader) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return std::array<T, N>{(static_cast<void>(I), Packing<T>::take(reader))...};
    }(std::make_index_sequence<N>());
  }
};

/// The tensors of \p value in order.
template <Packable T>
Tensors tensors_of(const T& value) {
  Results results;
  Packing<T>::put(value, results);
  Tensors tensors;
  for (std::size_t i = 0; i < results.tensors.size(); ++i) {
    tensors.push_back(results.tensors[i]);
  }
  return tensors;
}

/// Whether \p F can be called with N tensors.
template <class F, std::size_t N>
concept FunctionOfTensors = []<std::size_t... I>(std::index_sequence<I...>) {
  return std::is_invocable_v<const F&, decltype(static_cast<void>(I), std::declval<const Tensor&>())...>;
}(std::make_index_sequence<N>());

/// What \p f returns for the tensors of a list as its arguments; what is not Packable becomes a Tensor.
template <std::size_t N, class F>
auto call_for_results(const F& f, const Tensors& arguments) {
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    using Result = std::remove_cvref_t<decltype(f(arguments[I]...))>;
    return std::conditional_t<Packable<Result>, Result, Tensor>(f(arguments[I]...));
  }(std::make_index_sequence<N>());
}

/// \p value with f of the list of its tensors in their place.
template <Packable T, class F>
T with_tensors_replaced(const T& value, const F& f) {
  Results results;
  Packing<T>::put(value, results);
  results.tensors = ShortTensors();
  for (const Tensor& tensor : f(tensors_of(value))) {
    results.tensors.push_back(tensor);
  }
  ResultReader reader{std::move(results)};
  return Packing<T>::take(reader);
}

}  // namespace xgrad::detail
