#include "autograd/formula/code.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>
#include <span>
#include <utility>

#include "autograd/formula/primitives.hpp"
#include "autograd/kernels/chains.hpp"

namespace xgrad::detail {

namespace {

using kernels::Opcode;

/// A step whose operands are values still, not registers.
struct CodeStep {
  Opcode code;
  std::size_t operand_count;
  std::array<std::uint32_t, 4> operands;
  int cost;
  bool needed;
};

/// `outer(..., inner(x...), y...)` becomes `joined(x..., y...)`.
struct Join {
  Opcode outer;
  Opcode inner;
  std::size_t position;  ///< of inner among the operands of outer
  Opcode joined;
  int cost;             ///< of one element, in additions: loads and stores are what takes the time
  bool square = false;  ///< the two operands of inner are one, and joined takes it once
};

constexpr std::size_t any_position = ~std::size_t{0};

/// Earlier rows win.
constexpr Join joins[] = {
    {Opcode::add, Opcode::multiply_square, any_position, Opcode::multiply_square_add, 2},
    {Opcode::add, Opcode::multiply, any_position, Opcode::multiply_add, 1},
    {Opcode::add, Opcode::sqrt_product, any_position, Opcode::sqrt_product_add, 4},
    {Opcode::subtract, Opcode::product_quotient, 1, Opcode::subtract_product_quotient, 4},
    {Opcode::subtract, Opcode::multiply, 1, Opcode::subtract_product, 1},
    {Opcode::multiply, Opcode::multiply, any_position, Opcode::multiply_square, 1, true},
    {Opcode::sqrt, Opcode::multiply, 0, Opcode::sqrt_product, 4},
    {Opcode::divide, Opcode::multiply, 0, Opcode::product_quotient, 4},
    {Opcode::multiply_square_add, Opcode::multiply, 2, Opcode::add_product_and_square, 2},
    {Opcode::multiply_add, Opcode::multiply, 2, Opcode::add_products, 2},
    {Opcode::multiply_add, Opcode::subtract, 0, Opcode::multiply_difference_add, 2},
    {Opcode::multiply_add, Opcode::subtract, 1, Opcode::multiply_difference_add, 2},
};

class Assembler {
 public:
  explicit Assembler(const Program& program) : program_(program), first_step_(program.first_step()) {
    const std::vector<bool> needed = needed_values(program);
    for (const Program::Step& step : program.steps) {
      const auto [a, b, c] = step.operands;
      const Primitive& row = primitive(step.code);
      steps_.push_back(
          {step.code, operands_of(step).size(), {a, b, c, 0}, row.cost, needed[first_step_ + steps_.size()]});
    }
    join();
    for (std::uint32_t i = 0; i < steps_.size(); ++i) {
      if (steps_[i].needed) {
        order_.push_back(i);
      }
    }
  }

  /// Puts steps of one code one after the other, none of which needs another, as far as they are close to each other.
  void group_alike() {
    constexpr std::size_t close = 2048;  // so that what a step uses is still in the cache
    Users users{std::vector<std::uint32_t>(steps_.size()), std::vector<std::uint32_t>(steps_.size(), none), {}};
    for (std::size_t first = 0; first < order_.size(); first += close) {
      group_alike(std::span(order_).subspan(first, std::min(close, order_.size() - first)), users);
    }
  }

  /// A step that begins a chain moves down to the one that goes on with it, unless others need it before.
  void put_chains_together() {
    for (std::size_t i = 0; i < order_.size(); ++i) {
      const CodeStep& second = steps_[order_[i]];
      for (const kernels::Chain& chain : kernels::chains) {
        const std::uint32_t value = second.operands[static_cast<std::size_t>(chain.position)];
        const CodeStep* first = second.code == chain.second ? step_of(value) : nullptr;
        if (first == nullptr || first->code != chain.first) {
          continue;
        }
        auto at = order_.begin() + static_cast<std::ptrdiff_t>(i);
        while (*--at != value - first_step_ && !uses(steps_[*at], value)) {
        }
        if (*at == value - first_step_) {
          std::rotate(at, at + 1, order_.begin() + static_cast<std::ptrdiff_t>(i));
        }
      }
    }
  }

