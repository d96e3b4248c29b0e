#include "autograd/kernels/isa/floating.hpp"
#include "autograd/kernels/isa/interpreter.hpp"
#include "autograd/kernels/isa/sets.hpp"

namespace xgrad::kernels::XGRAD_ISA {

namespace {

template <class T, Batch<T> (*f)(Batch<T>)>
bool unary(T* out, std::int64_t count, const Operand<T>* registers, const Instruction& instruction) {
  const auto [a, a_step] = registers[instruction.a];
  const T* x = a;
  for (std::int64_t i = 0; i < count; i += lanes<T>, x += a_step) {
    store(out + i, f(load(x)));
  }
  return true;
}

template <class T, Batch<T> (*f)(Batch<T>, Batch<T>)>
bool binary(T* out, std::int64_t count, const Operand<T>* registers, const Instruction& instruction) {
  const Operand<T> a = registers[instruction.a];
  const Operand<T> b = registers[instruction.b];
  const T* x = a.data;
  const T* y = b.data;
#pragma GCC unroll 4  // a block is only 64 vectors long: the loop's own instructions count
  for (std::int64_t i = 0; i < count; i += lanes<T>, x += a.step, y += b.step) {
    store(out + i, f(load(x), load(y)));
  }
  return true;
}

template <class T, Batch<T> (*f)(Batch<T>, Batch<T>, Batch<T>)>
bool ternary(T* out, std::int64_t count, const Operand<T>* registers, const Instruction& instruction) {
  const Operand<T> a = registers[instruction.a];
  const Operand<T> b = registers[instruction.b];
  const Operand<T> c = registers[instruction.c];
  const T* x = a.data;
  const T* y = b.data;
  const T* z = c.data;
  for (std::int64_t i = 0; i < count; i += lanes<T>, x += a.step, y += b.step, z += c.step) {
    store(out + i, f(load(x), load(y), load(z)));
  }
  return true;
}

/// An operand that goes on from vector to vector.
template <class T>
struct Moving {
  const T* data;
  Batch<T> at(std::int64_t i) const { return load(data + i); }
};

/// An operand that is one vector for all positions: loaded once.
template <class T>
struct Fixed {
  Batch<T> value;
  Batch<T> at(std::int64_t) const { return value; }
};

/// Several primitives at once are limited by their loads, so there is a loop for every choice of fixed operands.
template <class T, auto f, int operand_count>
struct Joined {
  static bool run(T* out, std::int64_t count, const Operand<T>* registers, const Instruction& instruction) {
    const std::uint16_t operands[] = {instruction.a, instruction.b, instruction.c, instruction.d};
    choose(out, count, registers, operands);
    return true;
  }

 private:
  template <class... Operands>
  static void choose(T* out, std::int64_t count, const Operand<T>* registers, const std::uint16_t* next,
                     Operands... known) {
    if constexpr (sizeof...(known) == operand_count) {
      for (std::int64_t i = 0; i < count; i += lanes<T>) {
        store(out + i, f(known.at(i)...));
      }
    } else {
      const Operand<T> operand = registers[*next];
      if (operand.step == 0) {
        choose(out, count, registers, next + 1, known..., Fixed<T>{load(operand.data)});
      } else {
        choose(out, count, registers, next + 1, known..., Moving<T>{operand.data});
      }
    }
  }
};

/// Four operands of an instruction, read vector by vector.
template <class T>
struct FourOperands {
  Operand<T> at[4];

  FourOperands(const Operand<T>* registers, const Instruction& i)
      : at{registers[i.a], registers[i.b], registers[i.c], registers[i.d]} {}

