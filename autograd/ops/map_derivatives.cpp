#include <algorithm>
#include <iterator>
#include <optional>

#include "autograd/formula/parts.hpp"
#include "autograd/formula/pieces.hpp"
#include "autograd/ops/map.hpp"
#include "autograd/ops/ops.hpp"

/// \file
/// Derivatives of elementwise operations: formulas of what the operation reads and gives, and of cotangents or tangents.
///
/// A formula with one result has a partial derivative for each input, as short as algebra makes it. Where that would take
/// too long, and for several results, all derivatives are computed together, in one pass over the formula and one back. A
/// long formula is gone through piece by piece: only what goes from one piece to the next is kept between both passes.

namespace xgrad {

namespace {

/// The most steps of a formula that is differentiated as a whole: its derivatives have up to six times as many.
constexpr std::size_t longest_whole = detail::longest_program / 6;

bool is_long(const Formula& formula) { return formula.program().steps.size() > longest_whole; }

void add(Tensor& sum, const Tensor& term) {
  sum = sum.defined() && term.defined() ? sum + term : sum.defined() ? sum : term;
}

// The result of a formula that has one.
Tensor apply_single(const Formula& formula, const Tensors& operands) {
  const Program& program = formula.program();
  if (program.steps.size() > detail::longest_program || program.steps.empty()) {
    return apply_formula(formula, operands).front();
  }
  return apply_op(Map{formula}, operands);
}

// factor * d output / d input i; undefined where it is zero everywhere.
Tensor partial_product(const Node& node, const Partial& partial, const Tensor& factor) {
  const std::size_t count = node.inputs().size();
  Tensors operands;
  operands.reserve(partial.arguments.size());
  for (const std::uint32_t argument : partial.arguments) {
    operands.push_back(argument < count ? node.input(argument) : argument == count ? node.output(0) : factor);
  }
  return apply_single(partial.formula, operands);
}

// Per input with a factor its partial product; nothing where these are not to be used.
template <class Factor>
std::optional<Tensors> partial_products(const Node& node, const Formula& formula, const Factor& factor) {
  if (formula.program().results.size() != 1 || is_long(formula)) {
    return std::nullopt;
  }
  Tensors products(node.inputs().size());
  for (std::size_t i = 0; i < products.size(); ++i) {
    const Tensor& each = factor(i);
    if (!each.defined()) {
      continue;
    }
    if (const std::optional<Partial> partial = formula.partial(i)) {
      if (!partial->simplified) {
        return std::nullopt;
      }
      products[i] = partial_product(node, *partial, each);
    }
  }
  return products;
}

const Formula* single_formula(const Node& node) {
  const Map* map = node.as<Map>();
  return map != nullptr && map->formula.program().results.size() == 1 ? &map->formula : nullptr;
}

// Whether the factor is itself a formula of what the node reads or gives, as in derivatives of derivatives.
bool is_formula_of_same_values(const Node& node, const Tensor& factor) {
  const Inputs inputs = factor.node().inputs();
  const auto is_shared = [&](const Tensor& x) {
    return x.same_as(node.output(0)) ||
           std::any_of(node.inputs().begin(), node.inputs().end(), [&](const Tensor& own) { return own.same_as(x); });
  };
  return single_formula(factor.node()) != nullptr && std::any_of(inputs.begin(), inputs.end(), is_shared);
}

// The formula of a product of derivatives and of the formula that gave its last operand, as one: repeated derivatives
// stay one node each.
Tensor joined(const Tensor& product) {
  const Inputs outer = product.node().inputs();
  const Tensor factor = outer.back();
  const Inputs inner = factor.node().inputs();
  Tensors operands;
  const auto position = [&](const Tensor& x) {
    const auto found = std::find_if(operands.begin(), operands.end(), [&](const Tensor& y) { return y.same_as(x); });
    const auto number = static_cast<std::uint32_t>(found - operands.begin());
    if (found == operands.end()) {
      operands.push_back(x);
    }
    return number;
  };
  std::vector<std::uint32_t> inner_positions;
  std::vector<std::uint32_t> outer_positions;
  std::transform(inner.begin(), inner.end(), std::back_inserter(inner_positions), position);
  std::transform(outer.begin(), outer.end() - 1, std::back_inserter(outer_positions), position);
  Program program = detail::composed(single_formula(product.node())->program(), outer_positions,
                                     single_formula(factor.node())->program(), inner_positions, operands.size());
  constexpr std::size_t longest = 128;  // a part of the graph that is read twice is not to be repeated without end
  return program.steps.size() > longest ? product : apply_single(Formula(std::move(program)), operands);
}

bool is_defined(const Tensor& tensor) { return tensor.defined(); }

// Only where there is one gradient: else the factor would be computed again for each.
void join_only(Tensors& gradients, const Node& node, const Tensor& ct) {
  if (std::count_if(gradients.begin(), gradients.end(), is_defined) != 1 || !is_formula_of_same_values(node, ct)) {
    return;
  }
  Tensor& gradient = *std::find_if(gradients.begin(), gradients.end(), is_defined);
  if (!gradient.same_as(ct) && single_formula(gradient.node()) != nullptr &&
      gradient.node().inputs().back().same_as(ct)) {
    gradient = joined(gradient);
  }
}

/// What a formula reads and gives.
struct Values {
  Tensors inputs;
  Tensors outputs;
};

Tensors apply_derivative(const detail::FormulaDerivative& derivative, const Values& values, const Tensors& seeds) {
  const auto argument = [&](std::size_t i) {
    const std::size_t n = values.inputs.size();
    const std::size_t r = values.outputs.size();
    return i < n ? values.inputs[i] : i < n + r ? values.outputs[i - n] : seeds[i - n - r];
  };
  Tensors results;
  if (!derivative.formula.program().results.empty()) {
    Tensors operands;
    std::transform(derivative.arguments.begin(), derivative.arguments.end(), std::back_inserter(operands), argument);
    results = apply_formula(derivative.formula, operands);
  }
  using Kind = detail::DerivativeProgram::Place::Kind;
  Tensors derivatives;
  for (const auto& [kind, number] : derivative.places) {
    derivatives.push_back(kind == Kind::zero ? Tensor() : kind == Kind::result ? results[number] : argument(number));
  }
  return derivatives;
}

std::vector<bool> defined(const Tensors& tensors) {
  std::vector<bool> result;
  std::transform(tensors.begin(), tensors.end(), std::back_inserter(result), is_defined);
  return result;
}

/// A long formula, computed piece by piece, with a derivative beside each value that goes from one to the next.
class Pieces {
 public:
  Pieces(const Formula& formula, const Values& values)
      : formula_(formula), values_(apply_pieces(formula, values.inputs)), derivatives_(values_.size()) {
    for (std::size_t k = 0; k < values.outputs.size(); ++k) {  // these are there already
      values_[results()[k]] = values.outputs[k];
    }
  }

