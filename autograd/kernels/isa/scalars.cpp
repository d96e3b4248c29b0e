#include "autograd/kernels/isa/floating.hpp"
#include "autograd/kernels/isa/sets.hpp"

/// \file
/// Programs on single numbers. Each instruction does what map's does for one element, to the bit: arithmetic is the
/// CPU's, and functions are the vectors' own, of which all lanes hold the number.

namespace xgrad::kernels::XGRAD_ISA {

namespace {

template <class T>
T first_lane(const Batch<T>& x) {
  alignas(64) T lane[lanes<T>];
  x.store_aligned(lane);
  return lane[0];
}

/// A function of vectors on one number. Out of line, or the loop below would need its registers.
template <class T, Batch<T> (*f)(Batch<T>)>
[[gnu::noinline]] T alone(T x) {
  return first_lane<T>(f(Batch<T>(x)));
}

template <class T>
T truth(bool condition) {
  return condition ? T{1} : T{0};
}

/// The remainder of floored division, as Floating::remainder.
template <class T>
T remainder_of(T x, T y) {
  const T r = fmod_of(x, y);
  return (r < 0 && y > 0) || (r > 0 && y < 0) ? r + y : r;
}

/// `code(x, y, ...)` of primitives that take longer than finding out which one it is.
template <class T>
T function(Opcode code, T x, T y) {
  using F = Floating<T>;
  switch (code) {
    case Opcode::exp: return alone<T, F::exp>(x);
    case Opcode::expm1: return alone<T, F::expm1>(x);
    case Opcode::log: return alone<T, F::log>(x);
    case Opcode::log2: return alone<T, F::log2>(x);
    case Opcode::log1p: return alone<T, F::log1p>(x);
    case Opcode::cbrt: return alone<T, F::cbrt>(x);
    case Opcode::sin: return alone<T, F::sin>(x);
    case Opcode::cos: return alone<T, F::cos>(x);
    case Opcode::tan: return alone<T, F::tan>(x);
    case Opcode::asin: return alone<T, F::asin>(x);
    case Opcode::acos: return alone<T, F::acos>(x);
    case Opcode::atan: return alone<T, F::atan>(x);
    case Opcode::sinh: return alone<T, F::sinh>(x);
    case Opcode::cosh: return alone<T, F::cosh>(x);
    case Opcode::tanh: return alone<T, F::tanh>(x);
    case Opcode::asinh: return alone<T, F::asinh>(x);
    case Opcode::acosh: return alone<T, F::acosh>(x);
    case Opcode::atanh: return alone<T, F::atanh>(x);
    case Opcode::erf: return alone<T, F::erf>(x);
    case Opcode::erfc: return alone<T, F::erfc>(x);
    case Opcode::sigmoid: return alone<T, F::sigmoid>(x);
    case Opcode::floor: return alone<T, F::floor>(x);
    case Opcode::ceil: return alone<T, F::ceil>(x);
    case Opcode::round: return alone<T, F::round>(x);
    case Opcode::trunc: return alone<T, F::trunc>(x);
    case Opcode::remainder: return remainder_of(x, y);
    case Opcode::fmod: return fmod_of(x, y);
    case Opcode::pow: return pow_of(x, y);
    case Opcode::atan2: return atan2_of(x, y);
    case Opcode::hypot: return hypot_of(x, y);
    default: __builtin_unreachable();
  }
}

template <class T>
T square_root(T x) {
  if constexpr (sizeof(T) == sizeof(float)) {
    return __builtin_sqrtf(x);
  } else {
    return __builtin_sqrt(x);
  }
}

template <class T>
T absolute(T x) {
  if constexpr (sizeof(T) == sizeof(float)) {
    return __builtin_fabsf(x);
  } else {
    return __builtin_fabs(x);
  }
}

template <class T>
void run(const ScalarInstruction* next, std::size_t code_size, T* r) {
  for (const ScalarInstruction* const end = next + code_size; next != end; ++next) {
    const T a = r[next->a];
    const T b = r[next->b];
    T& y = r[next->target];
    switch (next->code) {
      case Opcode::negative: y = a * T{-1}; break;
      case Opcode::abs: y = absolute(a); break;
      case Opcode::sign: y = a < 0 ? T{-1} : a > 0 ? T{1} : a + a; break;
      case Opcode::sqrt: y = square_root(a); break;
      case Opcode::relu: y = a <= 0 ? T{0} : a; break;
      case Opcode::logical_not: y = truth<T>(a == 0); break;
      case Opcode::add: y = a + b; break;
      case Opcode::subtract: y = a - b; break;
      case Opcode::multiply: y = a * b; break;
      case Opcode::divide: y = a / b; break;
      case Opcode::maximum: y = a > b || a != a ? a : b; break;
      case Opcode::minimum: y = a < b || a != a ? a : b; break;
      case Opcode::less: y = truth<T>(a < b); break;
      case Opcode::less_equal: y = truth<T>(a <= b); break;
      case Opcode::equal: y = truth<T>(a == b); break;
      case Opcode::not_equal: y = truth<T>(!(a == b)); break;
      case Opcode::logical_and: y = truth<T>(!(a == 0 || b == 0)); break;
      case Opcode::logical_or: y = truth<T>(!(a == 0 && b == 0)); break;
      case Opcode::where: y = a == 0 ? r[next->c] : b; break;
      case Opcode::multiply_square: y = a * a * b; break;
      case Opcode::multiply_square_add: y = a * a * b + r[next->c]; break;
      case Opcode::add_product_and_square: {
        const T c = r[next->c];
        y = a * b + c * c * r[next->d];
        break;
      }
      case Opcode::multiply_add: y = a * b + r[next->c]; break;
      case Opcode::multiply_difference_add: y = (a - b) * r[next->c] + r[next->d]; break;
      case Opcode::subtract_product: y = r[next->c] - a * b; break;
      case Opcode::add_products: y = a * b + r[next->c] * r[next->d]; break;
      case Opcode::sqrt_product: y = square_root(a * b); break;
      case Opcode::sqrt_product_add: y = square_root(a * b) + r[next->c]; break;
      case Opcode::product_quotient: y = a * b / r[next->c]; break;
      case Opcode::subtract_product_quotient: y = r[next->d] - a * b / r[next->c]; break;
      default: y = function(next->code, a, b); break;
    }
  }
}

}  // namespace

void scalars_float32(const ScalarInstruction* code, std::size_t code_size, void* registers) {
  run(code, code_size, static_cast<float*>(registers));
}

void scalars_float64(const ScalarInstruction* code, std::size_t code_size, void* registers) {
  run(code, code_size, static_cast<double*>(registers));
}

}  // namespace xgrad::kernels::XGRAD_ISA
