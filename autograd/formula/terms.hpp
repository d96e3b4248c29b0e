#pragma once

#include <compare>
#include <map>
#include <vector>

#include "autograd/formula/recorder.hpp"

/// \file
/// Sums of products of powers, with the arithmetic that hides no NaN.
///
/// What is NaN only sometimes must stay so: x / x is NaN where x is 0 or infinite, and 2x - 3x where x is infinite. So
/// what stands above and what stands below the line of a fraction is kept apart, and so are positive and negative terms;
/// what is of one kind adds up.

namespace xgrad::detail {

/// A value to a power, which is negative below the line.
struct Power {
  Recorder::Value value;
  int exponent;
  friend auto operator<=>(const Power&, const Power&) = default;
};

/// A product of powers in ascending order: of each value at most one above and one below the line. Empty: 1.
using Product = std::vector<Power>;

Product times(const Product& a, const Product& b);
Product over(const Product& a, const Product& b);
/// \p a without the powers of \p b, which it has.
Product without(const Product& a, const Product& b);
/// What both have: the smaller powers of each value, above and below the line.
Product common_powers(const Product& a, const Product& b);

/// A term of a sum, but for its size.
struct Term {
  Product product;
  bool negative;
  friend auto operator<=>(const Term&, const Term&) = default;
};

/// A sum: the sizes of its terms, which are positive and finite. Empty: 0.
using Terms = std::map<Term, double>;

inline double factor_of(const Terms::value_type& term) { return term.first.negative ? -term.second : term.second; }

/// Adds factor · product. Constants cancel, as they are finite; nothing else does.
void add(Terms& terms, Product product, double factor);
/// a + factor · b
Terms sum(const Terms& a, const Terms& b, double factor);
/// The powers that all terms have. Not for 0.
Product common_powers(const Terms& terms);
/// Every term without the powers of \p divisor, which it has.
Terms without(const Terms& terms, const Product& divisor);

/// The work that a sum is: how many powers it lists.
std::size_t size_of(const Terms& terms);

}  // namespace xgrad::detail
