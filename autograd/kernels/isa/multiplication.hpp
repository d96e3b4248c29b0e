#pragma once

#include "autograd/kernels/isa/kernel_set.hpp"
#include "autograd/kernels/isa/product_pack.hpp"
#include "autograd/kernels/isa/product_tile.hpp"

/// \file
/// Products in blocks whose factors stay in caches.

namespace xgrad::kernels::XGRAD_ISA {

inline std::int64_t quotient_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// Sizes of the blocks that a product is computed in.
template <class T>
struct BlockSizes {
  static constexpr std::int64_t panel = 2 * lanes<T>;  ///< columns of a tile
  static constexpr std::int64_t k = 280;               ///< a panel stays in the first cache
  static constexpr std::int64_t rows = 2016 / static_cast<std::int64_t>(sizeof(T));     ///< of a, in the second
  static constexpr std::int64_t columns = 1024 / static_cast<std::int64_t>(sizeof(T));  ///< of c, there, too
  static constexpr std::int64_t padding = 16;           ///< elements between copied rows
  static constexpr std::int64_t most_copied = 3 << 20;  ///< bytes of copied blocks that are kept
};

/// The columns of b that are being multiplied with, \p width of them in memory.
template <class T>
struct Panel {
  std::int64_t first;
  std::int64_t columns;
  std::int64_t width;
  const T* source;  ///< where they are, if they are not packed
  T* packed;
};

/// c[i, j] = tile[i, j], column by column.
template <class T, int rows>
void store_columns(const T* tile, std::int64_t width, std::int64_t columns, T* c, std::int64_t c_row,
                   std::int64_t c_column) {
  for (std::int64_t j = 0; j < columns; ++j) {
    for (int i = 0; i < rows; ++i) {
      c[i * c_row + j * c_column] = tile[i * width + j];
    }
  }
}

/// The same for 1, 2, ... rows: c is a column for each, and they are few.
template <class T>
struct ColumnStores {
  using Store = void (*)(const T* tile, std::int64_t width, std::int64_t columns, T* c, std::int64_t c_row,
                         std::int64_t c_column);
  Store at[most_tile_rows + 1] = {};

  constexpr ColumnStores() { add<1>(); }

  template <int rows>
  constexpr void add() {
    at[rows] = store_columns<T, rows>;
    if constexpr (rows < most_tile_rows) {
      add<rows + 1>();
    }
  }
};

template <class T>
constexpr ColumnStores<T> column_stores;

template <class T>
class Multiplication {
 public:
  Multiplication(const ProductJob& job, void* scratch)
      : job_(job),
        a_(static_cast<const T*>(job.a.data)),
        b_(static_cast<const T*>(job.b.data)),
        c_(static_cast<T*>(job.c)),
        panels_(static_cast<T*>(scratch)),
        copied_rows_(panels_ + packed_elements(job)),
        keeps_copies_(keeps_copies(job)) {}

  static std::size_t scratch_bytes(const ProductJob& job) {
    const std::int64_t copies = keeps_copies(job) ? row_blocks(job) * k_blocks(job) : 1;
    return static_cast<std::size_t>(packed_elements(job) + copies * copied_elements(job)) * sizeof(T);
  }

  void run() {
    const std::int64_t rows = row_blocks(job_);
    const std::int64_t steps = k_blocks(job_);
    for (std::int64_t j = 0; j < job_.n; j += Sizes::columns) {
      for (std::int64_t each = 0; each < rows; ++each) {
        const std::int64_t i = each * job_.m / rows;
        const std::int64_t m = (each + 1) * job_.m / rows - i;
        for (std::int64_t step = 0; step < steps; ++step) {
          const std::int64_t p = step * job_.k / steps;
          block_ = {i, j, p, m, smaller(Sizes::columns, job_.n - j), (step + 1) * job_.k / steps - p};
          copies_ = copied_rows_ + (keeps_copies_ ? each * steps + step : 0) * copied_elements(job_);
          multiply_block();
        }
      }
    }
  }

 private:
  using Sizes = BlockSizes<T>;
  static constexpr std::int64_t most_tiles = (Sizes::rows + most_tile_rows - 1) / most_tile_rows;
  static constexpr std::int64_t rows_ahead = 8;  ///< of those that are too far apart for the processor to foresee

  struct Block {
    std::int64_t i, j, p, m, n, k;
  };

  static std::int64_t packed_elements(const ProductJob& job) {
    const std::int64_t columns = smaller(quotient_up(job.n, Sizes::panel) * Sizes::panel, Sizes::columns);
    return smaller(job.k, Sizes::k) * columns;
  }

