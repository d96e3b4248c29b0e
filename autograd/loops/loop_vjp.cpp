#include <algorithm>
#include <utility>

#include "autograd/graph/derivation.hpp"
#include "autograd/graph/lists.hpp"
#include "autograd/graph/substitute.hpp"
#include "autograd/loops/body.hpp"
#include "autograd/loops/loop.hpp"
#include "autograd/loops/residuals.hpp"
#include "autograd/loops/step_sum.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"
#include "autograd/transforms/chain_rule.hpp"
#include "autograd/transforms/rules.hpp"

/// \file
/// Loops in reverse mode: a loop in the other direction, whose carries are the cotangents of the carries, and sums of cotangents
/// for what is captured.

namespace xgrad {

namespace detail {

namespace {

class Reversal {
 public:
  Reversal(const Loop& loop, const Node& node, const Cotangents& ct)
      : loop_(loop),
        node_(node),
        ct_(ct),
        body_(*loop.body),
        given_(inputs_of(loop, node.inputs())),
        old_(placeholders_of(loop)) {}

  Tensors run() {
    if (!loop_.is_bounded()) {
      raise<GradientError>("while_loop",
                           "a gradient needs the values of all steps, and their number has no limit; give one: "
                           "while_loop(condition, f, init, {.max_steps = ...}), or use jvp");
    }
    build_step();
    return make();
  }

 private:
  // What one step of the reversed loop computes. Effects of rules happen when it runs.
  void build_step() {
    const Derivation derivation;
    find_flags();
    differentiate();
    reverse_carries();
    reverse_captured();
    reverse_slices();
    read_residuals();
  }

  // Which carries have cotangents that something needs. Those of integers never have any.
  void find_flags() {
    wanted_.assign(body_.inputs().size(), false);
    for (std::size_t i = 0; i + 1 < wanted_.size(); ++i) {
      wanted_[1 + i] = ct_.wanted(i);
    }
    arrives_.assign(body_.outputs().size(), false);
    for (std::size_t i = 0; i < arrives_.size(); ++i) {
      arrives_[i] = ct_[i < loop_.carry_count() ? i : loop_.first_result() + i - loop_.carry_count()].defined();
    }
    wanted_ = after_all_steps(loop_, wanted_, true);
    for (bool grows = true; grows;) {
      grows = false;
      const Flags reached = reached_inputs(body_, arrives_);
      for (std::size_t i = 0; i < loop_.carry_count(); ++i) {
        if (reached[1 + i] && !arrives_[i]) {
          arrives_[i] = grows = true;
        }
      }
    }
    for (std::size_t i = 0; i < loop_.carry_count(); ++i) {
      if (wanted_[1 + i] && arrives_[i] && is_real(body_.outputs()[i].dtype())) {
        carries_.push_back(i);
      } else {
        wanted_[1 + i] = arrives_[i] = false;
      }
    }
  }

  // What one step adds to cotangents.
  void differentiate() {
    begin_ = Node::next();
    Tensors cotangents(body_.outputs().size());
    for (std::size_t i = 0; i < cotangents.size(); ++i) {
      if (arrives_[i]) {
        cotangents[i] = placeholder_of_derivative(body_.outputs()[i]);
      }
    }
    Tensors inputs;
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      if (wanted_[i]) {
        inputs.push_back(body_.inputs()[i]);
      }
    }
    Tensors found = reverse_mode(body_.outputs(), inputs, cotangents);
    for (std::size_t i = 0, next = 0; i < wanted_.size(); ++i) {
      gradients_.push_back(wanted_[i] ? found[next++] : Tensor());
    }
    for (const std::size_t i : carries_) {
      new_carries_.push_back(cotangents[i]);
    }
    for (std::size_t i = loop_.carry_count(); i < cotangents.size(); ++i) {
      if (cotangents[i].defined()) {
        new_slices_.push_back(cotangents[i]);
        inputs_.xs.push_back(ct_[loop_.first_result() + i - loop_.carry_count()]);
      }
    }
  }

  void reverse_carries() {
    for (const std::size_t i : carries_) {
      const Tensor& gradient = gradients_[1 + i];
      next_.push_back(gradient.defined() ? gradient : zero_derivative(body_.outputs()[i]));
      inputs_.init.push_back(ct_[i].defined() ? ct_[i] : zero_derivative(body_.outputs()[i]));
    }
  }

  // The cotangent of what is captured is a sum over all steps. Where a step adds a product over a few rows, or a sum over them,
  // it is one product or sum over the rows of all steps, behind the loop; else it grows step by step.
  void reverse_captured() {
    const std::size_t first = loop_.carry_count() + loop_.slice_count();
    for (std::size_t i = first; i < first + loop_.captured_count(); ++i) {
      const Tensor& gradient = gradients_[1 + i];
      if (!gradient.defined()) {
        continue;
      }
      if (const StepSum sum(gradient, loop_.steps); sum.is_worth_it() && !loop_.stops && !loop_.counted) {
        later_.push_back({i, sum, {}});
        for (const Tensor& rows : sum.rows()) {
          later_.back().rows.push_back(all_steps_of(rows));
        }
        continue;
      }
      new_carries_.push_back(placeholder_like(gradient));
      next_.push_back(new_carries_.back() + gradient);
      inputs_.init.push_back(zeros_like(gradient));
      sums_of_.push_back(i);
    }
  }

