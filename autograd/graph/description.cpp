#include "autograd/graph/description.hpp"

#include <utility>

namespace xgrad {

/// Depth first, without recursion, from the roots to the leaves.
class Description::Walk {
 public:
  Walk(Description& made, std::span<const Tensor> roots, std::span<const Tensor> given) : made_(made) {
    for (const Tensor& tensor : given) {
      add_leaf(tensor, Array());
    }
    for (const Tensor& root : roots) {
      static_cast<void>(root.shape());  // throws when the handle is empty
      come_to(root);
      while (!path_.empty()) {
        go_on();
      }
    }
    number_values();
  }

 private:
  struct Visit {
    const Node* node;
    std::uint32_t number;  // of the node, as it was seen
    std::uint32_t next_input = 0;
  };
  static constexpr std::uint32_t unread = ~std::uint32_t{0};

  // The tensor's leaf, or the number of its node as it was seen.
  Value come_to(const Tensor& tensor) {
    const Node& node = tensor.node();
    if (const Value leaf = made_.leaf_of(tensor); leaf != none) {
      return leaf;
    }
    if (const std::uint32_t number = made_.seen_.find(&node); number != NodeNumbers::none) {
      return number;
    }
    if (Array elements = node.value(tensor.output_index())) {
      return add_leaf(tensor, std::move(elements));
    }
    const auto number = static_cast<std::uint32_t>(made_.seen_.size());
    made_.seen_.insert(&node);
    made_.position_.push_back(0);
    first_read_.push_back(static_cast<std::uint32_t>(reads_.size()));
    reads_.resize(reads_.size() + node.inputs().size());
    path_.push_back({&node, number});
    return number;
  }

  void go_on() {
    Visit& visit = path_.back();
    if (visit.next_input == visit.node->inputs().size()) {
      made_.position_[visit.number] = static_cast<std::uint32_t>(made_.nodes_.size());
      made_.nodes_.push_back(visit.node);
      order_.push_back(visit.number);
      path_.pop_back();
      return;
    }
    const std::uint32_t slot = first_read_[visit.number] + visit.next_input;
    const Tensor& input = visit.node->input(visit.next_input++);
    reads_[slot] = come_to(input);  // after which `visit` may have moved
  }

  Value add_leaf(const Tensor& tensor, Array elements) {
    const Node& node = tensor.node();
    if (made_.leaf_nodes_.insert(&node)) {
      made_.first_slot_.push_back(static_cast<std::uint32_t>(made_.leaf_slots_.size()));
      made_.leaf_slots_.resize(made_.leaf_slots_.size() + node.output_count(), none);
    }
    Value& leaf = made_.leaf_slots_[made_.first_slot_[made_.leaf_nodes_.find(&node)] + tensor.output_index()];
    if (leaf == none) {
      leaf = leaf_bit | static_cast<Value>(made_.leaves_.size());
    }
    made_.leaves_.push_back({tensor, std::move(elements)});
    return leaf;
  }

  void number_values() {
    Value next = 0;
    for (const Node* node : made_.nodes_) {
      made_.first_value_.push_back(next);
      next += static_cast<Value>(node->output_count());
    }
    made_.first_value_.push_back(next);
    made_.reads_.reserve(reads_.size());
    for (std::size_t i = 0; i < order_.size(); ++i) {
      const Node& node = *made_.nodes_[i];
      made_.first_read_.push_back(static_cast<std::uint32_t>(made_.reads_.size()));
      for (std::size_t k = 0; k < node.inputs().size(); ++k) {
        const Value read = reads_[first_read_[order_[i]] + k];
        const bool is_leaf = (read & leaf_bit) != 0;
        made_.reads_.push_back(is_leaf ? read : made_.value_of_seen(read, node.input(k)));
      }
    }
    made_.first_read_.push_back(static_cast<std::uint32_t>(made_.reads_.size()));
  }

  Description& made_;
  std::vector<Visit> path_;
  std::vector<std::uint32_t> order_;       // of nodes as they were seen
  std::vector<std::uint32_t> first_read_;  // per node seen
  std::vector<Value> reads_;               // leaves, or nodes as they were seen
};

Description::Description(std::span<const Tensor> roots, std::span<const Tensor> given) { Walk(*this, roots, given); }

Description::Value Description::leaf_of(const Tensor& tensor) const {
  const std::uint32_t number = leaf_nodes_.find(&tensor.node());
  return number == NodeNumbers::none ? none : leaf_slots_[first_slot_[number] + tensor.output_index()];
}

Description::Value Description::value_of_seen(std::uint32_t number, const Tensor& tensor) const {
  return first_value_[position_[number]] + static_cast<Value>(tensor.output_index());
}

Description::Value Description::value_of(const Tensor& tensor) const {
  if (const Value leaf = leaf_of(tensor); leaf != none) {
    return leaf;
  }
  const std::uint32_t number = seen_.find(&tensor.node());
  return number == NodeNumbers::none ? none : value_of_seen(number, tensor);
}

}  // namespace xgrad
