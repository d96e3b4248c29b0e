#include "autograd/formula/simplification.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <utility>
#include <vector>

namespace xgrad::detail {

using kernels::Opcode;

namespace {

// Powers of values, by the numbers of the values. Empty: 1.
using Powers = std::map<std::uint32_t, int>;
// A sum of products, each with its constant factor. Empty: 0.
using Terms = std::map<Powers, double>;

Powers product(const Powers& a, const Powers& b, int sign = 1) {
  Powers result = a;
  for (const auto& [id, power] : b) {
    const int sum = result[id] + sign * power;
    sum == 0 ? static_cast<void>(result.erase(id)) : static_cast<void>(result[id] = sum);
  }
  return result;
}

void add(Terms& terms, const Powers& powers, double factor) {
  const double sum = terms[powers] + factor;
  sum == 0 ? static_cast<void>(terms.erase(powers)) : static_cast<void>(terms[powers] = sum);
}

class Collector {
 public:
  explicit Collector(FormulaBuilder& builder) : builder_(&builder) {}

  // The value as it is or from its terms, whichever takes fewer steps.
  Scalar simplest(Scalar x) {
    const std::uint32_t id = builder_->id_of(x);
    const auto known = simplest_.find(id);
    if (known != simplest_.end()) {
      return known->second;
    }
    const Scalar collected = emit(terms_of(id));
    const Scalar best = step_count(collected) < step_count(x) ? collected : x;
    simplest_.emplace(id, best);
    return best;
  }

 private:
  std::ptrdiff_t step_count(Scalar x) {
    const std::vector<bool> needed = steps_behind(builder_->id_of(x));
    return std::count(needed.begin(), needed.end(), true);
  }

  // Which steps take part in a value.
  std::vector<bool> steps_behind(std::uint32_t id) const {
    std::vector<bool> needed(builder_->recorded().step_count());
    if (Recorder::is_step(id)) {
      needed[Recorder::position_of(id)] = true;
    }
    for (std::size_t i = needed.size(); i-- > 0;) {
      if (needed[i]) {
        for (const std::uint32_t operand : operands_of(builder_->recorded().step_at(i))) {
          if (Recorder::is_step(operand)) {
            needed[Recorder::position_of(operand)] = true;
          }
        }
      }
    }
    return needed;
  }

  bool depends_on(std::uint32_t id, std::uint32_t input) const {
    if (!Recorder::is_step(id)) {
      return id == input;
    }
    const std::vector<bool> needed = steps_behind(id);
    for (std::size_t i = 0; i < needed.size(); ++i) {
      if (needed[i]) {
        const auto operands = operands_of(builder_->recorded().step_at(i));
        if (std::find(operands.begin(), operands.end(), input) != operands.end()) {
          return true;
        }
      }
    }
    return false;
  }

  const Terms& terms_of(std::uint32_t id) {
    const auto known = terms_.find(id);
    return known != terms_.end() ? known->second : terms_.emplace(id, find_terms(id)).first->second;
  }

  static Terms whole(std::uint32_t id) { return {{{{id, 1}}, 1.0}}; }

  Terms find_terms(std::uint32_t id) {
    const Scalar x = builder_->value(id);
    if (const auto constant = builder_->constant_of(x)) {
      return !std::isfinite(*constant) ? whole(id) : *constant == 0 ? Terms() : Terms{{{}, *constant}};
    }
    const auto step = builder_->step_of(x);
    if (!step) {
      return whole(id);
    }
    switch (step->code) {
      case Opcode::negative: return sum({}, terms_of(step->operands[0]), -1);
      case Opcode::add: return with_sums_joined(sum(summands(step->operands[0]), summands(step->operands[1]), 1));
      case Opcode::subtract: return with_sums_joined(sum(summands(step->operands[0]), summands(step->operands[1]), -1));
      case Opcode::multiply: return product_of(id, step->operands[0], step->operands[1], 1);
      case Opcode::divide: return product_of(id, step->operands[0], step->operands[1], -1);
      case Opcode::where: return selection(*step);
      default: return whole(id);
    }
  }

  static Terms sum(const Terms& a, const Terms& b, double factor) {
    Terms result = a;
    for (const auto& [powers, coefficient] : b) {
      add(result, powers, factor * coefficient);
    }
    return result;
  }

