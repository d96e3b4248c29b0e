#include <algorithm>
#include <vector>

#include "autograd/graph.hpp"
#include "autograd/operation.hpp"

/// \file
/// Evaluation of tensors on demand: every node that is needed and not known yet, once, in topological order.
///
/// Elements are kept for the tensors asked for and for nodes that somebody outside the evaluated part holds; everything
/// else is scratch, given back to the pool after its last use.

namespace xgrad {

namespace {

class Evaluation {
 public:
  explicit Evaluation(std::span<const Tensor> roots) : order_(unknown_nodes(roots)) {
    first_output_.reserve(order_.nodes.size());
    std::size_t outputs = 0;
    for (const Node* node : order_.nodes) {
      first_output_.push_back(outputs);
      outputs += node->output_count();
    }
    values_.resize(outputs);
    uses_.resize(outputs);
    edges_.resize(order_.nodes.size());
    for (const Node* node : order_.nodes) {
      for (const Tensor& input : node->inputs()) {
        if (const std::uint32_t source = number_of(input); source != NodeNumbers::none) {
          ++uses_[first_output_[source] + input.output_index()];
          ++edges_[source];
        }
      }
    }
    for (const Tensor& root : roots) {
      if (const std::uint32_t number = number_of(root); number != NodeNumbers::none) {
        ++uses_[first_output_[number] + root.output_index()];  // never given back
        asked_for_.push_back(number);
      }
    }
    std::sort(asked_for_.begin(), asked_for_.end());
  }

  void run() {
    for (std::uint32_t i = 0; i < order_.nodes.size(); ++i) {
      compute(i);
    }
  }

 private:
  std::uint32_t number_of(const Tensor& tensor) const { return order_.numbers.find(&tensor.node()); }

  // Somebody outside holds the node when it has more handles than there are edges to it inside.
  bool is_kept(std::uint32_t number) const {
    return order_.nodes[number]->use_count() > edges_[number] ||
           std::binary_search(asked_for_.begin(), asked_for_.end(), number);
  }

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
      values_[first + i] = node.is_alias() ? inputs_[0].reshaped(spec.shape) : Array(spec.shape, spec.dtype);
      out_.push_back({values_[first + i].data(), &spec});
    }
    if (!node.is_alias()) {
      try {
        node.eval(in_, out_);
      } catch (Error& error) {
        error.locate(node.location());
        throw;
      }
    }
    if (is_kept(number)) {
      for (std::size_t i = 0; i < node.output_count(); ++i) {
        node.keep_value(i, values_[first + i]);
      }
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

  TopologicalOrder order_;
  std::vector<std::size_t> first_output_;  // per node: where its outputs start in the next two
  std::vector<Array> values_;
  std::vector<std::uint32_t> uses_;       // readers that are still to come
  std::vector<std::uint32_t> edges_;      // per node: handles to it inside the evaluated part
  std::vector<std::uint32_t> asked_for_;  // sorted

  std::vector<Array> inputs_;
  std::vector<ConstView> in_;
  std::vector<View> out_;
};

}  // namespace

void evaluate(std::span<const Tensor> tensors) {
  bool known = true;
  for (const Tensor& tensor : tensors) {
    static_cast<void>(tensor.shape());  // throws when the handle is empty
    known = known && tensor.node().has_value(tensor.output_index());
  }
  if (!known) {
    Evaluation(tensors).run();
  }
}

}  // namespace xgrad
