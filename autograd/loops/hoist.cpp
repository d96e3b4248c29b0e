#include "autograd/loops/hoist.hpp"

#include <algorithm>
#include <utility>

#include "autograd/graph/lists.hpp"
#include "autograd/graph/substitute.hpp"
#include "autograd/ops/matmul.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/transforms/vmap.hpp"

namespace xgrad::detail {

namespace {

constexpr std::int64_t most_product_bytes = std::int64_t{1} << 28;  // of a product for all steps

/// What the values of a program depend on.
class Dependence {
 public:
  explicit Dependence(const Loop& loop) : description_(loop.body->description()) {
    const std::size_t first_slice = 1 + loop.carry_count();
    for (std::size_t i = 0; i < description_.leaves().size(); ++i) {
      leaves_.push_back(i < first_slice                        ? Kind::step
                        : i < first_slice + loop.slice_count() ? Kind::slices
                                                               : Kind::nothing);
    }
    nodes_.assign(description_.value_count(), Kind::nothing);
    for (std::size_t i = 0; i < description_.nodes().size(); ++i) {
      const Node& node = *description_.nodes()[i];
      Kind kind = node.operation().effect().empty() ? Kind::nothing : Kind::step;
      for (const Description::Value value : description_.reads(i)) {
        kind = std::max(kind, of(value));
      }
      std::fill_n(nodes_.begin() + description_.first_value(i), node.output_count(), kind);
    }
  }

  // Whether node number i is a product of slices with what is the same in all steps.
  bool is_product_of_slices(std::size_t i) const {
    const Node& node = *description_.nodes()[i];
    const auto* product = node.as<MatMul>();
    return product != nullptr && !product->transpose_a && node.spec(0).shape.ndim() == 2 &&
           of(description_.reads(i)[0]) == Kind::slices && of(description_.reads(i)[1]) == Kind::nothing;
  }

 private:
  enum class Kind : std::uint8_t { nothing, slices, step };

  Kind of(Description::Value value) const {
    return (value & Description::leaf_bit) != 0 ? leaves_[value & ~Description::leaf_bit] : nodes_[value];
  }

  const Description& description_;
  std::vector<Kind> leaves_;
  std::vector<Kind> nodes_;
};

std::vector<const Node*> find_products(const Loop& loop) {
  std::vector<const Node*> products;
  const Dependence dependence(loop);
  const auto nodes = loop.body->description().nodes();
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const std::int64_t bytes = bytes_of(nodes[i]->outputs());
    if (dependence.is_product_of_slices(i) && bytes > 0 && loop.steps <= most_product_bytes / bytes) {
      products.push_back(nodes[i]);
    }
  }
  return products;
}

// The product of all steps. \param rows the first factor of all steps.
Tensor product_of_all(const Node& product, const Tensor& rows, const Tensor& factor) {
  const Shape& all = rows.shape();
  const Tensor tall =
      apply_op(*product.as<MatMul>(), {reshape(rows, {all[0] * all[1], all[2]}), factor}, product.location());
  return reshape(tall, {all[0], all[1], tall.shape()[1]});
}

}  // namespace

void hoist_products(Loop& loop, LoopInputs& inputs) {
  if (loop.stops || loop.counted || loop.steps < 2) {
    return;
  }
  const std::vector<const Node*> products = find_products(loop);
  if (products.empty()) {
    return;
  }
  const LoopInputs old = placeholders_of(loop);
  Tensors rows;
  Tensors factors;
  for (const Node* product : products) {
    rows.push_back(product->input(0));
    factors.push_back(product->input(1));
  }
  MappedArguments steps;
  steps.size = loop.steps;
  steps.placeholders = old.xs;
  steps.samples = inputs.xs;
  rows = map_samples(substitute(rows, old.captured, inputs.captured), steps, 0);
  factors = substitute(factors, old.captured, inputs.captured);
  Tensors originals;
  Tensors slices;
  for (std::size_t i = 0; i < products.size(); ++i) {
    originals.push_back(products[i]->output(0));
    slices.push_back(placeholder_like(originals.back()));
    inputs.xs.push_back(product_of_all(*products[i], rows[i], factors[i]));
  }
  Tensors outputs = loop.body->effects();
  append(outputs, loop.body->outputs());
  outputs = substitute_with_effects(outputs, originals, slices);
  const auto middle = outputs.begin() + static_cast<std::ptrdiff_t>(loop.body->effects().size());
  Tensors program_inputs{loop.body->inputs()[0]};
  for (const Tensors& part : {old.init, old.xs, slices, old.captured}) {
    append(program_inputs, part);
  }
  loop.slices += static_cast<std::int64_t>(slices.size());
  loop.body = Ref<const SubProgram>(
      new SubProgram(program_inputs, Tensors(middle, outputs.end()), Tensors(outputs.begin(), middle)));
}

std::int64_t hoisted_bytes(const Loop& loop) {
  std::int64_t bytes = 0;
  for (const Node* product : find_products(loop)) {
    bytes += bytes_of(product->outputs());
  }
  return bytes;
}

}  // namespace xgrad::detail
