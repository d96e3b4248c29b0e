#include "autograd/plan/schedule/cost.hpp"

#include <algorithm>
#include <cmath>

#include "autograd/kernels/kernels.hpp"
#include "autograd/plan/steps/step_kind.hpp"
#include "autograd/runtime/pool.hpp"

namespace xgrad::plan {

namespace {

// Blocks of this size go from step to step in the second-level cache; a product's blocks may be larger.
constexpr double block_bytes = 64 * 1024;
constexpr double product_block_bytes = 256 * 1024;
// Each piece calls each kernel once, which should take longer than the call.
constexpr double least_call_ns = 250;
// Products: as many threads have work. In smaller pieces than these, their kernels starve.
constexpr double most_pieces = 16;
constexpr double product_piece_cost = 4 * piece_cost;
constexpr std::int64_t least_rows = 16;
constexpr std::int64_t least_rows_of_large = 32;
constexpr double most_product_calls = 10;
// A thread's memory for what a call gives to the next step of a group.
constexpr double most_scratch_bytes = 2.0 * 1024 * 1024;
// Each call of a large product reads its whole second factor, so they are few and tall.
constexpr double most_large_calls = 8;
constexpr double large_call_cost = 200'000;
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

/// Limits for the blocks of a group.
struct Limits {
  double blocks = 1;
  std::int64_t rows = 1;
};

/// What a group's limits follow from.
struct Work {
  double cost = 0;  ///< of one slab
  double bytes = 0;
  std::int64_t factor = 0;  ///< elements of the largest second factor
  bool product = false;
  bool large = false;
  bool joinable = true;     ///< what a call gives does not depend on how many rows or slabs it computes
  bool whole_lines = true;  ///< rows of outputs are cache lines
};

Work work_of(const Draft& draft, const Group& group) {
  Work work;
  work.cost = group.cost / static_cast<double>(group.slabs);
  work.large = group.slabs > 1;
  for (const std::uint32_t i : group.steps) {
    const Step& step = draft.steps[i];
    for (const ValueId output : step.outputs) {
      const std::size_t bytes = draft.bytes(output);
      work.bytes = std::max(work.bytes, static_cast<double>(bytes));
      const auto rows = static_cast<std::size_t>(std::max<std::int64_t>(group.rows, 1));
      const bool whole = bytes / rows % runtime::alignment == 0;
      work.whole_lines = work.whole_lines && whole;
    }
    const bool by_blas = step.kind == product_step && kernels::multiplies_by_blas(draft.spec(step.outputs[0]).dtype);
    work.joinable = work.joinable && !by_blas && (step.kind == product_step || step.kind == map_step);
    if (step.kind == product_step) {
      work.product = true;
      work.large = work.large || is_large(step.product);
      work.factor = std::max(work.factor, step.product.k * step.product.n / group.slabs);
    }
  }
  return work;
}

/// For what one call computes.
Limits limits_of_calls(const Work& work, std::size_t steps) {
  if (work.large) {
    return {std::min(work.cost / large_call_cost, most_large_calls),
            work.factor > huge_elements ? least_huge_rows : least_large_rows};
  }
  if (work.product) {
    return {std::max(std::min(work.cost / product_piece_cost, most_product_calls), work.bytes / product_block_bytes),
            least_rows};
  }
  const double calls = least_call_ns * static_cast<double>(steps);
  return {std::max(work.cost / std::max(piece_cost, calls), work.bytes / block_bytes), 1};
}

/// \param unit rows that stay together.
std::int64_t block_of(std::int64_t rows, const Limits& limits, std::int64_t unit) {
  const double blocks = std::clamp(limits.blocks, 1.0, static_cast<double>(rows));
  if (blocks < 1.5) {
    return rows;
  }
  const double half = static_cast<double>(rows) / 2;
  const std::int64_t per_half = std::max<std::int64_t>(1, std::llround(blocks / 2));
  const auto block = static_cast<std::int64_t>(std::ceil(half / static_cast<double>(per_half)));
  return std::min(std::max((block + unit - 1) / unit * unit, limits.rows), rows);
}

}  // namespace

Cut cut_of(const Draft& draft, const Group& group) {
  const Step& first = draft.steps[group.steps[0]];
  const Work work = work_of(draft, group);
  const std::int64_t slabs = work.joinable ? first.kind->adjoining_slabs(first) : 1;
  if (group.rows <= 1) {
    return {1, slabs};
  }
  // Many rows are short ones, of a vector's single elements at the least: a block of 64 ends with a cache line all the same.
  const std::int64_t unit = group.rows >= 4096 ? 64 : group.rows >= 64 ? 8 : group.rows >= 16 ? 4 : 1;
  const std::int64_t call = block_of(group.rows, limits_of_calls(work, group.steps.size()), unit);
  if (!work.product || !work.joinable) {
    return {call, 1};
  }
  const double most = most_pieces / static_cast<double>(group.slabs);
  const std::int64_t least = group.slabs > 1 ? least_large_rows : work.large ? least_rows_of_large : least_rows;
  const Limits limits{std::min(work.cost / product_piece_cost, most), least};
  const std::int64_t piece = block_of(group.rows, limits, work.whole_lines ? 1 : unit);
  if (group.slabs > 1 && piece == group.rows) {
    return {piece, slabs};
  }
  const double piece_bytes = work.bytes * static_cast<double>(piece) / static_cast<double>(group.rows);
  if (group.slabs == 1 && (piece >= call || piece_bytes > most_scratch_bytes)) {
    return {call, 1};
  }
  const auto fits = static_cast<std::int64_t>(most_scratch_bytes / std::max(piece_bytes, 1.0));
  return {piece, std::clamp<std::int64_t>((call + piece / 2) / piece, 1, std::max<std::int64_t>(fits, 1))};
}

}  // namespace xgrad::plan
