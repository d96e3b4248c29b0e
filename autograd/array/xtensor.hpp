#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "autograd/array/array.hpp"

/// \file
/// The border to xtensor, and the only place that names xtensor's headers: they moved into folders in later releases.
/// (Printing, which costs two seconds of compile time, is in xtensor_io.hpp.)

#if __has_include(<xtensor/containers/xarray.hpp>)
#include <xtensor/containers/xadapt.hpp>
#include <xtensor/containers/xarray.hpp>
#else
#include <xtensor/xadapt.hpp>
#include <xtensor/xarray.hpp>
#endif

namespace xgrad {

namespace detail {

template <class T>
struct is_xarray_container : std::false_type {};
template <class T, xt::layout_type L, class A, class Tag>
struct is_xarray_container<
    xt::xarray_container<xt::uvector<T, A>, L, xt::svector<std::size_t, 4, std::allocator<std::size_t>, true>, Tag>>
    : std::bool_constant<L == xt::layout_type::row_major && is_element_type<T>> {};

}  // namespace detail

template <class E>
Array to_array(E&& expression) {
  using Expression = std::remove_cvref_t<E>;
  using T = std::remove_cv_t<typename Expression::value_type>;
  const Shape shape(expression.shape().begin(), expression.shape().end());
  if constexpr (detail::is_xarray_container<Expression>::value && !std::is_reference_v<E> && !std::is_const_v<E>) {
    auto* owner = new Expression(std::move(expression));
    return Array(Buffer::adopt(owner->data(), owner->size() * sizeof(T), owner,
                               [](void* p) { delete static_cast<Expression*>(p); }),
                 shape, dtype_of<T>());
  } else {
    Array result(shape, dtype_of<T>());
    T* out = result.data<T>();
    for (auto it = expression.template begin<xt::layout_type::row_major>(),
              end = expression.template end<xt::layout_type::row_major>();
         it != end; ++it) {
      *out++ = static_cast<T>(*it);
    }
    return result;
  }
}

template <class T>
auto view(const Array& array) {
  std::vector<std::size_t> shape(array.shape().begin(), array.shape().end());
  const std::shared_ptr<Buffer> owner(array.buffer().get(), [held = array.buffer()](Buffer*) {});
  return xt::adapt_smart_ptr(array.data<T>(), shape, owner);
}

}  // namespace xgrad
