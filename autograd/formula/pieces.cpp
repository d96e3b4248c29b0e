#include "autograd/formula/pieces.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>

#include "autograd/formula/kinds.hpp"
#include "autograd/formula/recorder.hpp"

namespace xgrad::detail {

namespace {

/// Per value the position of the last step that uses it, as it were behind all of them for results.
std::vector<std::size_t> find_last_uses(const Program& program) {
  std::vector<std::size_t> last_use(program.value_count());
  for (std::size_t i = 0; i < program.steps.size(); ++i) {
    for (const std::uint32_t operand : operands_of(program.steps[i])) {
      last_use[operand] = i;
    }
  }
  for (const std::uint32_t result : program.results) {
    last_use[result] = program.steps.size();
  }
  return last_use;
}

/// Per position how many values of earlier steps are used from there on.
std::vector<std::size_t> count_passing(const Program& program, const std::vector<std::size_t>& last_use) {
  std::vector<std::size_t> first(program.steps.size() + 2);
  std::vector<std::size_t> last(program.steps.size() + 2);
  for (std::size_t i = 0; i < program.steps.size(); ++i) {
    ++first[i + 1];
    ++last[std::max(last_use[program.first_step() + i], i) + 1];
  }
  std::vector<std::size_t> passing(program.steps.size() + 1);
  std::size_t count = 0;
  for (std::size_t i = 0; i < passing.size(); ++i) {
    count += first[i];
    count -= last[i];
    passing[i] = count;
  }
  return passing;
}

class Cut {
 public:
  explicit Cut(const Program& program)
      : program_(program), last_use_(find_last_uses(program)), truth_(find_truth_values(program)) {}

  std::vector<ProgramPiece> into(std::size_t longest) const {
    const std::vector<std::size_t> passing = count_passing(program_, last_use_);
    std::vector<ProgramPiece> pieces;
    for (std::size_t first = 0; first < program_.steps.size();) {
      std::size_t last = std::min(first + longest, program_.steps.size());
      for (std::size_t i = last; last < program_.steps.size() && i > first + longest / 2; --i) {
        last = passing[i] < passing[last] ? i : last;
      }
      pieces.push_back(piece(first, last));
      first = last;
    }
    return pieces;
  }

 private:
  ProgramPiece piece(std::size_t first, std::size_t last) const {
    ProgramPiece result;
    ProgramRecorder recorder;
    std::unordered_map<std::uint32_t, ProgramRecorder::Value> known;
    const auto value_of = [&](std::uint32_t value) {
      if (!program_.is_input(value) && !program_.is_step(value)) {
        return recorder.constant(program_.constants[value - program_.input_count]);
      }
      const auto [entry, inserted] = known.try_emplace(value);
      if (inserted) {
        const ProgramRecorder::Value input = recorder.add_input();
        result.inputs.push_back(value);
        // A truth value is marked as one, in case that the piece itself only selects and compares it.
        entry->second = truth_[value] ? recorder.step(kernels::Opcode::logical_or, {input, input}) : input;
      }
      return entry->second;
    };
    std::vector<ProgramRecorder::Value> outputs;
    const auto give = [&](std::uint32_t value) {
      result.outputs.push_back(value);
      outputs.push_back(value_of(value));
    };
    for (std::size_t i = first; i < last; ++i) {
      const Program::Step& step = program_.steps[i];
      const auto operands = operands_of(step);
      std::array<ProgramRecorder::Value, 3> mapped{};
      std::transform(operands.begin(), operands.end(), mapped.begin(), value_of);
      const auto value = static_cast<std::uint32_t>(program_.first_step() + i);
      known[value] = recorder.step(step.code, mapped);
      if (last_use_[value] >= last) {
        give(value);
      }
    }
    for (std::uint32_t i = 0; last == program_.steps.size() && i < program_.constants.size(); ++i) {
      const auto constant = static_cast<std::uint32_t>(program_.input_count + i);
      if (last_use_[constant] == last) {  // a result
        give(constant);
      }
    }
    if (!has_number(result.inputs) && has_number(result.outputs)) {
      if (const auto number = first_number_input()) {  // says in which type to compute
        recorder.add_input();
        result.inputs.push_back(*number);
      }
    }
    result.program = recorder.finish(outputs);
    return result;
  }

  bool has_number(const std::vector<std::uint32_t>& values) const {
    return std::any_of(values.begin(), values.end(), [&](std::uint32_t value) { return !truth_[value]; });
  }

  std::optional<std::uint32_t> first_number_input() const {
    for (std::uint32_t i = 0; i < program_.input_count; ++i) {
      if (!truth_[i]) {
        return i;
      }
    }
    return std::nullopt;
  }

  const Program& program_;
  std::vector<std::size_t> last_use_;
  std::vector<bool> truth_;
};

}  // namespace

std::vector<ProgramPiece> cut(const Program& program, std::size_t longest) { return Cut(program).into(longest); }

}  // namespace xgrad::detail