  /// Elements of a block of \p a that is copied.
  static std::int64_t copied_elements(const ProductJob& job) {
    return smaller(job.m, Sizes::rows) * (smaller(job.k, Sizes::k) + Sizes::padding) + Sizes::panel;
  }

  static std::int64_t row_blocks(const ProductJob& job) { return quotient_up(job.m, Sizes::rows); }
  static std::int64_t k_blocks(const ProductJob& job) { return quotient_up(job.k, Sizes::k); }

  /// Whether blocks of \p a are copied once for all blocks of columns, not for each again.
  static bool keeps_copies(const ProductJob& job) {
    return job.n > Sizes::columns &&
           row_blocks(job) * k_blocks(job) * bytes(copied_elements(job)) <= Sizes::most_copied;
  }

  void multiply_block() {
    place_rows();
    const bool packed = packs_block();
    if (packed) {
      pack_block();
    }
    for (std::int64_t j = 0; j < block_.n; j += Sizes::panel) {
      multiply_panel(place_panel(j, packed));
    }
  }

  std::int64_t tile_count() const { return quotient_up(block_.m, most_tile_rows); }
  std::int64_t tile_begin(std::int64_t tile) const { return tile * block_.m / tile_count(); }

  static std::int64_t bytes(std::int64_t elements) { return elements * static_cast<std::int64_t>(sizeof(T)); }

  // Rows that are a multiple of 2 KiB apart compete for the same places of the first cache: they are copied where enough is
  // multiplied with them.
  void place_rows() {
    const std::int64_t stride = job_.a.stride;
    first_row_ = job_.a.transpose ? a_ + block_.p * stride + block_.i : a_ + block_.i * stride + block_.p;
    row_stride_ = stride;
    copied_ = bytes(stride) % 2048 == 0 && block_.m >= 4 && block_.k >= 16 && block_.n > 2 * Sizes::panel;
    if (copied_ && (block_.j == 0 || !keeps_copies_)) {
      job_.a.transpose ? copy_across() : copy_rows();
    }
    if (copied_ && !job_.a.transpose) {
      first_row_ = copies_;
      row_stride_ = block_.k + Sizes::padding;
    }
  }

  void copy_rows() {
    const std::int64_t stride = block_.k + Sizes::padding;
    for (std::int64_t i = 0; i < block_.m; ++i) {
      __builtin_memcpy(copies_ + i * stride, first_row_ + i * job_.a.stride, static_cast<std::size_t>(bytes(block_.k)));
    }
  }

  // Tile by tile: what each reads is in one piece, with room for a vector behind it.
  T* copied_tile(std::int64_t tile, std::int64_t begin) const { return copies_ + begin * block_.k + tile * lanes<T>; }

  void copy_across() {
    const std::int64_t tiles = tile_count();
    std::int64_t begins[most_tiles + 1];  // not to divide again and again
    for (std::int64_t each = 0; each <= tiles; ++each) {
      begins[each] = tile_begin(each);
    }
    const T* from = first_row_;
    for (std::int64_t p = 0; p < block_.k; ++p, from += job_.a.stride) {
      for (std::int64_t each = 0; each < tiles; ++each) {
        const std::int64_t begin = begins[each];
        const std::int64_t rows = begins[each + 1] - begin;
        T* to = copied_tile(each, begin) + p * rows;
        std::int64_t i = 0;
        __builtin_prefetch(from + rows_ahead * job_.a.stride + begin);
        for (; i < rows && block_.i + begin + i + lanes<T> <= job_.m; i += lanes<T>) {
          store(to + i, load(from + begin + i));  // what is too much is written over
        }
        for (; i < rows; ++i) {
          to[i] = from[begin + i];
        }
      }
    }
  }

  // Rows of b that are far apart are read once, as far as this block goes, for all its panels.
  bool packs_block() const {
    return !job_.b.transpose && bytes(job_.b.stride) >= 4096 && block_.m >= 4 * most_tile_rows &&
           block_.n > 2 * Sizes::panel;
  }

  void pack_block() const {
    const T* b = b_ + block_.p * job_.b.stride + block_.j;
    for (std::int64_t p = 0; p < block_.k; ++p, b += job_.b.stride) {
      for (std::int64_t j = 0; j + Sizes::panel <= block_.n; j += Sizes::panel) {
        T* to = panels_ + j * block_.k + p * Sizes::panel;
        __builtin_prefetch(b + rows_ahead * job_.b.stride + j);
        __builtin_prefetch(b + rows_ahead * job_.b.stride + j + lanes<T>);
        store(to, load(b + j));
        store(to + lanes<T>, load(b + j + lanes<T>));
      }
    }
  }

