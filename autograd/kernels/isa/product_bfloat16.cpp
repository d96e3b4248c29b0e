#include "autograd/kernels/isa/bfloat16_dots.hpp"
#include "autograd/kernels/isa/bfloat16_tiles.hpp"
#include "autograd/kernels/isa/sets.hpp"

/// \file
/// Products of float32 matrices whose factors are rounded to bfloat16.

namespace xgrad::kernels::XGRAD_ISA {

namespace {

inline std::int64_t tiles_in(std::int64_t size, std::int64_t tile) { return (size + tile - 1) / tile; }

/// c = a b in tiles of 32 by 32, from packed factors.
///
/// With two parts, a = a₁ + a₂ and b = b₁ + b₂, it is (a₂ b₁ + a₁ b₂) + a₁ b₁ for every 512 steps of k. What is in brackets
/// counts as 0 where it is not finite: an infinity in a₁ is right by itself, and multiplied by what is left of b, which may
/// be 0, it is not a number.
template <class Tiles, int parts>
class RoundedMultiplication {
 public:
  RoundedMultiplication(const ProductJob& job, void* scratch)
      : job_(job),
        a_view_{static_cast<const float*>(job.a.data), job.a.stride, !job.a.transpose},
        b_view_{static_cast<const float*>(job.b.data), job.b.stride, job.b.transpose},
        a_(static_cast<Pair*>(scratch)),
        b_(a_ + parts * a_part(job)) {}

  static std::size_t scratch_bytes(const ProductJob& job) {
    return static_cast<std::size_t>(parts * (a_part(job) + b_part(job))) * sizeof(Pair);
  }

  void run() {
    for (j_ = 0; j_ < job_.n; j_ += most_columns) {
      n_ = smaller(most_columns, job_.n - j_);
      for (p_ = 0; p_ < job_.k; p_ += most_k) {
        k_ = smaller(most_k, job_.k - p_);
        steps_ = tiles_in(k_, tile_k);
        for (i_ = 0; i_ < job_.m; i_ += most_rows) {
          m_ = smaller(most_rows, job_.m - i_);
          multiply_block();
        }
      }
    }
  }

 private:
  // Blocks of both factors stay in the second cache.
  static constexpr std::int64_t most_k = 512;
  static constexpr std::int64_t most_rows = 512;
  static constexpr std::int64_t most_columns = 1024;
  static constexpr std::int64_t side = 2 * tile_side;

  static std::int64_t packed_pairs(std::int64_t size, std::int64_t k) {
    return tiles_in(size, tile_side) * tiles_in(k, tile_k) * tile_pairs;
  }
  static std::int64_t a_part(const ProductJob& job) {
    return packed_pairs(smaller(job.m, most_rows), smaller(job.k, most_k));
  }
  static std::int64_t b_part(const ProductJob& job) {
    return packed_pairs(smaller(job.n, most_columns), smaller(job.k, most_k));
  }

  // Of rows of a or columns of b from \p first on, \p count of them, this block: strips of 16, each with its tiles one behind
  // the other. Tiles are packed in the order in which the factor lies in memory.
  void pack(const FactorView& factor, std::int64_t first, std::int64_t count, bool pairs_along_k, Pair* to,
            std::int64_t part) const {
    const std::int64_t strips = tiles_in(count, tile_side);
    for (std::int64_t outer = 0; outer < (factor.along_k ? strips : steps_); ++outer) {
      for (std::int64_t inner = 0; inner < (factor.along_k ? steps_ : strips); ++inner) {
        const std::int64_t strip = factor.along_k ? outer : inner;
        const std::int64_t step = factor.along_k ? inner : outer;
        const std::int64_t index = first + strip * tile_side;
        const std::int64_t p = p_ + step * tile_k;
        const float* from = factor.data + (factor.along_k ? index * factor.stride + p : p * factor.stride + index);
        Pair* high = to + (strip * steps_ + step) * tile_pairs;
        pack_tile<typename Tiles::Pairs, parts>({from, factor.stride, factor.along_k}, first + count - index,
                                                p_ + k_ - p, pairs_along_k, {high, high + part});
      }
    }
  }

  void multiply_block() {
    pack(a_view_, i_, m_, true, a_, a_part(job_));
    if (i_ == 0) {  // b stays for the rows below
      pack(b_view_, j_, n_, false, b_, b_part(job_));
    }
    for (std::int64_t j = 0; j < n_; j += side) {
      for (std::int64_t i = 0; i < m_; i += side) {
        multiply_tiles(i, j);
      }
    }
  }

