#include "autograd/kernels/isa/floating.hpp"
#include "autograd/kernels/isa/sets.hpp"

/// \file
/// Programs on single numbers. Each instruction does what map's does for one element, to the bit: arithmetic is the
/// CPU's, and functions are the vectors' own, of which all lanes hold the number.

namespace xgrad::kernels::XGRAD_ISA {

namespace {

/// A run of instructions of one code, none of which uses another's result.
template <class T>
struct Run {
  const ScalarInstruction* next;
  const ScalarInstruction* end;
  T* r;

  template <class F>
  void unary(const F& f) {
    for (; next != end; ++next) {
      r[next->target] = f(r[next->a]);
    }
  }
  template <class F>
  void binary(const F& f) {
    for (; next != end; ++next) {
      r[next->target] = f(r[next->a], r[next->b]);
    }
  }
  template <class F>
  void ternary(const F& f) {
    for (; next != end; ++next) {
      r[next->target] = f(r[next->a], r[next->b], r[next->c]);
    }
  }
  template <class F>
  void quaternary(const F& f) {
    for (; next != end; ++next) {
      r[next->target] = f(r[next->a], r[next->b], r[next->c], r[next->d]);
    }
  }
};

/// A function of vectors, on as many numbers at once.
template <class T, Batch<T> (*f)(Batch<T>)>
[[gnu::noinline]] void together(const ScalarInstruction* next, const ScalarInstruction* end, T* r) {
  while (next != end) {
    const std::int64_t count = smaller(lanes<T>, end - next);
    alignas(64) T x[lanes<T>];
    for (std::int64_t i = 0; i < lanes<T>; ++i) {
      x[i] = r[next[i < count ? i : 0].a];
    }
    f(Batch<T>::load_aligned(x)).store_aligned(x);
    for (std::int64_t i = 0; i < count; ++i, ++next) {
      r[next->target] = x[i];
    }
  }
}

/// The same of two operands.
template <class T, Batch<T> (*f)(Batch<T>, Batch<T>)>
[[gnu::noinline]] void together(const ScalarInstruction* next, const ScalarInstruction* end, T* r) {
  while (next != end) {
    const std::int64_t count = smaller(lanes<T>, end - next);
    alignas(64) T x[lanes<T>];
    alignas(64) T y[lanes<T>];
    for (std::int64_t i = 0; i < lanes<T>; ++i) {
      const ScalarInstruction& each = next[i < count ? i : 0];
      x[i] = r[each.a];
      y[i] = r[each.b];
    }
    f(Batch<T>::load_aligned(x), Batch<T>::load_aligned(y)).store_aligned(x);
    for (std::int64_t i = 0; i < count; ++i, ++next) {
      r[next->target] = x[i];
    }
  }
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
[[gnu::always_inline]] inline void compute(Run<T> run) {
  using F = Floating<T>;
  switch (run.next->code) {
    case Opcode::negative: return run.unary([](T a) { return -a; });
    case Opcode::abs: return run.unary([](T a) { return absolute(a); });
    case Opcode::sign: return run.unary([](T a) { return a < 0 ? T{-1} : a > 0 ? T{1} : a + a; });
    case Opcode::exp: return together<T, F::exp>(run.next, run.end, run.r);
    case Opcode::exp2: return together<T, F::exp2>(run.next, run.end, run.r);
    case Opcode::expm1: return together<T, F::expm1>(run.next, run.end, run.r);
    case Opcode::log: return together<T, F::log>(run.next, run.end, run.r);
    case Opcode::log2: return together<T, F::log2>(run.next, run.end, run.r);
    case Opcode::log10: return together<T, F::log10>(run.next, run.end, run.r);
    case Opcode::log1p: return together<T, F::log1p>(run.next, run.end, run.r);
    case Opcode::sqrt: return run.unary([](T a) { return square_root(a); });
    case Opcode::cbrt: return together<T, F::cbrt>(run.next, run.end, run.r);
    case Opcode::sin: return together<T, F::sin>(run.next, run.end, run.r);
    case Opcode::cos: return together<T, F::cos>(run.next, run.end, run.r);
    case Opcode::tan: return together<T, F::tan>(run.next, run.end, run.r);
    case Opcode::asin: return together<T, F::asin>(run.next, run.end, run.r);
    case Opcode::acos: return together<T, F::acos>(run.next, run.end, run.r);
    case Opcode::atan: return together<T, F::atan>(run.next, run.end, run.r);
    case Opcode::sinh: return together<T, F::sinh>(run.next, run.end, run.r);
    case Opcode::cosh: return together<T, F::cosh>(run.next, run.end, run.r);
    case Opcode::tanh: return together<T, F::tanh>(run.next, run.end, run.r);
    case Opcode::asinh: return together<T, F::asinh>(run.next, run.end, run.r);
    case Opcode::acosh: return together<T, F::acosh>(run.next, run.end, run.r);
    case Opcode::atanh: return together<T, F::atanh>(run.next, run.end, run.r);
    case Opcode::erf: return together<T, F::erf>(run.next, run.end, run.r);
    case Opcode::erfc: return together<T, F::erfc>(run.next, run.end, run.r);
    case Opcode::sigmoid: return together<T, F::sigmoid>(run.next, run.end, run.r);
    case Opcode::relu: return run.unary([](T a) { return a <= 0 ? T{0} : a; });
    case Opcode::floor: return together<T, F::floor>(run.next, run.end, run.r);
    case Opcode::ceil: return together<T, F::ceil>(run.next, run.end, run.r);
    case Opcode::round: return together<T, F::round>(run.next, run.end, run.r);
    case Opcode::trunc: return together<T, F::trunc>(run.next, run.end, run.r);
    case Opcode::logical_not: return run.unary([](T a) { return truth<T>(a == 0); });
    case Opcode::add: return run.binary([](T a, T b) { return a + b; });
    case Opcode::subtract: return run.binary([](T a, T b) { return a - b; });
    case Opcode::multiply: return run.binary([](T a, T b) { return a * b; });
    case Opcode::divide: return run.binary([](T a, T b) { return a / b; });
    case Opcode::remainder: return run.binary([](T a, T b) { return remainder_of(a, b); });
    case Opcode::fmod: return run.binary([](T a, T b) { return fmod_of(a, b); });
    case Opcode::pow: return together<T, F::pow>(run.next, run.end, run.r);
    case Opcode::maximum: return run.binary([](T a, T b) { return a > b || a != a ? a : b; });
    case Opcode::minimum: return run.binary([](T a, T b) { return a < b || a != a ? a : b; });
    case Opcode::atan2: return together<T, F::atan2>(run.next, run.end, run.r);
    case Opcode::hypot: return together<T, F::hypot>(run.next, run.end, run.r);
    case Opcode::less: return run.binary([](T a, T b) { return truth<T>(a < b); });
    case Opcode::less_equal: return run.binary([](T a, T b) { return truth<T>(a <= b); });
    case Opcode::equal: return run.binary([](T a, T b) { return truth<T>(a == b); });
    case Opcode::not_equal: return run.binary([](T a, T b) { return truth<T>(!(a == b)); });
    case Opcode::logical_and: return run.binary([](T a, T b) { return truth<T>(!(a == 0 || b == 0)); });
    case Opcode::logical_or: return run.binary([](T a, T b) { return truth<T>(!(a == 0 && b == 0)); });
    case Opcode::where: return run.ternary([](T a, T b, T c) { return a == 0 ? c : b; });
    case Opcode::multiply_square: return run.binary([](T a, T b) { return a * a * b; });
    case Opcode::multiply_square_add: return run.ternary([](T a, T b, T c) { return a * a * b + c; });
    case Opcode::add_product_and_square: return run.quaternary([](T a, T b, T c, T d) { return a * b + c * c * d; });
    case Opcode::multiply_add: return run.ternary([](T a, T b, T c) { return a * b + c; });
    case Opcode::multiply_difference_add: return run.quaternary([](T a, T b, T c, T d) { return (a - b) * c + d; });
    case Opcode::subtract_product: return run.ternary([](T a, T b, T c) { return c - a * b; });
    case Opcode::add_products: return run.quaternary([](T a, T b, T c, T d) { return a * b + c * d; });
    case Opcode::sqrt_product: return run.binary([](T a, T b) { return square_root(a * b); });
    case Opcode::sqrt_product_add: return run.ternary([](T a, T b, T c) { return square_root(a * b) + c; });
    case Opcode::product_quotient: return run.ternary([](T a, T b, T c) { return a * b / c; });
    case Opcode::subtract_product_quotient: return run.quaternary([](T a, T b, T c, T d) { return d - a * b / c; });
  }
}

// One jump leads to a run, not to an instruction: which one comes next is hard to foretell.
template <class T>
void compute_all(const ScalarInstruction* next, std::size_t code_size, T* registers) {
  for (const ScalarInstruction* const end = next + code_size; next != end;) {
    const ScalarInstruction* const run_end = next + next->alike;
    compute(Run<T>{next, run_end, registers});
    next = run_end;
  }
}

}  // namespace

void scalars_float32(const ScalarInstruction* code, std::size_t code_size, void* registers) {
  compute_all(code, code_size, static_cast<float*>(registers));
}

void scalars_float64(const ScalarInstruction* code, std::size_t code_size, void* registers) {
  compute_all(code, code_size, static_cast<double*>(registers));
}

}  // namespace xgrad::kernels::XGRAD_ISA
