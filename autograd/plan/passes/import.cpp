#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

#include "autograd/graph/operation.hpp"
#include "autograd/graph/recognize.hpp"
#include "autograd/graph/variable.hpp"
#include "autograd/graph/walks.hpp"
#include "autograd/ops/map.hpp"
#include "autograd/ops/matmul.hpp"
#include "autograd/ops/sum.hpp"
#include "autograd/plan/passes/passes.hpp"
#include "autograd/runtime/hash.hpp"

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
  Import(const TopologicalOrder& order, std::span<const Tensor> outputs, std::span<const Tensor> arguments) {
    draft_.argument_count = static_cast<std::uint32_t>(arguments.size());
    for (std::uint32_t i = 0; i < arguments.size(); ++i) {
      const Tensor& argument = arguments[i];
      const ValueId id = draft_.add_value({argument.shape(), argument.dtype()});
      draft_.values[id].source = Value::Source::argument;
      draft_.values[id].number = i;
      draft_.values[id].from_variable = argument.node().as<VariableRead>() != nullptr;
      known_.try_emplace({&argument.node(), argument.output_index()}, id);
    }
    for (const Node* node : order.nodes) {
      add(*node);
    }
    for (const Tensor& output : outputs) {
      draft_.outputs.push_back(id_of(output));
    }
    draft_.replaces.assign(outputs.size(), Draft::none);
  }

  Draft take() { return std::move(draft_); }

 private:
  struct Key {
    const Node* node;
    std::size_t output;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const {
      return runtime::combine_hashes(reinterpret_cast<std::size_t>(key.node), key.output);
    }
  };

  ValueId id_of(const Tensor& tensor) {
    const Key key{&tensor.node(), tensor.output_index()};
    if (const auto found = known_.find(key); found != known_.end()) {
      return found->second;
    }
    return known_.emplace(key, draft_.add_constant(tensor.node().value(tensor.output_index()))).first->second;
  }

  void add(const Node& node) {
    if (known_.contains({&node, 0})) {
      return;
    }
    if (node.operation().traits().alias) {
      return add_alias(node);
    }
    Step step;
    for (const Tensor& input : node.inputs()) {
      step.inputs.push_back(id_of(input));
    }
    for (std::size_t i = 0; i < node.output_count(); ++i) {
      step.outputs.push_back(draft_.add_value(node.spec(i)));
      known_[{&node, i}] = step.outputs.back();
    }
    step.operation = node.operation_ref();
    step.where = node.location();
    step.name = node.name();
    step.total = node.operation().is_total(node.inputs());
    step.splits_rows = node.operation().splits_rows(node.inputs());
    specialize(node, step);
    draft_.steps.push_back(std::move(step));
  }

  void add_alias(const Node& node) {
    ValueId id = id_of(node.input(0));
    const bool waits = detail::is_barrier(node);
    if (waits || node.spec(0) != draft_.spec(id)) {
      id = draft_.add_alias(id, node.spec(0));
    }
    known_[{&node, 0}] = id;
    if (waits) {
      Step step;
      step.kind = Step::Kind::order;
      for (const Tensor& input : node.inputs()) {
        step.inputs.push_back(id_of(input));
      }
      step.outputs.push_back(id);
      step.operation = node.operation_ref();
      step.where = node.location();
      step.name = node.name();
      step.total = true;
      draft_.steps.push_back(std::move(step));
    }
  }

  void specialize(const Node& node, Step& step) const {
    if (const auto* map = node.as<Map>()) {
      const Program& program = map->formula.program();
      step.kind = Step::Kind::map;
      std::vector<ConstView> views;
      for (const ValueId input : step.inputs) {
        views.push_back({nullptr, &draft_.values[input].spec});
      }
      step.formula = {program.constants, program.steps, {program.result}, compute_dtype(program, views)};
      step.space = node.spec(0).shape;
    } else if (const auto* product = node.as<MatMul>(); product != nullptr && node.spec(0).shape.ndim() == 2) {
      const auto [m, k, n] = product->sizes(node.input(0).shape(), node.input(1).shape());
      step.kind = Step::Kind::product;
      step.product = {product->transpose_a, product->transpose_b, m, k, n};
    } else if (sums_columns(node)) {
      step.kind = Step::Kind::column_sum;
    }
  }

  std::unordered_map<Key, ValueId, KeyHash> known_;
  Draft draft_;
};

}  // namespace

Draft import_graph(const TopologicalOrder& order, std::span<const Tensor> outputs, std::span<const Tensor> arguments) {
  return Import(order, outputs, arguments).take();
}

}  // namespace xgrad::plan
