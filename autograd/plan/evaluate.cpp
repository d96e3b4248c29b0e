#include <algorithm>
#include <vector>

#include "autograd/graph/description.hpp"
#include "autograd/graph/operation.hpp"
#include "autograd/graph/variable_cell.hpp"
#include "autograd/loops/loop.hpp"
#include "autograd/ops/require_finite.hpp"
#include "autograd/plan/plan_cache.hpp"
#include "autograd/provenance/story.hpp"

/// \file
/// Evaluation of tensors on demand: every node that is needed and not known yet, once.
///
/// Elements are kept for the tensors asked for and for nodes that somebody outside the evaluated part holds; everything
/// else is scratch. Graphs of some size run as plans, which are found again when a graph of the same structure comes; small
/// ones, and very large ones, which are hardly built twice, are computed node by node.

namespace xgrad {

namespace {

constexpr std::size_t least_planned = 12;
constexpr std::size_t most_planned = 5000;

// A loop that is made anew finds its plan again, too, however small the graph around it is.
bool is_plannable(const Description& graph) {
  return graph.nodes().size() <= most_planned &&
         (graph.nodes().size() >= least_planned ||
          std::any_of(graph.nodes().begin(), graph.nodes().end(),
                      [](const Node* node) { return node->as<Loop>() != nullptr; }));
}

bool is_leaf(Description::Value value) { return (value & Description::leaf_bit) != 0; }

/// What somebody beside the graph holds of it.
struct Holders {
  std::vector<std::uint32_t> node_of;     // per value of nodes
  std::vector<std::uint32_t> leaf_reads;  // per leaf: nodes' inputs that are it
  std::vector<bool> is_held;  // per node: there are more handles to it than edges inside and tensors asked for

  Holders(const Description& graph, std::span<const Tensor> roots)
      : node_of(graph.value_count()), leaf_reads(graph.leaves().size()), is_held(graph.nodes().size()) {
    std::vector<std::uint32_t> handles(graph.nodes().size());
    for (std::uint32_t i = 0; i < graph.nodes().size(); ++i) {
      std::fill_n(node_of.begin() + graph.first_value(i), graph.nodes()[i]->output_count(), i);
      for (const Description::Value read : graph.reads(i)) {
        ++(is_leaf(read) ? leaf_reads[read & ~Description::leaf_bit] : handles[node_of[read]]);
      }
    }
    for (const Tensor& root : roots) {
      if (const Description::Value value = graph.value_of(root); !is_leaf(value)) {
        ++handles[node_of[value]];
      }
    }
    for (std::size_t i = 0; i < handles.size(); ++i) {
      is_held[i] = graph.nodes()[i]->use_count() > handles[i];
    }
  }
};

// The values that are kept: those asked for, those of effects, which must not happen again, and all outputs of nodes that
// somebody outside holds.
std::vector<Description::Value> find_wanted(const Description& graph, std::span<const Tensor> roots,
                                            const Holders& holders) {
  std::vector<bool> wanted(graph.value_count());
  for (const Tensor& root : roots) {
    if (const Description::Value value = graph.value_of(root); !is_leaf(value)) {
      wanted[value] = true;
    }
  }
  std::vector<Description::Value> result;
  for (Description::Value value = 0; value < wanted.size(); ++value) {
    const std::uint32_t number = holders.node_of[value];
    const Node& node = *graph.nodes()[number];
    const bool shown = value - graph.first_value(number) < node.operation().shown_outputs(node.output_count());
    if (wanted[value] || (shown && holders.is_held[number]) || !node.operation().effect().empty()) {
      result.push_back(value);
    }
  }
  return result;
}

/// New contents of variables: where they may be written over the old ones.
struct Replacements {
  std::vector<std::uint32_t> leaves;  // per wanted value: the old content that it takes the place of, or none
  std::vector<bool> may_overwrite;    // per wanted value: nobody can see that content any more

  static constexpr std::uint32_t none = plan::Draft::none;
};

// Leaves from which something is computed that somebody outside holds: that can be differentiated, or computed again.
std::vector<bool> find_visible_leaves(const Description& graph, const Holders& holders) {
  std::vector<bool> nodes = holders.is_held;
  std::vector<bool> leaves(graph.leaves().size());
  for (std::size_t i = nodes.size(); i-- > 0;) {
    for (const Description::Value read : nodes[i] ? graph.reads(i) : std::span<const Description::Value>()) {
      if (is_leaf(read)) {
        leaves[read & ~Description::leaf_bit] = true;
      } else {
        nodes[holders.node_of[read]] = true;
      }
    }
  }
  return leaves;
}

Replacements find_replacements(const Description& graph, std::span<const Description::Value> wanted,
                               std::span<const Tensor> values, std::span<const Variable> variables,
                               const Holders& holders) {
  if (variables.empty()) {
    return {};
  }
  Replacements result{std::vector(wanted.size(), Replacements::none), std::vector<bool>(wanted.size())};
  const std::vector<bool> visible = find_visible_leaves(graph, holders);
  bool any = false;
  for (std::size_t i = 0; i < variables.size(); ++i) {
    const Description::Value value = graph.value_of(values[i]);
    const Description::Value old = graph.value_of(detail::CellAccess::leaf(variables[i]));
    if (is_leaf(value) || !is_leaf(old) || old == Description::none) {
      continue;
    }
    const auto at = std::lower_bound(wanted.begin(), wanted.end(), value) - wanted.begin();
    const std::uint32_t leaf = old & ~Description::leaf_bit;
    if (result.leaves[static_cast<std::size_t>(at)] == Replacements::none) {
      // Beside the cell, the description has a handle and an array, and the nodes that read the leaf have handles.
      result.leaves[static_cast<std::size_t>(at)] = leaf;
      result.may_overwrite[static_cast<std::size_t>(at)] =
          !visible[leaf] && detail::CellAccess::is_exclusive(variables[i], 1 + holders.leaf_reads[leaf], 1);
      any = true;
    }
  }
  return any ? result : Replacements{};
}

/// Computes node by node, in order.
class Evaluation {
 public:
  Evaluation(const Description& graph, std::span<const Description::Value> wanted)
      : graph_(graph), values_(graph.value_count()), uses_(graph.value_count()), wanted_(graph.value_count()) {
    for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
      for (const Description::Value read : graph.reads(i)) {
        if (!is_leaf(read)) {
          ++uses_[read];
        }
      }
    }
    for (const Description::Value value : wanted) {
      wanted_[value] = true;
    }
  }

