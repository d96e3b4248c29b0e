#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "autograd/kernels/kernels.hpp"
#include "autograd/plan/passes/passes.hpp"

/// \file
/// Products with a large weight are cut along the weight's rows. Whoever multiplies with a slab of the weight then also
/// computes the slab's gradient and update, so that it stays in one core's cache from step to step:
///
///     x w = x[:, first] w[first] + x[:, second] w[second]            y wᵀ = [ y w[first]ᵀ , y w[second]ᵀ ]
///
/// What two cores exchange is then activations alone, which are smaller than weights at the usual sizes of batches. For more
/// cores, the columns of the result are cut besides.

namespace xgrad::plan {

namespace {

constexpr std::int64_t slab_count = 2;    ///< along the weight's rows: more cost time on one core
constexpr std::int64_t piece_count = 16;  ///< of a product: the columns of the result are cut besides
constexpr std::int64_t least_multiplications_of_a_piece = 400'000;
constexpr std::int64_t least_elements_of_a_piece = 32'768;  ///< of the result
constexpr std::int64_t least_width = 32;
constexpr std::int64_t least_multiplications = 500'000;

bool is_variable(const Draft& draft, ValueId id) {
  const Value& value = draft.values[id];
  return value.source == Value::Source::argument && value.from_variable && value.whole == id;
}

bool is_worth_cutting(const Product& product, std::int64_t weight_rows) {
  return weight_rows >= 64 && weight_rows >= 2 * product.m &&
         product.m * product.k * product.n >= least_multiplications;
}

// Cuts the columns of the result, in \p least slabs or as many as are worth it, none of which is empty. BLAS multiplies whole
// halves, for the bits of what it gives follow from the cut.
void cut_columns(Product& product, std::int64_t least, DType dtype) {
  const std::int64_t multiplications = product.m * product.k * product.n / product.k_slabs;
  const std::int64_t worth =
      std::max(multiplications / least_multiplications_of_a_piece, product.m * product.n / least_elements_of_a_piece);
  const std::int64_t most = std::min(piece_count / product.k_slabs, product.n / least_width);
  product.n_slabs = std::max(kernels::multiplies_by_blas(dtype) ? 0 : std::min(worth, most) / least * least, least);
  const std::int64_t width = product.n_width();
  product.n_slabs = std::clamp((product.n + width - 1) / width, std::int64_t{1}, product.n_slabs);
}

// The sum of the slabs of a product whose k is cut: what the product gave.
Step add_slabs(Draft& draft, Step& product) {
  const ValueId result = product.outputs[0];
  const Spec spec = draft.spec(result);
  const ValueId sums = draft.add_value({{slab_count, product.product.m, product.product.n}, spec.dtype});
  product.outputs[0] = sums;
  Step add;
  add.kind = map_step;
  add.operation = product.operation;
  add.where = product.where;
  add.label = product.label;
  add.node = product.node;
  add.name = "add";
  add.total = true;
  add.space = spec.shape;
  add.outputs = {result};
  add.formula = {{slab_count, {}, {{kernels::Opcode::add, {0, 1}}}, {slab_count}}, spec.dtype};
  for (std::int64_t slab = 0; slab < slab_count; ++slab) {
    add.inputs.push_back(draft.add_alias(sums, spec, slab * static_cast<std::int64_t>(draft.bytes(result))));
  }
  return add;
}

void insert_behind(Draft& draft, std::vector<std::pair<std::size_t, Step>> added) {
  std::vector<Step> steps;
  steps.reserve(draft.steps.size() + added.size());
  auto next = added.begin();
  for (std::size_t i = 0; i < draft.steps.size(); ++i) {
    steps.push_back(std::move(draft.steps[i]));
    if (next != added.end() && next->first == i) {
      steps.push_back(std::move((next++)->second));
    }
  }
  draft.steps = std::move(steps);
}

}  // namespace

void cut_products(Draft& draft) {
  std::vector<std::pair<std::size_t, Step>> sums;  // behind which steps
  for (std::size_t i = 0; i < draft.steps.size(); ++i) {
    Step& step = draft.steps[i];
    if (step.kind != product_step || step.product.transpose_a || !is_variable(draft, step.inputs[1]) ||
        step.product.accumulate) {
      continue;
    }
    const DType dtype = draft.spec(step.outputs[0]).dtype;
    if (step.product.transpose_b && is_worth_cutting(step.product, step.product.n)) {
      cut_columns(step.product, slab_count, dtype);
    } else if (!step.product.transpose_b && is_worth_cutting(step.product, step.product.k)) {
      step.product.k_slabs = slab_count;
      cut_columns(step.product, 1, dtype);
      sums.emplace_back(i, add_slabs(draft, step));
    }
  }
  if (!sums.empty()) {
    insert_behind(draft, std::move(sums));
  }
}

}  // namespace xgrad::plan
