#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/error.hpp"
#include "autograd/tensor.hpp"

/// \file
/// What the tests of the graph share: elements as doubles, reproducible inputs, the check of an error's words.

namespace xgrad::testing {

/// The elements in row-major order, of whatever dtype.
std::vector<double> elements(const Tensor& tensor);

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
    const std::string_view message = error.what();
    for (std::string_view part : parts) {
      if (message.find(part) == std::string_view::npos) {
        BOOST_ERROR("`" << message << "` should contain `" << part << "`");
      }
    }
  }
}

}  // namespace xgrad::testing
