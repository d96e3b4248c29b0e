#pragma once

#include <cstddef>
#include <cstdint>

#include "autograd/array/dtype.hpp"
#include "autograd/kernels/opcode.hpp"

/// \file
/// What one instruction set provides: single-threaded loops behind plain function pointers.
///
/// The sources in this folder are compiled once per instruction set, each time into a namespace (XGRAD_ISA) of its own.
/// An inline function of another namespace that the compiler leaves out of line would be merged by the linker across
/// instruction sets, and an old CPU would run the new CPU's copy. So these sources use plain structs and pointers, no
/// standard library beyond C's; the build renames xsimd's namespace too.

namespace xgrad::kernels {

inline constexpr int max_axes = 8;
inline constexpr std::size_t register_bytes = 4096;  ///< of a map register: a dozen of them fit in L1
inline constexpr std::size_t padding_bytes = 64;     ///< after each register: whole vectors may spill over its end

/// How map reads an input.
enum class Access : std::uint8_t {
  direct,    ///< contiguous and of the compute type: read where it lies
  splat,     ///< one element for all positions
  periodic,  ///< repeats after `period` positions: expanded once per piece
  expanded,  ///< copied and converted into its register block by block, unless a block can be read where it lies
  copied,    ///< copied into its register in any case: an output shares its buffer
};

struct MapSource {
  DType dtype;
  Access access;
  int axis_count;  ///< of the iteration space as this input sees it: adjacent axes joined, 1 or more
  std::int64_t sizes[max_axes];
  std::int64_t strides[max_axes];
  std::int64_t period;
  std::size_t place;  ///< bytes from the begin of the scratch memory to this input's own register
};

struct MapTarget {
  DType dtype;
  std::uint16_t source;  ///< register
  bool direct;           ///< the instruction `writer` stores straight to the output instead of its register
  std::size_t output;    ///< which one
  std::size_t writer;
};

/// A formula with its operands classified. Targets with `direct` come first, in ascending order of `writer`.
/// The scratch memory begins with the current places of all registers, room for operand_bytes each.
struct MapJob {
  const Instruction* code;
  std::size_t code_size;
  const double* constants;
  std::size_t constant_count;
  std::size_t register_count;
  const MapSource* sources;
  std::size_t source_count;
  const MapTarget* targets;
  std::size_t target_count;
  std::int64_t block;          ///< elements per register
  std::size_t first_register;  ///< bytes from the begin of the scratch memory to the first constant's own register
  std::size_t register_size;   ///< bytes from there to the next register
  std::size_t scratch_bytes;   ///< for one piece
};

/// Bytes that a register's current place takes.
inline constexpr std::size_t operand_bytes = 16;

/// Positions [first, last) of a map; one pointer per input and per output, each to the element at position 0, and
/// scratch memory aligned to padding_bytes. \return false after an integer division by zero.
using MapKernel = bool (*)(const MapJob& job, const void* const* inputs, void* const* outputs, std::int64_t first,
                           std::int64_t last, void* scratch);

/// A program on single numbers. An instruction's unused operands are registers, too.
using ScalarsKernel = void (*)(const ScalarInstruction* code, std::size_t code_size, void* registers);

using ConvertKernel = void (*)(const void* in, void* out, std::int64_t count);

/// out[o] = reduction of in[o, :] for o in [0, outer).
using RowsKernel = void (*)(const void* in, void* out, std::int64_t outer, std::int64_t n);

/// out[i] = reduction of in[:, i] for i in [0, columns), where rows are \p row_step elements apart.
using ColumnsKernel = void (*)(const void* in, void* out, std::int64_t n, std::int64_t columns, std::int64_t row_step);

struct ReduceKernels {
  RowsKernel rows;
  ColumnsKernel columns;
};

/// A factor of a product: a row-major matrix, or the transpose of one.
struct ProductFactor {
  const void* data;
  std::int64_t stride;  ///< elements from one row in memory to the next
  bool transpose;
};

/// c = a b, or c += a b: (m, n) = (m, k) (k, n), with none of them 0. What is between the rows of a factor in memory may be
/// read as well.
struct ProductJob {
  std::int64_t m;
  std::int64_t n;
  std::int64_t k;
  ProductFactor a;
  ProductFactor b;
  void* c;
  std::int64_t c_row;     ///< elements from row to row
  std::int64_t c_column;  ///< and from column to column
  bool accumulate;
  bool of_vector;  ///< the whole product, of which this may be a block, is one with a vector: kernels::is_of_vector()
  int parts;  ///< how many bfloat16 numbers each element of a factor becomes the sum of, 1 or 2; 0: it stays as it is
};

/// Products on one thread. Each element is a sum over k in order, with fused multiply-adds; products of a vector with
/// vectors that lie in one piece are sums of a fixed number of lanes.
struct ProductKernels {
  void (*multiply)(const ProductJob& job, void* scratch);
  std::size_t (*scratch_bytes)(const ProductJob& job);
};

/// The reductions, in the order of the enumeration Reduction.
inline constexpr int reduction_count = 7;

/// Tables are indexed by enumerators; combinations that do not exist are null.
struct KernelSet {
  const char* name;
  MapKernel map[dtype_count];
  ScalarsKernel scalars[dtype_count];
  ConvertKernel convert[dtype_count][dtype_count];  ///< [from][to]
  ReduceKernels reduce[reduction_count][dtype_count];
  ProductKernels product[dtype_count];  ///< none where the instruction set has no fused multiply-add
  ProductKernels rounded_product;       ///< of float32, whose factors are rounded to bfloat16; c_column is 1
  ProductKernels dotted_product;        ///< the same by instructions that add two products, if it was compiled for some
  ProductKernels tiled_product;         ///< and by those that multiply tiles
  /// As many multiply-adds at a time as the core can; \return the floating-point operations. \p out takes 64 bytes.
  double (*peak[dtype_count])(std::int64_t repetitions, void* out);
  void (*gather_rows)(const std::uint8_t* rows, std::int64_t row_size, const std::int64_t* indices, std::int64_t count,
                      float scale, float* out);

  /// Turns pairs of uniform numbers in [0, 1) into pairs of normal ones. May touch a vector's lanes beyond \p count.
  void (*normal_pairs)(double* u, double* v, std::int64_t count);
};

}  // namespace xgrad::kernels
