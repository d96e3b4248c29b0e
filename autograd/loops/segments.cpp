#include "autograd/loops/segments.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <utility>

#include "autograd/graph/derivation.hpp"
#include "autograd/graph/lists.hpp"
#include "autograd/graph/substitute.hpp"
#include "autograd/loops/hoist.hpp"
#include "autograd/loops/residuals.hpp"
#include "autograd/loops/step_sum.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"
#include "autograd/transforms/chain_rule.hpp"
#include "autograd/transforms/subprograms.hpp"

namespace xgrad::detail {

namespace {

Tensor placeholder_of(const Spec& spec) { return placeholder(spec, "loop", nullptr); }

std::int64_t quotient_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// Into how many parts to cut, about as many as wanted: such that the parts are equal, or as many as wanted exactly.
std::int64_t divisor_near(std::int64_t number, std::int64_t wanted) {
  std::int64_t best = 1;
  const auto consider = [&](std::int64_t divisor) {
    const auto distance = [&](std::int64_t d) {
      return std::abs(std::log(static_cast<double>(d) / static_cast<double>(wanted)));
    };
    if (distance(divisor) < distance(best)) {
      best = divisor;
    }
  };
  for (std::int64_t i = 1; i * i <= number; ++i) {
    if (number % i == 0) {
      consider(i);
      consider(number / i);
    }
  }
  return best;
}

// What each of k levels keeps where all keep as much: k-th root of T cᵏ⁻¹ r, for T steps, c bytes of carries and r of a step.
double bytes_of_equal_levels(std::int64_t steps, double carry, std::int64_t step_bytes, int levels) {
  return std::pow(static_cast<double>(steps) * std::pow(carry, levels - 1) * static_cast<double>(step_bytes),
                  1.0 / levels);
}

Segments with_bytes(std::vector<std::int64_t> counts, std::int64_t carry_bytes, std::int64_t step_bytes) {
  Segments segments{std::move(counts), 0};
  for (std::size_t level = 0; level < segments.counts.size(); ++level) {
    segments.bytes += segments.counts[level] * (level + 1 < segments.counts.size() ? carry_bytes : step_bytes);
  }
  return segments;
}

// Levels of which each divides what is left of the one above.
Segments levels_that_divide(std::int64_t steps, std::int64_t carry_bytes, std::int64_t step_bytes, int levels) {
  const double carry = static_cast<double>(std::max<std::int64_t>(carry_bytes, 1));
  const double each = bytes_of_equal_levels(steps, carry, step_bytes, levels);
  std::vector<std::int64_t> counts;
  std::int64_t rest = steps;  // of a segment
  for (int level = 1; level < levels; ++level) {
    const std::int64_t wanted = std::clamp<std::int64_t>(std::llround(each / carry), 1, rest);
    counts.push_back(divisor_near(rest, wanted));
    rest /= counts.back();
  }
  counts.push_back(rest);
  return with_bytes(std::move(counts), carry_bytes, step_bytes);
}

// Of the levels above the lowest, the first `larger` have one segment more than the others: what keeps least. The first level is
// swept by the steps of the forward pass, so large numbers cost nothing there.
Segments levels_that_keep_least(std::int64_t steps, std::int64_t carry_bytes, std::int64_t step_bytes, int levels) {
  const double carry = static_cast<double>(std::max<std::int64_t>(carry_bytes, 1));
  const double each = bytes_of_equal_levels(steps, carry, step_bytes, levels);
  const auto about = static_cast<std::int64_t>(std::min(each / carry, static_cast<double>(steps)));
  Segments best;
  for (std::int64_t count = std::max<std::int64_t>(about - 1, 1); count <= about + 1; ++count) {
    for (int larger = 0; larger + 1 < levels; ++larger) {
      std::vector<std::int64_t> counts;
      std::int64_t rest = steps;
      for (int level = 0; level + 1 < levels; ++level) {
        counts.push_back(std::min(level < larger ? count + 1 : count, rest));
        rest = quotient_up(rest, counts.back());
      }
      counts.push_back(rest);
      Segments found = with_bytes(std::move(counts), carry_bytes, step_bytes);
      if (best.counts.empty() || found.bytes < best.bytes) {
        best = std::move(found);
      }
    }
  }
  return best;
}

// What a step keeps for derivatives with respect to everything, with what products over all steps read.
std::int64_t residual_bytes(const Loop& loop) {
  const SubProgram& body = *loop.body;
  const LoopInputs inputs = placeholders_of(loop);
  const Derivation derivation;
  Tensors cotangents;
  for (const Tensor& output : body.outputs()) {
    cotangents.push_back(is_real(output.dtype()) ? placeholder_of_derivative(output) : Tensor());
  }
  Tensors wanted;
  std::copy_if(body.inputs().begin(), body.inputs().end(), std::back_inserter(wanted),
               [](const Tensor& input) { return is_real(input.dtype()); });
  const Tensors derivatives = reverse_mode(body.outputs(), wanted, cotangents);
  Tensors reads;
  std::int64_t bytes = hoisted_bytes(loop);
  for (std::size_t i = 0; i < derivatives.size(); ++i) {
    const bool is_captured = std::any_of(inputs.captured.begin(), inputs.captured.end(),
                                         [&](const Tensor& each) { return each.same_as(wanted[i]); });
    if (!derivatives[i].defined()) {
      continue;
    }
    if (const StepSum sum(derivatives[i], 1); is_captured && sum.is_worth_it()) {
      bytes += bytes_of(sum.rows());
    }
    reads.push_back(derivatives[i]);
  }
  return bytes + bytes_of(choose_residuals(body, inputs.init, reads));
}

/// Builds the loops of all levels.
class Nest {
 public:
  Nest(const Loop& loop, std::vector<std::int64_t> counts, std::source_location where)
      : loop_(loop), counts_(std::move(counts)), where_(where) {}

