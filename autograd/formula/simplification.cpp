#include "autograd/formula/simplification.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include "autograd/formula/emission.hpp"
#include "autograd/formula/terms.hpp"

namespace xgrad::detail {

using kernels::Opcode;

namespace {

using Recorded = ProgramRecorder::Value;

class Collector {
 public:
  explicit Collector(FormulaBuilder& builder) : builder_(builder), emitter_(builder, products_) {}

  /// Nothing when that takes too long.
  std::optional<Scalar> run(Scalar x) {
    constexpr std::size_t longest = 4096;
    if (count_steps(x) > longest) {
      return std::nullopt;
    }
    const Scalar result = simplest(x);
    return is_over() ? std::nullopt : std::optional(result);
  }

 private:
  /// What is known of a value: its terms, and what it is as a divisor, factor · product, with no sum taken apart. What is
  /// joined or factored out of a sum may turn inf - inf into inf, and 1 / inf would be no trace of it.
  struct Known {
    Terms terms;
    Products::Number product;
    double factor = 1;
  };

  // Work is counted in steps seen and powers compared, up to some ten milliseconds of it. When that is over, no value is
  // taken apart any more.
  static constexpr std::size_t most_work = 330'000;
  void spend(std::size_t work) { spent_ += work; }
  bool is_over() const { return spent_ + products_.work() + emitter_.work() > most_work; }

  // The value as it is or from its terms, whichever takes fewer steps.
  Scalar simplest(Scalar x) {
    const Recorded id = builder_.id_of(x);
    if (const auto known = simplest_.find(id); known != simplest_.end()) {
      return known->second;
    }
    const Scalar collected = emitter_.emit(known(id).terms);
    const Scalar best = !is_over() && count_steps(collected) < count_steps(x) ? collected : x;
    simplest_.emplace(id, best);
    return best;
  }

  // How many steps take part in a value.
  std::size_t count_steps(Scalar x) {
    ++visit_;
    visited_.resize(builder_.recorded().step_count());
    std::vector<Recorded> open;
    std::size_t count = 0;
    const auto enter = [&](Recorded value) {
      if (ProgramRecorder::is_step(value) && visited_[ProgramRecorder::position_of(value)] != visit_) {
        visited_[ProgramRecorder::position_of(value)] = visit_;
        open.push_back(value);
        ++count;
      }
    };
    enter(builder_.id_of(x));
    while (!open.empty()) {
      const Program::Step& step = builder_.recorded().step_at(ProgramRecorder::position_of(open.back()));
      open.pop_back();
      const auto operands = operands_of(step);
      std::for_each(operands.begin(), operands.end(), enter);
    }
    spend(count);
    return count;
  }

  const Known& known(Recorded id) {
    if (const auto entry = known_.find(id); entry != known_.end()) {
      return entry->second;
    }
    constexpr int deepest = 500;  // the recursion is not to fill the stack
    if (++depth_ > deepest) {
      spend(most_work + 1);
    }
    Known found = is_over() ? whole(id) : find(id);
    --depth_;
    const auto is_finite = [](const Term& term) { return std::isfinite(term.size); };
    spend(1 + found.terms.size());
    if (is_over() || !std::all_of(found.terms.begin(), found.terms.end(), is_finite) || !std::isfinite(found.factor) ||
        found.factor == 0) {
      found = whole(id);
    }
    return known_.emplace(id, std::move(found)).first->second;
  }
  const Terms& terms_of(Recorded id) { return known(id).terms; }

  Terms itself(Recorded id) { return {make_term(products_.of(id), 1)}; }
  Known whole(Recorded id) { return {itself(id), products_.of(id)}; }

  Known find(Recorded id) {
    const Scalar x = builder_.value(id);
    if (const auto constant = builder_.constant_of(x)) {
      return !std::isfinite(*constant) ? whole(id)
                                       : Known{sum_of({make_term(Products::one, *constant)}), Products::one, *constant};
    }
    const auto step = builder_.step_of(x);
    if (!step) {
      return whole(id);
    }
    const auto [a, b, c] = step->operands;
    switch (step->code) {
      case Opcode::negative: return {sum({}, terms_of(a), -1), known(a).product, -known(a).factor};
      case Opcode::add: return {total_of(a, b, 1), products_.of(id)};
      case Opcode::subtract: return {total_of(a, b, -1), products_.of(id)};
      case Opcode::multiply: return product_of(id, a, b);
      case Opcode::divide: return quotient_of(id, a, b);
      case Opcode::where: return {selection(a, b, c), products_.of(id)};
      default: return whole(id);
    }
  }

