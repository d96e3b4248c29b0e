#include <algorithm>
#include <vector>

#include "autograd/graph/description.hpp"
#include "autograd/graph/operation.hpp"
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

// The values that are kept: those asked for, those of effects, which must not happen again, and all outputs of nodes that
// somebody outside holds, to which there are more handles than edges inside and tensors asked for.
std::vector<Description::Value> find_wanted(const Description& graph, std::span<const Tensor> roots) {
  std::vector<std::uint32_t> node_of(graph.value_count());
  std::vector<std::uint32_t> handles(graph.nodes().size());
  std::vector<bool> wanted(graph.value_count());
  for (std::uint32_t i = 0; i < graph.nodes().size(); ++i) {
    std::fill_n(node_of.begin() + graph.first_value(i), graph.nodes()[i]->output_count(), i);
    for (const Description::Value read : graph.reads(i)) {
      if (!is_leaf(read)) {
        ++handles[node_of[read]];
      }
    }
  }
  for (const Tensor& root : roots) {
    if (const Description::Value value = graph.value_of(root); !is_leaf(value)) {
      ++handles[node_of[value]];
      wanted[value] = true;
    }
  }
  std::vector<Description::Value> result;
  for (Description::Value value = 0; value < wanted.size(); ++value) {
    const Node& node = *graph.nodes()[node_of[value]];
    const bool shown = value - graph.first_value(node_of[value]) < node.operation().shown_outputs(node.output_count());
    const bool held = node.use_count() > handles[node_of[value]];
    if (wanted[value] || (shown && held) || !node.operation().effect().empty()) {
      result.push_back(value);
    }
  }
  return result;
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
bool run_as_plan(const Description& graph, std::span<const Description::Value> wanted) {
  const auto executable = plan::find_plan(graph, wanted);
  if (executable == nullptr) {
    return false;
  }
  plan::Run run(*executable, &graph);
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

}  // namespace

void evaluate(std::span<const Tensor> tensors) {
  bool known = true;
  for (const Tensor& tensor : tensors) {
    static_cast<void>(tensor.shape());  // throws when the handle is empty
    known = known && tensor.node().has_value(tensor.output_index());
  }
  if (known) {
    return;
  }
  const Description graph(tensors);
  const std::vector<Description::Value> wanted = find_wanted(graph, tensors);
  try {
    if (!is_plannable(graph) || !run_as_plan(graph, wanted)) {
      Evaluation(graph, wanted).run();
    }
  } catch (const NotFiniteError& error) {
    if (error.is_explained()) {
      throw;
    }
    provenance::raise_with_story(error, {graph, wanted, {}, {}}, provenance::Stop::at_guards);
  }
}

}  // namespace xgrad