  Pair* a_strip(std::int64_t i) const { return a_ + i / tile_side * steps_ * tile_pairs; }
  Pair* b_strip(std::int64_t j) const { return b_ + j / tile_side * steps_ * tile_pairs; }

  // Tiles that reach over the edge of c are computed beside it.
  void multiply_tiles(std::int64_t i, std::int64_t j) const {
    const std::int64_t rows = smaller(side, m_ - i);
    const std::int64_t columns = smaller(side, n_ - j);
    float* c = static_cast<float*>(job_.c) + (i_ + i) * job_.c_row + j_ + j;
    const bool accumulate = job_.accumulate || p_ > 0;
    if (rows % tile_side == 0 && columns % tile_side == 0) {
      return multiply_parts(i, j, rows, columns, c, job_.c_row, accumulate);
    }
    alignas(64) float beside[side * side] = {};
    if (accumulate) {
      copy(c, job_.c_row, rows, columns, beside, side);
    }
    multiply_parts(i, j, rows, columns, beside, side, accumulate);
    copy(beside, side, rows, columns, c, job_.c_row);
  }

  static void copy(const float* from, std::int64_t from_row, std::int64_t rows, std::int64_t columns, float* to,
                   std::int64_t to_row) {
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = 0; j < columns; ++j) {
        to[i * to_row + j] = from[i * from_row + j];
      }
    }
  }

  void multiply_parts(std::int64_t i, std::int64_t j, std::int64_t rows, std::int64_t columns, float* c,
                      std::int64_t c_row, bool accumulate) const {
    const auto row_tiles = static_cast<int>(tiles_in(rows, tile_side));
    const auto column_tiles = static_cast<int>(tiles_in(columns, tile_side));
    const auto multiply = [&](std::int64_t a_low, std::int64_t b_low, float* to, std::int64_t to_row, bool adds) {
      const Pair* a = a_strip(i) + a_low * a_part(job_);
      const Pair* b = b_strip(j) + b_low * b_part(job_);
      const std::int64_t strip = steps_ * tile_pairs;
      tiles_.multiply({steps_, {a, a + strip}, {b, b + strip}, to, to_row, adds}, row_tiles, column_tiles);
    };
    if constexpr (parts == 2) {
      alignas(64) float low[side * side];
      multiply(1, 0, low, side, false);
      multiply(0, 1, low, side, true);
      for (std::int64_t r = 0; r < row_tiles * tile_side; ++r) {
        for (std::int64_t s = 0; s < column_tiles * tile_side; ++s) {
          const float x = low[r * side + s];
          const float term = __builtin_fabsf(x) <= __FLT_MAX__ ? x : 0.0F;
          c[r * c_row + s] = accumulate ? c[r * c_row + s] + term : term;
        }
      }
      accumulate = true;
    }
    multiply(0, 0, c, c_row, accumulate);
  }

  const ProductJob& job_;
  FactorView a_view_;
  FactorView b_view_;
  Pair* a_;
  Pair* b_;
  Tiles tiles_;
  std::int64_t j_ = 0, n_ = 0;  // columns of this block
  std::int64_t p_ = 0, k_ = 0, steps_ = 0;
  std::int64_t i_ = 0, m_ = 0;  // rows
};

template <class Tiles>
void multiply(const ProductJob& job, void* scratch) {
  if (job.parts == 1) {
    RoundedMultiplication<Tiles, 1>(job, scratch).run();
  } else {
    RoundedMultiplication<Tiles, 2>(job, scratch).run();
  }
}

template <class Tiles>
std::size_t scratch_bytes(const ProductJob& job) {
  return job.parts == 1 ? RoundedMultiplication<Tiles, 1>::scratch_bytes(job)
                        : RoundedMultiplication<Tiles, 2>::scratch_bytes(job);
}

}  // namespace

void add_rounded_products(KernelSet& set) {
  set.rounded_product = {multiply<VectorTiles>, scratch_bytes<VectorTiles>};
#if defined(__AVX512F__)
  set.dotted_product = {multiply<DotTiles>, scratch_bytes<DotTiles>};
  set.tiled_product = {multiply<MatrixTiles>, scratch_bytes<MatrixTiles>};
#endif
}

}  // namespace xgrad::kernels::XGRAD_ISA
