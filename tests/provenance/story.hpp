#pragma once

#include <string>
#include <typeinfo>
#include <vector>

#include <boost/test/unit_test.hpp>

/// \file
/// What errors tell of numbers that are not finite.

namespace xgrad::testing {

/// What \p f throws says; an exception of exactly this type.
template <class E, class F>
std::string error_of(const F& f) {
  try {
    f();
  } catch (const E& error) {
    BOOST_TEST((typeid(error) == typeid(E)));
    return error.what();
  }
  BOOST_TEST(false, "nothing was thrown");
  return "";
}

inline void check_parts(const std::string& text, const std::vector<std::string>& parts) {
  for (const std::string& part : parts) {
    BOOST_TEST(text.find(part) != std::string::npos, "\"" << part << "\" is not in\n" << text);
  }
}

/// What \p f throws says all that \p parts, called afterwards, gives.
template <class E, class F, class P>
void check_story(const F& f, const P& parts) {
  const std::string text = error_of<E>(f);
  check_parts(text, parts());
}

}  // namespace xgrad::testing
