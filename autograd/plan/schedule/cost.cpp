#include "autograd/plan/schedule/cost.hpp"

#include <algorithm>
#include <cmath>

namespace xgrad::plan {

namespace {

// Blocks of this size go from step to step in the second-level cache; a product's blocks may be larger.
constexpr double block_bytes = 64 * 1024;
constexpr double product_block_bytes = 256 * 1024;
// Each piece calls each kernel once, which should take longer than the call.
constexpr double least_call_ns = 250;
// A small product: more and smaller pieces than these, and its kernels starve.
constexpr double most_product_pieces = 10;
constexpr double product_piece_cost = 4 * piece_cost;
constexpr std::int64_t least_rows = 16;
// Each piece of a large product reads its whole second factor, so its pieces are few and tall.
constexpr double most_large_pieces = 8;
constexpr double large_piece_cost = 200'000;
constexpr std::int64_t least_large_rows = 64;
constexpr std::int64_t least_huge_rows = 256;
constexpr std::int64_t huge_elements = 250'000;  // of the second factor

bool is_large(const Product& product) {
  constexpr std::int64_t large_k = 384;
  constexpr std::int64_t large_elements = 40'000;
  constexpr std::int64_t large_multiplications = 100'000'000;
  const std::int64_t k = product.k / product.k_slabs;
  const std::int64_t n = product.n / product.n_slabs;
  return (k > large_k && k * n > large_elements) || product.m * k * n > large_multiplications;
}

/// Limits for the pieces of a group.
struct Limits {
  double pieces = 1;
  std::int64_t rows = 1;
};

Limits limits_of(const Draft& draft, const Group& group) {
  double bytes = 0;
  bool product = false;
  bool large = group.slabs > 1;
  std::int64_t factor = 0;
  for (const std::uint32_t i : group.steps) {
    const Step& step = draft.steps[i];
    for (const ValueId output : step.outputs) {
      bytes = std::max(bytes, static_cast<double>(draft.bytes(output)));
    }
    if (step.kind == product_step) {
      product = true;
      large = large || is_large(step.product);
      factor = std::max(factor, step.product.k * step.product.n / group.slabs);
    }
  }
  const double cost = group.cost / static_cast<double>(group.slabs);
  if (large) {
    return {std::min(cost / large_piece_cost, most_large_pieces),
            factor > huge_elements ? least_huge_rows : least_large_rows};
  }
  if (product) {
    return {std::max(std::min(cost / product_piece_cost, most_product_pieces), bytes / product_block_bytes),
            least_rows};
  }
  const double calls = least_call_ns * static_cast<double>(group.steps.size());
  return {std::max(cost / std::max(piece_cost, calls), bytes / block_bytes), 1};
}

}  // namespace

std::int64_t block_of(const Draft& draft, const Group& group) {
  if (group.rows <= 1) {
    return 1;
  }
  const auto rows = static_cast<double>(group.rows);
  const Limits limits = limits_of(draft, group);
  const double pieces = std::clamp(limits.pieces, 1.0, rows);
  if (pieces < 1.5) {
    return group.rows;
  }
  const double half = rows / 2;
  const std::int64_t per_half = std::max<std::int64_t>(1, std::llround(pieces / 2));
  auto block = static_cast<std::int64_t>(std::ceil(half / static_cast<double>(per_half)));
  // Many rows are short ones, of a vector's single elements at the least: a block of 64 ends with a cache line all the same.
  const std::int64_t unit = group.rows >= 4096 ? 64 : group.rows >= 64 ? 8 : group.rows >= 16 ? 4 : 1;
  block = (block + unit - 1) / unit * unit;
  return std::min(std::max(block, limits.rows), group.rows);
}

}  // namespace xgrad::plan
