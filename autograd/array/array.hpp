#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "autograd/array/dtype.hpp"
#include "autograd/array/ref.hpp"
#include "autograd/array/shape.hpp"
#include "autograd/array/xtensor.hpp"

/// \file
/// Array: numbers in memory; and the border to xtensor.

namespace xgrad {

/// Memory shared by arrays: 64-byte aligned and from the pool when xgrad allocated it, anything when adopted.
class Buffer : public RefCounted {
 public:
  /// Uninitialised memory.
  static Ref<Buffer> allocate(std::size_t bytes);
  /// Memory of somebody else's; \p release(owner) is called when the last handle is gone.
  static Ref<Buffer> adopt(void* data, std::size_t bytes, void* owner, void (*release)(void* owner));
  /// Frees or releases the memory and then the buffer itself; called for the last handle.
  static void destroy(Buffer* buffer);

  std::byte* data() const { return data_; }     ///< first byte
  std::size_t bytes() const { return bytes_; }  ///< size of the memory that was asked for
  /// Whether the memory is somebody else's: borrowed memory must never be written.
  bool is_adopted() const { return release_ != nullptr; }

 private:
  Buffer(std::byte* data, std::size_t bytes, void* owner, void (*release_owner)(void*))
      : data_(data), bytes_(bytes), owner_(owner), release_(release_owner) {}
  ~Buffer() = default;

  std::byte* data_;
  std::size_t bytes_;
  void* owner_;
  void (*release_)(void*);
};

/// For Ref<Buffer>: one more handle.
inline void add_reference(const Buffer* buffer) { buffer->retain(); }
/// For Ref<Buffer>: one handle less; the last one destroys the buffer.
inline void drop_reference(const Buffer* buffer) {
  if (buffer->release()) {
    Buffer::destroy(const_cast<Buffer*>(buffer));
  }
}

/// A row-major array: shared buffer, shape, element type. Copies share the buffer.
class Array {
 public:
  Array() = default;
  /// Uninitialised elements.
  Array(const Shape& shape, DType dtype);
  /// The elements at the start of \p buffer, which has room for all of them.
  Array(Ref<Buffer> buffer, const Shape& shape, DType dtype);

  const Shape& shape() const { return shape_; }                 ///< sizes of the axes, outermost first
  DType dtype() const { return dtype_; }                        ///< type of the elements
  std::int64_t size() const { return shape_.element_count(); }  ///< number of elements
  /// Memory that the elements take.
  std::size_t bytes() const { return static_cast<std::size_t>(size()) * size_of(dtype_); }
  explicit operator bool() const { return static_cast<bool>(buffer_); }  ///< false when default-constructed

  const Ref<Buffer>& buffer() const { return buffer_; }  ///< what copies share
  const void* data() const { return buffer_->data(); }   ///< first element, of any type
  void* data() { return buffer_->data(); }               ///< first element; writing shows in all copies

  /// The elements as \p T. \throws DTypeError when they are of another type.
  template <class T>
  const T* data() const {
    require_dtype(dtype_of<T>());
    return reinterpret_cast<const T*>(buffer_->data());
  }
  /// The elements as \p T; writing shows in all copies. \throws DTypeError when they are of another type.
  template <class T>
  T* data() {
    require_dtype(dtype_of<T>());
    return reinterpret_cast<T*>(buffer_->data());
  }

  /// The same elements under another shape of the same size.
  Array reshaped(const Shape& shape) const;

 private:
  void require_dtype(DType wanted) const;

  Ref<Buffer> buffer_;
  Shape shape_;
  DType dtype_ = DType::float32;
};

namespace detail {

template <class T>
struct is_xarray_container : std::false_type {};
template <class T, xt::layout_type L, class A, class Tag>
struct is_xarray_container<
    xt::xarray_container<xt::uvector<T, A>, L, xt::svector<std::size_t, 4, std::allocator<std::size_t>, true>, Tag>>
    : std::bool_constant<L == xt::layout_type::row_major && is_element_type<T>> {};

}  // namespace detail

/// Copies an xtensor container or evaluates an expression into a fresh array. A row-major `xt::xarray` given as an
/// rvalue is adopted without a copy.
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

/// Reads memory of the caller's without copying it: the caller keeps \p data alive and unchanged for as long as any
/// tensor made from it lives.
template <class T>
Array borrow(const T* data, const Shape& shape) {
  const auto bytes = static_cast<std::size_t>(shape.element_count()) * sizeof(T);
  return Array(Buffer::adopt(const_cast<T*>(data), bytes, nullptr, [](void*) {}), shape, dtype_of<T>());
}

/// The elements as a read-only xtensor array that shares ownership of the buffer; nothing is copied.
/// \throws DTypeError when \p T is not the element type.
template <class T>
auto view(const Array& array) {
  std::vector<std::size_t> shape(array.shape().begin(), array.shape().end());
  const std::shared_ptr<Buffer> owner(array.buffer().get(), [held = array.buffer()](Buffer*) {});
  return xt::adapt_smart_ptr(array.data<T>(), shape, owner);
}

}  // namespace xgrad
