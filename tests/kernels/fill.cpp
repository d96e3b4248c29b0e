#include <limits>
#include <memory>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/array/dtype.hpp"
#include "tests/kernels/naive.hpp"
#include "tests/testing.hpp"

BOOST_AUTO_TEST_SUITE(kernels_fill)

namespace {

using namespace xgrad;

template <class T>
struct Elements {  // std::vector<bool> has no elements
  explicit Elements(std::size_t count) : size(count), data(new T[count]()) {}
  std::size_t size;
  std::unique_ptr<T[]> data;
};

template <class F>
void for_each_dtype(const F& f) {
  for (const DType dtype : testing::every_dtype) {
    dispatch(dtype, f);
  }
}

BOOST_AUTO_TEST_CASE(casts_between_all_types) {
  for (const std::size_t count : {1UL, 17UL, 40'001UL}) {
    for_each_dtype([&](auto from) {
      for_each_dtype([&](auto to) {
        using From = decltype(from);
        using To = decltype(to);
        Elements<From> in(count);
        Elements<To> out(count);
        for (std::size_t i = 0; i < count; ++i) {
          in.data[i] = static_cast<From>(static_cast<double>(i % 120) * 1.03);
        }
        kernels::cast(dtype_of<From>(), in.data.get(), dtype_of<To>(), out.data.get(),
                      static_cast<std::int64_t>(count));
        for (std::size_t i = 0; i < count; ++i) {
          BOOST_REQUIRE(out.data[i] == static_cast<To>(in.data[i]));
        }
      });
    });
  }
}

BOOST_AUTO_TEST_CASE(a_small_number_is_true) {
  const float in[] = {0, 1e-30F, -0.5F, std::numeric_limits<float>::quiet_NaN()};
  bool out[4];
  kernels::cast(DType::float32, in, DType::boolean, out, 4);
  BOOST_TEST(!out[0]);
  BOOST_TEST(out[1]);
  BOOST_TEST(out[2]);
  BOOST_TEST(out[3]);
}

BOOST_AUTO_TEST_CASE(casts_truncate_and_round_to_nearest) {
  const double in[] = {1.99, -1.99, 0.1, -0.0};
  std::int32_t whole[4];
  float narrow[4];
  kernels::cast(DType::float64, in, DType::int32, whole, 4);
  kernels::cast(DType::float64, in, DType::float32, narrow, 4);
  BOOST_TEST(whole[0] == 1);
  BOOST_TEST(whole[1] == -1);
  BOOST_TEST(whole[2] == 0);
  BOOST_TEST(narrow[2] == 0.1F);
  BOOST_TEST(std::signbit(narrow[3]));
}

BOOST_AUTO_TEST_CASE(fills) {
  for_each_dtype([](auto zero) {
    using T = decltype(zero);
    for (const std::size_t count : {1UL, 50'000UL}) {
      Elements<T> out(count + 1);
      kernels::fill(dtype_of<T>(), out.data.get(), static_cast<std::int64_t>(count), 1);
      for (std::size_t i = 0; i < count; ++i) {
        BOOST_REQUIRE(out.data[i] == T{1});
      }
      BOOST_TEST((out.data[count] == T{0}));
    }
  });
  double half = 0;
  kernels::fill(DType::float64, &half, 1, 0.5);
  BOOST_TEST(half == 0.5);
  bool truth = false;
  kernels::fill(DType::boolean, &truth, 1, 0.5);
  BOOST_TEST(truth);
}

BOOST_AUTO_TEST_CASE(ranges) {
  std::vector<double> doubles(30'000);
  kernels::arange(DType::float64, doubles.data(), 30'000, 0.5, 0.1);
  for (std::size_t i = 0; i < doubles.size(); ++i) {
    BOOST_REQUIRE(doubles[i] == 0.5 + static_cast<double>(i) * 0.1);
  }
  std::vector<std::int64_t> whole(5);
  kernels::arange(DType::int64, whole.data(), 5, 0x1p53, 1);
  BOOST_TEST(whole[1] == (std::int64_t{1} << 53) + 1);  // no double is that number
  std::vector<std::int32_t> down(4);
  kernels::arange(DType::int32, down.data(), 4, 3, -2);
  BOOST_TEST(down == (std::vector<std::int32_t>{3, 1, -1, -3}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
