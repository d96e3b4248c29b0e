#include <cmath>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "tests/testing.hpp"

/// \file
/// Where 0 and -0 are told apart.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(ops_signed_zeros)

BOOST_AUTO_TEST_CASE(zeros_keep_their_sign) {
  const Tensor minus_zero = {-0.0};
  BOOST_TEST(std::signbit((minus_zero * 1.0).item()));
  BOOST_TEST(std::signbit((-Tensor{0.0}).item()));
  BOOST_TEST(!std::signbit((minus_zero + 0.0).item()), "-0 + 0 is 0");
  BOOST_TEST(!std::signbit((0.0 - Tensor{0.0}).item()), "0 - 0 is 0, which -(0) is not");
}

BOOST_AUTO_TEST_CASE(zero_is_added_and_roots_are_taken_as_in_c) {
  const Tensor minus_zero = {-0.0};
  BOOST_TEST(!std::signbit(map([](Scalar s) { return s + 0; }, minus_zero).item()));
  BOOST_TEST(!std::signbit(map([](Scalar s) { return 0 + s; }, minus_zero).item()));
  BOOST_TEST(!std::signbit(map([](Scalar s) { return 0 - s; }, Tensor{0.0}).item()));
  BOOST_TEST(std::signbit(map([](Scalar s) { return s - 0; }, minus_zero).item()));
  BOOST_TEST(!std::signbit(pow(minus_zero, 0.5).item()));
  BOOST_TEST(std::signbit(sqrt(minus_zero).item()));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
