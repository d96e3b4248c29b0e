#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "autograd/array/dtype.hpp"
#include "autograd/array/shape.hpp"

/// \file
/// What tensors are like, and their elements while an operation computes.

namespace xgrad {

/// Shape and element type of one output.
struct Spec {
  Shape shape;                   ///< sizes of the axes, outermost first
  DType dtype = DType::float32;  ///< type of the elements
  /// Same shape, same type.
  friend bool operator==(const Spec&, const Spec&) = default;
};

/// `float32(64, 784)`.
std::string to_string(const Spec& spec);

/// The outputs of an operation that has several.
using Specs = std::vector<Spec>;

/// The elements of one input while an operation computes.
struct ConstView {
  const void* data;  ///< row-major, without gaps
  const Spec* spec;  ///< what the elements mean

  const Shape& shape() const { return spec->shape; }                 ///< sizes of the axes
  DType dtype() const { return spec->dtype; }                        ///< type of the elements
  std::int64_t size() const { return spec->shape.element_count(); }  ///< number of elements
  /// The first element, read as \p T, which must be the dtype: it is not checked.
  template <class T>
  const T* as() const {
    return static_cast<const T*>(data);
  }
};

/// The memory of one output while an operation computes.
struct View {
  void* data;        ///< row-major, without gaps, uninitialised
  const Spec* spec;  ///< what is to be written

  const Shape& shape() const { return spec->shape; }                 ///< sizes of the axes
  DType dtype() const { return spec->dtype; }                        ///< type of the elements
  std::int64_t size() const { return spec->shape.element_count(); }  ///< number of elements
  /// The first element, written as \p T, which must be the dtype: it is not checked.
  template <class T>
  T* as() const {
    return static_cast<T*>(data);
  }
};

using ConstViews = std::span<const ConstView>;  ///< the elements of all inputs
using Views = std::span<const View>;            ///< the memory of all outputs

}  // namespace xgrad
