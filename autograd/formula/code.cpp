#include "autograd/formula/code.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "autograd/formula/primitives.hpp"

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

constexpr std::size_t any = ~std::size_t{0};

/// Earlier rows win.
constexpr Join joins[] = {
    {Opcode::add, Opcode::multiply_square, any, Opcode::multiply_square_add, 2},
    {Opcode::add, Opcode::multiply, any, Opcode::multiply_add, 1},
    {Opcode::add, Opcode::sqrt_product, any, Opcode::sqrt_product_add, 4},
    {Opcode::subtract, Opcode::product_quotient, 1, Opcode::subtract_product_quotient, 4},
    {Opcode::subtract, Opcode::multiply, 1, Opcode::subtract_product, 1},
    {Opcode::multiply, Opcode::multiply, any, Opcode::multiply_square, 1, true},
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
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      const CodeStep& step = steps_[i];
      if (!step.needed) {
        continue;
      }
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
      location[first_step_ + i] = target;
      result.code.push_back({step.code, target, registers[0], registers[1], registers[2], registers[3]});
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
            (rule.position != any && rule.position != k) || (rule.square && inner->operands[0] != inner->operands[1])) {
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

  /// Per value the step that uses it last; results are used for ever.
  std::vector<std::size_t> last_uses() const {
    constexpr std::size_t forever = ~std::size_t{0};
    std::vector<std::size_t> last_use(program_.value_count(), 0);
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      for (std::size_t k = 0; steps_[i].needed && k < steps_[i].operand_count; ++k) {
        last_use[steps_[i].operands[k]] = i;
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
};

}  // namespace

MapCode assemble(const Program& program) { return Assembler(program).finish<MapCode>(); }

ScalarCode assemble_scalars(const Program& program) { return Assembler(program).finish<ScalarCode>(); }

}  // namespace xgrad::detail
