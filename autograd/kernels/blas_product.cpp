#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <tuple>

#include <cblas.h>

#include "autograd/kernels/blas_product.hpp"
#include "autograd/kernels/pieces.hpp"
#include "autograd/runtime/blas.hpp"
#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad::kernels {

namespace {

void gemm(bool transpose_a, bool transpose_b, int m, int n, int k, const float* a, int lda, const float* b, int ldb,
          float beta, float* c, int ldc) {
  cblas_sgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans, transpose_b ? CblasTrans : CblasNoTrans, m, n, k,
              1.0F, a, lda, b, ldb, beta, c, ldc);
}

void gemm(bool transpose_a, bool transpose_b, int m, int n, int k, const double* a, int lda, const double* b, int ldb,
          double beta, double* c, int ldc) {
  cblas_dgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans, transpose_b ? CblasTrans : CblasNoTrans, m, n, k,
              1.0, a, lda, b, ldb, beta, c, ldc);
}

/// How a product is cut: into blocks of the result, which become pieces of \p grain consecutive blocks.
struct BlasCut {
  std::int64_t rows;
  std::int64_t columns;
  std::int64_t grain;
};

constexpr std::int64_t million = 1'000'000;

/// Some kernels of OpenBLAS multiply without packing their operands first where m n k <= 10^6, which is the faster way
/// for all products of moderate size. Blocks of 24 i by 32 go well with their tiles; a single 24 where columns of b are
/// its rows in memory.
BlasCut cut_below_packing(std::int64_t m, std::int64_t n, std::int64_t k, bool transpose_b) {
  constexpr std::int64_t tile_rows = 24;
  constexpr std::int64_t columns = 32;
  const std::int64_t most_rows = transpose_b ? tile_rows : 4 * tile_rows;
  constexpr std::int64_t worth_a_piece = million / 4;  // multiplications
  const std::int64_t rows = std::clamp(million / (columns * k) / tile_rows * tile_rows, tile_rows, most_rows);
  const std::int64_t block = std::min(rows, m) * std::min(columns, n) * k;
  return {rows, columns, divide_up(worth_a_piece, block)};
}

/// Two slabs across the longer side cost next to nothing, more of them some percent: only large products are cut in
/// four, and only wide slabs of very large ones in more.
BlasCut cut_in_slabs(std::int64_t m, std::int64_t n, std::int64_t k) {
  constexpr std::int64_t least_side = 32;
  constexpr std::int64_t wide_side = 256;
  const std::int64_t multiplications = m * n * k;
  const std::int64_t long_side = std::max(m, n);
  std::int64_t slabs = 1;
  if (multiplications >= million) {
    const std::int64_t most = std::min(multiplications / (256 * million), long_side / wide_side);
    slabs = std::clamp<std::int64_t>(multiplications / (24 * million), 2, std::clamp<std::int64_t>(most, 4, 16));
  }
  const std::int64_t side = divide_up(divide_up(long_side, slabs), least_side) * least_side;
  return m > n ? BlasCut{side, n, 1} : BlasCut{m, side, 1};
}

bool is_moderate(std::int64_t m, std::int64_t n, std::int64_t k) {
  constexpr std::int64_t longest_k = 1300;  // with which a block of 24 x 32 stays below a million
  constexpr std::int64_t short_k = 384;     // with which blocks are so large that they pay in larger products too
  return std::min(m, n) > 1 && k <= longest_k && m * n * k <= (k <= short_k ? 100 : 20) * million;
}

BlasCut cut_for_blas(std::int64_t m, std::int64_t n, std::int64_t k, bool transpose_a, bool transpose_b) {
  if (m * n * k < million / 5) {
    return {m, n, 1};
  }
  return runtime::prepare_blas().unpacked_small_products && is_moderate(m, n, k) && !(transpose_a && transpose_b)
             ? cut_below_packing(m, n, k, transpose_b)
             : cut_in_slabs(m, n, k);
}

template <class T>
void multiply(const ProductCall& call) {
  const auto [transpose_a, transpose_b, m, n, k] =
      std::tuple(call.a.transpose, call.b.transpose, call.m, call.n, call.k);
  const auto* a = static_cast<const T*>(call.a.data);
  const auto* b = static_cast<const T*>(call.b.data);
  auto* c = static_cast<T*>(call.c);
  const BlasCut block = cut_for_blas(m, n, k, transpose_a, transpose_b);
  const std::int64_t across = divide_up(n, block.columns);
  const auto narrow = [](std::int64_t size) { return static_cast<int>(size); };
  for_each_piece(divide_up(m, block.rows) * across, block.grain, [&](std::int64_t first, std::int64_t last) {
    const runtime::SerialBlas serial;
    for (std::int64_t each = first; each < last; ++each) {
      const std::int64_t i = each / across * block.rows;
      const std::int64_t j = each % across * block.columns;
      gemm(transpose_a, transpose_b, narrow(std::min(block.rows, m - i)), narrow(std::min(block.columns, n - j)),
           narrow(k), a + (transpose_a ? i : i * call.a.stride), narrow(call.a.stride),
           b + (transpose_b ? j * call.b.stride : j), narrow(call.b.stride), call.accumulate ? T{1} : T{0},
           c + i * call.c_stride + j, narrow(call.c_stride));
    }
  });
}

}  // namespace

void multiply_by_blas(const ProductCall& call) {
  if (std::max({call.m, call.n, call.k, call.a.stride, call.b.stride, call.c_stride}) >
      std::numeric_limits<int>::max()) {
    raise<ShapeError>("matmul", phrase("a product of ({}, {}) and ({}, {}) has an axis longer than BLAS can "
                                       "count; split it",
                                       call.m, call.k, call.k, call.n));
  }
  runtime::prepare_blas();
  dispatch_floating(call.dtype, [&](auto zero) { multiply<decltype(zero)>(call); });
}

}  // namespace xgrad::kernels