  Tensors pull_back(const Tensors& cotangents, const std::vector<bool>& wanted) {
    std::vector<bool> carries(derivatives_.size());
    std::copy(wanted.begin(), wanted.end(), carries.begin());
    const auto is_carrying = [&](std::uint32_t value) -> bool { return carries[value]; };
    for (const detail::FormulaPiece& piece : formula_.pieces()) {
      const bool any = std::any_of(piece.inputs.begin(), piece.inputs.end(), is_carrying);
      for (const std::uint32_t output : piece.outputs) {
        carries[output] = any && is_real(values_[output].dtype());
      }
    }
    for (std::size_t k = 0; k < cotangents.size(); ++k) {
      add(derivatives_[results()[k]], cotangents[k]);
    }
    for (std::size_t i = formula_.pieces().size(); i-- > 0;) {
      const detail::FormulaPiece& piece = formula_.pieces()[i];
      std::vector<bool> asked;
      std::transform(piece.inputs.begin(), piece.inputs.end(), std::back_inserter(asked), is_carrying);
      const Tensors given = at(derivatives_, piece.outputs);
      if (std::none_of(given.begin(), given.end(), is_defined)) {
        continue;
      }
      const auto derivative = piece.formula.pullback(defined(given), asked);
      const Tensors found = apply_derivative(*derivative, values_of(piece), given);
      for (std::size_t k = 0; k < found.size(); ++k) {
        add(derivatives_[piece.inputs[k]], found[k]);
      }
    }
    return Tensors(derivatives_.begin(), derivatives_.begin() + static_cast<std::ptrdiff_t>(wanted.size()));
  }

