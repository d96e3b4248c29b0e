#include "autograd/formula/simplification.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include "autograd/formula/terms.hpp"

namespace xgrad::detail {

using kernels::Opcode;

namespace {

using Value = Recorder::Value;

class Collector {
 public:
  Collector(FormulaBuilder& builder, std::int64_t budget) : builder_(builder), budget_(budget) {}

  /// Nothing when the budget was too small.
  std::optional<Scalar> run(Scalar x) {
    const Scalar result = simplest(x);
    return is_over() ? std::nullopt : std::optional(result);
  }

 private:
  /// What is known of a value: its terms, and what it is as a divisor, factor · product, with no sum taken apart. What is
  /// joined or factored out of a sum may turn inf - inf into inf, and 1 / inf would be no trace of it.
  struct Known {
    Terms terms;
    Product product;
    double factor = 1;
  };

  void spend(std::size_t work) { budget_ -= static_cast<std::int64_t>(work); }
  bool is_over() const { return budget_ < 0; }

  // The value as it is or from its terms, whichever takes fewer steps.
  Scalar simplest(Scalar x) {
    const Value id = builder_.id_of(x);
    if (const auto known = simplest_.find(id); known != simplest_.end()) {
      return known->second;
    }
    const Scalar collected = emit(known(id).terms);
    const Scalar best = !is_over() && count_steps(collected) < count_steps(x) ? collected : x;
    simplest_.emplace(id, best);
    return best;
  }

  // How many steps take part in a value.
  std::size_t count_steps(Scalar x) {
    ++visit_;
    visited_.resize(builder_.recorded().step_count());
    std::vector<Value> open;
    std::size_t count = 0;
    const auto enter = [&](Value value) {
      if (Recorder::is_step(value) && visited_[Recorder::position_of(value)] != visit_) {
        visited_[Recorder::position_of(value)] = visit_;
        open.push_back(value);
        ++count;
      }
    };
    enter(builder_.id_of(x));
    while (!open.empty()) {
      const Program::Step& step = builder_.recorded().step_at(Recorder::position_of(open.back()));
      open.pop_back();
      const auto operands = operands_of(step);
      std::for_each(operands.begin(), operands.end(), enter);
    }
    spend(count);
    return count;
  }

  // Which inputs take part in a value: one bit each; all from the 64th on share one.
  std::uint64_t inputs_behind(Value value) {
    const auto of = [&](Value known) {
      return Recorder::is_input(known)      ? std::uint64_t{1} << std::min<Value>(known, 63)
             : Recorder::is_constant(known) ? 0
                                            : inputs_behind_[Recorder::position_of(known)];
    };
    while (Recorder::is_step(value) && inputs_behind_.size() <= Recorder::position_of(value)) {
      std::uint64_t inputs = 0;
      for (const Value operand : operands_of(builder_.recorded().step_at(inputs_behind_.size()))) {
        inputs |= of(operand);
      }
      inputs_behind_.push_back(inputs);
    }
    return of(value);
  }

  const Known& known(Value id) {
    if (const auto entry = known_.find(id); entry != known_.end()) {
      return entry->second;
    }
    constexpr int deepest = 500;  // of the recursion
    if (++depth_ > deepest) {
      budget_ = -1;
    }
    Known found = is_over() ? whole(id) : find(id);
    --depth_;
    const auto is_finite = [](const auto& term) { return std::isfinite(term.second); };
    if (!std::all_of(found.terms.begin(), found.terms.end(), is_finite) || !std::isfinite(found.factor) ||
        found.factor == 0) {
      found = whole(id);
    }
    spend(size_of(found.terms) + found.product.size());
    return known_.emplace(id, std::move(found)).first->second;
  }
  const Terms& terms_of(Value id) { return known(id).terms; }

  static Terms itself(Value id) { return {{{{{id, 1}}, false}, 1.0}}; }
  static Known whole(Value id) { return {itself(id), {{id, 1}}}; }

  Known find(Value id) {
    const Scalar x = builder_.value(id);
    if (const auto constant = builder_.constant_of(x)) {
      return constant_terms(id, *constant);
    }
    const auto step = builder_.step_of(x);
    if (!step) {
      return whole(id);
    }
    const auto [a, b, c] = step->operands;
    switch (step->code) {
      case Opcode::negative: return {sum({}, terms_of(a), -1), known(a).product, -known(a).factor};
      case Opcode::add: return {sum_of(a, b, 1), {{id, 1}}};
      case Opcode::subtract: return {sum_of(a, b, -1), {{id, 1}}};
      case Opcode::multiply: return product_of(id, a, b);
      case Opcode::divide: return quotient_of(id, a, b);
      case Opcode::where: return {selection(a, b, c), {{id, 1}}};
      default: return whole(id);
    }
  }

  static Known constant_terms(Value id, double constant) {
    if (!std::isfinite(constant)) {
      return whole(id);
    }
    Known result{{}, {}, constant};
    add(result.terms, {}, constant);
    return result;
  }

