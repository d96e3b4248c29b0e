#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "autograd/formula_builder.hpp"

namespace xgrad::detail {

namespace {

/// A step whose operands are values still, not registers.
struct CodeStep {
  kernels::Opcode code;
  int operand_count;
  std::array<std::uint16_t, 4> operands;
  bool needed = false;
};

class Assembler {
 public:
  Assembler(std::size_t first_step, std::span<const Program::Step> steps, std::span<const std::uint16_t> results)
      : first_step_(first_step), results_(results) {
    for (const Program::Step& step : steps) {
      steps_.push_back({step.code, primitive(step.code).operand_count, {step.a, step.b, step.c, 0}});
    }
    mark_needed();
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
      for (int k = 0; k < step.operand_count; ++k) {
        const std::uint16_t value = step.operands[k];
        registers[k] = location[value];
        const bool seen = std::find(registers.begin(), registers.begin() + k, registers[k]) != registers.begin() + k;
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
      for (int k = 0; steps_[i].needed && k < steps_[i].operand_count; ++k) {
        if (CodeStep* operand = step_of(steps_[i].operands[k])) {
          operand->needed = true;
        }
      }
    }
  }

  /// Per value the step that uses it last; results are used for ever.
  std::vector<std::size_t> last_uses() const {
    constexpr std::size_t forever = ~std::size_t{0};
    std::vector<std::size_t> last_use(first_step_ + steps_.size(), 0);
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      for (int k = 0; steps_[i].needed && k < steps_[i].operand_count; ++k) {
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
