#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "autograd/formula/builder.hpp"

namespace xgrad::detail {

namespace {

using kernels::Opcode;

/// A step whose operands are values still, not registers.
struct CodeStep {
  Opcode code;
  std::size_t operand_count;
  std::array<std::uint16_t, 4> operands;
  bool needed = false;
};

/// `outer(..., inner(x...), y...)` becomes `joined(x..., y...)`.
struct Join {
  Opcode outer;
  Opcode inner;
  std::size_t position;  ///< of inner among the operands of outer
  Opcode joined;
  bool square = false;  ///< the two operands of inner are one, and joined takes it once
};

constexpr std::size_t any = ~std::size_t{0};

/// Earlier rows win.
constexpr Join joins[] = {
    {Opcode::add, Opcode::multiply_square, any, Opcode::multiply_square_add},
    {Opcode::add, Opcode::multiply, any, Opcode::multiply_add},
    {Opcode::add, Opcode::sqrt_product, any, Opcode::sqrt_product_add},
    {Opcode::subtract, Opcode::product_quotient, 1, Opcode::subtract_product_quotient},
    {Opcode::subtract, Opcode::multiply, 1, Opcode::subtract_product},
    {Opcode::multiply, Opcode::multiply, any, Opcode::multiply_square, true},
    {Opcode::sqrt, Opcode::multiply, 0, Opcode::sqrt_product},
    {Opcode::divide, Opcode::multiply, 0, Opcode::product_quotient},
    {Opcode::multiply_square_add, Opcode::multiply, 2, Opcode::add_product_and_square},
    {Opcode::multiply_add, Opcode::multiply, 2, Opcode::add_products},
    {Opcode::multiply_add, Opcode::subtract, 0, Opcode::multiply_difference_add},
    {Opcode::multiply_add, Opcode::subtract, 1, Opcode::multiply_difference_add},
};

class Assembler {
 public:
  Assembler(std::size_t first_step, std::span<const Program::Step> steps, std::span<const std::uint16_t> results)
      : first_step_(first_step), results_(results) {
    for (const Program::Step& step : steps) {
      steps_.push_back(
          {step.code, static_cast<std::size_t>(primitive(step.code).operand_count), {step.a, step.b, step.c, 0}});
    }
    mark_needed();
    join();
  }

  MapCode finish() {
    const std::vector<std::size_t> last_use = last_uses();
    MapCode map_code;
    std::vector<std::uint16_t> location(first_step_ + steps_.size());
    for (std::size_t value = 0; value < first_step_; ++value) {
      location[value] = static_cast<std::uint16_t>(value);
    }
    std::vector<std::uint16_t> free;
    auto count = static_cast<std::uint16_t>(first_step_);
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      const CodeStep& step = steps_[i];
      if (!step.needed) {
        continue;
      }
      std::array<std::uint16_t, 4> registers{};
      for (std::size_t k = 0; k < step.operand_count; ++k) {
        const std::uint16_t value = step.operands[k];
        registers[k] = location[value];
        const auto known = std::span(registers).first(k);
        const bool seen = std::find(known.begin(), known.end(), location[value]) != known.end();
        if (value >= first_step_ && last_use[value] == i && !seen) {
          free.push_back(location[value]);
        }
      }
      std::uint16_t target = count;
      if (free.empty()) {
        ++count;
      } else {
        target = free.back();
        free.pop_back();
      }
      location[first_step_ + i] = target;
      map_code.code.push_back({step.code, target, registers[0], registers[1], registers[2], registers[3]});
    }
    map_code.register_count = count;
    for (const std::uint16_t result : results_) {
      map_code.result_registers.push_back(location[result]);
    }
    return map_code;
  }

 private:
  CodeStep* step_of(std::uint16_t value) { return value < first_step_ ? nullptr : &steps_[value - first_step_]; }

  void mark_needed() {
    for (const std::uint16_t result : results_) {
      if (CodeStep* step = step_of(result)) {
        step->needed = true;
      }
    }
    for (std::size_t i = steps_.size(); i-- > 0;) {
      for (std::size_t k = 0; steps_[i].needed && k < steps_[i].operand_count; ++k) {
        if (CodeStep* operand = step_of(steps_[i].operands[k])) {
          operand->needed = true;
        }
      }
    }
  }

  /// Values that are used once and by one step are computed inside of that step, where there is code for both in one.
  void join() {
    std::vector<int> uses(first_step_ + steps_.size(), 0);
    for (const std::uint16_t result : results_) {
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
        CodeStep joined{rule.joined, rule.square ? std::size_t{1} : inner->operand_count, inner->operands, true};
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
    std::vector<std::size_t> last_use(first_step_ + steps_.size(), 0);
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      for (std::size_t k = 0; steps_[i].needed && k < steps_[i].operand_count; ++k) {
        last_use[steps_[i].operands[k]] = i;
      }
    }
    for (const std::uint16_t result : results_) {
      last_use[result] = forever;
    }
    return last_use;
  }

  std::size_t first_step_;
  std::span<const std::uint16_t> results_;
  std::vector<CodeStep> steps_;
};

}  // namespace

MapCode assemble(std::size_t input_count, std::size_t constant_count, std::span<const Program::Step> steps,
                 std::span<const std::uint16_t> results) {
  return Assembler(input_count + constant_count, steps, results).finish();
}

}  // namespace xgrad::detail
