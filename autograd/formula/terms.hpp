#pragma once

#include <compare>
#include <cstdint>
#include <unordered_map>
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
  ProgramRecorder::Value value;
  int exponent;
  friend auto operator<=>(const Power&, const Power&) = default;
};

/// Powers in ascending order: of each value at most one above and one below the line.
using Powers = std::vector<Power>;

/// A term of a sum. Its size is positive and, but for overflow, finite.
struct Term {
  std::uint32_t product;  ///< its number, below
  bool negative;
  double size;

  double factor() const { return negative ? -size : size; }
};

/// Products of powers, each different one once: they are numbered, and what has been computed is remembered.
class Products {
 public:
  using Number = std::uint32_t;
  static constexpr Number one = 0;

  Products() { number_of({}); }
  Products(const Products&) = delete;
  Products& operator=(const Products&) = delete;

  const Powers& operator[](Number product) const { return *powers_[product]; }
  /// How many powers have been compared so far.
  std::size_t work() const { return work_; }

  Number of(ProgramRecorder::Value value);
  Number times(Number a, Number b);
  Number over(Number a, Number b);
  /// \p a without the powers of \p b, which it has.
  Number without(Number a, Number b);
  /// What both have: the smaller powers of each value, above and below the line.
  Number common(Number a, Number b);
  /// In the order of what they are made of, which does not depend on what else there is; positive terms first.
  bool in_order(const Term& a, const Term& b) const;

 private:
  struct Hash {
    std::size_t operator()(const Powers& powers) const;
  };
  using Results = std::unordered_map<std::uint64_t, Number>;  // by both numbers

  Number number_of(Powers powers);
  template <class Compute>
  Number remembered(Results& results, Number a, Number b, const Compute& compute);

  std::unordered_map<Powers, Number, Hash> numbers_;
  std::vector<const Powers*> powers_;
  std::unordered_map<ProgramRecorder::Value, Number> values_;
  Results times_;
  Results over_;
  Results without_;
  std::size_t work_ = 0;
};

/// A sum, in ascending order of the products' numbers, positive terms first. Empty: 0.
using Terms = std::vector<Term>;

Term make_term(Products::Number product, double factor);
/// Whether the sum has a term of this product and sign.
bool contains(const Terms& terms, const Term& term);

/// a + factor · b. Constants cancel, as they are finite; nothing else does.
Terms sum(const Terms& a, const Terms& b, double factor);
/// The sum of terms in any order.
Terms sum_of(Terms terms);
/// What all terms have in common, unless nothing but two constants of opposite signs would be left of some: 2P - 3P is not
/// -P. Not for 0.
Products::Number common_factors(Products& products, const Terms& terms);
/// Every term without the powers of \p divisor, which it has.
Terms without(Products& products, const Terms& terms, Products::Number divisor);

}  // namespace xgrad::detail
