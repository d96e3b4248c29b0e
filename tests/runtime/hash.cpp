#include "autograd/runtime/hash.hpp"

#include <limits>
#include <set>
#include <string_view>

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(runtime_hash)

namespace {

using namespace xgrad;

// The numbers are part of what the functions promise: they were computed by another program.
BOOST_AUTO_TEST_CASE(hashes_are_fixed_for_ever) {
  BOOST_TEST(runtime::mix_bits(0x9E3779B97F4A7C15U) == 0xE220A8397B1DCDAFU,
             "the first number of SplitMix64 for seed 0");
  BOOST_TEST(runtime::mix_bits(1) == 0x5692161D100B05E5U);
  BOOST_TEST(runtime::hash_text("") == 0xCBF29CE484222325U);
  BOOST_TEST(runtime::hash_text("a") == 0xAF63DC4C8601EC8CU);
  BOOST_TEST(runtime::hash_text("foobar") == 0x85944171F73967E8U);
  BOOST_TEST(runtime::hash_text(std::string_view("\xFF\0", 2)) == 0x0A99A607B6F60BEAU);
  BOOST_TEST(runtime::combine_hashes(0, 0) == 0x5692161D100B05E5U);
  BOOST_TEST(runtime::combine_hashes(1, 2) == 0x1D0B14E4DB018FEDU);
  BOOST_TEST(runtime::combine_hashes(2, 1) == 0xBFC846100BFC1E42U);
  BOOST_TEST(runtime::hash_number(1.5) == 0xE72B41D4576E3468U);
  static_assert(runtime::hash_text("known when compiled") != 0);
}

BOOST_AUTO_TEST_CASE(numbers_are_told_apart_by_their_bits) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  BOOST_TEST(runtime::hash_number(0.0) != runtime::hash_number(-0.0));
  BOOST_TEST(runtime::hash_number(nan) == runtime::hash_number(-nan));
}

BOOST_AUTO_TEST_CASE(short_sequences_do_not_collide) {
  std::set<std::uint64_t> hashes;
  for (std::uint64_t a = 0; a < 64; ++a) {
    for (std::uint64_t b = 0; b < 64; ++b) {
      for (std::uint64_t c = 0; c < 16; ++c) {
        hashes.insert(runtime::combine_hashes(runtime::combine_hashes(a, b), c));
      }
    }
  }
  BOOST_TEST(hashes.size() == 64U * 64U * 16U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
