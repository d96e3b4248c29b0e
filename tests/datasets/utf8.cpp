#include "datasets/utf8.hpp"

#include <string>

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(datasets_utf8)

namespace datasets_utf8 {

using namespace std::string_literals;
using xgrad::datasets::is_utf8;
using xgrad::datasets::utf8_length;

}  // namespace datasets_utf8

using namespace datasets_utf8;

// The first and the last character of each length, and around the gap of UTF-16's pairs.
BOOST_AUTO_TEST_CASE(characters_of_every_length_are_utf8) {
  for (const std::string& text : {"\0"s, "\x7f"s, "\xc2\x80"s, "\xdf\xbf"s, "\xe0\xa0\x80"s, "\xed\x9f\xbf"s,
                                  "\xee\x80\x80"s, "\xef\xbf\xbf"s, "\xf0\x90\x80\x80"s, "\xf4\x8f\xbf\xbf"s}) {
    BOOST_TEST(utf8_length(text + "x") == text.size());
    BOOST_TEST(is_utf8(text));
  }
  BOOST_TEST(is_utf8(""));
  BOOST_TEST(is_utf8("naïve \xf0\x9f\x99\x82"));
}

// A continuation alone, two bytes for what one can say, three, half of a pair, beyond U+10FFFF, and what is cut.
BOOST_AUTO_TEST_CASE(other_bytes_are_not) {
  for (const std::string& text :
       {"\x80"s, "\xc0\x80"s, "\xc1\xbf"s, "\xe0\x9f\xbf"s, "\xed\xa0\x80"s, "\xf0\x8f\xbf\xbf"s, "\xf4\x90\x80\x80"s,
        "\xf5\x80\x80\x80"s, "\xff"s, "\xc3"s, "\xe2\x82"s, "\xf0\x9f\x99"s, "\xc3x"s, "\xe2\x82x"s}) {
    BOOST_TEST(utf8_length(text) == 0u);
    BOOST_TEST(!is_utf8("x" + text));
  }
  BOOST_TEST(utf8_length("") == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
