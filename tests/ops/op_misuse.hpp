#pragma once

#include <functional>
#include <string>
#include <typeinfo>
#include <vector>

#include "autograd/autograd.hpp"

/// \file
/// Calls that are wrong, and what is said about them. The tests in op_misuse.cpp go through them.

namespace xgrad::op_misuse {

/// A call that is wrong, and what the error says about it.
struct Misuse {
  std::string op;
  const std::type_info& error;
  std::vector<std::string> words;
  std::function<Tensor()> call;
};

inline const std::type_info& shape_error = typeid(ShapeError);
inline const std::type_info& dtype_error = typeid(DTypeError);
inline const std::type_info& value_error = typeid(ValueError);

inline Tensor of(const Shape& shape, DType dtype = DType::float32) { return zeros(shape, dtype); }

/// Of ops that rearrange and select.
std::vector<Misuse> layout_misuses();

}  // namespace xgrad::op_misuse
