#include <type_traits>

#include "autograd/kernels/isa/interpreter.hpp"
#include "autograd/kernels/isa/sets.hpp"

namespace xgrad::kernels::XGRAD_ISA {

namespace {

/// The scalar primitives on integers. Overflow wraps around.
template <class T>
struct Integer {
  using U = std::make_unsigned_t<T>;

  static T identity(T x) { return x; }
  static T negative(T x) { return static_cast<T>(U{0} - static_cast<U>(x)); }
  static T abs(T x) { return x < 0 ? negative(x) : x; }
  static T sign(T x) { return static_cast<T>((x > 0) - (x < 0)); }
  static T relu(T x) { return x > 0 ? x : T{0}; }
  static T logical_not(T x) { return x == 0; }
  static T add(T x, T y) { return static_cast<T>(static_cast<U>(x) + static_cast<U>(y)); }
  static T subtract(T x, T y) { return static_cast<T>(static_cast<U>(x) - static_cast<U>(y)); }
  static T multiply(T x, T y) { return static_cast<T>(static_cast<U>(x) * static_cast<U>(y)); }
  // The quotient of the least number by -1 does not exist, and the CPU traps.
  static T divide(T x, T y) { return y == -1 ? negative(x) : static_cast<T>(x / y); }
  static T fmod(T x, T y) { return y == -1 ? T{0} : static_cast<T>(x % y); }
  static T remainder(T x, T y) {
    const T r = fmod(x, y);
    return r != 0 && (r < 0) != (y < 0) ? static_cast<T>(r + y) : r;
  }
  static T maximum(T x, T y) { return x > y ? x : y; }
  static T minimum(T x, T y) { return x < y ? x : y; }
  static T less(T x, T y) { return x < y; }
  static T less_equal(T x, T y) { return x <= y; }
  static T equal(T x, T y) { return x == y; }
  static T not_equal(T x, T y) { return x != y; }
  static T logical_and(T x, T y) { return x != 0 && y != 0; }
  static T logical_or(T x, T y) { return x != 0 || y != 0; }
  static T multiply_square(T x, T y) { return multiply(multiply(x, x), y); }
  static T multiply_square_add(T x, T y, T z) { return add(multiply_square(x, y), z); }
  static T add_product_and_square(T x, T y, T z, T w) { return add(multiply(x, y), multiply_square(z, w)); }
  static T multiply_add(T x, T y, T z) { return add(multiply(x, y), z); }
  static T multiply_difference_add(T x, T y, T z, T w) { return add(multiply(subtract(x, y), z), w); }
  static T subtract_product(T x, T y, T z) { return subtract(z, multiply(x, y)); }
  static T add_products(T x, T y, T z, T w) { return add(multiply(x, y), multiply(z, w)); }
  static T product_quotient(T x, T y, T z) { return divide(multiply(x, y), z); }
  static T subtract_product_quotient(T x, T y, T z, T w) { return subtract(w, product_quotient(x, y, z)); }
};

template <class T, T (*f)(T)>
bool unary(T* out, std::int64_t count, const Operand<T>* registers, const Instruction& instruction) {
  const Operand<T> a = registers[instruction.a];
  for (std::int64_t i = 0; i < count; ++i) {
    out[i] = f(a.data[i * a.step]);
  }
  return true;
}

template <class T, T (*f)(T, T)>
bool binary(T* out, std::int64_t count, const Operand<T>* registers, const Instruction& instruction) {
  const Operand<T> a = registers[instruction.a];
  const Operand<T> b = registers[instruction.b];
  if (a.step == 1 && b.step == 1) {
    for (std::int64_t i = 0; i < count; ++i) {
      out[i] = f(a.data[i], b.data[i]);
    }
  } else {
    for (std::int64_t i = 0; i < count; ++i) {
      out[i] = f(a.data[i * a.step], b.data[i * b.step]);
    }
  }
  return true;
}

template <class T, T (*f)(T, T)>
bool quotient(T* out, std::int64_t count, const Operand<T>* registers, const Instruction& instruction) {
  const Operand<T> a = registers[instruction.a];
  const Operand<T> b = registers[instruction.b];
  for (std::int64_t i = 0; i < count; ++i) {
    const T divisor = b.data[i * b.step];
    if (divisor == 0) {
      return false;
    }
    out[i] = f(a.data[i * a.step], divisor);
  }
  return true;
}

/// \tparam divides whether by the third operand.
template <class T, T (*f)(T, T, T), bool divides = false>
bool ternary(T* out, std::int64_t count, const Operand<T>* registers, const Instruction& instruction) {
  const Operand<T> a = registers[instruction.a];
  const Operand<T> b = registers[instruction.b];
  const Operand<T> c = registers[instruction.c];
  for (std::int64_t i = 0; i < count; ++i) {
    const T z = c.data[i * c.step];
    if (divides && z == 0) {
      return false;
    }
    out[i] = f(a.data[i * a.step], b.data[i * b.step], z);
  }
  return true;
}

template <class T, T (*f)(T, T, T, T), bool divides = false>
bool quaternary(T* out, std::int64_t count, const Operand<T>* registers, const Instruction& instruction) {
  const Operand<T> a = registers[instruction.a];
  const Operand<T> b = registers[instruction.b];
  const Operand<T> c = registers[instruction.c];
  const Operand<T> d = registers[instruction.d];
  for (std::int64_t i = 0; i < count; ++i) {
    const T z = c.data[i * c.step];
    if (divides && z == 0) {
      return false;
    }
    out[i] = f(a.data[i * a.step], b.data[i * b.step], z, d.data[i * d.step]);
  }
  return true;
}

template <class T>
bool where(T* out, std::int64_t count, const Operand<T>* registers, const Instruction& instruction) {
  const Operand<T> condition = registers[instruction.a];
  const Operand<T> yes = registers[instruction.b];
  const Operand<T> no = registers[instruction.c];
  for (std::int64_t i = 0; i < count; ++i) {
    const T x = yes.data[i * yes.step];
    const T y = no.data[i * no.step];
    out[i] = condition.data[i * condition.step] != 0 ? x : y;
  }
  return true;
}

template <class T>
constexpr PrimitiveTable<T> make_table() {
  using F = Integer<T>;
  PrimitiveTable<T> table{};
  table[Opcode::negative] = unary<T, F::negative>;
  table[Opcode::abs] = unary<T, F::abs>;
  table[Opcode::sign] = unary<T, F::sign>;
  table[Opcode::relu] = unary<T, F::relu>;
  table[Opcode::floor] = unary<T, F::identity>;
  table[Opcode::ceil] = unary<T, F::identity>;
  table[Opcode::round] = unary<T, F::identity>;
  table[Opcode::trunc] = unary<T, F::identity>;
  table[Opcode::logical_not] = unary<T, F::logical_not>;
  table[Opcode::add] = binary<T, F::add>;
  table[Opcode::subtract] = binary<T, F::subtract>;
  table[Opcode::multiply] = binary<T, F::multiply>;
  table[Opcode::divide] = quotient<T, F::divide>;
  table[Opcode::remainder] = quotient<T, F::remainder>;
  table[Opcode::fmod] = quotient<T, F::fmod>;
  table[Opcode::maximum] = binary<T, F::maximum>;
  table[Opcode::minimum] = binary<T, F::minimum>;
  table[Opcode::less] = binary<T, F::less>;
  table[Opcode::less_equal] = binary<T, F::less_equal>;
  table[Opcode::equal] = binary<T, F::equal>;
  table[Opcode::not_equal] = binary<T, F::not_equal>;
  table[Opcode::logical_and] = binary<T, F::logical_and>;
  table[Opcode::logical_or] = binary<T, F::logical_or>;
  table[Opcode::where] = where<T>;
  table[Opcode::multiply_square] = binary<T, F::multiply_square>;
  table[Opcode::multiply_square_add] = ternary<T, F::multiply_square_add>;
  table[Opcode::add_product_and_square] = quaternary<T, F::add_product_and_square>;
  table[Opcode::multiply_add] = ternary<T, F::multiply_add>;
  table[Opcode::multiply_difference_add] = quaternary<T, F::multiply_difference_add>;
  table[Opcode::subtract_product] = ternary<T, F::subtract_product>;
  table[Opcode::add_products] = quaternary<T, F::add_products>;
  table[Opcode::product_quotient] = ternary<T, F::product_quotient, true>;
  table[Opcode::subtract_product_quotient] = quaternary<T, F::subtract_product_quotient, true>;
  return table;
}

template <class T>
constexpr PrimitiveTable<T> primitives = make_table<T>();

}  // namespace

bool map_int32(const MapJob& job, const void* const* inputs, void* const* outputs, std::int64_t first,
               std::int64_t last, void* scratch) {
  return Interpreter<std::int32_t, 1>(job, primitives<std::int32_t>, inputs, outputs, scratch).run(first, last);
}

bool map_int64(const MapJob& job, const void* const* inputs, void* const* outputs, std::int64_t first,
               std::int64_t last, void* scratch) {
  return Interpreter<std::int64_t, 1>(job, primitives<std::int64_t>, inputs, outputs, scratch).run(first, last);
}

}  // namespace xgrad::kernels::XGRAD_ISA
