#include <algorithm>

#include <fmt/format.h>

#include "autograd/graph/operation.hpp"
#include "autograd/graph/variable.hpp"
#include "autograd/loops/branch.hpp"
#include "autograd/loops/loop.hpp"
#include "autograd/ops/map.hpp"
#include "autograd/ops/matmul.hpp"
#include "autograd/ops/sum.hpp"
#include "autograd/plan/passes/passes.hpp"

/// \file
/// From nodes to steps.

namespace xgrad::plan {

namespace {

// The sum over axis 0, which a kernel computes for some columns at a time.
bool sums_columns(const Node& node) {
  const auto* sum = node.as<Sum>();
  if (sum == nullptr || sum->axes.first != 0 || sum->axes.last != 1) {
    return false;
  }
  const Shape& in = node.input(0).shape();
  const Shape& out = node.spec(0).shape;
  if (!is_floating(node.spec(0).dtype) || out.ndim() == 0 || in.ndim() != out.ndim() + 1) {
    return false;
  }
  constexpr std::int64_t most_rows = 1024;  // longer columns are summed in pieces, by the kernel itself
  return in[0] <= most_rows && std::equal(out.begin(), out.end(), in.begin() + 1);
}

class Import {
 public:
  Import(const Description& description, std::span<const Description::Value> outputs, std::size_t argument_count)
      : description_(description), known_(description.value_count()) {
    draft_.argument_count = static_cast<std::uint32_t>(argument_count);
    draft_.values.reserve(description.leaves().size() + description.value_count());
    draft_.steps.reserve(description.nodes().size());
    for (std::uint32_t i = 0; i < description.leaves().size(); ++i) {
      add_leaf(description.leaves()[i], i);
    }
    for (std::uint32_t i = 0; i < description.nodes().size(); ++i) {
      add(i);
    }
    for (const Description::Value output : outputs) {
      draft_.outputs.push_back(id_of(output));
    }
    draft_.replaces.assign(outputs.size(), Draft::none);
  }

  Draft take() { return std::move(draft_); }

 private:
  // Leaves come first, in their order.
  ValueId id_of(Description::Value value) const {
    return (value & Description::leaf_bit) != 0 ? value & ~Description::leaf_bit : known_[value];
  }

  void add_leaf(const Description::Leaf& leaf, std::uint32_t number) {
    if (number >= draft_.argument_count) {
      draft_.add_constant(leaf.elements);
      return;
    }
    const ValueId id = draft_.add_value({leaf.tensor.shape(), leaf.tensor.dtype()});
    draft_.values[id].source = Value::Source::argument;
    draft_.values[id].number = number;
    draft_.values[id].from_variable = leaf.tensor.node().as<VariableRead>() != nullptr;
  }

  std::vector<ValueId> inputs_of(std::uint32_t number) const {
    std::vector<ValueId> inputs;
    for (const Description::Value read : description_.reads(number)) {
      inputs.push_back(id_of(read));
    }
    return inputs;
  }

  Step step_of(std::uint32_t number) const {
    const Node& node = *description_.nodes()[number];
    Step step;
    step.inputs = inputs_of(number);
    step.operation = node.operation_ref();
    step.node = number;
    step.where = node.location();
    step.label = node.label();
    step.name = node.name();
    step.effect = node.operation().effect();
    step.total = node.operation().is_total(node.inputs());
    return step;
  }

  void add(std::uint32_t number) {
    const Node& node = *description_.nodes()[number];
    if (node.operation().traits().alias) {
      return add_alias(number);
    }
    Step step = step_of(number);
    for (std::size_t i = 0; i < node.output_count(); ++i) {
      step.outputs.push_back(draft_.add_value(node.spec(i)));
      known_[description_.first_value(number) + i] = step.outputs.back();
    }
    step.splits_rows = node.operation().splits_rows(node.inputs());
    specialize(node, step);
    draft_.steps.push_back(std::move(step));
  }

  void add_alias(std::uint32_t number) {
    const Node& node = *description_.nodes()[number];
    if (!node.operation().effect().empty()) {
      draft_.steps.push_back(step_of(number));
    }
    ValueId id = id_of(description_.reads(number)[0]);
    if (node.spec(0) != draft_.spec(id)) {
      id = draft_.add_alias(id, node.spec(0));
    }
    known_[description_.first_value(number)] = id;
  }

  void specialize(const Node& node, Step& step) const {
    if (const auto* map = node.as<Map>()) {
      step.kind = map_step;
      std::vector<ConstView> views;
      for (const ValueId input : step.inputs) {
        views.push_back({nullptr, &draft_.values[input].spec});
      }
      step.formula = {map->formula.program(), compute_dtype(map->formula, views)};
      step.space = node.spec(0).shape;
    } else if (const auto* product = node.as<MatMul>(); product != nullptr && node.spec(0).shape.ndim() == 2) {
      const auto [m, k, n] = product->sizes(node.input(0).shape(), node.input(1).shape());
      step.kind = product_step;
      step.product = {product->transpose_a, product->transpose_b, m, k, n};
      step.product.precision = product->products;
    } else if (sums_columns(node)) {
      step.kind = column_sum_step;
    } else if (node.as<Loop>() != nullptr) {
      step.kind = loop_step;
    } else if (node.as<Branch>() != nullptr) {
      step.kind = branch_step;
    } else if (node.operation().program() != nullptr) {
      step.kind = program_step;
    }
  }

  const Description& description_;
  std::vector<ValueId> known_;  // per value of the description
  Draft draft_;
};

}  // namespace

Draft import_graph(const Description& description, std::span<const Description::Value> outputs,
                   std::size_t argument_count) {
  return Import(description, outputs, argument_count).take();
}

}  // namespace xgrad::plan
