#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "autograd/graph/operation.hpp"
#include "autograd/ops/indexed.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"

/// \file
/// Einstein's summation convention.

namespace xgrad {

namespace {

/// Letters are the names of indices; the axes of an ellipsis, counted from the last, have numbers above those.
constexpr Index first_ellipsis_index = 256;

/// `ij,jk->ik`, taken apart; an ellipsis is a dot.
struct Subscripts {
  std::string text;
  std::vector<std::string> terms;
  std::string result;
  bool has_result;  ///< there was an arrow
};

std::string parse_term(const std::string& text, std::string term) {
  const auto is_wrong = [](char c) { return std::isalpha(static_cast<unsigned char>(c)) == 0; };
  std::string letters = term;
  if (const std::size_t dots = term.find("..."); dots != std::string::npos) {
    term.replace(dots, 3, 1, '.');
    letters.erase(dots, 3);
  }
  if (const auto wrong = std::find_if(letters.begin(), letters.end(), is_wrong); wrong != letters.end()) {
    raise<ValueError>("einsum", phrase("'{}' in '{}' names no index; use letters, and at most one ellipsis `...` per "
                                       "operand",
                                       *wrong, text));
  }
  return term;
}

Subscripts parse(std::string_view subscripts) {
  Subscripts result{std::string(subscripts), {}, {}, false};
  std::string rest = result.text;
  std::erase(rest, ' ');
  if (const std::size_t arrow = rest.find("->"); arrow != std::string::npos) {
    result.has_result = true;
    result.result = parse_term(result.text, rest.substr(arrow + 2));
    rest.erase(arrow);
  }
  for (std::size_t comma = rest.find(','); comma != std::string::npos; comma = rest.find(',')) {
    result.terms.push_back(parse_term(result.text, rest.substr(0, comma)));
    rest.erase(0, comma + 1);
  }
  result.terms.push_back(parse_term(result.text, rest));
  return result;
}

// The letters as indices, and the dot as that many axes.
Indices expand(const std::string& term, std::size_t ellipsis_axes) {
  Indices result;
  for (const char c : term) {
    if (c != '.') {
      result.push_back(c);
    }
    for (std::size_t axis = ellipsis_axes; c == '.' && axis-- > 0;) {
      result.push_back(first_ellipsis_index + static_cast<Index>(axis));
    }
  }
  return result;
}

std::string name_of(Index index) {
  return index < first_ellipsis_index ? phrase("index '{}'", static_cast<char>(index))
                                      : phrase("axis {} of the ellipsis", first_ellipsis_index - index - 1);
}

// How many axes the ellipsis of a term stands for.
std::size_t ellipsis_axes(const std::string& term, const Shape& shape, std::size_t number) {
  const bool has_ellipsis = term.find('.') != std::string::npos;
  const std::size_t letters = term.size() - (has_ellipsis ? 1 : 0);
  if (has_ellipsis ? shape.ndim() < letters : shape.ndim() != letters) {
    raise<ShapeError>("einsum", phrase("operand {} has shape {}, its subscripts '{}' name {} axes; one letter per axis",
                                       number, to_string(shape), term, letters));
  }
  return shape.ndim() - letters;
}

// Checks that indices have one size each, and drops the axes of size 1 that an ellipsis broadcasts.
void unify_sizes(std::vector<Indexed>& operands) {
  std::vector<std::pair<Index, std::int64_t>> sizes;
  const auto size_of = [&](Index index) {
    return std::find_if(sizes.begin(), sizes.end(), [index](const auto& known) { return known.first == index; });
  };
  for (std::size_t number = 0; number < operands.size(); ++number) {
    const Indexed& x = operands[number];
    for (std::size_t axis = 0; axis < x.indices.size(); ++axis) {
      const Index index = x.indices[axis];
      const std::int64_t size = x.tensor.shape()[axis];
      const auto known = size_of(index);
      const bool broadcasts = index >= first_ellipsis_index;
      if (known == sizes.end()) {
        sizes.emplace_back(index, size);
      } else if (broadcasts && known->second == 1) {
        known->second = size;
      } else if (known->second != size && !(broadcasts && size == 1)) {
        raise<ShapeError>("einsum",
                          phrase("{} has size {}, but {} along axis {} of operand {}, of shape {}; it must "
                                 "have one size",
                                 name_of(index), known->second, size, axis, number, to_string(x.tensor.shape())));
      }
    }
  }
  for (Indexed& x : operands) {
    Shape shape;
    Indices indices;
    for (std::size_t axis = 0; axis < x.indices.size(); ++axis) {
      if (x.tensor.shape()[axis] == size_of(x.indices[axis])->second) {
        shape.push_back(x.tensor.shape()[axis]);
        indices.push_back(x.indices[axis]);
      }
    }
    x = {reshape(x.tensor, shape), indices};
  }
}

// Takes the diagonal of axes with the same index.
Indexed without_repetitions(const Indexed& x) {
  for (std::size_t second = 1; second < x.indices.size(); ++second) {
    for (std::size_t first = 0; first < second; ++first) {
      if (x.indices[first] == x.indices[second]) {
        const auto axis = [](std::size_t number) { return static_cast<std::int64_t>(number); };
        Indexed result{diagonal(x.tensor, 0, axis(first), axis(second)), x.indices};
        result.indices.erase(result.indices.begin() + axis(second));
        result.indices.erase(result.indices.begin() + axis(first));
        result.indices.push_back(x.indices[first]);
        return without_repetitions(result);
      }
    }
  }
  return x;
}

// Without an arrow, the result has the axes of ellipses, and the indices that occur once in alphabetical order.
Indices result_indices(const Subscripts& subscripts, const std::vector<Indexed>& operands, std::size_t ellipsis_axes) {
  Indices all;
  for (const Indexed& x : operands) {
    all.insert(all.end(), x.indices.begin(), x.indices.end());
  }
  if (!subscripts.has_result) {
    Indices result = expand(".", ellipsis_axes);
    std::sort(all.begin(), all.end());
    std::copy_if(all.begin(), all.end(), std::back_inserter(result), [&](Index index) {
      return index < first_ellipsis_index && std::count(all.begin(), all.end(), index) == 1;
    });
    return result;
  }
  const Indices result = expand(subscripts.result, ellipsis_axes);
  for (const Index index : result) {
    if (!contains(all, index) || std::count(result.begin(), result.end(), index) > 1) {
      raise<ValueError>("einsum", phrase("{} of the result of '{}' {}", name_of(index), subscripts.text,
                                         contains(all, index) ? "occurs twice; the result has each index once"
                                                              : "is in no operand; leave it out"));
    }
  }
  if (ellipsis_axes > 0 && subscripts.result.find('.') == std::string::npos) {
    raise<ValueError>("einsum",
                      phrase("the result of '{}' has no ellipsis, but operands have one of {} axes; add `...` "
                             "to it",
                             subscripts.text, ellipsis_axes));
  }
  return result;
}

// The indices that are needed when some operands have become one: those of the result and of the others.
Indices kept_indices(const std::vector<Indexed>& operands, const Indices& result, std::size_t a, std::size_t b) {
  Indices kept = result;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    if (i != a && i != b) {
      kept.insert(kept.end(), operands[i].indices.begin(), operands[i].indices.end());
    }
  }
  return kept;
}

// How many elements more there are when a product has taken the place of two operands.
std::int64_t growth(const Indexed& a, const Indexed& b, const Indices& kept) {
  std::int64_t product = 1;
  for (const Index index : a.indices) {
    product *= contains(kept, index) || !contains(b.indices, index) ? a.size(index) : 1;
  }
  for (const Index index : b.indices) {
    product *= contains(a.indices, index) ? 1 : b.size(index);
  }
  return product - a.tensor.size() - b.tensor.size();
}

// Contracts the pair of operands whose product takes the least memory, of several the first.
void contract_best_pair(std::vector<Indexed>& operands, const Indices& result) {
  std::size_t best_a = 0;
  std::size_t best_b = 1;
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  for (std::size_t b = 1; b < operands.size(); ++b) {
    for (std::size_t a = 0; a < b; ++a) {
      if (const std::int64_t size = growth(operands[a], operands[b], kept_indices(operands, result, a, b));
          size < least) {
        least = size;
        best_a = a;
        best_b = b;
      }
    }
  }
  operands[best_a] = contract(operands[best_a], operands[best_b], kept_indices(operands, result, best_a, best_b));
  operands.erase(operands.begin() + static_cast<std::ptrdiff_t>(best_b));
}

Tensor einsum_of(const Subscripts& subscripts, const Tensors& tensors) {
  if (subscripts.terms.size() != tensors.size()) {
    raise<ValueError>("einsum", phrase("'{}' has subscripts for {} operands, got {}; separate them by commas",
                                       subscripts.text, subscripts.terms.size(), tensors.size()));
  }
  require_same_floating("einsum", tensors);
  std::vector<Indexed> operands;
  std::size_t most_ellipsis_axes = 0;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const std::size_t axes = ellipsis_axes(subscripts.terms[i], tensors[i].shape(), i);
    most_ellipsis_axes = std::max(most_ellipsis_axes, axes);
    operands.push_back({tensors[i], expand(subscripts.terms[i], axes)});
  }
  unify_sizes(operands);
  const Indices result = result_indices(subscripts, operands, most_ellipsis_axes);
  for (Indexed& x : operands) {
    x = without_repetitions(x);
  }
  for (std::size_t i = 0; i < operands.size(); ++i) {
    operands[i] = operands[i].summed(kept_indices(operands, result, i, i));
  }
  while (operands.size() > 1) {
    contract_best_pair(operands, result);
  }
  return operands[0].arranged(result);
}

}  // namespace

Tensor einsum(std::string_view subscripts, const Tensors& tensors, Source where) {
  const SourceScope scope(where);
  return located(where, [&] { return einsum_of(parse(subscripts), tensors); });
}

}  // namespace xgrad