  // Where terms differ in one factor only, a sum or a selection, and those add up to something shorter, that:
  // m (1 - x) - m (1 + x) is -2 m x.
  Terms with_sums_joined(Terms terms) {
    std::map<Powers, std::vector<std::pair<std::uint32_t, double>>> groups;
    for (const auto& [powers, factor] : terms) {
      for (const auto& [id, exponent] : powers) {
        if (exponent == 1 && builder_->step_of(builder_->value(id))) {
          groups[product(powers, {{id, 1}}, -1)].emplace_back(id, factor);
        }
      }
    }
    for (const auto& [rest, members] : groups) {
      if (members.size() < 2) {
        continue;
      }
      const Terms joined = joined_sums(members);
      if (joined.size() >= members.size() ||
          std::any_of(members.begin(), members.end(), [&, &rest = rest](const auto& member) {
            return !terms.contains(product(rest, {{member.first, 1}}));
          })) {
        continue;
      }
      for (const auto& [id, factor] : members) {
        terms.erase(product(rest, {{id, 1}}));
      }
      for (const auto& [powers, factor] : joined) {
        add(terms, product(rest, powers), factor);
      }
    }
    return terms;
  }

  // Σ factor · value, with sums opened, and selections by the same condition made one.
  Terms joined_sums(const std::vector<std::pair<std::uint32_t, double>>& members) {
    Terms total;
    std::map<std::uint32_t, std::pair<Scalar, Scalar>> selections;  // by condition
    for (const auto& [id, factor] : members) {
      const auto step = *builder_->step_of(builder_->value(id));
      if (step.code != Opcode::where) {
        total = sum(total, terms_of(id), factor);
        continue;
      }
      auto& [yes, no] = selections.try_emplace(step.operands[0], Scalar(0), Scalar(0)).first->second;
      yes = yes + factor * builder_->value(step.operands[1]);
      no = no + factor * builder_->value(step.operands[2]);
    }
    for (const auto& [condition, branches] : selections) {
      const Scalar selection = where(builder_->value(condition), branches.first, branches.second);
      total = sum(total, terms_of(builder_->id_of(selection)), 1);
    }
    return total;
  }

  // where(c, m a, m b) is m where(c, a, b); but m stays inside where a branch is exactly 0, for then the result is.
  Terms selection(const Program::Step& step) {
    Terms yes = terms_of(step.operands[1]);
    Terms no = terms_of(step.operands[2]);
    const Terms both = yes.empty() || no.empty() ? Terms() : sum(yes, no, 1);
    const Powers outside = both.empty() ? Powers() : content(both);
    Scalar taken = simplest(builder_->value(step.operands[1]));
    Scalar otherwise = simplest(builder_->value(step.operands[2]));
    if (!outside.empty()) {
      taken = emit(divided(yes, outside));
      otherwise = emit(divided(no, outside));
    }
    const Scalar inside = where(builder_->value(step.operands[0]), taken, otherwise);
    return {{product(outside, {{builder_->id_of(inside), 1}}), 1.0}};
  }

  // The factors that all terms have.
  static Powers content(const Terms& terms) {
    Powers common = terms.begin()->first;
    for (const auto& [powers, factor] : terms) {
      Powers in_both;
      for (const auto& [id, exponent] : common) {
        const auto found = powers.find(id);
        const int other = found == powers.end() ? 0 : found->second;
        if (exponent > 0 ? other > 0 : other < 0) {
          in_both[id] = exponent > 0 ? std::min(exponent, other) : std::max(exponent, other);
        }
      }
      common = std::move(in_both);
    }
    return common;
  }

  static Terms divided(const Terms& terms, const Powers& divisor) {
    Terms result;
    for (const auto& [powers, factor] : terms) {
      result[product(powers, divisor, -1)] = factor;
    }
    return result;
  }

  // a · b, or a / b for the sign -1.
  Terms product_of(std::uint32_t id, std::uint32_t a, std::uint32_t b, int sign) {
    if (terms_of(a).empty() || terms_of(b).empty()) {
      return whole(id);  // 0 times infinity is not 0
    }
    if (sign > 0 && terms_of(a).size() == 1) {
      std::swap(a, b);
    }
    const Terms first = summands(a);
    const Terms second = as_one_factor(b);
    const auto& [powers, coefficient] = *second.begin();
    Terms result;
    for (const auto& [own, factor] : first) {
      const double scaled = sign > 0 ? factor * coefficient : factor / coefficient;
      if (!std::isfinite(scaled) || scaled == 0) {
        return whole(id);
      }
      add(result, product(own, powers, sign), scaled);
    }
    return result;
  }

