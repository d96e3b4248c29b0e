#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <source_location>
#include <string>
#include <string_view>
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

inline constexpr std::array every_dtype = {DType::boolean, DType::uint8,   DType::int32,
                                           DType::int64,   DType::float32, DType::float64};

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

/// Whether \p f throws exactly \p E with a message that contains all of \p parts.
template <class E, class F>
void check_throws(F&& f, std::initializer_list<std::string_view> parts) {
  try {
    f();
    BOOST_ERROR("nothing was thrown");
  } catch (const E& error) {
    BOOST_TEST((typeid(error) == typeid(E)), "the error is of another type, derived from the expected one");
    const std::string_view message = error.what();
    for (std::string_view part : parts) {
      if (message.find(part) == std::string_view::npos) {
        BOOST_ERROR("`" << message << "` should contain `" << part << "`");
      }
    }
  }
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