  template <class Result>
  Result finish() const {
    using Register = typename Result::Register;
    const std::vector<std::size_t> last_use = last_uses();
    Result result;
    std::vector<Register> location(program_.value_count());
    for (std::size_t value = 0; value < first_step_; ++value) {
      location[value] = static_cast<Register>(value);
    }
    std::vector<Register> free;
    auto count = static_cast<Register>(first_step_);
    for (std::size_t i = 0; i < order_.size(); ++i) {
      const CodeStep& step = steps_[order_[i]];
      std::array<Register, 4> registers{};
      for (std::size_t k = 0; k < step.operand_count; ++k) {
        const std::uint32_t value = step.operands[k];
        registers[k] = location[value];
        const auto known = std::span(registers).first(k);
        const bool seen = std::find(known.begin(), known.end(), location[value]) != known.end();
        if (value >= first_step_ && last_use[value] == i && !seen) {
          free.push_back(location[value]);
        }
      }
      Register target = count;
      if (free.empty()) {
        ++count;
      } else {
        target = free.back();
        free.pop_back();
      }
      location[first_step_ + order_[i]] = target;
      result.code.push_back(instruction<typename Result::Kind>(step.code, target, registers));
      result.cost += step.cost;
    }
    result.register_count = count;
    for (const std::uint32_t value : program_.results) {
      result.result_registers.push_back(location[value]);
    }
    return result;
  }

 private:
  CodeStep* step_of(std::uint32_t value) { return value < first_step_ ? nullptr : &steps_[value - first_step_]; }

  /// Values that are used once and by one step are computed inside of that step, where there is code for both in one.
  void join() {
    std::vector<int> uses(program_.value_count());
    for (const std::uint32_t result : program_.results) {
      ++uses[result];
    }
    for (const CodeStep& step : steps_) {
      for (std::size_t k = 0; step.needed && k < step.operand_count; ++k) {
        ++uses[step.operands[k]];
      }
    }
    for (CodeStep& step : steps_) {
      while (step.needed && join_operand(step, uses)) {
      }
    }
  }

  bool join_operand(CodeStep& outer, const std::vector<int>& uses) {
    for (const Join& rule : joins) {
      for (std::size_t k = 0; rule.outer == outer.code && k < outer.operand_count; ++k) {
        CodeStep* inner = step_of(outer.operands[k]);
        if (inner == nullptr || inner->code != rule.inner || uses[outer.operands[k]] != 1 ||
            (rule.position != any_position && rule.position != k) ||
            (rule.square && inner->operands[0] != inner->operands[1])) {
          continue;
        }
        CodeStep joined{rule.joined, rule.square ? std::size_t{1} : inner->operand_count, inner->operands, rule.cost,
                        true};
        for (std::size_t other = 0; other < outer.operand_count; ++other) {
          if (other != k) {
            joined.operands[joined.operand_count++] = outer.operands[other];
          }
        }
        inner->needed = false;
        outer = joined;
        return true;
      }
    }
    return false;
  }

  static bool uses(const CodeStep& step, std::uint32_t value) {
    const auto end = step.operands.begin() + static_cast<std::ptrdiff_t>(step.operand_count);
    return std::find(step.operands.begin(), end, value) != end;
  }

  static constexpr std::uint32_t none = ~std::uint32_t{0};
  /// Which of some steps use others of them: a list per step.
  struct Users {
    std::vector<std::uint32_t> missing;  ///< per step: how many of those that it uses have no place yet
    std::vector<std::uint32_t> first;    ///< per step: where its list begins, or none
    std::vector<std::pair<std::uint32_t, std::uint32_t>> list;  ///< a user, and where the list goes on
  };