  // A whole panel is packed by the first tile that reads it.
  Panel<T> place_panel(std::int64_t j, bool packed) const {
    const std::int64_t columns = smaller(Sizes::panel, block_.n - j);
    const std::int64_t width = columns > lanes<T> ? Sizes::panel : lanes<T>;
    const std::int64_t stride = job_.b.stride;
    if (job_.b.transpose) {
      pack_columns(b_ + (block_.j + j) * stride + block_.p, stride, block_.k, columns, width, panels_);
      return {j, columns, width, nullptr, panels_};
    }
    const T* source = b_ + block_.p * stride + block_.j + j;
    if (columns == Sizes::panel) {
      return packed ? Panel<T>{j, columns, width, nullptr, panels_ + j * block_.k}
                    : Panel<T>{j, columns, width, source, panels_};
    }
    const std::int64_t readable = (job_.k - 1 - block_.p) * stride + job_.n - block_.j - j;
    pack_rows(source, stride, block_.k, columns, width, readable, panels_);
    return {j, columns, width, nullptr, panels_};
  }

  void multiply_panel(const Panel<T>& panel) const {
    Tile<T> tile;
    tile.k = block_.k;
    tile.b = panel.source == nullptr ? panel.packed : panel.source;
    tile.b_stride = job_.b.stride;
    tile.packed = panel.packed;
    tile.accumulate = job_.accumulate || block_.p > 0;
    const std::int64_t tiles = tile_count();
    for (std::int64_t each = 0; each < tiles; ++each) {
      const std::int64_t begin = tile_begin(each);
      const std::int64_t rows = tile_begin(each + 1) - begin;
      const bool apart = copied_ && job_.a.transpose;
      tile.a = apart ? copied_tile(each, begin) : first_row_ + begin * (job_.a.transpose ? 1 : row_stride_);
      tile.a_stride = apart ? rows : row_stride_;
      const bool packs = each == 0 && panel.source != nullptr;
      multiply_rows(tile, block_.i + begin, rows, panel, kernel(rows, panel.width > lanes<T>, packs));
      tile.b = panel.packed;
    }
  }

  // A tile that is not as wide as its vectors, or whose columns are not side by side, is computed beside c.
  void multiply_rows(Tile<T>& tile, std::int64_t i, std::int64_t rows, const Panel<T>& panel,
                     TileKernel<T> multiply_tile) const {
    T* c = c_ + i * job_.c_row + (block_.j + panel.first) * job_.c_column;
    if (panel.columns == panel.width && job_.c_column == 1) {
      tile.c = c;
      tile.c_row = job_.c_row;
      return multiply_tile(tile);
    }
    alignas(64) T beside[most_tile_rows * Sizes::panel];
    tile.c = beside;
    tile.c_row = panel.width;
    if (tile.accumulate) {
      for (std::int64_t r = 0; r < rows; ++r) {
        for (std::int64_t j = 0; j < panel.width; ++j) {
          beside[r * panel.width + j] = j < panel.columns ? c[r * job_.c_row + j * job_.c_column] : T{0};
        }
      }
    }
    multiply_tile(tile);
    if (job_.c_column == 1) {
      for (std::int64_t r = 0; r < rows; ++r) {
        for (std::int64_t j = 0; j < panel.columns; ++j) {
          c[r * job_.c_row + j] = beside[r * panel.width + j];
        }
      }
    } else {
      column_stores<T>.at[rows](beside, panel.width, panel.columns, c, job_.c_row, job_.c_column);
    }
  }

  TileKernel<T> kernel(std::int64_t rows, bool wide, bool packs) const {
    if (job_.a.transpose) {
      return packs  ? tile_kernels<T, 2, true, true>.at[rows]
             : wide ? tile_kernels<T, 2, true, false>.at[rows]
                    : tile_kernels<T, 1, true, false>.at[rows];
    }
    return packs  ? tile_kernels<T, 2, false, true>.at[rows]
           : wide ? tile_kernels<T, 2, false, false>.at[rows]
                  : tile_kernels<T, 1, false, false>.at[rows];
  }

  const ProductJob& job_;
  const T* a_;
  const T* b_;
  T* c_;
  T* panels_;
  T* copied_rows_;
  bool keeps_copies_;
  T* copies_ = nullptr;  ///< of this block
  Block block_{};
  const T* first_row_ = nullptr;
  std::int64_t row_stride_ = 0;
  bool copied_ = false;
};

}  // namespace xgrad::kernels::XGRAD_ISA