  // a + sign · b
  Terms total_of(Recorded a, Recorded b, double sign) {
    const Terms second = summands(b);
    const Terms first = summands(a);
    return is_over() ? Terms() : with_sums_joined(sum(first, second, sign));
  }

  /// A term as rest · value.
  struct Member {
    Products::Number rest;
    Recorded value;
    Term term;
  };

  // Where terms differ in one factor only, a sum or a selection, and those add up to something shorter, that:
  // m (1 - x) - m (1 + x) is -2 m x.
  Terms with_sums_joined(Terms terms) {
    for (const std::vector<Member>& members : groups_of(terms)) {
      const auto is_there = [&](const Member& member) { return contains(terms, member.term); };
      if (is_over() || !std::all_of(members.begin(), members.end(), is_there)) {
        continue;
      }
      const Terms joined = joined_sums(members);
      if (joined.empty() || joined.size() >= members.size()) {
        continue;
      }
      Terms gone;
      for (const Member& member : members) {
        gone.push_back(member.term);
      }
      gone = sum_of(std::move(gone));
      std::erase_if(terms, [&](const Term& term) { return contains(gone, term); });
      for (const Term& each : joined) {
        terms.push_back(make_term(products_.times(members[0].rest, each.product), each.factor()));
      }
      spend(terms.size());
      terms = sum_of(std::move(terms));
    }
    return terms;
  }

  // The terms that have the rest in common, for each rest that several have; in the order of what they are made of.
  std::vector<std::vector<Member>> groups_of(const Terms& terms) {
    for (const Term& term : terms) {
      spend(1 + products_[term.product].size());
    }
    if (is_over()) {
      return {};
    }
    std::vector<Member> members;
    for (const Term& term : terms) {
      for (const Power& power : products_[term.product]) {
        if (power.exponent == 1 && ProgramRecorder::is_step(power.value)) {
          members.push_back({products_.without(term.product, products_.of(power.value)), power.value, term});
        }
      }
    }
    std::sort(members.begin(), members.end(), [](const Member& a, const Member& b) { return a.rest < b.rest; });
    std::vector<std::vector<Member>> groups;
    for (auto first = members.begin(); first != members.end();) {
      const auto last =
          std::find_if(first, members.end(), [&](const Member& each) { return each.rest != first->rest; });
      if (last - first > 1) {
        groups.emplace_back(first, last);
      }
      first = last;
    }
    for (std::vector<Member>& group : groups) {
      std::sort(group.begin(), group.end(), [&](const Member& a, const Member& b) {
        return a.value != b.value && products_[a.term.product] == products_[b.term.product]
                   ? a.value < b.value
                   : products_.in_order(a.term, b.term);
      });
    }
    std::sort(groups.begin(), groups.end(),
              [&](const auto& a, const auto& b) { return products_[a[0].rest] < products_[b[0].rest]; });
    return groups;
  }

  // Σ factor · value, with sums opened, and selections by the same condition made one.
  Terms joined_sums(const std::vector<Member>& members) {
    Terms total;
    std::map<Recorded, std::pair<Scalar, Scalar>> selections;  // by condition
    for (const Member& member : members) {
      const double factor = member.term.factor();
      const auto step = *builder_.step_of(builder_.value(member.value));
      if (step.code != Opcode::where) {
        total = sum(total, terms_of(member.value), factor);
        continue;
      }
      auto& [yes, no] = selections.try_emplace(step.operands[0], Scalar(-0.0), Scalar(-0.0)).first->second;
      yes = yes + factor * builder_.value(step.operands[1]);
      no = no + factor * builder_.value(step.operands[2]);
    }
    for (const auto& [condition, branches] : selections) {
      const Scalar selection = where(builder_.value(condition), branches.first, branches.second);
      total = sum(total, terms_of(builder_.id_of(selection)), 1);
    }
    spend(members.size() + total.size());
    return total;
  }

