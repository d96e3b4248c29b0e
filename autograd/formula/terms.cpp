#include "autograd/formula/terms.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

namespace xgrad::detail {

namespace {

/// Powers of one value on one side of the line.
bool same_base(const Power& a, const Power& b) { return a.value == b.value && (a.exponent > 0) == (b.exponent > 0); }

Product inverse(Product product) {
  for (Power& each : product) {
    each.exponent = -each.exponent;
  }
  std::sort(product.begin(), product.end());
  return product;
}

}  // namespace

Product times(const Product& a, const Product& b) {
  Product result;
  result.reserve(a.size() + b.size());
  std::merge(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(result));
  std::size_t last = 0;
  for (std::size_t i = 1; i < result.size(); ++i) {
    if (same_base(result[last], result[i])) {
      result[last].exponent += result[i].exponent;
    } else {
      result[++last] = result[i];
    }
  }
  result.resize(std::min(result.size(), last + 1));
  return result;
}

Product over(const Product& a, const Product& b) { return times(a, inverse(b)); }

Product without(const Product& a, const Product& b) {
  Product result;
  for (Power each : a) {
    const auto taken = std::find_if(b.begin(), b.end(), [&](const Power& other) { return same_base(each, other); });
    each.exponent -= taken == b.end() ? 0 : taken->exponent;
    if (each.exponent != 0) {
      result.push_back(each);
    }
  }
  return result;
}

Product common_powers(const Product& a, const Product& b) {
  Product result;
  for (const Power& each : a) {
    const auto other = std::find_if(b.begin(), b.end(), [&](const Power& power) { return same_base(each, power); });
    if (other != b.end()) {
      result.push_back(std::abs(each.exponent) < std::abs(other->exponent) ? each : *other);
    }
  }
  return result;
}

void add(Terms& terms, Product product, double factor) {
  if (product.empty()) {
    for (const bool negative : {false, true}) {
      if (const auto constant = terms.find({{}, negative}); constant != terms.end()) {
        factor += factor_of(*constant);
        terms.erase(constant);
      }
    }
    if (factor == 0) {
      return;
    }
  }
  terms[{std::move(product), factor < 0}] += std::abs(factor);
}

Terms sum(const Terms& a, const Terms& b, double factor) {
  Terms result = a;
  for (const auto& term : b) {
    add(result, term.first.product, factor * factor_of(term));
  }
  return result;
}

Product common_powers(const Terms& terms) {
  Product common = terms.begin()->first.product;
  for (const auto& [term, size] : terms) {
    common = common_powers(common, term.product);
  }
  return common;
}

Terms without(const Terms& terms, const Product& divisor) {
  Terms result;
  for (const auto& term : terms) {
    add(result, without(term.first.product, divisor), factor_of(term));
  }
  return result;
}

std::size_t size_of(const Terms& terms) {
  std::size_t size = 1;
  for (const auto& [term, factor] : terms) {
    size += 1 + term.product.size();
  }
  return size;
}

}  // namespace xgrad::detail
