#include "tests/golden/arrays.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "autograd/ops/ops.hpp"
#include "autograd/runtime/error.hpp"
#include "tests/golden/entries.hpp"

namespace xgrad::golden {

using nlohmann::json;

namespace {

DType read_dtype(Entries& entries) {
  const std::string name = entries.choice("dtype", {"float64", "int64", "bool"});
  return name == "float64" ? DType::float64 : name == "int64" ? DType::int64 : DType::boolean;
}

bool is_element(const json& value, DType dtype) {
  return dtype == DType::float64 ? value.is_number()
         : dtype == DType::int64 ? value.is_number_integer()
                                 : value.is_boolean();
}

std::vector<double> to_doubles(const Tensor& tensor) {
  const Array array = cast(tensor, DType::float64).array();
  const auto* data = array.data<double>();
  return {data, data + array.size()};
}

/// What distinguishes two arrays before their elements do; empty when that is nothing.
std::string difference_in_kind(const Tensor& actual, const Tensor& expected) {
  if (actual.shape() != expected.shape()) {
    return fmt::format("has shape {}, not {}", to_string(actual.shape()), to_string(expected.shape()));
  }
  const bool both_floating = is_floating(actual.dtype()) && is_floating(expected.dtype());
  if (!both_floating && actual.dtype() != expected.dtype()) {
    return fmt::format("is {}, not {}", to_string(actual.dtype()), to_string(expected.dtype()));
  }
  return "";
}

}  // namespace

Tensor read_array(const json& value, const std::string& name) {
  if (value.is_null()) {
    return {};
  }
  Entries entries(value, name);
  const Shape shape = entries.integers("shape");
  const DType dtype = read_dtype(entries);
  const json& data = entries.at("data");
  entries.require_all_read();
  const bool negative = std::any_of(shape.begin(), shape.end(), [](std::int64_t size) { return size < 0; });
  if (negative || !data.is_array() || std::ssize(data) != shape.element_count()) {
    raise<FileError>(name, fmt::format("`data` should be a list of the elements of shape {}", to_string(shape)));
  }
  if (!std::all_of(data.begin(), data.end(), [&](const json& element) { return is_element(element, dtype); })) {
    raise<FileError>(name, fmt::format("`data` should be {} throughout", to_string(dtype)));
  }
  Array array(shape, dtype);
  dispatch(dtype, [&](auto zero) {
    using T = decltype(zero);
    using Written = std::conditional_t<std::is_same_v<T, BFloat16>, float, T>;
    std::transform(data.begin(), data.end(), array.data<T>(),
                   [](const json& element) { return static_cast<T>(element.get<Written>()); });
  });
  return array;
}

Tensor read_defined(Entries& entries, const std::string& key) {
  Tensor result = read_array(entries.at(key), key);
  if (!result.defined()) {
    raise<FileError>(key, "is null");
  }
  return result;
}

Tensors read_arrays(const json& value, const std::string& name) {
  if (!value.is_array()) {
    raise<FileError>(name, "should be a list of arrays");
  }
  Tensors result;
  for (const json& element : value) {
    result.push_back(read_array(element, fmt::format("{}[{}]", name, result.size())));
  }
  return result;
}

double relative_error(const Tensor& actual, const Tensor& expected, double floor) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (!difference_in_kind(actual, expected).empty()) {
    return infinity;
  }
  const std::vector<double> a = to_doubles(actual);
  const std::vector<double> e = to_doubles(expected);
  if (!is_floating(expected.dtype())) {
    return a == e ? 0 : infinity;
  }
  double largest = floor;
  double distance = 0;
  for (std::size_t i = 0; i < e.size(); ++i) {
    const double d = std::abs(a[i] - e[i]);
    distance = std::max(distance, std::isnan(d) ? infinity : d);
    largest = std::max(largest, std::abs(e[i]));
  }
  return distance / largest;
}

void Differences::compare(const std::string& part, const Tensor& actual, const Tensor& expected, double tolerance,
                          double floor) {
  const double error = relative_error(actual, expected, floor);
  if (error <= tolerance) {
    return;
  }
  const std::string kind = difference_in_kind(actual, expected);
  parts_.push_back(kind.empty() ? fmt::format("{} {:.3g}", part, error) : fmt::format("{} {}", part, kind));
  largest_ = std::max(largest_, error);
}

std::string Differences::report() const {
  return parts_.empty() ? "" : fmt::format("relative error {:.3g}: {}", largest_, fmt::join(parts_, ", "));
}

}  // namespace xgrad::golden
