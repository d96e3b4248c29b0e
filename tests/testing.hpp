#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <source_location>
#include <string>
#include <string_view>
#include <tuple>
#include <typeinfo>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/graph/tensor.hpp"
#include "autograd/graph/variable.hpp"
#include "autograd/runtime/error.hpp"

/// \file
/// What tests share: elements as numbers, reproducible inputs, the check of an error's words, a test case per row of a
/// table.

namespace xgrad::testing {

inline constexpr std::array every_dtype =
    std::apply([](const auto&... row) { return std::array{row.dtype...}; }, dtype_table);

/// The elements in row-major order, of whatever dtype.
std::vector<double> elements(const Tensor& tensor);

/// The elements of an array of this type.
template <class T>
std::vector<T> elements(const Array& array) {
  return std::vector<T>(array.data<T>(), array.data<T>() + array.size());
}

/// FNV-1a (Fowler, Noll and Vo) over the bits of all elements.
std::uint64_t hash_of(const std::vector<Variable>& variables);

/// Whether shape and elements are as expected: within \p tolerance, relative to elements larger than 1; NaN equals NaN
/// and infinities equal themselves.
void check_elements(const Tensor& tensor, const Shape& shape, const std::vector<double>& expected,
                    double tolerance = 0);

/// Whether both have one shape and the same elements up to rounding.
bool close(const Tensor& a, const Tensor& b);

/// A tensor of any dtype with the given elements.
Tensor make_tensor(const std::vector<double>& elements, const Shape& shape, DType dtype);

/// Reproducible float64 numbers in [low, high).
Tensor random_tensor(const Shape& shape, double low = -2, double high = 2, unsigned seed = 1);

namespace detail {

/// Calls f, of which no more is known than its address.
using Call = void (*)(const void* f);
void check_throws(const std::type_info& type, Call call, const void* f, std::initializer_list<std::string_view> parts);

}  // namespace detail

/// Whether \p f throws exactly \p E with a message that contains all of \p parts.
template <class E, class F>
void check_throws(const F& f, std::initializer_list<std::string_view> parts) {
  detail::check_throws(
      typeid(E), [](const void* g) { (*static_cast<const F*>(g))(); }, &f, parts);
}

/// Defined in a suite, adds a test case for each row of a table that outlives it.
struct CasePerRow {
  /// \param name of a row, a member or a function. \param check of a row.
  template <class Rows, class Name, class Check>
  CasePerRow(const Rows& rows, Name name, Check check, std::source_location where = std::source_location::current()) {
    for (const auto& row : rows) {
      boost::unit_test::framework::current_auto_test_suite().add(boost::unit_test::make_test_case(
          [check, &row] { check(row); }, std::string(std::invoke(name, row)), where.file_name(), where.line()));
    }
  }
};

}  // namespace xgrad::testing
