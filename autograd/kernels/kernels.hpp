#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "autograd/array/dtype.hpp"
#include "autograd/array/shape.hpp"
#include "autograd/kernels/opcode.hpp"
#include "autograd/kernels/product_precision.hpp"

/// \file
/// Loops over raw row-major buffers. Every function here picks the loop compiled for this CPU, cuts large work into
/// pieces that depend on sizes alone, or whose sizes change no bits (so results do not change with the number of threads), and
/// runs it on the workers.

/// Loops over raw buffers: what operations compute with.
namespace xgrad::kernels {

/// An operand of map: \p strides gives, per axis of the iteration space, the step in elements (0 where it repeats).
struct MapInput {
  const void* data;  ///< the element at index 0 of every axis
  DType dtype;       ///< of the elements; they are converted to MapCall::compute
  Ints strides;      ///< in elements, one per axis of the iteration space
};

/// One result of map.
struct MapOutput {
  void* data;            ///< row-major over the iteration space
  DType dtype;           ///< converted to from MapCall::compute
  std::uint16_t source;  ///< the register that holds it after the last instruction
};

/// A formula over whole arrays. Registers: first one per input, then one per constant, then temporaries, which are the
/// only ones that instructions may write.
/// boolean operands read as 0 and 1; a boolean output stores register != 0.
struct MapCall {
  const Instruction* code;     ///< run in order for every element
  std::size_t code_size;       ///< number of instructions
  const double* constants;     ///< contents of the registers after those of the inputs
  std::size_t constant_count;  ///< number of constants
  std::size_t register_count;  ///< inputs, constants and temporaries
  DType compute;               ///< the type of every register: int32, int64, float32 or float64
  const MapInput* inputs;      ///< contents of the first registers
  std::size_t input_count;     ///< number of inputs
  const MapOutput* outputs;    ///< what is stored at the end
  std::size_t output_count;    ///< number of outputs
  Shape shape;                 ///< the iteration space
  std::int64_t cost = 0;       ///< of the code for one element, in additions: how much work is worth a piece of its own
};

/// out[i] = formula(inputs[i]...) over the iteration space, block by block while the block is in L1.
/// An output may share its buffer with an input that is read at the same position only.
/// \throws ValueError `[op]` for an integer division or remainder by zero.
void map(const char* op, const MapCall& call);

/// A call of map that is prepared once and run many times, on other buffers each time. Running allocates nothing and may
/// happen on several threads at once.
class PreparedMap {
 public:
  /// Copies what \p call points at, but for elements. From the pointers of its inputs and outputs only this is taken:
  /// an output may share its buffer with the inputs that its memory overlaps in \p call, and with no others, whenever
  /// the map is run. So name the same address for two buffers that may be one later, even if they are not yet.
  /// \param op named in error messages.
  PreparedMap(const char* op, const MapCall& call);
  PreparedMap(PreparedMap&&) noexcept;             ///< the other one must not be used any more
  PreparedMap& operator=(PreparedMap&&) noexcept;  ///< the other one must not be used any more
  ~PreparedMap();

  std::int64_t count() const;  ///< elements of the iteration space
  std::int64_t grain() const;  ///< elements that are worth a piece of their own; follows from the call alone

  /// Runs on all elements, cut into pieces for the workers. One pointer per input and per output, in the order of the
  /// call, each to the element at index 0 of every axis.
  /// \throws ValueError for an integer division or remainder by zero.
  void run(const void* const* inputs, void* const* outputs) const;

  /// Runs on elements [\p first, \p last) of the iteration space in row-major order, on the calling thread. The pointers
  /// are those of run: to the elements at index 0, not at \p first.
  /// \throws ValueError for an integer division or remainder by zero.
  void run_range(const void* const* inputs, void* const* outputs, std::int64_t first, std::int64_t last) const;

