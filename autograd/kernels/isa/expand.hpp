#pragma once

#include <type_traits>

#include "autograd/kernels/isa/convert.hpp"
#include "autograd/kernels/isa/kernel_set.hpp"
#include "autograd/kernels/isa/simd.hpp"

/// \file
/// Reading a broadcast, strided or converted input of map as consecutive elements.

namespace xgrad::kernels::XGRAD_ISA {

/// A position in the iteration space as one input sees it.
struct Cursor {
  Cursor(const MapSource& source, std::int64_t position) : source_(source) {
    for (int axis = source.axis_count - 1; axis >= 0; --axis) {
      const std::int64_t size = source.sizes[axis];
      const std::int64_t quotient = axis == 0 ? 0 : position / size;
      index_[axis] = position - quotient * size;
      offset_ += index_[axis] * source.strides[axis];
      position = quotient;
    }
  }

  std::int64_t offset() const { return offset_; }
  std::int64_t stride() const { return source_.strides[source_.axis_count - 1]; }
  /// Elements from here to the end of the innermost axis.
  std::int64_t run() const { return source_.sizes[source_.axis_count - 1] - index_[source_.axis_count - 1]; }

  /// Goes to the next begin of the innermost axis.
  void next_run() {
    int axis = source_.axis_count - 1;
    offset_ -= index_[axis] * source_.strides[axis];
    index_[axis] = 0;
    while (--axis >= 0) {
      offset_ += source_.strides[axis];
      if (++index_[axis] < source_.sizes[axis]) {
        return;
      }
      offset_ -= source_.sizes[axis] * source_.strides[axis];
      index_[axis] = 0;
    }
  }

 private:
  const MapSource& source_;
  std::int64_t index_[max_axes];
  std::int64_t offset_ = 0;
};

/// May write up to a vector beyond \p count: the register's padding, or what the next run overwrites.
template <class T>
void fill_run(T* to, std::int64_t count, T value) {
  if constexpr (std::is_floating_point_v<T>) {
    const Batch<T> all(value);
    for (std::int64_t i = 0; i < count; i += lanes<T>) {
      store(to + i, all);
    }
  } else {
    for (std::int64_t i = 0; i < count; ++i) {
      to[i] = value;
    }
  }
}

template <class From, class T>
void copy_run(const From* from, std::int64_t stride, std::int64_t count, T* to) {
  if (stride == 0) {
    fill_run(to, count, convert<T>(*from));
  } else if (stride == 1) {
    for (std::int64_t i = 0; i < count; ++i) {
      to[i] = convert<T>(from[i]);
    }
  } else {
    for (std::int64_t i = 0; i < count; ++i) {
      to[i] = convert<T>(from[i * stride]);
    }
  }
}

template <class From, class T>
void expand_from(const MapSource& source, const void* elements, std::int64_t position, std::int64_t count, T* to) {
  const From* data = static_cast<const From*>(elements);
  Cursor cursor(source, position);
  while (true) {
    const std::int64_t run = smaller(cursor.run(), count);
    copy_run(data + cursor.offset(), cursor.stride(), run, to);
    to += run;
    count -= run;
    if (count == 0) {
      return;
    }
    cursor.next_run();
  }
}

/// Elements [position, position + count) of the source, as \p T.
template <class T>
void expand(const MapSource& source, const void* elements, std::int64_t position, std::int64_t count, T* to) {
  switch (source.dtype) {
    case DType::boolean: return expand_from<bool>(source, elements, position, count, to);
    case DType::uint8: return expand_from<std::uint8_t>(source, elements, position, count, to);
    case DType::int32: return expand_from<std::int32_t>(source, elements, position, count, to);
    case DType::int64: return expand_from<std::int64_t>(source, elements, position, count, to);
    case DType::bfloat16: return expand_from<BFloat16>(source, elements, position, count, to);
    case DType::float32: return expand_from<float>(source, elements, position, count, to);
    case DType::float64: return expand_from<double>(source, elements, position, count, to);
  }
}

/// Elements [position, position + count) where they lie, or null when they are not consecutive values of type \p T.
template <class T>
const T* find_in_place(const MapSource& source, const void* elements, DType compute, std::int64_t position,
                       std::int64_t count) {
  if (source.dtype != compute || source.strides[source.axis_count - 1] != 1) {
    return nullptr;
  }
  const Cursor cursor(source, position);
  return cursor.run() >= count ? static_cast<const T*>(elements) + cursor.offset() : nullptr;
}

}  // namespace xgrad::kernels::XGRAD_ISA
