#pragma once

#include <string>
#include <vector>

#include "onnx/primitives.hpp"

/// \file
/// Internal: scalar primitives that opset 17 has no operator for, or none that means the same, made of those that it has.

namespace xgrad::onnx::composed {

using Operands = std::vector<std::string>;

std::string sign(const Elementwise& write, const Operands& x);
std::string trunc(const Elementwise& write, const Operands& x);
std::string floor(const Elementwise& write, const Operands& x);
std::string ceil(const Elementwise& write, const Operands& x);
std::string round(const Elementwise& write, const Operands& x);
std::string expm1(const Elementwise& write, const Operands& x);
std::string log1p(const Elementwise& write, const Operands& x);
std::string log2(const Elementwise& write, const Operands& x);
std::string cbrt(const Elementwise& write, const Operands& x);
std::string erfc(const Elementwise& write, const Operands& x);
std::string relu(const Elementwise& write, const Operands& x);
std::string remainder(const Elementwise& write, const Operands& ab);
std::string fmod(const Elementwise& write, const Operands& ab);
std::string atan2(const Elementwise& write, const Operands& yx);
std::string hypot(const Elementwise& write, const Operands& ab);
std::string maximum(const Elementwise& write, const Operands& ab);
std::string minimum(const Elementwise& write, const Operands& ab);
std::string not_equal(const Elementwise& write, const Operands& ab);

}  // namespace xgrad::onnx::composed