  /// \param steps to be ordered, the numbers of.
  void group_alike(std::span<std::uint32_t> steps, Users& users) const {
    std::array<std::vector<std::uint32_t>, kernels::opcode_count> ready;  // per code
    const auto add_ready = [&](std::uint32_t i) { ready[static_cast<std::size_t>(steps_[i].code)].push_back(i); };
    const std::size_t first_value = first_step_ + steps[0];
    users.list.clear();
    for (const std::uint32_t i : steps) {
      for (std::size_t k = 0; k < steps_[i].operand_count; ++k) {
        if (const std::uint32_t value = steps_[i].operands[k]; value >= first_value) {
          const auto place = static_cast<std::uint32_t>(users.list.size());
          users.list.emplace_back(i, std::exchange(users.first[value - first_step_], place));
          ++users.missing[i];
        }
      }
      if (users.missing[i] == 0) {
        add_ready(i);
      }
    }
    std::vector<std::uint32_t> run;
    for (auto next = steps.begin(); next != steps.end();) {
      std::max_element(ready.begin(), ready.end(), [](const auto& a, const auto& b) {
        return a.size() < b.size();
      })->swap(run);
      for (const std::uint32_t i : run) {
        *next++ = i;
        for (std::uint32_t at = users.first[i]; at != none; at = users.list[at].second) {
          if (--users.missing[users.list[at].first] == 0) {
            add_ready(users.list[at].first);
          }
        }
      }
      run.clear();
    }
  }

  template <class Instruction, class Register>
  static Instruction instruction(Opcode code, Register target, const std::array<Register, 4>& r) {
    if constexpr (requires { &Instruction::alike; }) {
      return {code, 1, target, r[0], r[1], r[2], r[3]};
    } else {
      return {code, target, r[0], r[1], r[2], r[3]};
    }
  }

  /// Per value the step that uses it last, by its place in the order; results are used for ever.
  std::vector<std::size_t> last_uses() const {
    constexpr std::size_t forever = ~std::size_t{0};
    std::vector<std::size_t> last_use(program_.value_count(), 0);
    for (std::size_t i = 0; i < order_.size(); ++i) {
      const CodeStep& step = steps_[order_[i]];
      for (std::size_t k = 0; k < step.operand_count; ++k) {
        last_use[step.operands[k]] = i;
      }
    }
    for (const std::uint32_t result : program_.results) {
      last_use[result] = forever;
    }
    return last_use;
  }

  const Program& program_;
  std::size_t first_step_;
  std::vector<CodeStep> steps_;
  std::vector<std::uint32_t> order_;  // of the steps that are needed
};

/// Each run of instructions of one code is known by its first one, as far as none uses what another one gives.
void count_alike(std::vector<kernels::ScalarInstruction>& code, std::uint32_t register_count) {
  std::vector<std::size_t> written(register_count, 0);  // in which run, from 1 on
  std::size_t run = 0;
  std::size_t first = 0;
  for (std::size_t i = 0; i < code.size(); ++i) {
    const kernels::ScalarInstruction& next = code[i];
    const std::uint32_t operands[] = {next.a, next.b, next.c, next.d};
    const bool depends =
        std::any_of(std::begin(operands), std::end(operands), [&](auto r) { return written[r] == run; });
    if (i == 0 || depends || next.code != code[first].code || i - first == std::numeric_limits<std::uint16_t>::max()) {
      first = i;
      ++run;
    }
    code[first].alike = static_cast<std::uint16_t>(i - first + 1);
    written[next.target] = run;
  }
}

}  // namespace

MapCode assemble(const Program& program) {
  Assembler assembler(program);
  assembler.put_chains_together();
  return assembler.finish<MapCode>();
}

ScalarCode assemble_scalars(const Program& program) {
  Assembler assembler(program);
  assembler.group_alike();
  auto result = assembler.finish<ScalarCode>();
  count_alike(result.code, result.register_count);
  return result;
}

}  // namespace xgrad::detail