  // `steps` steps, the first of which has the index `begin`; the lowest levels of the nest.
  LoopOutputs run(std::size_t level, std::int64_t steps, const Tensor& begin, const LoopInputs& inputs) const {
    if (level + 1 == counts_.size()) {
      return single_steps(steps, begin, inputs);
    }
    std::int64_t length = 1;  // of a segment
    for (std::size_t i = level + 1; i < counts_.size(); ++i) {
      length *= counts_[i];
    }
    const std::int64_t whole = steps / length;
    const std::int64_t rest = steps % length;
    // The last steps, which fill no segment, come last, or first in a loop that runs backwards.
    LoopOutputs first;
    LoopOutputs second;
    LoopInputs now = inputs;
    for (const bool segments : {!loop_.reverse, loop_.reverse}) {
      LoopOutputs& part = segments ? first : second;
      if (segments && whole > 0) {
        now.xs = rows_of(inputs.xs, 0, whole * length, steps);
        part = all_segments(level, whole, length, begin, now);
      } else if (!segments && rest > 0) {
        now.xs = rows_of(inputs.xs, whole * length, steps, steps);
        part = segment(level, rest, begin + whole * length, now);
      } else {
        continue;
      }
      now.init = part.carries;
    }
    return {now.init, joined(first.results, second.results), Tensor()};
  }

 private:
  static Tensors rows_of(const Tensors& tensors, std::int64_t begin, std::int64_t end, std::int64_t all) {
    Tensors rows;
    for (const Tensor& tensor : tensors) {
      rows.push_back(begin == 0 && end == all ? tensor : tensor[range(begin, end)]);
    }
    return rows;
  }

  static Tensors joined(const Tensors& first, const Tensors& second) {
    if (first.empty() || second.empty()) {
      return first.empty() ? second : first;
    }
    Tensors all;
    for (std::size_t i = 0; i < first.size(); ++i) {
      all.push_back(concatenate({first[i], second[i]}));
    }
    return all;
  }

  LoopOutputs single_steps(std::int64_t steps, const Tensor& begin, LoopInputs inputs) const {
    const Tensor index = placeholder_of({{}, DType::int64});
    const Tensor first = placeholder_of({{}, DType::int64});
    Tensors program_inputs = loop_.body->inputs();
    const Tensors outputs = substitute(loop_.body->outputs(), {program_inputs[0]}, {first + index});
    program_inputs[0] = index;
    program_inputs.push_back(first);
    inputs.captured.push_back(begin);
    Loop loop = loop_;
    loop.steps = steps;
    loop.body = Ref<const SubProgram>(new SubProgram(program_inputs, outputs));
    return make_loop(loop, inputs, where_);
  }