  Batch<T> operator[](int k) const { return load(at[k].data); }
  void go_on() {
    for (Operand<T>& each : at) {
      each.data += each.step;
    }
  }
};

/// \tparam f of the operands of the first instruction. \tparam g of what it gives and of the operands of the second.
template <class T, int number, auto f, auto g>
void chained(T* first_out, T* second_out, std::int64_t count, const Operand<T>* registers, const Instruction* both) {
  FourOperands<T> x(registers, both[0]);
  FourOperands<T> y(registers, both[1]);
  y.at[chains[number].position] = {first_out, 0};  // not read: what is there has no meaning yet
  for (std::int64_t i = 0; i < count; i += lanes<T>) {
    const Batch<T> first = f(x[0], x[1], x[2], x[3]);
    store(first_out + i, first);
    store(second_out + i, g(first, y));
    x.go_on();
    y.go_on();
  }
}

template <class T>
Batch<T> root_of(Batch<T> first, const FourOperands<T>& y) {
  return Floating<T>::sqrt_product_add(first, y[1], y[2]);
}
template <class T>
Batch<T> quotient_of(Batch<T> first, const FourOperands<T>& y) {
  return Floating<T>::subtract_product_quotient(y[0], first, y[2], y[3]);
}

template <class T>
constexpr PrimitiveTable<T> make_table() {
  using F = Floating<T>;
  PrimitiveTable<T> table{};
  table[Opcode::negative] = unary<T, F::negative>;
  table[Opcode::abs] = unary<T, F::abs>;
  table[Opcode::sign] = unary<T, F::sign>;
  table[Opcode::exp] = unary<T, F::exp>;
  table[Opcode::exp2] = unary<T, F::exp2>;
  table[Opcode::expm1] = unary<T, F::expm1>;
  table[Opcode::log] = unary<T, F::log>;
  table[Opcode::log2] = unary<T, F::log2>;
  table[Opcode::log10] = unary<T, F::log10>;
  table[Opcode::log1p] = unary<T, F::log1p>;
  table[Opcode::sqrt] = unary<T, F::sqrt>;
  table[Opcode::cbrt] = unary<T, F::cbrt>;
  table[Opcode::sin] = unary<T, F::sin>;
  table[Opcode::cos] = unary<T, F::cos>;
  table[Opcode::tan] = unary<T, F::tan>;
  table[Opcode::asin] = unary<T, F::asin>;
  table[Opcode::acos] = unary<T, F::acos>;
  table[Opcode::atan] = unary<T, F::atan>;
  table[Opcode::sinh] = unary<T, F::sinh>;
  table[Opcode::cosh] = unary<T, F::cosh>;
  table[Opcode::tanh] = unary<T, F::tanh>;
  table[Opcode::asinh] = unary<T, F::asinh>;
  table[Opcode::acosh] = unary<T, F::acosh>;
  table[Opcode::atanh] = unary<T, F::atanh>;
  table[Opcode::erf] = unary<T, F::erf>;
  table[Opcode::erfc] = unary<T, F::erfc>;
  table[Opcode::sigmoid] = unary<T, F::sigmoid>;
  table[Opcode::relu] = unary<T, F::relu>;
  table[Opcode::floor] = unary<T, F::floor>;
  table[Opcode::ceil] = unary<T, F::ceil>;
  table[Opcode::round] = unary<T, F::round>;
  table[Opcode::trunc] = unary<T, F::trunc>;
  table[Opcode::logical_not] = unary<T, F::logical_not>;
  table[Opcode::add] = binary<T, F::add>;
  table[Opcode::subtract] = binary<T, F::subtract>;
  table[Opcode::multiply] = binary<T, F::multiply>;
  table[Opcode::divide] = binary<T, F::divide>;
  table[Opcode::remainder] = binary<T, F::remainder>;
  table[Opcode::fmod] = binary<T, F::fmod>;
  table[Opcode::pow] = binary<T, F::pow>;
  table[Opcode::maximum] = binary<T, F::maximum>;
  table[Opcode::minimum] = binary<T, F::minimum>;
  table[Opcode::atan2] = binary<T, F::atan2>;
  table[Opcode::hypot] = binary<T, F::hypot>;
  table[Opcode::less] = binary<T, F::less>;
  table[Opcode::less_equal] = binary<T, F::less_equal>;
  table[Opcode::equal] = binary<T, F::equal>;
  table[Opcode::not_equal] = binary<T, F::not_equal>;
  table[Opcode::logical_and] = binary<T, F::logical_and>;
  table[Opcode::logical_or] = binary<T, F::logical_or>;
  table[Opcode::where] = ternary<T, F::where>;
  table[Opcode::multiply_square] = Joined<T, F::multiply_square, 2>::run;
  table[Opcode::multiply_square_add] = Joined<T, F::multiply_square_add, 3>::run;
  table[Opcode::add_product_and_square] = Joined<T, F::add_product_and_square, 4>::run;
  table[Opcode::multiply_add] = Joined<T, F::multiply_add, 3>::run;
  table[Opcode::multiply_difference_add] = Joined<T, F::multiply_difference_add, 4>::run;
  table[Opcode::subtract_product] = Joined<T, F::subtract_product, 3>::run;
  table[Opcode::add_products] = Joined<T, F::add_products, 4>::run;
  table[Opcode::sqrt_product] = Joined<T, F::sqrt_product, 2>::run;
  table[Opcode::sqrt_product_add] = Joined<T, F::sqrt_product_add, 3>::run;
  table[Opcode::product_quotient] = Joined<T, F::product_quotient, 3>::run;
  table[Opcode::subtract_product_quotient] = Joined<T, F::subtract_product_quotient, 4>::run;
  table.chained[0] = chained<T, 0, F::add_product_and_square, root_of<T>>;
  table.chained[1] = chained<T, 1, F::multiply_difference_add, quotient_of<T>>;
  return table;
}

template <class T>
constexpr PrimitiveTable<T> primitives = make_table<T>();

}  // namespace

bool map_float32(const MapJob& job, const void* const* inputs, void* const* outputs, std::int64_t first,
                 std::int64_t last, void* scratch) {
  return Interpreter<float, lanes<float>>(job, primitives<float>, inputs, outputs, scratch).run(first, last);
}

bool map_float64(const MapJob& job, const void* const* inputs, void* const* outputs, std::int64_t first,
                 std::int64_t last, void* scratch) {
  return Interpreter<double, lanes<double>>(job, primitives<double>, inputs, outputs, scratch).run(first, last);
}

}  // namespace xgrad::kernels::XGRAD_ISA
