#include "autograd/plan/passes/scalar_program.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "autograd/ops/broadcast.hpp"
#include "autograd/ops/cast.hpp"
#include "autograd/ops/concatenate.hpp"
#include "autograd/ops/selection.hpp"
#include "autograd/ops/sum.hpp"
#include "autograd/ops/transpose.hpp"

namespace xgrad::plan {

namespace {

constexpr std::int64_t most_elements = 16;        ///< of a tensor that is computed number by number
constexpr std::int64_t largest_source = 1 << 30;  ///< of whose elements some are read

std::int64_t size_of(const Draft& draft, ValueId id) { return draft.spec(id).shape.element_count(); }

/// Calls f(element, place) for the elements of \p shape in row-major order; \p strides lead from place to place.
template <class F>
void for_each_place(const Shape& shape, std::int64_t offset, const Ints& strides, const F& f) {
  const std::int64_t count = shape.element_count();
  Ints index = strides;
  std::fill(index.begin(), index.end(), 0);
  for (std::int64_t element = 0; element < count; ++element) {
    f(element, offset);
    for (std::size_t axis = shape.ndim(); axis-- > 0;) {
      offset += strides[axis];
      if (++index[axis] < shape[axis]) {
        break;
      }
      offset -= index[axis] * strides[axis];
      index[axis] = 0;
    }
  }
}

/// The sums of a few elements that kernels add one after the other.
bool sums_in_order(const Sum& sum, const Shape& shape, DType dtype) {
  const auto [outer, n, inner] = sum.axes.extent(shape);
  const auto longest_row = static_cast<std::int64_t>(32 / xgrad::size_of(dtype));  // twice the shortest vector
  return n > 0 && outer * inner * n <= most_elements && (inner > 1 || n <= longest_row);
}

bool is_movement(const Draft& draft, const Step& step) {
  const AnyOperation& operation = *step.operation;
  const std::int64_t out = size_of(draft, step.outputs[0]);
  if (operation.as<Concatenate>() != nullptr || operation.as<Unslice>() != nullptr) {
    return out <= most_elements * static_cast<std::int64_t>(step.inputs.size());  // a part costs a call of a kernel
  }
  return out <= most_elements && (operation.as<StridedSlice>() != nullptr || operation.as<BroadcastTo>() != nullptr ||
                                  operation.as<Transpose>() != nullptr);
}

bool is_number(const Draft& draft, ValueId id, DType dtype) {
  return draft.spec(id).dtype == dtype || draft.spec(id).dtype == DType::boolean;
}

}  // namespace

std::optional<DType> scalar_dtype(const Draft& draft, const Step& step) {
  if (!step.effect.empty() || !step.total || step.outputs.empty() || step.kind == program_step) {
    return std::nullopt;
  }
  const DType dtype = step.kind == map_step ? step.formula.compute : draft.spec(step.outputs[0]).dtype;
  const auto fits = [&](ValueId id) { return is_number(draft, id, dtype) && size_of(draft, id) <= largest_source; };
  if (!is_floating(dtype) || !std::all_of(step.inputs.begin(), step.inputs.end(), fits) ||
      !std::all_of(step.outputs.begin(), step.outputs.end(), fits)) {
    return std::nullopt;
  }
  if (step.kind == map_step) {
    return step.space.element_count() <= most_elements ? std::optional(dtype) : std::nullopt;
  }
  const auto* sum = step.operation->as<Sum>();
  const bool taken = sum != nullptr ? sums_in_order(*sum, draft.spec(step.inputs[0]).shape, dtype)
                     : step.operation->as<Cast>() != nullptr ? size_of(draft, step.outputs[0]) <= most_elements
                                                             : is_movement(draft, step);
  return taken ? std::optional(dtype) : std::nullopt;
}

std::span<ScalarProgram::Number> ElementNumbers::add(ValueId memory, std::uint32_t program, std::size_t count) {
  first_[memory] = static_cast<std::uint32_t>(numbers_.size());
  program_[memory] = program;
  numbers_.resize(numbers_.size() + count);
  return std::span(numbers_).last(count);
}

std::span<ScalarProgram::Number> ScalarProgram::results(ValueId id) {
  return numbers_.add(id, name_, static_cast<std::size_t>(size_of(draft_, id)));
}

void ScalarProgram::add(const Step& step) {
  if (step.kind == map_step) {
    return add_map(step);
  }
  const AnyOperation& operation = *step.operation;
  const Shape& from = draft_.spec(step.inputs[0]).shape;
  const Shape& to = draft_.spec(step.outputs[0]).shape;
  if (const auto* slice = operation.as<StridedSlice>()) {
    const Ints strides = row_major_strides(from);
    add_moved(step, to, static_cast<std::int64_t>(slice->positions.offset(strides)), slice->positions.steps(strides));
  } else if (operation.as<BroadcastTo>() != nullptr) {
    add_moved(step, to, 0, broadcast_strides(from, to));
  } else if (const auto* transpose = operation.as<Transpose>()) {
    const Ints strides = row_major_strides(from);
    Ints permuted;
    for (const std::int64_t axis : transpose->axes) {
      permuted.push_back(strides[normalize_axis(Transpose::name, axis, strides.ndim())]);
    }
    add_moved(step, to, 0, permuted);
  } else if (const auto* concatenate = operation.as<Concatenate>()) {
    add_parts(step, concatenate->axis);
  } else if (operation.as<Unslice>() != nullptr) {
    add_sums_of_parts(step);
  } else if (operation.as<Sum>() != nullptr) {
    add_sums(step);
  } else {  // a cast of truth values or to the same type
    add_moved(step, to, 0, row_major_strides(to));
  }
}

Step ScalarProgram::finish(const std::vector<ValueId>& outputs, const Step& last) const {
  Step step;
  step.kind = scalars_step;
  step.operation = last.operation;
  step.node = last.node;
  step.where = last.where;
  step.label = last.label;
  step.name = "scalars";
  step.total = true;
  step.outputs = outputs;
  std::vector<Number> results;
  for (std::uint32_t i = 0; i < outputs.size(); ++i) {
    const auto count = static_cast<std::uint32_t>(size_of(draft_, outputs[i]));
    const Number* numbers = numbers_.find(outputs[i], name_, 0);
    results.insert(results.end(), numbers, numbers + count);
    for (std::uint32_t k = 0; k < count; ++k) {
      step.elements.written.push_back({i, k});
    }
  }
  std::vector<std::uint32_t> used;
  step.formula = {recorder_.finish(results, &used), dtype_};
  std::unordered_map<ValueId, std::uint32_t> operands;
  for (const std::uint32_t input : used) {
    const auto [entry, inserted] =
        operands.try_emplace(sources_[input].id, static_cast<std::uint32_t>(step.inputs.size()));
    if (inserted) {
      step.inputs.push_back(sources_[input].id);
    }
    step.elements.read.push_back({entry->second, sources_[input].index});
  }
  return step;
}

ScalarProgram::Number ScalarProgram::element(ValueId id, std::int64_t index) {
  const Value& value = draft_.values[id];
  const auto place =
      static_cast<std::uint64_t>(value.offset) / xgrad::size_of(value.spec.dtype) + static_cast<std::uint64_t>(index);
  const Number* number = numbers_.find(value.memory, name_, place);
  return number != nullptr ? *number : read(id, static_cast<std::uint64_t>(index));
}

ScalarProgram::Number ScalarProgram::read(ValueId id, std::uint64_t index) {
  const Value& value = draft_.values[id];
  const std::uint64_t place = static_cast<std::uint64_t>(value.offset) / xgrad::size_of(value.spec.dtype) + index;
  if (const Array* array = draft_.constant(id)) {
    return dispatch(array->dtype(), [&](auto zero) {
      return recorder_.constant(static_cast<double>(array->data<decltype(zero)>()[place]));
    });
  }
  const auto [entry, inserted] = known_inputs_.try_emplace(std::uint64_t{value.memory} << 32 | place);
  if (inserted) {
    entry->second = recorder_.add_input();
    sources_.push_back({id, static_cast<std::uint32_t>(index)});
  }
  return entry->second;
}

void ScalarProgram::add_map(const Step& step) {
  const Program& program = step.formula.program;
  const auto count = static_cast<std::size_t>(step.space.element_count());
  const std::size_t inputs = step.inputs.size();
  operands_.resize(count * inputs);  // element by element
  for (std::size_t k = 0; k < inputs; ++k) {
    for_each_place(step.space, 0, broadcast_strides(draft_.spec(step.inputs[k]).shape, step.space),
                   [&](std::int64_t i, std::int64_t place) {
                     operands_[static_cast<std::size_t>(i) * inputs + k] = element(step.inputs[k], place);
                   });
  }
  const std::size_t first = numbers_.size();
  for (const ValueId output : step.outputs) {
    results(output);
  }
  for (std::size_t i = 0; i < count; ++i) {
    recorder_.replay(program, std::span(operands_).subspan(i * inputs, inputs), values_);
    for (std::size_t k = 0; k < step.outputs.size(); ++k) {
      numbers_[first + k * count + i] = values_[program.results[k]];
    }
  }
}

void ScalarProgram::add_moved(const Step& step, const Shape& shape, std::int64_t offset, const Ints& strides) {
  const std::span<Number> to = results(step.outputs[0]);
  for_each_place(shape, offset, strides, [&](std::int64_t i, std::int64_t place) {
    to[static_cast<std::size_t>(i)] = element(step.inputs[0], place);
  });
}

void ScalarProgram::add_parts(const Step& step, std::int64_t axis) {
  const Shape& whole = draft_.spec(step.outputs[0]).shape;
  const Ints strides = row_major_strides(whole);
  const std::size_t along = normalize_axis(Concatenate::name, axis, whole.ndim());
  const std::span<Number> to = results(step.outputs[0]);
  std::int64_t offset = 0;
  for (const ValueId part : step.inputs) {
    const Shape& shape = draft_.spec(part).shape;
    for_each_place(shape, offset, strides,
                   [&](std::int64_t i, std::int64_t place) { to[static_cast<std::size_t>(place)] = element(part, i); });
    offset += shape[along] * strides[along];
  }
}

void ScalarProgram::add_sums_of_parts(const Step& step) {
  const auto* unslice = step.operation->as<Unslice>();
  const Ints strides = row_major_strides(unslice->shape);
  const std::span<Number> to = results(step.outputs[0]);
  std::fill(to.begin(), to.end(), recorder_.constant(0));
  for (std::size_t k = 0; k < step.inputs.size(); ++k) {
    const Positions& positions = unslice->positions[k];
    for_each_place(positions.count, static_cast<std::int64_t>(positions.offset(strides)), positions.steps(strides),
                   [&](std::int64_t i, std::int64_t place) {
                     Number& sum = to[static_cast<std::size_t>(place)];
                     sum = recorder_.step(kernels::Opcode::add, {sum, element(step.inputs[k], i)});
                   });
  }
}

void ScalarProgram::add_sums(const Step& step) {
  const auto [outer, n, inner] = step.operation->as<Sum>()->axes.extent(draft_.spec(step.inputs[0]).shape);
  const std::span<Number> to = results(step.outputs[0]);
  for (std::int64_t o = 0; o < outer; ++o) {
    for (std::int64_t i = 0; i < inner; ++i) {
      Number sum = recorder_.constant(0);
      for (std::int64_t k = 0; k < n; ++k) {
        sum = recorder_.step(kernels::Opcode::add, {sum, element(step.inputs[0], (o * n + k) * inner + i)});
      }
      to[static_cast<std::size_t>(o * inner + i)] = sum;
    }
  }
}

}  // namespace xgrad::plan