  Tensors push_forward(const Tensors& tangents) {
    std::copy(tangents.begin(), tangents.end(), derivatives_.begin());
    for (const detail::FormulaPiece& piece : formula_.pieces()) {
      const Tensors given = at(derivatives_, piece.inputs);
      const auto derivative = piece.formula.pushforward(defined(given));
      const Tensors found = apply_derivative(*derivative, values_of(piece), given);
      for (std::size_t k = 0; k < found.size(); ++k) {
        derivatives_[piece.outputs[k]] = found[k];
      }
    }
    return at(derivatives_, results());
  }

 private:
  static Tensors at(const Tensors& all, const std::vector<std::uint32_t>& numbers) {
    Tensors tensors;
    for (const std::uint32_t number : numbers) {
      tensors.push_back(all[number]);
    }
    return tensors;
  }
  Values values_of(const detail::FormulaPiece& piece) const {
    return {at(values_, piece.inputs), at(values_, piece.outputs)};
  }
  const std::vector<std::uint32_t>& results() const { return formula_.program().results; }

  const Formula& formula_;
  Tensors values_;       // per value of the program, where it goes from a piece to another or is a result
  Tensors derivatives_;  // the same
};

Values values_of(const Node& node) {
  Values values{{node.inputs().begin(), node.inputs().end()}, {}};
  for (std::size_t k = 0; k < node.output_count(); ++k) {
    values.outputs.push_back(node.output(k));
  }
  return values;
}

}  // namespace

Tensors Map::vjp(const Node& node, const Cotangents& ct) const {
  const Tensor none;
  const auto factor = [&](std::size_t i) -> const Tensor& { return ct.wanted(i) ? ct[0] : none; };
  if (std::optional<Tensors> gradients = partial_products(node, formula, factor)) {
    join_only(*gradients, node, ct[0]);
    return *gradients;
  }
  Tensors cotangents;
  for (std::size_t k = 0; k < node.output_count(); ++k) {
    cotangents.push_back(ct[k]);
  }
  std::vector<bool> wanted;
  for (std::size_t i = 0; i < node.inputs().size(); ++i) {
    wanted.push_back(ct.wanted(i));
  }
  const Values values = values_of(node);
  return is_long(formula) ? Pieces(formula, values).pull_back(cotangents, wanted)
                          : apply_derivative(*formula.pullback(defined(cotangents), wanted), values, cotangents);
}

Tensors Map::jvp(const Node& node, const Tangents& t) const {
  const auto factor = [&](std::size_t i) -> const Tensor& { return t[i]; };
  if (const std::optional<Tensors> products = partial_products(node, formula, factor)) {
    Tensor sum;
    for (const Tensor& product : *products) {
      add(sum, product);
    }
    return {sum};
  }
  Tensors tangents;
  for (std::size_t i = 0; i < node.inputs().size(); ++i) {
    tangents.push_back(t[i]);
  }
  const Values values = values_of(node);
  return is_long(formula) ? Pieces(formula, values).push_forward(tangents)
                          : apply_derivative(*formula.pushforward(defined(tangents)), values, tangents);
}

}  // namespace xgrad