  // The levels below, as an operation that keeps nothing but its inputs.
  LoopOutputs segment(std::size_t level, std::int64_t steps, const Tensor& begin, const LoopInputs& inputs) const {
    Tensors all{begin};
    for (const Tensors& part : {inputs.init, inputs.xs, inputs.captured}) {
      append(all, part);
    }
    Tensors inside;
    for (const Tensor& tensor : all) {
      inside.push_back(placeholder_like(tensor));
    }
    const std::size_t carries = inputs.init.size();
    const std::size_t slices = inputs.xs.size();
    const LoopOutputs made = run(level + 1, steps, inside[0],
                                 {part_of(inside, 1, carries), part_of(inside, 1 + carries, slices),
                                  part_of(inside, 1 + carries + slices, inputs.captured.size()), Tensor()});
    Tensors outputs = made.carries;
    append(outputs, made.results);
    const Tensors results =
        run_again_for_derivatives(Ref<const SubProgram>(new SubProgram(inside, outputs)), all, where_);
    const auto middle = results.begin() + static_cast<std::ptrdiff_t>(carries);
    return {Tensors(results.begin(), middle), Tensors(middle, results.end()), Tensor()};
  }

  LoopOutputs all_segments(std::size_t level, std::int64_t count, std::int64_t length, const Tensor& begin,
                           const LoopInputs& inputs) const {
    LoopInputs outside = inputs;
    LoopInputs inside = inputs;
    for (std::size_t i = 0; i < inputs.xs.size(); ++i) {
      Shape shape = inputs.xs[i].shape();
      shape[0] = length;
      inside.xs[i] = placeholder_of({shape, inputs.xs[i].dtype()});
      shape.insert(0, count);
      outside.xs[i] = reshape(inputs.xs[i], shape);
    }
    outside.captured.push_back(begin);
    for (Tensors* part : {&inside.init, &inside.captured}) {
      for (Tensor& tensor : *part) {
        tensor = placeholder_like(tensor);
      }
    }
    const Tensor number = placeholder_of({{}, DType::int64});
    const Tensor first = placeholder_of({{}, DType::int64});
    const LoopOutputs made = segment(level, length, first + number * length, inside);
    Tensors program_inputs{number};
    for (const Tensors& part : {inside.init, inside.xs, inside.captured, Tensors{first}}) {
      append(program_inputs, part);
    }
    Tensors outputs = made.carries;
    append(outputs, made.results);
    Loop loop = loop_;
    loop.steps = count;
    loop.body = Ref<const SubProgram>(new SubProgram(program_inputs, outputs));
    LoopOutputs all = make_loop(loop, outside, where_);
    for (Tensor& result : all.results) {
      Shape shape = result.shape();
      shape.erase(0);
      shape[0] = count * length;
      result = reshape(result, shape);
    }
    return all;
  }

  const Loop& loop_;
  std::vector<std::int64_t> counts_;
  std::source_location where_;
};

}  // namespace

// Segments that are all alike are better: others take copies of what slices are taken from.
Segments choose_segments(std::int64_t steps, std::int64_t carry_bytes, std::int64_t step_bytes, std::int64_t bytes) {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  const bool fits = step_bytes == 0 || steps <= most / step_bytes;
  Segments best{{steps}, fits ? steps * step_bytes : most};
  constexpr int most_levels = 12;  // more save little memory, and take more than 1.5 times what the best schedule does
  for (int levels = 2; levels <= most_levels && best.bytes > bytes; ++levels) {
    Segments alike = levels_that_divide(steps, carry_bytes, step_bytes, levels);
    Segments others = levels_that_keep_least(steps, carry_bytes, step_bytes, levels);
    Segments& better = alike.bytes <= bytes || alike.bytes < others.bytes ? alike : others;
    if (better.bytes < best.bytes) {
      best = std::move(better);
    }
  }
  return best;
}

LoopOutputs make_loop_within(std::string_view op, const Loop& loop, const LoopInputs& inputs, std::int64_t bytes,
                             std::source_location where) {
  if (!loop.effect().empty()) {
    raise<ValueError>(op,
                      "a step has an effect, which happens once, and would be computed again to save memory; leave out "
                      "the effect, or the limit of memory");
  }
  if (bytes < 0) {
    raise<ValueError>(op, phrase("memory is {} bytes; give 0 or more", bytes));
  }
  const Segments segments = choose_segments(loop.steps, bytes_of(inputs.init), residual_bytes(loop), bytes);
  if (segments.bytes > bytes) {
    raise<ValueError>(op, phrase("{} bytes are too few for derivatives through {} steps; give {} or more", bytes,
                                 loop.steps, segments.bytes));
  }
  if (segments.counts.size() == 1) {
    return make_loop(loop, inputs, where);
  }
  return Nest(loop, segments.counts, where).run(0, loop.steps, zeros({}, DType::int64), inputs);
}

}  // namespace xgrad::detail