 private:
  struct Parts;
  std::unique_ptr<const Parts> parts_;
};

/// Runs a program on single numbers: what map computes for one element, with the same bits.
/// \param dtype of the registers: float32 or float64.
/// \param registers inputs and constants are there, temporaries are written; one register or more.
void run_scalars(DType dtype, const ScalarInstruction* code, std::size_t code_size, void* registers);

/// What reduce makes of the elements along an axis.
enum class Reduction : std::uint8_t { sum, prod, amax, amin, logsumexp, all, any };

/// out[o, i] = reduction over n of in[o, n, i]. sum of boolean, uint8 and int32 gives int64; sum and prod of other
/// types keep them, but there are none of bfloat16; amax and amin keep the type (NaN wins); logsumexp takes floating
/// types and is exact for infinities; all and any take boolean. n = 0 gives the neutral element of sum, prod,
/// logsumexp (-inf), all and any.
void reduce(Reduction kind, DType dtype, const void* in, void* out, std::int64_t outer, std::int64_t n,
            std::int64_t inner);

/// out[o, i] = position of the first largest element of in[o, :, i]; the first NaN wins.
void argmax(DType dtype, const void* in, std::int64_t* out, std::int64_t outer, std::int64_t n, std::int64_t inner);
/// out[o, i] = position of the first smallest element of in[o, :, i]; the first NaN wins.
void argmin(DType dtype, const void* in, std::int64_t* out, std::int64_t outer, std::int64_t n, std::int64_t inner);

/// out[o, k, i] = a[o, k, i] · out[o, k - 1, i] + b[o, k, i], from out[o, 0, i] = b[o, 0, i] on; \p reverse walks from
/// the end of n to its start. \p dtype is floating or integer.
void linear_recurrence(DType dtype, const void* a, const void* b, void* out, std::int64_t outer, std::int64_t n,
                       std::int64_t inner, bool reverse);

/// out[o, k, i] = in[o, 0, i] + ... + in[o, k, i]; \p reverse sums from the end, \p exclusive leaves in[o, k, i] out.
/// \p dtype is floating or integer.
void cumulative_sum(DType dtype, const void* in, void* out, std::int64_t outer, std::int64_t n, std::int64_t inner,
                    bool exclusive, bool reverse);

/// positions[o, k, i] = position of the largest (smallest) of in[o, 0, i] to in[o, k, i]: of equal ones the last; the last
/// NaN wins. values[o, k, i] is that element. One of both may be null.
void cumulative_extreme(DType dtype, const void* in, void* values, std::int64_t* positions, std::int64_t outer,
                        std::int64_t n, std::int64_t inner, bool largest);

/// out[o, k, i] = in[o, positions[o, k, i], i] (transposed: what in[o, k, i] are added to, from 0), for positions that
/// cumulative_extreme gives. \p dtype is floating.
void spread_extreme(DType dtype, const void* in, const std::int64_t* positions, void* out, std::int64_t outer,
                    std::int64_t n, std::int64_t inner, bool transposed);

/// out[o, :, i] = the positions that put in[o, :, i] in ascending (descending) order, equal elements in their own
/// order, NaN last.
void argsort(DType dtype, const void* in, std::int64_t* out, std::int64_t outer, std::int64_t n, std::int64_t inner,
             bool descending);

/// The first \p count positions that argsort gives. Takes least where \p count is small.
void first_in_order(DType dtype, const void* in, std::int64_t* out, std::int64_t outer, std::int64_t n,
                    std::int64_t inner, std::int64_t count, bool descending);

/// out[index] = in[index] for every index of \p shape; strides in elements, possibly 0 or negative, from the given
/// first element. Covers transposes, broadcasting, slices, flips and writing into slices.
void copy(std::size_t element_size, const Shape& shape, const void* in, const Ints& in_strides, void* out,
          const Ints& out_strides);

/// out[index] += in[index] for every index of \p shape, with strides as copy takes them; positions of \p out differ.
void add_to(DType dtype, const Shape& shape, const void* in, const Ints& in_strides, void* out,
            const Ints& out_strides);

/// out[i] = in[i] in another type: boolean from numbers is (x != 0), floating to integer truncates.
void cast(DType from, const void* in, DType to, void* out, std::int64_t count);

/// out[i] = value in \p dtype.
void fill(DType dtype, void* out, std::int64_t count, double value);

/// The same for a whole number, which need not be one that a double holds.
void fill_integer(std::int64_t* out, std::int64_t count, std::int64_t value);

/// out[i] = start + i * step, computed in double (exact in the integer types).
void arange(DType dtype, void* out, std::int64_t count, double start, double step);

/// out[o, j, i] = in[o, indices[j], i]; negative indices count from the end; \p indices are int64.
/// \throws ValueError `[op]` naming the first index outside [-n, n) and its position.
void take(const char* op, std::size_t element_size, const void* in, std::int64_t outer, std::int64_t n,
          std::int64_t inner, const std::int64_t* indices, std::int64_t count, void* out);

/// out[o, indices[j], i] += in[o, j, i], in ascending j; \p dtype is floating or integer.
/// \throws ValueError as take does.
void scatter_add(const char* op, DType dtype, const void* in, std::int64_t outer, std::int64_t n, std::int64_t inner,
                 const std::int64_t* indices, std::int64_t count, void* out);

/// out[i] = Σ indices[i, axis] · strides[axis], an index per axis; negative ones count from the end.
/// \throws ValueError as take does.
void row_positions(const char* op, const std::int64_t* indices, std::int64_t count, const Ints& sizes,
                   const Ints& strides, std::int64_t* out);

/// out[r, p] = the last j with positions[r, j] = p, of m, for p in [0, n); -1 where there is none.
void last_update(const std::int64_t* positions, std::int64_t rows, std::int64_t m, std::int64_t n, std::int64_t* out);

/// out[positions[j], i] becomes in[j, i] where that is larger (smaller), or NaN; positions are in range.
void scatter_extreme(DType dtype, bool largest, const void* in, const std::int64_t* positions, std::int64_t count,
                     std::int64_t inner, void* out);

/// out[i] = how many of n ascending numbers come before values[i] (\p right: or are equal to it), NaN last. Value i belongs to
/// row i / values_per_row of \p sorted.
void search_sorted(DType dtype, const void* sorted, std::int64_t n, const void* values, std::int64_t count,
                   std::int64_t values_per_row, bool right, std::int64_t* out);

/// out[r, c] = how many of numbers[r, :count] are c, for c in [0, length).
/// \throws ValueError `[op]` for the first number outside of it.
void count_numbers(const char* op, const std::int64_t* numbers, std::int64_t rows, std::int64_t count,
                   std::int64_t length, std::int64_t* out);

/// Functions of statistics.
enum class Special : std::uint8_t { erfinv, lgamma, polygamma };

/// out[i] = function(in[i]); \p order of polygamma, 0 for digamma; \p dtype is floating.
void special(Special function, std::int64_t order, DType dtype, const void* in, void* out, std::int64_t count);

/// out[j, c] = (indices[j] == c) in \p dtype for c in [0, classes).
/// \throws ValueError `[op]` naming the first index outside [0, classes) and its position.
void one_hot(const char* op, const std::int64_t* indices, std::int64_t count, std::int64_t classes, DType dtype,
             void* out);

/// A factor of a product: a row-major matrix, or the transpose of one.
struct Factor {
  const void* data;     ///< its first element
  std::int64_t stride;  ///< elements from one row in memory to the next
  bool transpose;       ///< the factor is the transpose of what lies in memory
};

/// c = a b, or c += a b: (m, n) = (m, k) (k, n).
struct ProductCall {
  DType dtype;                                             ///< of all three: float32 or float64
  std::int64_t m;                                          ///< rows of a and c
  std::int64_t n;                                          ///< columns of b and c
  std::int64_t k;                                          ///< columns of a, rows of b
  Factor a;                                                ///< first factor
  Factor b;                                                ///< second factor
  void* c;                                                 ///< row-major; shares no memory with the factors
  std::int64_t c_stride;                                   ///< elements from one row of c to the next
  bool accumulate;                                         ///< adds to c instead of overwriting it
  ProductPrecision precision = ProductPrecision::float32;  ///< of factors of float32; others are taken as they are
};

/// k = 0 gives zeros. Where the CPU has fused multiply-adds, each element is a sum over k in order, rounded after each
/// product is added, whatever the instruction set; but where one factor is a vector, and both lie in the order of k, it is
/// made of 64 sums (32 of double) that are added by halves. Elsewhere BLAS multiplies, in blocks that depend on sizes alone.
/// Of rounded factors, the products of even k are one sum and those of odd k another one, for every 32 steps of k, and
/// c + (even + odd) is the next c, whatever the CPU; but AMX and AVX-512 BF16 take subnormal factors and products for 0.
/// \throws ShapeError for an axis longer than BLAS can count, where that multiplies.
void matmul(const ProductCall& call);

/// Whether a product of (m, k) and (k, n) is one with a vector: \p b is one column, or \p a one row and \p b a transpose. Its
/// elements may be sums of lanes then.
constexpr bool is_of_vector(std::int64_t m, std::int64_t n, bool transpose_b) {
  return n == 1 || (m == 1 && transpose_b);
}

/// A block of a product, on the calling thread, with the bits that it has within the whole: where BLAS multiplies, only if the
/// whole is cut in the same way each time.
/// \param of_vector is_of_vector() of the whole product.
void multiply_block(const ProductCall& call, bool of_vector);

/// Whether BLAS multiplies matrices of \p dtype, so that sums depend on the sizes of a call.
bool multiplies_by_blas(DType dtype);

/// Multiplies and adds in registers, as fast as the core can: what the speed of products is compared with.
/// \return the floating-point operations done, a fixed number per repetition. \p dtype is floating.
double multiply_and_add(DType dtype, std::int64_t repetitions);

/// out[i] = in[0, i] + in[1, i] + ... of \p n rows that are \p row_step elements apart, on the calling thread; \p dtype is
/// floating.
void sum_columns(DType dtype, const void* in, void* out, std::int64_t n, std::int64_t columns, std::int64_t row_step);

/// out = √Σ in² over the middle axis of (outer, n, inner), without overflow on the way; \p dtype is floating.
void norm(DType dtype, const void* in, void* out, std::int64_t outer, std::int64_t n, std::int64_t inner);

/// Whether all of \p count numbers are finite; \p dtype is floating, or bfloat16.
bool all_finite(DType dtype, const void* in, std::int64_t count);

/// c = op(a) op(b), row-major, where op is the transpose when asked for: op(a) is (m, k), op(b) is (k, n), c is (m, n).
/// As above; \p dtype is floating; k = 0 gives zeros. \p accumulate adds to c instead of overwriting it.
void matmul(DType dtype, bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k,
            const void* a, const void* b, void* c, bool accumulate = false,
            ProductPrecision precision = ProductPrecision::float32);

/// A stream of random numbers, pure in (key, position): Philox4x32-10 (Salmon et al., Parallel Random Numbers: As Easy
/// as 1, 2, 3, SC 2011). Element i depends on \p key and i alone.
void random_uniform(DType dtype, std::uint64_t key, void* out, std::int64_t count);  ///< in [0, 1)
void random_normal(DType dtype, std::uint64_t key, void* out, std::int64_t count);   ///< mean 0, variance 1

/// A new key, statistically independent of \p key, for each \p data.
std::uint64_t random_fold(std::uint64_t key, std::uint64_t data);

/// Name of the instruction set chosen at start-up: `amx`, `avx512_bf16`, `avx512`, `avx2`, `baseline` or `neon`.
/// The environment variable XGRAD_ISA, read once, can ask for a lesser one.
const char* instruction_set();

}  // namespace xgrad::kernels