  // A sum, as a product of the factors that its terms share and of one value for the rest.
  Terms as_one_factor(std::uint32_t id) {
    const Terms terms = terms_of(id);
    if (terms.size() <= 1) {
      return terms;
    }
    const Powers common = content(terms);
    if (common.empty()) {
      return whole(builder_->id_of(simplest(builder_->value(id))));
    }
    return {{product(common, {{builder_->id_of(emit(divided(terms, common))), 1}}), 1.0}};
  }

  Terms summands(std::uint32_t id) {
    const Terms terms = terms_of(id);
    return may_be_taken_apart(terms) ? terms : as_one_factor(id);
  }

  // Sums such as 1 - x are exact, or nearly so, where their terms cancel; the difference of products would not be.
  bool may_be_taken_apart(const Terms& terms) {
    const auto is_one = [](const auto& term) { return term.first.empty() && std::abs(term.second) == 1; };
    const auto is_input = [&](const auto& term) {
      const auto& [powers, factor] = term;
      return std::abs(factor) == 1 && powers.size() == 1 && powers.begin()->second == 1 &&
             !builder_->step_of(builder_->value(powers.begin()->first));
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

  // The product of powers, with the constant factor, whose sign is left out.
  Scalar emit(Powers powers, double factor) {
    std::optional<Scalar> result;
    const auto multiply_by = [&](Scalar x) { result = result ? *result * x : x; };
    const auto largest = [&](int sign) {
      auto best = powers.end();
      for (auto each = powers.begin(); each != powers.end(); ++each) {
        const bool better = best == powers.end() || std::abs(each->second) > std::abs(best->second);
        best = sign * each->second > 0 && better ? each : best;
      }
      return best;
    };
    if (std::abs(factor) != 1) {
      multiply_by(std::abs(factor));
    }
    for (auto up = largest(1), down = largest(-1); up != powers.end() && down != powers.end();
         up = largest(1), down = largest(-1)) {
      const int common = std::min(up->second, -down->second);
      multiply_by(power(builder_->value(up->first) / builder_->value(down->first), common));
      powers = product(powers, {{up->first, common}, {down->first, -common}}, -1);
    }
    for (const auto& [id, exponent] : powers) {
      const Scalar each = power(builder_->value(id), std::abs(exponent));
      result = exponent > 0 ? (result ? *result * each : each) : result.value_or(1) / each;
    }
    return result.value_or(1);
  }

  // Factors that are in all terms and in nothing else, such as cotangents: inputs in which the sum is linear.
  Powers common_inputs(const Terms& terms) {
    Powers common;
    for (const auto& [id, exponent] : terms.begin()->first) {
      const bool everywhere = std::all_of(terms.begin(), terms.end(), [&, id = id](const auto& term) {
        const auto found = term.first.find(id);
        return found != term.first.end() && found->second == 1;
      });
      if (everywhere && exponent == 1 && !builder_->step_of(builder_->value(id))) {
        common[id] = 1;
      }
    }
    for (const auto& [powers, factor] : terms) {
      for (const auto& [id, exponent] : powers) {
        if (common.empty()) {
          return common;
        }
        std::erase_if(common,
                      [&, id = id](const auto& input) { return input.first != id && depends_on(id, input.first); });
      }
    }
    return common;
  }

  Scalar emit(Terms terms) {
    if (terms.empty()) {
      return 0;
    }
    const Powers common = terms.size() > 1 ? common_inputs(terms) : Powers();
    const auto outside = [&](const Powers& powers) { return product(powers, common, -1); };
    const auto first = std::find_if(terms.begin(), terms.end(), [](const auto& term) { return term.second > 0; });
    const bool all_negative = first == terms.end();
    const auto start = all_negative ? terms.begin() : first;
    Scalar total = emit(outside(start->first), start->second);
    for (auto term = terms.begin(); term != terms.end(); ++term) {
      if (term != start) {
        const Scalar each = emit(outside(term->first), term->second);
        total = (term->second > 0) == !all_negative ? total + each : total - each;
      }
    }
    if (terms.size() > 1 && !common.empty()) {
      total = emit(common, 1) * total;
    }
    return all_negative ? -total : total;
  }

  FormulaBuilder* builder_;
  std::map<std::uint32_t, Terms> terms_;
  std::map<std::uint32_t, Scalar> simplest_;
};

}  // namespace

Scalar collect_terms(FormulaBuilder& builder, Scalar x) { return Collector(builder).simplest(x); }

}  // namespace xgrad::detail
