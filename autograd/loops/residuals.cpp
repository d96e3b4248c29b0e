#include "autograd/loops/residuals.hpp"

#include <algorithm>
#include <cstddef>
#include <set>
#include <utility>
#include <vector>

#include "autograd/graph/lists.hpp"
#include "autograd/graph/operation.hpp"
#include "autograd/graph/walks.hpp"

namespace xgrad::detail {

namespace {

class Choice {
 public:
  Choice(const SubProgram& program, const Tensors& carries) {
    for (const Tensor& carry : carries) {
      carries_.insert(&carry.node());
    }
    for (const Tensor& input : program.inputs()) {
      inputs_.insert(&input.node());
    }
    for (const Node* node : program.description().nodes()) {
      nodes_.insert(node);
    }
  }

  // Values of the program that the derivatives read, the oldest first.
  void find_reads(const Tensors& derivatives) {
    NodeNumbers seen;
    std::vector<const Node*> open;
    const auto visit = [&](const Tensor& tensor) {
      if (is_of_program(tensor)) {
        if (known_.emplace(&tensor.node(), tensor.output_index()).second) {
          reads_.push_back(tensor);
        }
      } else if (seen.insert(&tensor.node())) {
        open.push_back(&tensor.node());
      }
    };
    std::for_each(derivatives.begin(), derivatives.end(), visit);
    while (!open.empty()) {
      const Node* node = open.back();
      open.pop_back();
      std::for_each(node->inputs().begin(), node->inputs().end(), visit);
    }
    std::sort(reads_.begin(), reads_.end(), [](const Tensor& a, const Tensor& b) {
      return std::pair(a.node().sequence(), a.output_index()) < std::pair(b.node().sequence(), b.output_index());
    });
  }

  Tensors choose() {
    for (const Tensor& value : reads_) {
      keep(value);
    }
    return std::move(kept_);
  }

 private:
  bool is_of_program(const Tensor& tensor) const {
    return nodes_.find(&tensor.node()) != NodeNumbers::none || inputs_.find(&tensor.node()) != NodeNumbers::none;
  }
  bool is_carry(const Tensor& value) const { return carries_.find(&value.node()) != NodeNumbers::none; }
  bool is_computed(const Tensor& value) const { return nodes_.find(&value.node()) != NodeNumbers::none; }

  // Whether it need not be kept: the same in all steps, a slice, the index, or kept already.
  bool is_there(const Tensor& value) const {
    return (!is_carry(value) && !is_computed(value)) || is_kept_.count({&value.node(), value.output_index()}) > 0;
  }

  bool can_be_repeated(const Tensor& value) const {
    const AnyOperation& operation = value.node().operation();
    return is_computed(value) && operation.is_cheap() && operation.effect().empty();
  }

  // What would have to be kept for computing the value again: itself, when that is no more.
  Tensors sources_of(const Tensor& value) const {
    constexpr std::size_t most_visits = 256;  // a long way is not cheap any more
    if (!can_be_repeated(value)) {
      return {value};
    }
    Tensors sources;
    std::int64_t bytes = 0;
    NodeNumbers seen;
    std::vector<const Node*> open{&value.node()};
    while (!open.empty()) {
      const Node* node = open.back();
      open.pop_back();
      for (const Tensor& input : node->inputs()) {
        if (is_there(input)) {
          continue;
        }
        if (can_be_repeated(input)) {
          if (seen.insert(&input.node())) {
            open.push_back(&input.node());
          }
        } else if (std::none_of(sources.begin(), sources.end(),
                                [&](const Tensor& each) { return each.same_as(input); })) {
          sources.push_back(input);
          bytes += bytes_of(std::span(&input, 1));
        }
      }
      if (seen.size() > most_visits || (bytes > 0 && bytes >= bytes_of(std::span(&value, 1)))) {
        return {value};
      }
    }
    return sources;
  }

  void keep(const Tensor& value) {
    if (is_there(value)) {
      return;
    }
    for (const Tensor& source : sources_of(value)) {
      if (is_kept_.emplace(&source.node(), source.output_index()).second) {
        kept_.push_back(source);
      }
    }
  }

  NodeNumbers carries_;
  NodeNumbers inputs_;
  NodeNumbers nodes_;
  std::set<std::pair<const Node*, std::size_t>> known_;
  std::set<std::pair<const Node*, std::size_t>> is_kept_;
  Tensors reads_;
  Tensors kept_;
};

}  // namespace

Tensors choose_residuals(const SubProgram& program, const Tensors& carries, const Tensors& derivatives) {
  Choice choice(program, carries);
  choice.find_reads(derivatives);
  return choice.choose();
}

}  // namespace xgrad::detail
