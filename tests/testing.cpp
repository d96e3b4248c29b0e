#include "tests/testing.hpp"

#include <algorithm>
#include <cmath>
#include <exception>
#include <random>

#include "autograd/array/shape.hpp"
#include "autograd/ops/ops.hpp"

namespace xgrad::testing {

std::vector<double> elements(const Tensor& tensor) {
  const Array array = tensor.array();
  std::vector<double> result(static_cast<std::size_t>(array.size()));
  dispatch(array.dtype(), [&](auto zero) {
    const auto* data = array.data<decltype(zero)>();
    std::transform(data, data + array.size(), result.begin(), [](auto x) { return static_cast<double>(x); });
  });
  return result;
}

std::uint64_t hash_of(const std::vector<Variable>& variables) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const Variable& variable : variables) {
    const Array array = variable.read().array();
    const auto* bytes = static_cast<const unsigned char*>(array.data());
    for (std::size_t i = 0; i < array.bytes(); ++i) {
      hash = (hash ^ bytes[i]) * 1099511628211ULL;
    }
  }
  return hash;
}

void detail::check_throws(const std::type_info& type, Call call, const void* f,
                          std::initializer_list<std::string_view> parts) {
  try {
    call(f);
    BOOST_ERROR("nothing was thrown");
  } catch (const std::exception& error) {
    BOOST_TEST((typeid(error) == type), "the error is not of the expected type: " << error.what());
    const std::string_view message = error.what();
    for (std::string_view part : parts) {
      if (message.find(part) == std::string_view::npos) {
        BOOST_ERROR("`" << message << "` should contain `" << part << "`");
      }
    }
  }
}

namespace {

bool is_close(double a, double b, double tolerance) {
  return a == b || (std::isnan(a) && std::isnan(b)) ||
         (std::isfinite(b) && std::abs(a - b) <= tolerance * std::max(1.0, std::abs(b)));
}

}  // namespace

void check_elements(const Tensor& tensor, const Shape& shape, const std::vector<double>& expected, double tolerance) {
  BOOST_TEST(to_string(tensor.shape()) == to_string(shape));
  const std::vector<double> actual = elements(tensor);
  BOOST_TEST_REQUIRE(actual.size() == expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    if (!is_close(actual[i], expected[i], tolerance)) {
      BOOST_ERROR("element " << i << " is " << actual[i] << ", should be " << expected[i] << ", off by "
                             << actual[i] - expected[i]);
    }
  }
}

bool close(const Tensor& a, const Tensor& b) { return a.shape() == b.shape() && allclose(a, b, 1e-12, 1e-12); }

Tensor make_tensor(const std::vector<double>& elements, const Shape& shape, DType dtype) {
  Array array(shape, dtype);
  dispatch(dtype, [&](auto zero) {
    std::transform(elements.begin(), elements.end(), array.data<decltype(zero)>(),
                   [](double x) { return static_cast<decltype(zero)>(x); });
  });
  return array;
}

Tensor random_tensor(const Shape& shape, double low, double high, unsigned seed) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<double> number(low, high);
  std::vector<double> values(static_cast<std::size_t>(shape.element_count()));
  std::generate(values.begin(), values.end(), [&] { return number(engine); });
  return make_tensor(values, shape, DType::float64);
}

}  // namespace xgrad::testing
