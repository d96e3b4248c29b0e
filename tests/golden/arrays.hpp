#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "autograd/graph/tensor.hpp"

/// \file
/// Arrays of reference values, and how far an array is from one.

namespace xgrad::golden {

class Entries;

/// The array that `{"shape": [...], "data": [row-major]}` describes: float64, or what `"dtype"` says: int64 or bool.
/// Null is an undefined tensor.
/// \param name for errors.
/// \throws FileError for anything else.
Tensor read_array(const nlohmann::json& value, const std::string& name);

/// The array of an entry. \throws FileError when it is missing or null, and as read_array does.
Tensor read_defined(Entries& entries, const std::string& key);

/// A list of arrays. \throws FileError `[name]` when it is none.
Tensors read_arrays(const nlohmann::json& value, const std::string& name);

/// The largest distance of two elements, over the largest magnitude in \p expected (or \p floor, if that is larger);
/// infinite when shapes or kinds of element differ, for integers and booleans that differ, and for NaN.
double relative_error(const Tensor& actual, const Tensor& expected, double floor);

/// Gathers the parts of a case that differ from their references.
class Differences {
 public:
  /// Notes the part when its relative_error exceeds \p tolerance.
  void compare(const std::string& part, const Tensor& actual, const Tensor& expected, double tolerance, double floor);

  /// `relative error 0.25: value 1e-05, vjp[1] 0.25`; empty when nothing differs.
  std::string report() const;

 private:
  std::vector<std::string> parts_;
  double largest_ = 0;
};

}  // namespace xgrad::golden
