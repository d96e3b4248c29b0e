#include "autograd/formula/terms.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <utility>

#include "autograd/runtime/hash.hpp"

namespace xgrad::detail {

namespace {

/// Powers of one value on one side of the line.
bool same_base(const Power& a, const Power& b) { return a.value == b.value && (a.exponent > 0) == (b.exponent > 0); }

const Power* find(const Powers& powers, const Power& base) {
  const auto found =
      std::find_if(powers.begin(), powers.end(), [&](const Power& each) { return same_base(each, base); });
  return found == powers.end() ? nullptr : &*found;
}

Powers merged(const Powers& a, const Powers& b) {
  Powers result;
  result.reserve(a.size() + b.size());
  std::merge(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(result));
  std::size_t count = 0;
  for (const Power& each : result) {
    if (count > 0 && same_base(result[count - 1], each)) {
      result[count - 1].exponent += each.exponent;
    } else {
      result[count++] = each;
    }
  }
  result.resize(count);
  return result;
}

Powers inverse(Powers powers) {
  for (Power& each : powers) {
    each.exponent = -each.exponent;
  }
  std::sort(powers.begin(), powers.end());
  return powers;
}

Powers reduced(const Powers& a, const Powers& b) {
  Powers result;
  result.reserve(a.size());
  for (Power each : a) {
    const Power* taken = find(b, each);
    each.exponent -= taken == nullptr ? 0 : taken->exponent;
    if (each.exponent != 0) {
      result.push_back(each);
    }
  }
  return result;
}

bool before(const Term& a, const Term& b) {
  return a.product == b.product ? a.negative < b.negative : a.product < b.product;
}

/// Adds up neighbours of one product and sign; constants, which come first, even of opposite signs.
void add_up(Terms& terms) {
  std::size_t count = 0;
  for (const Term& each : terms) {
    const bool has_like = count > 0 && terms[count - 1].product == each.product;
    if (has_like && terms[count - 1].negative == each.negative) {
      terms[count - 1].size += each.size;
    } else if (has_like && each.product == Products::one) {
      terms[count - 1] = make_term(Products::one, terms[count - 1].factor() + each.factor());
    } else {
      terms[count++] = each;
    }
  }
  terms.resize(count);
  if (!terms.empty() && terms[0].product == Products::one && terms[0].size == 0) {
    terms.erase(terms.begin());
  }
}

}  // namespace

std::size_t Products::Hash::operator()(const Powers& powers) const {
  std::uint64_t hash = powers.size();
  for (const auto& [value, exponent] : powers) {
    hash = runtime::combine_hashes(hash, std::uint64_t{value} << 32 | static_cast<std::uint32_t>(exponent));
  }
  return hash;
}

Products::Number Products::number_of(Powers powers) {
  const auto [entry, inserted] = numbers_.try_emplace(std::move(powers), static_cast<Number>(powers_.size()));
  if (inserted) {
    powers_.push_back(&entry->first);
  }
  return entry->second;
}

template <class Compute>
Products::Number Products::remembered(Results& results, Number a, Number b, const Compute& compute) {
  ++work_;
  const auto [entry, inserted] = results.try_emplace(std::uint64_t{a} << 32 | b);
  if (inserted) {
    work_ += 32 + (*this)[a].size() + (*this)[b].size();  // what is new costs memory
    entry->second = number_of(compute((*this)[a], (*this)[b]));
  }
  return entry->second;
}

Products::Number Products::of(ProgramRecorder::Value value) {
  const auto [entry, inserted] = values_.try_emplace(value);
  if (inserted) {
    entry->second = number_of({{value, 1}});
  }
  return entry->second;
}

Products::Number Products::times(Number a, Number b) {
  return a == one ? b : b == one ? a : remembered(times_, std::min(a, b), std::max(a, b), merged);
}

Products::Number Products::over(Number a, Number b) {
  return b == one ? a : remembered(over_, a, b, [](const Powers& x, const Powers& y) { return merged(x, inverse(y)); });
}

Products::Number Products::without(Number a, Number b) {
  return b == one ? a : a == b ? one : remembered(without_, a, b, reduced);
}

Products::Number Products::common(Number a, Number b) {
  if (a == b || a == one || b == one) {
    return a == b ? a : one;
  }
  work_ += (*this)[a].size() + (*this)[b].size();
  Powers result;
  for (const Power& each : (*this)[a]) {
    if (const Power* other = find((*this)[b], each)) {
      result.push_back(std::abs(each.exponent) < std::abs(other->exponent) ? each : *other);
    }
  }
  return number_of(std::move(result));
}

bool Products::in_order(const Term& a, const Term& b) const {
  return a.product == b.product ? a.negative < b.negative : (*this)[a.product] < (*this)[b.product];
}

Term make_term(Products::Number product, double factor) { return {product, factor < 0, std::abs(factor)}; }

bool contains(const Terms& terms, const Term& term) {
  return std::binary_search(terms.begin(), terms.end(), term, before);
}

Terms sum(const Terms& a, const Terms& b, double factor) {
  Terms scaled = b;
  for (Term& each : scaled) {
    each = make_term(each.product, factor * each.factor());
  }
  if (factor < 0) {
    std::sort(scaled.begin(), scaled.end(), before);
  }
  Terms result;
  result.reserve(a.size() + b.size());
  std::merge(a.begin(), a.end(), scaled.begin(), scaled.end(), std::back_inserter(result), before);
  add_up(result);
  return result;
}

Terms sum_of(Terms terms) {
  std::sort(terms.begin(), terms.end(), before);
  add_up(terms);
  return terms;
}

Products::Number common_factors(Products& products, const Terms& terms) {
  Products::Number common = terms[0].product;
  for (const Term& each : terms) {
    common = products.common(common, each.product);
  }
  const auto is_bare = [&](const Term& term) { return term.product == common; };
  return std::count_if(terms.begin(), terms.end(), is_bare) > 1 ? Products::one : common;
}

Terms without(Products& products, const Terms& terms, Products::Number divisor) {
  Terms result = terms;
  for (Term& each : result) {
    each.product = products.without(each.product, divisor);
  }
  return sum_of(std::move(result));
}

}  // namespace xgrad::detail
