#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "autograd/array/array.hpp"
#include "autograd/formula/program.hpp"
#include "autograd/graph/operation.hpp"
#include "autograd/kernels/product_precision.hpp"
#include "autograd/plan/steps/kinds.hpp"

/// \file
/// A plan while the passes work on it: steps in order, and the values that go from one to the next.

/// What turns graphs into plans and runs them.
namespace xgrad::plan {

/// The number of a value in its draft.
using ValueId = std::uint32_t;

/// What a step reads or writes.
struct Value {
  enum class Source : std::uint8_t { computed, argument, constant };

  Spec spec;
  Source source = Source::computed;
  std::uint32_t number = 0;    ///< which argument or which constant
  bool from_variable = false;  ///< an argument that is the content of a Variable
  ValueId whole = 0;           ///< the value that this one is an alias of, in another shape, and no alias; or itself
  ValueId memory = 0;          ///< whose memory the elements are in
  std::int64_t offset = 0;     ///< where they start in it, in bytes
};

/// Some formulas as one: they read the same positions of the inputs, each result is one output.
struct FusedFormula {
  Program program;
  DType compute = DType::float32;  ///< the type of all numbers on the way
};

/// A product of two matrices. Where k is cut into slabs, the output is (k slabs, m, n), one partial sum each; where n is, it is
/// written slab by slab.
struct Product {
  bool transpose_a = false;
  bool transpose_b = false;
  std::int64_t m = 0;
  std::int64_t k = 0;
  std::int64_t n = 0;
  std::int64_t k_slabs = 1;
  std::int64_t n_slabs = 1;
  bool accumulate = false;  ///< a third input is added: the output starts with its elements
  ProductPrecision precision = ProductPrecision::float32;

  std::int64_t k_width() const;  ///< of each slab of k but the last
  std::int64_t n_width() const;  ///< of each slab of n but the last
};

/// An element of an input or of an output of a step.
struct Element {
  std::uint32_t operand;  ///< which input or output
  std::uint32_t index;    ///< which of its elements, in row-major order
};

/// What the inputs and the results of a program on single numbers are: in the order of the operands.
struct Elements {
  std::vector<Element> read;
  std::vector<Element> written;
};

class NestedPlan;

/// One kernel call of the plan.
struct Step {
  const StepKind* kind = operation_step;
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  Ref<const AnyOperation> operation;  ///< the last of several that were fused
  std::uint32_t node = 0;             ///< its number in the description that the draft was made from
  std::source_location where;         ///< of the operation in the user's source
  detail::LabelId label = 0;          ///< which part of a network it belongs to
  std::string name;                   ///< for printing: `adam_weight`, or `add+relu` when fused
  bool total = false;                 ///< cannot throw
  std::string_view effect;            ///< of which kind; such a step stays as it is, in its place among its kind
  bool splits_rows = false;
  FusedFormula formula;
  Shape space;
  Product product;
  Elements elements;
  std::vector<std::shared_ptr<const NestedPlan>> nested;  ///< the plans that it runs
};

/// See the file's description.
struct Draft {
  std::vector<Value> values;
  std::vector<Step> steps;
  std::vector<Array> constants;
  std::vector<ValueId> outputs;  ///< what a run gives back
  std::uint32_t argument_count = 0;
  /// Per output: the argument, the old content of a variable, that it takes the place of; or `none`.
  std::vector<std::uint32_t> replaces;
  static constexpr std::uint32_t none = ~std::uint32_t{0};

  const Spec& spec(ValueId id) const { return values[id].spec; }
  /// A new computed value with memory of its own.
  ValueId add_value(const Spec& spec);
  /// A new value that is \p whole in another shape, from \p offset bytes on.
  ValueId add_alias(ValueId whole, const Spec& spec, std::int64_t offset = 0);
  /// A new constant.
  ValueId add_constant(const Array& array);
  /// The elements of a constant; null for other values.
  const Array* constant(ValueId id) const {
    return values[id].source == Value::Source::constant ? &constants[values[id].number] : nullptr;
  }
  std::size_t bytes(ValueId id) const {
    return static_cast<std::size_t>(spec(id).shape.element_count()) * size_of(spec(id).dtype);
  }
};

/// Keeps the steps of which \p wanted, called with their numbers in order, says so.
template <class Wanted>
void keep_steps(Draft& draft, const Wanted& wanted) {
  std::size_t kept = 0;
  for (std::uint32_t i = 0; i < draft.steps.size(); ++i) {
    if (wanted(i)) {
      if (kept != i) {
        draft.steps[kept] = std::move(draft.steps[i]);
      }
      ++kept;
    }
  }
  draft.steps.erase(draft.steps.begin() + static_cast<std::ptrdiff_t>(kept), draft.steps.end());
}

/// How often each value is read, by steps and as an output; aliases count for themselves.
std::vector<std::uint32_t> count_uses(const Draft& draft);
/// Per value: whether its memory is read, by a step or as an output.
std::vector<bool> memory_in_use(const Draft& draft);
/// Per value: the step that computes it, or Draft::none.
std::vector<std::uint32_t> find_producers(const Draft& draft);
/// Per step with an effect: the one of its kind that it follows, or Draft::none; for other steps Draft::none.
std::vector<std::uint32_t> find_previous_effects(const Draft& draft);
/// Puts the steps in an order in which each comes after those whose outputs it reads, otherwise as they were. Effects stay
/// in their order.
void sort_steps(Draft& draft);

}  // namespace xgrad::plan