  void reverse_slices() {
    for (std::size_t i = loop_.carry_count(); i < loop_.carry_count() + loop_.slice_count(); ++i) {
      if (const Tensor& gradient = gradients_[1 + i]; gradient.defined()) {
        result_of_slice_.emplace_back(i, result_number(gradient));
      }
    }
  }

  // A tensor of all steps: one that is there, or a result of the reversed loop.
  struct Steps {
    Tensor tensor;
    std::size_t result = 0;
  };

  Steps all_steps_of(const Tensor& value) {
    for (std::size_t i = 0; i < old_.xs.size(); ++i) {
      if (old_.xs[i].same_as(value)) {
        return {given_.xs[i], 0};
      }
    }
    const Tensor known = result_of(value);
    return known.defined() ? Steps{known, 0} : Steps{Tensor(), result_number(value)};
  }

  std::size_t result_number(const Tensor& value) {
    const auto found =
        std::find_if(results_.begin(), results_.end(), [&](const Tensor& each) { return each.same_as(value); });
    if (found == results_.end()) {
      results_.push_back(value);
      return results_.size() - 1;
    }
    return static_cast<std::size_t>(found - results_.begin());
  }

  void read_residuals() {
    Tensors derivatives = next_;
    append(derivatives, results_);
    Tensors residuals = choose_residuals(body_, old_.init, derivatives);
    Tensors placeholders;
    for (const Tensor& residual : residuals) {
      placeholders.push_back(placeholder_like(residual));
      inputs_.xs.push_back(result_of(residual));
    }
    // Slices and what is captured stand for the same as before. What is computed again has no effects, but for those of the
    // derivatives.
    derivatives = substitute_with_effects_since(begin_, derivatives, residuals, placeholders);
    const auto middle = derivatives.begin() + static_cast<std::ptrdiff_t>(next_.size());
    results_.assign(middle, derivatives.end());
    next_.assign(derivatives.begin(), middle);
    append(new_slices_, placeholders);
    append(new_slices_, old_.xs);
    append(inputs_.xs, given_.xs);
    inputs_.captured = given_.captured;
  }

  // All values, step by step, of what the program computes or of a carry; else undefined.
  Tensor result_of(const Tensor& value) const {
    const Tensors& outputs = body_.outputs();
    const auto found = std::find_if(outputs.begin() + static_cast<std::ptrdiff_t>(loop_.carry_count()), outputs.end(),
                                    [&](const Tensor& output) { return output.same_as(value); });
    if (found == outputs.end()) {
      return Tensor();
    }
    const auto number = static_cast<std::size_t>(found - outputs.begin()) - loop_.carry_count();
    return node_.output(loop_.first_result() + number);
  }

  Tensors make() {
    Tensors program_inputs{body_.inputs()[0]};
    append(program_inputs, new_carries_);
    append(program_inputs, new_slices_);
    append(program_inputs, old_.captured);
    Tensors program_outputs = next_;
    append(program_outputs, results_);
    inputs_.count = loop_.stops ? node_.output(loop_.carry_count()) : given_.count;
    Loop reversed = loop_;
    reversed.body = Ref<const SubProgram>(new SubProgram(program_inputs, program_outputs));
    reversed.reverse = !loop_.reverse;
    reversed.stops = false;
    Tensors gradients(node_.inputs().size());
    const LoopOutputs made = program_outputs.empty() ? LoopOutputs() : make_loop(reversed, inputs_, node_.location());
    for (std::size_t i = 0; i < carries_.size(); ++i) {
      gradients[carries_[i]] = made.carries[i];
    }
    for (std::size_t i = 0; i < sums_of_.size(); ++i) {
      gradients[sums_of_[i]] = made.carries[carries_.size() + i];
    }
    for (const auto& [input, result] : result_of_slice_) {
      gradients[input] = made.results[result];
    }
    for (const Later& later : later_) {
      Tensors rows;
      for (const Steps& each : later.rows) {
        rows.push_back(each.tensor.defined() ? each.tensor : made.results[each.result]);
      }
      gradients[later.input] = later.sum.of_all_steps(rows);
    }
    return gradients;
  }

  const Loop& loop_;
  const Node& node_;
  const Cotangents& ct_;
  const SubProgram& body_;
  const LoopInputs given_;   // of the loop
  const LoopInputs old_;     // what stands for it in the program
  Flags wanted_;             // per input of the program
  Flags arrives_;            // per output
  std::uint64_t begin_ = 0;  // what is younger belongs to the derivatives
  Tensors gradients_;        // per input of the program, of one step

  std::vector<std::size_t> carries_;                                  // that have cotangents
  std::vector<std::size_t> sums_of_;                                  // inputs of the loop whose cotangents are summed
  std::vector<std::pair<std::size_t, std::size_t>> result_of_slice_;  // an input of the loop, a result
  struct Later {
    std::size_t input;  // of the loop
    StepSum sum;
    std::vector<Steps> rows;
  };
  std::vector<Later> later_;  // what is summed behind the loop
  LoopInputs inputs_;         // of the reversed loop
  Tensors new_carries_;       // what stands for them
  Tensors new_slices_;
  Tensors next_;
  Tensors results_;
};

}  // namespace

}  // namespace detail

Tensors Loop::vjp(const Node& node, const Cotangents& ct) const { return detail::Reversal(*this, node, ct).run(); }

}  // namespace xgrad