  void run() {
    for (std::size_t i = 0; i < graph_.nodes().size(); ++i) {
      try {
        compute(i);
      } catch (Error& error) {
        error.locate(graph_.nodes()[i]->location());
        throw;
      }
    }
  }

 private:
  const Array& elements(Description::Value value) const {
    return is_leaf(value) ? graph_.leaves()[value & ~Description::leaf_bit].elements : values_[value];
  }

  void compute(std::size_t number) {
    const Node& node = *graph_.nodes()[number];
    const OperationTraits& traits = node.operation().traits();
    const Description::Value first = graph_.first_value(number);
    in_.clear();
    out_.clear();
    for (std::size_t i = 0; i < node.inputs().size(); ++i) {
      const Tensor& input = node.input(i);
      in_.push_back({elements(graph_.reads(number)[i]).data(), &input.node().spec(input.output_index())});
    }
    for (std::size_t i = 0; i < node.output_count(); ++i) {
      const Spec& spec = node.spec(i);
      if (traits.alias) {
        values_[first + i] = elements(graph_.reads(number)[0]).reshaped(spec.shape);
      } else if (wanted_[first + i] || uses_[first + i] > 0 || !traits.skips_outputs) {
        values_[first + i] = Array(spec.shape, spec.dtype);
      }
      out_.push_back({values_[first + i] ? values_[first + i].data() : nullptr, &spec});
    }
    if (!traits.alias || !node.operation().effect().empty()) {
      node.operation().eval(in_, out_);
    }
    give_back(number);
  }

  void give_back(std::size_t number) {
    const Node& node = *graph_.nodes()[number];
    for (const Description::Value read : graph_.reads(number)) {
      if (!is_leaf(read) && --uses_[read] == 0) {
        values_[read] = Array();
      }
    }
    for (std::size_t i = 0; i < node.output_count(); ++i) {
      const Description::Value value = graph_.first_value(number) + static_cast<Description::Value>(i);
      if (wanted_[value]) {
        node.keep_value(i, values_[value]);
      }
      if (uses_[value] == 0) {
        values_[value] = Array();
      }
    }
  }

  const Description& graph_;
  std::vector<Array> values_;
  std::vector<std::uint32_t> uses_;  // readers that are still to come
  std::vector<bool> wanted_;

  std::vector<ConstView> in_;
  std::vector<View> out_;
};

/// \return false when there is no plan.
bool run_as_plan(const Description& graph, std::span<const Description::Value> wanted,
                 const Replacements& replacements) {
  const auto executable = plan::find_plan(graph, wanted, replacements.leaves);
  if (executable == nullptr) {
    return false;
  }
  plan::Run run(*executable, &graph);
  for (std::size_t i = 0; i < replacements.may_overwrite.size(); ++i) {
    if (replacements.may_overwrite[i]) {
      run.may_overwrite(i);
    }
  }
  for (std::size_t i = 0; i < graph.leaves().size(); ++i) {
    run.argument(i) = graph.leaves()[i].elements;
  }
  run.prepare();
  run.execute();
  std::size_t result = 0;
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    for (; result < wanted.size() && wanted[result] < graph.first_value(i + 1); ++result) {
      graph.nodes()[i]->keep_value(wanted[result] - graph.first_value(i), run.result(result));
    }
  }
  return true;
}

/// \param variables those that the tensors are new contents of, or none.
void evaluate_all(std::span<const Tensor> tensors, std::span<const Variable> variables) {
  bool known = true;
  for (const Tensor& tensor : tensors) {
    static_cast<void>(tensor.shape());  // throws when the handle is empty
    known = known && tensor.node().has_value(tensor.output_index());
  }
  if (known) {
    return;
  }
  const Description graph(tensors);
  const Holders holders(graph, tensors);
  const std::vector<Description::Value> wanted = find_wanted(graph, tensors, holders);
  try {
    if (!is_plannable(graph) ||
        !run_as_plan(graph, wanted, find_replacements(graph, wanted, tensors, variables, holders))) {
      Evaluation(graph, wanted).run();
    }
  } catch (const NotFiniteError& error) {
    if (error.is_explained()) {
      throw;
    }
    provenance::raise_with_story(error, {graph, wanted, {}, {}}, provenance::Stop::at_guards);
  }
}

}  // namespace

void evaluate(std::span<const Tensor> tensors) { evaluate_all(tensors, {}); }

void detail::evaluate_contents(std::span<const Tensor> values, std::span<const Variable> variables) {
  evaluate_all(values, variables);
}

}  // namespace xgrad