  // where(c, m a, m b) is m where(c, a, b); but m stays inside where a branch is exactly 0, for then the result is.
  Terms selection(Recorded condition, Recorded if_true, Recorded if_false) {
    const Terms& yes = terms_of(if_true);
    const Terms& no = terms_of(if_false);
    const Products::Number outside =
        yes.empty() || no.empty() ? Products::one
                                  : products_.common(common_factors(products_, yes), common_factors(products_, no));
    Scalar taken = simplest(builder_.value(if_true));
    Scalar otherwise = simplest(builder_.value(if_false));
    if (outside != Products::one) {
      taken = emitter_.emit(without(products_, yes, outside));
      otherwise = emitter_.emit(without(products_, no, outside));
    }
    const Scalar inside = where(builder_.value(condition), taken, otherwise);
    return {make_term(products_.times(outside, products_.of(builder_.id_of(inside))), 1)};
  }

  Known product_of(Recorded id, Recorded a, Recorded b) {
    if (terms_of(a).empty() || terms_of(b).empty()) {
      return whole(id);  // 0 times infinity is not 0
    }
    const Products::Number product = products_.times(known(a).product, known(b).product);
    const double factor = known(a).factor * known(b).factor;
    if (terms_of(a).size() == 1) {
      std::swap(a, b);
    }
    Terms terms = summands(a);
    const Term second = as_one_factor(b);
    if (is_over()) {
      return whole(id);
    }
    for (Term& each : terms) {
      each = make_term(products_.times(each.product, second.product), each.factor() * second.factor());
    }
    return without_zeros(id, {sum_of(std::move(terms)), product, factor});
  }

  Known quotient_of(Recorded id, Recorded a, Recorded b) {
    if (terms_of(a).empty() || terms_of(b).empty()) {
      return whole(id);
    }
    Terms terms = summands(a);
    const Known& divisor = known(b);
    for (Term& each : terms) {
      each = make_term(products_.over(each.product, divisor.product), each.factor() / divisor.factor);
    }
    return without_zeros(id, {sum_of(std::move(terms)), products_.over(known(a).product, divisor.product),
                              known(a).factor / divisor.factor});
  }

  // Factors may underflow.
  Known without_zeros(Recorded id, Known found) {
    const bool has_zero =
        std::any_of(found.terms.begin(), found.terms.end(), [](const Term& term) { return term.size == 0; });
    return has_zero ? whole(id) : found;
  }

  // A sum, as a product of the factors that its terms share and of one value for the rest. Not for 0.
  Term as_one_factor(Recorded id) {
    const Terms& terms = terms_of(id);
    if (terms.size() == 1) {
      return terms[0];
    }
    const Products::Number common = common_factors(products_, terms);
    const Scalar rest =
        common == Products::one ? simplest(builder_.value(id)) : emitter_.emit(without(products_, terms, common));
    return make_term(products_.times(common, products_.of(builder_.id_of(rest))), 1);
  }

  Terms summands(Recorded id) {
    const Terms& terms = terms_of(id);
    return may_be_taken_apart(terms) ? terms : Terms{as_one_factor(id)};
  }

  // Sums such as 1 - x are exact, or nearly so, where their terms cancel; the difference of products would not be.
  bool may_be_taken_apart(const Terms& terms) const {
    const auto is_one = [](const Term& term) { return term.product == Products::one && term.size == 1; };
    const auto is_input = [&](const Term& term) {
      const Powers& powers = products_[term.product];
      return term.size == 1 && powers.size() == 1 && powers[0].exponent == 1 &&
             !ProgramRecorder::is_step(powers[0].value);
    };
    return terms.size() <= 1 ||
           (std::none_of(terms.begin(), terms.end(), is_one) && !std::all_of(terms.begin(), terms.end(), is_input));
  }

  FormulaBuilder& builder_;
  Products products_;
  Emitter emitter_;
  std::size_t spent_ = 0;
  int depth_ = 0;
  std::unordered_map<Recorded, Known> known_;
  std::unordered_map<Recorded, Scalar> simplest_;
  std::vector<std::uint32_t> visited_;  // per step: the visit that saw it last
  std::uint32_t visit_ = 0;
};

}  // namespace

std::optional<Scalar> collect_terms(FormulaBuilder& builder, Scalar x) { return Collector(builder).run(x); }

}  // namespace xgrad::detail
