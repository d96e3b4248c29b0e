#include <algorithm>
#include <vector>

#include "autograd/graph/operation.hpp"
#include "autograd/graph/walks.hpp"
#include "autograd/plan/plan_cache.hpp"

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

bool is_plannable(const TopologicalOrder& order) {
  return order.nodes.size() >= least_planned && order.nodes.size() <= most_planned;
}

// Per node: whether its elements are kept.
std::vector<bool> find_wanted(const TopologicalOrder& order, std::span<const Tensor> roots) {
  std::vector<std::uint32_t> edges(order.nodes.size());
  const auto number_of = [&](const Tensor& tensor) { return order.numbers.find(&tensor.node()); };
  for (const Node* node : order.nodes) {
    for (const Tensor& input : node->inputs()) {
      if (const std::uint32_t source = number_of(input); source != NodeNumbers::none) {
        ++edges[source];
      }
    }
  }
  std::vector<bool> wanted(order.nodes.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {  // somebody outside holds it: more handles than edges inside
    wanted[i] = order.nodes[i]->use_count() > edges[i];
  }
  for (const Tensor& root : roots) {
    if (const std::uint32_t number = number_of(root); number != NodeNumbers::none) {
      wanted[number] = true;
    }
  }
  return wanted;
}

/// Computes node by node, in topological order.
class Evaluation {
 public:
  Evaluation(const TopologicalOrder& order, const std::vector<bool>& wanted) : order_(order), wanted_(wanted) {
    first_output_.reserve(order_.nodes.size());
    std::size_t outputs = 0;
    for (const Node* node : order_.nodes) {
      first_output_.push_back(outputs);
      outputs += node->output_count();
    }
    values_.resize(outputs);
    uses_.resize(outputs);
    for (const Node* node : order_.nodes) {
      for (const Tensor& input : node->inputs()) {
        if (const std::uint32_t source = number_of(input); source != NodeNumbers::none) {
          ++uses_[first_output_[source] + input.output_index()];
        }
      }
    }
  }

  void run() {
    for (std::uint32_t i = 0; i < order_.nodes.size(); ++i) {
      compute(i);
    }
  }

 private:
  std::uint32_t number_of(const Tensor& tensor) const { return order_.numbers.find(&tensor.node()); }

  void compute(std::uint32_t number) {
    const Node& node = *order_.nodes[number];
    const std::size_t first = first_output_[number];
    inputs_.clear();
    in_.clear();
    out_.clear();
    for (const Tensor& input : node.inputs()) {
      const std::uint32_t source = number_of(input);
      inputs_.push_back(source == NodeNumbers::none ? input.node().value(input.output_index())
                                                    : values_[first_output_[source] + input.output_index()]);
      in_.push_back({inputs_.back().data(), &input.node().spec(input.output_index())});
    }
    for (std::size_t i = 0; i < node.output_count(); ++i) {
      const Spec& spec = node.spec(i);
      values_[first + i] =
          node.operation().traits().alias ? inputs_[0].reshaped(spec.shape) : Array(spec.shape, spec.dtype);
      out_.push_back({values_[first + i].data(), &spec});
    }
    if (!node.operation().traits().alias) {
      try {
        node.operation().eval(in_, out_);
      } catch (Error& error) {
        error.locate(node.location());
        throw;
      }
    }
    for (std::size_t i = 0; wanted_[number] && i < node.output_count(); ++i) {
      node.keep_value(i, values_[first + i]);
    }
    inputs_.clear();
    give_back(node, first);
  }

  void give_back(const Node& node, std::size_t first) {
    for (const Tensor& input : node.inputs()) {
      if (const std::uint32_t source = number_of(input); source != NodeNumbers::none) {
        const std::size_t output = first_output_[source] + input.output_index();
        if (--uses_[output] == 0) {
          values_[output] = Array();
        }
      }
    }
    for (std::size_t i = 0; i < node.output_count(); ++i) {
      if (uses_[first + i] == 0) {
        values_[first + i] = Array();
      }
    }
  }

  const TopologicalOrder& order_;
  const std::vector<bool>& wanted_;
  std::vector<std::size_t> first_output_;  // per node: where its outputs start in the next two
  std::vector<Array> values_;
  std::vector<std::uint32_t> uses_;  // readers that are still to come

  std::vector<Array> inputs_;
  std::vector<ConstView> in_;
  std::vector<View> out_;
};

/// \return false when there is no plan, or when it failed: node by node, the error gets the right place.
bool run_as_plan(const TopologicalOrder& order, const std::vector<bool>& wanted) {
  const plan::Structure structure(order, wanted);
  const auto executable = plan::find_plan(structure, order, wanted);
  if (executable == nullptr) {
    return false;
  }
  plan::Run run(*executable, plan::Run::Arena::given_back);
  for (std::size_t i = 0; i < structure.leaves().size(); ++i) {
    run.argument(i) = structure.leaves()[i].array();
  }
  try {
    run.execute();
  } catch (const Error&) {
    return false;
  }
  std::size_t result = 0;
  for (std::size_t i = 0; i < order.nodes.size(); ++i) {
    for (std::size_t k = 0; wanted[i] && k < order.nodes[i]->output_count(); ++k) {
      order.nodes[i]->keep_value(k, run.result(result++));
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
  const TopologicalOrder order = unknown_nodes(tensors);
  const std::vector<bool> wanted = find_wanted(order, tensors);
  if (!is_plannable(order) || !run_as_plan(order, wanted)) {
    Evaluation(order, wanted).run();
  }
}

}  // namespace xgrad
