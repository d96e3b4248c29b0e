#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "autograd/kernels/blas_product.hpp"
#include "autograd/kernels/choose.hpp"
#include "autograd/kernels/kernels.hpp"
#include "autograd/kernels/pieces.hpp"
#include "autograd/runtime/workers.hpp"

namespace xgrad::kernels {

namespace {

/// How a product is cut into blocks of the result.
struct Blocks {
  std::int64_t rows = 1;     ///< of blocks
  std::int64_t columns = 1;  ///< of blocks
};

bool is_rounded(const ProductCall& call) {
  return call.dtype == DType::float32 && call.precision != ProductPrecision::float32;
}

/// Each piece takes some microseconds at least, and is not so narrow or low that what it reads outweighs what it computes.
/// Rounded products may compute much faster, and read no faster. As each piece packs factors anew, there are as many as let
/// \p threads end together, and no more. How a product is cut changes no bits.
Blocks blocks_of(const ProductCall& call, int threads) {
  const std::int64_t most = threads == 1 ? 1 : std::min(8 * threads, 64);
  const bool rounded = is_rounded(call);
  const std::int64_t worth_a_piece = rounded ? 4'000'000 : 250'000;  // multiplications
  const std::int64_t least_rows = rounded ? 128 : 28;
  const std::int64_t least_columns = rounded ? 256 : 64;
  const std::int64_t wanted = std::min(
      call.m * call.n / worth_a_piece * call.k + call.m * call.n % worth_a_piece * call.k / worth_a_piece, most);
  Blocks blocks;
  while (blocks.rows * blocks.columns < wanted) {
    const std::int64_t height = call.m / blocks.rows / (2 * least_rows);
    const std::int64_t width = call.n / blocks.columns / (2 * least_columns);
    if (height == 0 && width == 0) {
      break;
    }
    (width >= height ? blocks.columns : blocks.rows) *= 2;
  }
  return blocks;
}

void clear(const ProductCall& call) {
  const std::size_t size = size_of(call.dtype);
  for (std::int64_t i = 0; i < call.m; ++i) {
    std::fill_n(static_cast<std::byte*>(call.c) + static_cast<std::size_t>(i * call.c_stride) * size,
                static_cast<std::size_t>(call.n) * size, std::byte{0});
  }
}

/// Where block \p number of \p count begins, of as equal ones as can be made of \p unit elements.
std::int64_t begin_of(std::int64_t number, std::int64_t count, std::int64_t size, std::int64_t unit) {
  return number == count ? size : number * (size / unit) / count * unit;
}

/// The part of \p call that gives rows [\p i, \p i + \p m) and columns [\p j, \p j + \p n).
ProductCall part_of(const ProductCall& call, std::int64_t i, std::int64_t m, std::int64_t j, std::int64_t n) {
  const auto size = static_cast<std::int64_t>(size_of(call.dtype));
  const auto moved = [size](const void* data, std::int64_t elements) -> const void* {
    return static_cast<const std::byte*>(data) + elements * size;
  };
  ProductCall part = call;
  part.m = m;
  part.n = n;
  part.a.data = moved(call.a.data, call.a.transpose ? i : i * call.a.stride);
  part.b.data = moved(call.b.data, call.b.transpose ? j * call.b.stride : j);
  part.c = static_cast<std::byte*>(call.c) + (i * call.c_stride + j) * size;
  return part;
}

int parts_of(ProductPrecision precision) {
  switch (precision) {
    case ProductPrecision::float32: return 0;
    case ProductPrecision::bfloat16_3x: return 2;
    case ProductPrecision::bfloat16: break;
  }
  return 1;
}

void multiply_here(const ProductCall& call, bool of_vector, const ProductKernels& kernels) {
  const ProductJob job{call.m,
                       call.n,
                       call.k,
                       {call.a.data, call.a.stride, call.a.transpose},
                       {call.b.data, call.b.stride, call.b.transpose},
                       call.c,
                       call.c_stride,
                       1,
                       call.accumulate,
                       of_vector,
                       is_rounded(call) ? parts_of(call.precision) : 0};
  kernels.multiply(job, runtime::thread_scratch(kernels.scratch_bytes(job)));
}

/// Whether there is nothing to multiply; sums of nothing are 0.
bool is_done(const ProductCall& call) {
  if (call.m == 0 || call.n == 0) {
    return true;
  }
  if (call.k > 0) {
    return false;
  }
  if (!call.accumulate) {
    clear(call);
  }
  return true;
}

const ProductKernels& kernels_for(const ProductCall& call) {
  return is_rounded(call) ? rounded_products().kernels : chosen_kernels().product[static_cast<int>(call.dtype)];
}

}  // namespace

void matmul(const ProductCall& call) {
  if (is_done(call)) {
    return;
  }
  const ProductKernels& kernels = kernels_for(call);
  if (kernels.multiply == nullptr) {
    return multiply_by_blas(call);
  }
  const bool of_vector = is_of_vector(call.m, call.n, call.b.transpose);
  const Blocks blocks = blocks_of(call, runtime::sharing_threads());
  if (blocks.rows * blocks.columns == 1) {
    return multiply_here(call, of_vector, kernels);
  }
  runtime::parallel_for(blocks.rows * blocks.columns, [&](std::int64_t piece) {
    const std::int64_t row = piece / blocks.columns;
    const std::int64_t column = piece % blocks.columns;
    const std::int64_t i = begin_of(row, blocks.rows, call.m, 2);
    const std::int64_t j = begin_of(column, blocks.columns, call.n, 32);
    multiply_here(part_of(call, i, begin_of(row + 1, blocks.rows, call.m, 2) - i, j,
                          begin_of(column + 1, blocks.columns, call.n, 32) - j),
                  of_vector, kernels);
  });
}

void multiply_block(const ProductCall& call, bool of_vector) {
  if (is_done(call)) {
    return;
  }
  if (const ProductKernels& kernels = kernels_for(call); kernels.multiply != nullptr) {
    multiply_here(call, of_vector, kernels);
  } else {
    multiply_by_blas(call);
  }
}

bool multiplies_by_blas(DType dtype) { return chosen_kernels().product[static_cast<int>(dtype)].multiply == nullptr; }

double multiply_and_add(DType dtype, std::int64_t repetitions) {
  alignas(64) std::byte out[64];
  return chosen_kernels().peak[static_cast<int>(dtype)](repetitions, out);
}

void matmul(DType dtype, bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k,
            const void* a, const void* b, void* c, bool accumulate, ProductPrecision precision) {
  matmul({dtype,
          m,
          n,
          k,
          {a, transpose_a ? m : k, transpose_a},
          {b, transpose_b ? k : n, transpose_b},
          c,
          n,
          accumulate,
          precision});
}

}  // namespace xgrad::kernels