  // a + sign · b
  Terms sum_of(Value a, Value b, double sign) {
    const Terms second = summands(b);
    const Terms first = summands(a);
    return with_sums_joined(sum(first, second, sign));
  }

  // Where terms differ in one factor only, a sum or a selection, and those add up to something shorter, that:
  // m (1 - x) - m (1 + x) is -2 m x.
  Terms with_sums_joined(Terms terms) {
    struct Member {
      Value value;
      Terms::key_type term;
      double factor;
    };
    std::map<Product, std::vector<Member>> groups;
    for (const auto& each : terms) {
      for (const Power& power : each.first.product) {
        if (power.exponent == 1 && Recorder::is_step(power.value)) {
          groups[without(each.first.product, {power})].push_back({power.value, each.first, factor_of(each)});
        }
      }
    }
    spend(size_of(terms));
    for (const auto& [rest, members] : groups) {
      const auto is_there = [&](const Member& member) { return terms.contains(member.term); };
      if (members.size() < 2 || !std::all_of(members.begin(), members.end(), is_there)) {
        continue;
      }
      std::vector<std::pair<Value, double>> summands;
      for (const Member& member : members) {
        summands.emplace_back(member.value, member.factor);
      }
      const Terms joined = joined_sums(summands);
      if (joined.empty() || joined.size() >= members.size()) {
        continue;
      }
      for (const Member& member : members) {
        terms.erase(member.term);
      }
      for (const auto& each : joined) {
        add(terms, times(rest, each.first.product), factor_of(each));
      }
    }
    return terms;
  }

  // Σ factor · value, with sums opened, and selections by the same condition made one.
  Terms joined_sums(const std::vector<std::pair<Value, double>>& members) {
    Terms total;
    std::map<Value, std::pair<Scalar, Scalar>> selections;  // by condition
    for (const auto& [id, factor] : members) {
      const auto step = *builder_.step_of(builder_.value(id));
      if (step.code != Opcode::where) {
        total = sum(total, terms_of(id), factor);
        continue;
      }
      auto& [yes, no] = selections.try_emplace(step.operands[0], Scalar(0), Scalar(0)).first->second;
      yes = yes + factor * builder_.value(step.operands[1]);
      no = no + factor * builder_.value(step.operands[2]);
    }
    for (const auto& [condition, branches] : selections) {
      const Scalar selection = where(builder_.value(condition), branches.first, branches.second);
      total = sum(total, terms_of(builder_.id_of(selection)), 1);
    }
    spend(size_of(total));
    return total;
  }

  // where(c, m a, m b) is m where(c, a, b); but m stays inside where a branch is exactly 0, for then the result is.
  Terms selection(Value condition, Value if_true, Value if_false) {
    const Terms& yes = terms_of(if_true);
    const Terms& no = terms_of(if_false);
    const Product outside =
        yes.empty() || no.empty() ? Product() : common_powers(common_factors(yes), common_factors(no));
    Scalar taken = simplest(builder_.value(if_true));
    Scalar otherwise = simplest(builder_.value(if_false));
    if (!outside.empty()) {
      taken = emit(without(yes, outside));
      otherwise = emit(without(no, outside));
    }
    const Scalar inside = where(builder_.value(condition), taken, otherwise);
    return {{{times(outside, {{builder_.id_of(inside), 1}}), false}, 1.0}};
  }

  // What all terms share, unless nothing but two constants of opposite sign would be left of some: 2P - 3P is not -P.
  static Product common_factors(const Terms& terms) {
    const Product common = common_powers(terms);
    const auto is_bare = [&](const auto& term) { return term.first.product == common; };
    return std::count_if(terms.begin(), terms.end(), is_bare) > 1 ? Product() : common;
  }

  Known product_of(Value id, Value a, Value b) {
    if (terms_of(a).empty() || terms_of(b).empty()) {
      return whole(id);  // 0 times infinity is not 0
    }
    Known result{{}, times(known(a).product, known(b).product), known(a).factor * known(b).factor};
    if (terms_of(a).size() == 1) {
      std::swap(a, b);
    }
    const Terms first = summands(a);
    const Terms second = as_one_factor(b);
    const auto& only = *second.begin();
    for (const auto& each : first) {
      const double factor = factor_of(each) * factor_of(only);
      if (factor == 0) {
        return whole(id);
      }
      add(result.terms, times(each.first.product, only.first.product), factor);
    }
    return result;
  }

  Known quotient_of(Value id, Value a, Value b) {
    if (terms_of(a).empty() || terms_of(b).empty()) {
      return whole(id);
    }
    const Product divisor = known(b).product;
    Known result{{}, over(known(a).product, divisor), known(a).factor / known(b).factor};
    for (const auto& each : Terms(summands(a))) {
      const double factor = factor_of(each) / known(b).factor;
      if (factor == 0) {
        return whole(id);
      }
      add(result.terms, over(each.first.product, divisor), factor);
    }
    return result;
  }

