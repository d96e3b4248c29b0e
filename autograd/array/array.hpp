#pragma once

#include <concepts>
#include <cstddef>
#include <cstring>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "autograd/array/dtype.hpp"
#include "autograd/array/ref.hpp"
#include "autograd/array/shape.hpp"

/// \file
/// Array: numbers in memory. What has to do with xtensor is declared here and defined in xtensor.hpp, so that files that
/// do without xtensor need not read its headers.

namespace xt {
template <class D>
class xexpression;
}

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
  /// Uninitialised elements. \throws ShapeError for a negative size, or for more than 2^63 bytes. \throws MemoryError.
  Array(const Shape& shape, DType dtype);
  /// The elements at the start of \p buffer, which has room for all of them.
  Array(Ref<Buffer> buffer, const Shape& shape, DType dtype);
  /// The elements of a Tensor, which are computed now.
  template <class T>
    requires requires(const T& tensor) {
      { tensor.array() } -> std::same_as<Array>;
    }
  Array(const T& tensor) : Array(tensor.array()) {}

  const Shape& shape() const { return shape_; }                 ///< sizes of the axes, outermost first
  DType dtype() const { return dtype_; }                        ///< type of the elements
  std::int64_t size() const { return shape_.element_count(); }  ///< number of elements
  /// Memory that the elements take.
  std::size_t bytes() const { return static_cast<std::size_t>(size()) * size_of(dtype_); }
  explicit operator bool() const { return static_cast<bool>(buffer_); }  ///< false when default-constructed
  // Or it could be the operation `!` on tensors as well.
  bool operator!() const { return !buffer_; }  ///< true when default-constructed

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

/// An xtensor container or expression: whatever derives from xtensor's base class of itself.
template <class E>
concept XtensorExpression = std::is_class_v<std::remove_cvref_t<E>> &&
                            std::is_base_of_v<xt::xexpression<std::remove_cvref_t<E>>, std::remove_cvref_t<E>>;

}  // namespace detail

/// Copies an xtensor container or evaluates an expression into a fresh array. A row-major `xt::xarray` given as an
/// rvalue is adopted without a copy. Defined in xtensor.hpp.
template <class E>
Array to_array(E&& expression);

/// Reads memory of the caller's without copying it: the caller keeps \p data alive and unchanged for as long as any
/// tensor made from it lives. \throws ShapeError for a negative size.
template <class T>
Array borrow(const T* data, const Shape& shape) {
  const std::size_t bytes = byte_count(shape, sizeof(T));
  return Array(Buffer::adopt(const_cast<T*>(data), bytes, nullptr, [](void*) {}), shape, dtype_of<T>());
}

/// The elements as a read-only xtensor array that shares ownership of the buffer; nothing is copied. Defined in
/// xtensor.hpp.
/// \throws DTypeError when \p T is not the element type.
template <class T>
auto view(const Array& array);

}  // namespace xgrad
