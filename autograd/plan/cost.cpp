#include "autograd/plan/cost.hpp"

#include <algorithm>
#include <cmath>

namespace xgrad::plan {

namespace {

constexpr double element_ns = 0.05;        // one elementwise primitive, one operand in the cache
constexpr double multiply_add_ns = 0.012;  // in a product of moderate size
constexpr double op_element_ns = 0.5;      // in whatever other kernel
constexpr double call_ns = 30;

double elements(const Draft& draft, ValueId id) { return static_cast<double>(draft.spec(id).shape.element_count()); }

}  // namespace

double cost_of(const Draft& draft, const Step& step) {
  double moved = 0;
  for (const ValueId id : step.inputs) {
    moved += elements(draft, id);
  }
  for (const ValueId id : step.outputs) {
    moved += elements(draft, id);
  }
  switch (step.kind) {
    case Step::Kind::map:
      return call_ns + element_ns * static_cast<double>(step.space.element_count()) *
                           (1 + static_cast<double>(step.formula.steps.size()));
    case Step::Kind::product:
      return call_ns + multiply_add_ns * static_cast<double>(step.product.m) * static_cast<double>(step.product.k) *
                           static_cast<double>(step.product.n);
    case Step::Kind::check:
    case Step::Kind::column_sum: return call_ns + element_ns * moved;
    case Step::Kind::op: return call_ns + op_element_ns * moved;
    case Step::Kind::order: return 0;
  }
  return 0;
}

namespace {

// Products take pieces of this many rows at least, and no more pieces than this: below, their kernels starve.
constexpr std::int64_t least_product_rows = 16;
constexpr double most_product_pieces = 10;
constexpr double product_piece_cost = 4 * piece_cost;
// Blocks of this size go from step to step in the second-level cache; a product's blocks may be larger.
constexpr double block_bytes = 64 * 1024;
constexpr double product_block_bytes = 256 * 1024;
// A product whose second factor is larger than this copies it into another order once per piece.
constexpr std::int64_t packed_elements = 40'000;
constexpr std::int64_t unpacked_k = 384;  // up to here the product is cut below that, into small blocks
constexpr double most_packed_pieces = 4;
constexpr double packed_piece_cost = 200'000;

// Into how many pieces the rows of a group are best cut.
double best_pieces(const Draft& draft, const Group& group) {
  double bytes = 0;
  bool product = false;
  bool packs = false;
  for (const std::uint32_t i : group.steps) {
    const Step& step = draft.steps[i];
    for (const ValueId output : step.outputs) {
      bytes = std::max(bytes, static_cast<double>(draft.bytes(output)));
    }
    product = product || step.kind == Step::Kind::product;
    const Product& p = step.product;
    packs = packs || (step.kind == Step::Kind::product && p.k > unpacked_k && p.k * p.n > packed_elements);
  }
  const double cost = group.cost / static_cast<double>(group.slabs);
  if (packs || group.slabs > 1) {
    return std::min(cost / packed_piece_cost, most_packed_pieces);
  }
  if (product) {
    return std::max(std::min(cost / product_piece_cost, most_product_pieces), bytes / product_block_bytes);
  }
  return std::max(cost / piece_cost, bytes / block_bytes);
}

bool has_product(const Draft& draft, const Group& group) {
  return std::any_of(group.steps.begin(), group.steps.end(),
                     [&](std::uint32_t i) { return draft.steps[i].kind == Step::Kind::product; });
}

}  // namespace

std::int64_t block_of(const Draft& draft, const Group& group) {
  if (group.rows <= 1) {
    return 1;
  }
  const auto rows = static_cast<double>(group.rows);
  const double pieces = std::clamp(best_pieces(draft, group), 1.0, rows);
  if (pieces < 1.5) {
    return group.rows;
  }
  const double half = rows / 2;
  const std::int64_t per_half = std::max<std::int64_t>(1, std::llround(pieces / 2));
  auto block = static_cast<std::int64_t>(std::ceil(half / static_cast<double>(per_half)));
  const std::int64_t unit = group.rows >= 64 ? 8 : group.rows >= 16 ? 4 : 1;
  block = (block + unit - 1) / unit * unit;
  if (has_product(draft, group)) {
    block = std::max(block, std::min(least_product_rows, group.rows));
  }
  return std::min(block, group.rows);
}

}  // namespace xgrad::plan