  // A sum, as a product of the factors that its terms share and of one value for the rest.
  Terms as_one_factor(Value id) {
    const Terms terms = terms_of(id);
    if (terms.size() <= 1) {
      return terms;
    }
    const Product common = common_factors(terms);
    if (common.empty()) {
      return itself(builder_.id_of(simplest(builder_.value(id))));
    }
    return {{{times(common, {{builder_.id_of(emit(without(terms, common))), 1}}), false}, 1.0}};
  }

  Terms summands(Value id) {
    const Terms& terms = terms_of(id);
    return may_be_taken_apart(terms) ? terms : as_one_factor(id);
  }

  // Sums such as 1 - x are exact, or nearly so, where their terms cancel; the difference of products would not be.
  static bool may_be_taken_apart(const Terms& terms) {
    const auto is_one = [](const auto& term) { return term.first.product.empty() && term.second == 1; };
    const auto is_input = [](const auto& term) {
      const Product& product = term.first.product;
      return term.second == 1 && product.size() == 1 && product[0].exponent == 1 &&
             !Recorder::is_step(product[0].value);
    };
    return terms.size() <= 1 ||
           (std::none_of(terms.begin(), terms.end(), is_one) && !std::all_of(terms.begin(), terms.end(), is_input));
  }

  Scalar power(Scalar x, int exponent) {
    if (exponent == 1) {
      return x;
    }
    const Scalar root = power(x, exponent / 2);
    return exponent % 2 == 0 ? root * root : root * root * x;
  }

  // size · product
  Scalar emit(Product product, double size) {
    std::optional<Scalar> result;
    const auto multiply_by = [&](Scalar x) { result = result ? *result * x : x; };
    const auto largest = [&](int sign) {
      auto best = product.end();
      for (auto each = product.begin(); each != product.end(); ++each) {
        const bool better = best == product.end() || std::abs(each->exponent) > std::abs(best->exponent);
        best = sign * each->exponent > 0 && better ? each : best;
      }
      return best;
    };
    spend(product.size());
    if (size != 1) {
      multiply_by(size);
    }
    for (auto up = largest(1), down = largest(-1); up != product.end() && down != product.end();
         up = largest(1), down = largest(-1)) {
      const int common = std::min(up->exponent, -down->exponent);
      multiply_by(power(builder_.value(up->value) / builder_.value(down->value), common));
      up->exponent -= common;
      down->exponent += common;
      std::erase_if(product, [](const Power& each) { return each.exponent == 0; });
    }
    for (const auto& [value, exponent] : product) {
      const Scalar each = power(builder_.value(value), std::abs(exponent));
      result = exponent > 0 ? (result ? *result * each : each) : result.value_or(1) / each;
    }
    return result.value_or(1);
  }

  // Factors that are in all terms and in nothing else, such as cotangents: inputs in which the sum is linear.
  Product common_inputs(const Terms& terms) {
    Product common = common_factors(terms);
    std::erase_if(common, [&](const Power& power) {
      const auto is_linear = [&](const auto& term) {
        const Product& product = term.first.product;
        return std::all_of(product.begin(), product.end(), [&](const Power& each) {
          return each.value == power.value ? each == power
                                           : (inputs_behind(each.value) & inputs_behind(power.value)) == 0;
        });
      };
      return power.exponent != 1 || !Recorder::is_input(power.value) ||
             !std::all_of(terms.begin(), terms.end(), is_linear);
    });
    return common;
  }

  Scalar emit(const Terms& terms) {
    if (terms.empty()) {
      return 0;
    }
    spend(size_of(terms));
    const Product common = terms.size() > 1 ? common_inputs(terms) : Product();
    const auto first = std::find_if(terms.begin(), terms.end(), [](const auto& each) { return !each.first.negative; });
    const bool all_negative = first == terms.end();
    const auto start = all_negative ? terms.begin() : first;
    Scalar total = emit(without(start->first.product, common), start->second);
    for (auto each = terms.begin(); each != terms.end(); ++each) {
      if (each != start) {
        const Scalar term = emit(without(each->first.product, common), each->second);
        total = each->first.negative == all_negative ? total + term : total - term;
      }
    }
    if (!common.empty()) {
      total = emit(common, 1) * total;
    }
    return all_negative ? -total : total;
  }

  FormulaBuilder& builder_;
  std::int64_t budget_;
  int depth_ = 0;
  std::unordered_map<Value, Known> known_;
  std::unordered_map<Value, Scalar> simplest_;
  std::vector<std::uint64_t> inputs_behind_;  // per step
  std::vector<std::uint32_t> visited_;        // per step: the visit that saw it last
  std::uint32_t visit_ = 0;
};

}  // namespace

std::optional<Scalar> collect_terms(FormulaBuilder& builder, Scalar x) {
  constexpr std::int64_t least = 1'000'000'000;
  return Collector(builder, least).run(x);
}

}  // namespace xgrad::detail
