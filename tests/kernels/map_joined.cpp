#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/array/dtype.hpp"
#include "autograd/kernels/chains.hpp"
#include "autograd/runtime/error.hpp"
#include "tests/kernels/naive.hpp"
#include "tests/runtime/threads.hpp"

// Instructions that are several primitives at once: the same bits as the primitives one after the other.

BOOST_AUTO_TEST_SUITE(kernels_map_joined)

namespace {

using namespace xgrad;
using kernels::Instruction;
using kernels::MapInput;
using kernels::MapOutput;
using kernels::Opcode;

/// `joined` on registers 0 to 3 and the primitives that it stands for; both leave the result in register 4.
struct Joined {
  Opcode joined;
  const char* name;
  int operand_count;
  std::vector<Instruction> plain;
  bool divides = false;
  bool floating = false;
};

const Joined all_joined[] = {
    {Opcode::multiply_square, "multiply_square", 2, {{Opcode::multiply, 4, 0, 0, 0}, {Opcode::multiply, 4, 4, 1, 0}}},
    {Opcode::multiply_square_add,
     "multiply_square_add",
     3,
     {{Opcode::multiply, 4, 0, 0, 0}, {Opcode::multiply, 4, 4, 1, 0}, {Opcode::add, 4, 4, 2, 0}}},
    {Opcode::add_product_and_square,
     "add_product_and_square",
     4,
     {{Opcode::multiply, 5, 0, 1, 0},
      {Opcode::multiply, 4, 2, 2, 0},
      {Opcode::multiply, 4, 4, 3, 0},
      {Opcode::add, 4, 5, 4, 0}}},
    {Opcode::multiply_add, "multiply_add", 3, {{Opcode::multiply, 4, 0, 1, 0}, {Opcode::add, 4, 4, 2, 0}}},
    {Opcode::multiply_difference_add,
     "multiply_difference_add",
     4,
     {{Opcode::subtract, 4, 0, 1, 0}, {Opcode::multiply, 4, 4, 2, 0}, {Opcode::add, 4, 4, 3, 0}}},
    {Opcode::subtract_product, "subtract_product", 3, {{Opcode::multiply, 4, 0, 1, 0}, {Opcode::subtract, 4, 2, 4, 0}}},
    {Opcode::add_products,
     "add_products",
     4,
     {{Opcode::multiply, 5, 0, 1, 0}, {Opcode::multiply, 4, 2, 3, 0}, {Opcode::add, 4, 5, 4, 0}}},
    {Opcode::sqrt_product,
     "sqrt_product",
     2,
     {{Opcode::multiply, 4, 0, 1, 0}, {Opcode::sqrt, 4, 4, 0, 0}},
     false,
     true},
    {Opcode::sqrt_product_add,
     "sqrt_product_add",
     3,
     {{Opcode::multiply, 4, 0, 1, 0}, {Opcode::sqrt, 4, 4, 0, 0}, {Opcode::add, 4, 4, 2, 0}},
     false,
     true},
    {Opcode::product_quotient,
     "product_quotient",
     3,
     {{Opcode::multiply, 4, 0, 1, 0}, {Opcode::divide, 4, 4, 2, 0}},
     true},
    {Opcode::subtract_product_quotient,
     "subtract_product_quotient",
     4,
     {{Opcode::multiply, 4, 0, 1, 0}, {Opcode::divide, 4, 4, 2, 0}, {Opcode::subtract, 4, 3, 4, 0}},
     true},
};

/// Bit k of \p fixed: operand k is its first element for all positions.
template <class T>
std::vector<T> run(const std::vector<Instruction>& code, const std::vector<std::vector<T>>& operands, unsigned fixed) {
  std::vector<MapInput> inputs;
  for (std::size_t i = 0; i < 4; ++i) {
    inputs.push_back({operands[i].data(), dtype_of<T>(), Ints{(fixed >> i & 1U) != 0 ? 0 : 1}});
  }
  std::vector<T> out(operands[0].size());
  const MapOutput output{out.data(), dtype_of<T>(), 4};
  kernels::map("test", {code.data(), code.size(), nullptr, 0, 6, dtype_of<T>(), inputs.data(), 4, &output, 1,
                        Shape{static_cast<std::int64_t>(out.size())}});
  return out;
}

template <class T>
bool same(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
    return (std::isnan(a) && std::isnan(b)) || std::bit_cast<Bits>(a) == std::bit_cast<Bits>(b);
  } else {
    return a == b;
  }
}

template <class T>
void compare(const Joined& each, const std::vector<std::vector<T>>& operands) {
  const std::vector<Instruction> code{{each.joined, 4, 0, 1, 2, 3}};
  for (unsigned fixed = 0; fixed < 1U << each.operand_count; ++fixed) {
    const std::vector<T> joined = run(code, operands, fixed);
    const std::vector<T> plain = run(each.plain, operands, fixed);
    std::size_t different = 0;
    for (std::size_t i = 0; i < joined.size(); ++i) {
      different += !same(joined[i], plain[i]);
    }
    BOOST_TEST(different == 0U, each.name << ", operands fixed " << fixed << ", " << joined.size() << " elements");
  }
}

/// Every combination of four numbers out of the given ones.
template <class T>
std::vector<std::vector<T>> combinations(const std::vector<T>& numbers) {
  std::vector<std::vector<T>> operands(4);
  for (const T a : numbers) {
    for (const T b : numbers) {
      for (const T c : numbers) {
        for (const T d : numbers) {
          operands[0].push_back(a);
          operands[1].push_back(b);
          operands[2].push_back(c);
          operands[3].push_back(d);
        }
      }
    }
  }
  return operands;
}

BOOST_AUTO_TEST_CASE_TEMPLATE(floating_numbers, T, decltype(std::tuple<float, double>())) {
  using Limits = std::numeric_limits<T>;
  const std::vector<T> special{0,
                               -T{0},
                               1,
                               -3,
                               static_cast<T>(0.1),
                               Limits::min(),
                               Limits::max(),
                               Limits::infinity(),
                               -Limits::infinity(),
                               Limits::quiet_NaN()};
  for (const Joined& each : all_joined) {
    compare<T>(each, combinations(special));
    for (const std::size_t n : {1U, 7U, 16U, 33U, 1024U, 3001U}) {
      compare<T>(each, {naive::random_elements<T>(n, -2, 2, 1), naive::random_elements<T>(n, -2, 2, 2),
                        naive::random_elements<T>(n, -2, 2, 3), naive::random_elements<T>(n, -2, 2, 4)});
    }
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(whole_numbers, T, decltype(std::tuple<std::int32_t, std::int64_t>())) {
  using Limits = std::numeric_limits<T>;
  const auto with_zero = combinations<T>({0, 1, -1, 7, -10, Limits::min(), Limits::max()});
  const auto divisors = combinations<T>({1, -1, 7, -10, Limits::min(), Limits::max()});
  for (const Joined& each : all_joined) {
    if (!each.floating) {
      compare<T>(each, each.divides ? divisors : with_zero);
    }
    if (each.divides) {
      BOOST_CHECK_THROW(run<T>({{each.joined, 4, 0, 1, 2, 3}}, {{5, 5}, {1, 1}, {1, 0}, {1, 1}}, 0), ValueError);
    }
  }
}

/// Two instructions on inputs 0 to 3 and 4 to 6, of which bit k of \p fixed makes number k the same everywhere: what both
/// give. The second one has the result of the first as the operand that \p chain says.
template <class T>
std::vector<std::vector<T>> run_both(const kernels::Chain& chain, const std::vector<std::vector<T>>& operands,
                                     unsigned fixed, bool together) {
  const std::size_t n = operands[0].size();
  std::vector<std::vector<T>> results(2, std::vector<T>(n));
  std::vector<MapInput> inputs;
  for (std::size_t i = 0; i < 7; ++i) {
    inputs.push_back({operands[i].data(), dtype_of<T>(), Ints{(fixed >> i & 1U) != 0 ? 0 : 1}});
  }
  std::vector<std::uint16_t> of_second{4, 5, 6};
  of_second.insert(of_second.begin() + chain.position, together ? 8 : 7);
  const Instruction first{chain.first, 8, 0, 1, 2, 3};
  const Instruction second{chain.second, 9, of_second[0], of_second[1], of_second[2], of_second[3]};
  const auto run_map = [&](const std::vector<Instruction>& code, const std::vector<MapOutput>& outputs) {
    inputs.resize(7);
    inputs.push_back({results[0].data(), dtype_of<T>(), Ints{1}});
    kernels::map("test", {code.data(), code.size(), nullptr, 0, 10, dtype_of<T>(), inputs.data(), 8, outputs.data(),
                          outputs.size(), Shape{static_cast<std::int64_t>(n)}});
  };
  const MapOutput first_out{results[0].data(), dtype_of<T>(), 8};
  const MapOutput second_out{results[1].data(), dtype_of<T>(), 9};
  if (together) {
    run_map({first, second}, {first_out, second_out});
  } else {
    run_map({first}, {first_out});
    run_map({second}, {second_out});
  }
  return results;
}

BOOST_AUTO_TEST_CASE_TEMPLATE(chains_give_the_bits_of_their_instructions, T, decltype(std::tuple<float, double>())) {
  for (const kernels::Chain& chain : kernels::chains) {
    for (const std::size_t n : {1U, 7U, 16U, 33U, 1024U, 3001U}) {
      std::vector<std::vector<T>> operands;
      for (unsigned seed = 1; seed <= 7; ++seed) {
        operands.push_back(naive::random_elements<T>(n, 0.1, 2, seed));
      }
      for (unsigned fixed = 0; fixed < 1U << 7; ++fixed) {
        const auto together = run_both(chain, operands, fixed, true);
        const auto apart = run_both(chain, operands, fixed, false);
        BOOST_TEST((together == apart), n << " elements, operands fixed " << fixed);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(instructions_that_need_more_of_each_other_are_no_chain) {
  // The second one takes the result of the first twice: (w - 0.5 m / m) of m = (a - b) c + d.
  const double a = 3, b = 1, c = 2, d = 4, half = 0.5;
  const Instruction code[] = {{Opcode::multiply_difference_add, 5, 0, 1, 2, 3},
                              {Opcode::subtract_product_quotient, 6, 4, 5, 5, 0}};
  double out = 0;
  const MapInput inputs[] = {{&a, DType::float64, {1}},
                             {&b, DType::float64, {1}},
                             {&c, DType::float64, {1}},
                             {&d, DType::float64, {1}},
                             {&half, DType::float64, {1}}};
  const MapOutput output{&out, DType::float64, 6};
  kernels::map("test", {code, 2, nullptr, 0, 7, DType::float64, inputs, 5, &output, 1, {1}});
  BOOST_TEST(out == 2.5);
}

BOOST_AUTO_TEST_CASE(adam_in_place) {
  // m = 0.9 m + 0.1 g, v = 0.99 v + 0.01 g², w = w - 0.5 m / (sqrt(2 v) + 0.125), all stored over what they are made of.
  constexpr std::size_t n = 100'003;
  const auto g = naive::random_elements<double>(n, -1, 1);
  const auto w = naive::random_elements<double>(n, -1, 1, 2);
  const auto m = naive::random_elements<double>(n, -1, 1, 3);
  const auto v = naive::random_elements<double>(n, 0, 1, 4);
  const double constants[] = {0.9, 0.1, 0.99, 0.01, 0.5, 2, 0.125};
  const Instruction code[] = {{Opcode::add_products, 11, 4, 2, 5, 0},
                              {Opcode::add_product_and_square, 12, 6, 3, 0, 7},
                              {Opcode::sqrt_product_add, 13, 12, 9, 10},
                              {Opcode::subtract_product_quotient, 13, 8, 11, 13, 1}};
  for (const int threads : {1, 2, 3}) {
    const testing::Threads setting(threads);
    std::vector<double> new_w = w, new_m = m, new_v = v;
    const MapInput inputs[] = {{g.data(), DType::float64, {1}},
                               {new_w.data(), DType::float64, {1}},
                               {new_m.data(), DType::float64, {1}},
                               {new_v.data(), DType::float64, {1}}};
    const MapOutput outputs[] = {
        {new_w.data(), DType::float64, 13}, {new_m.data(), DType::float64, 11}, {new_v.data(), DType::float64, 12}};
    kernels::map("test", {code, 4, constants, 7, 14, DType::float64, inputs, 4, outputs, 3, {n}});
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const volatile double left = 0.9 * m[i], right = 0.1 * g[i], first = left + right;
      const volatile double old = 0.99 * v[i], square = g[i] * g[i], fresh = square * 0.01, second = old + fresh;
      const volatile double step = 0.5 * first, inside = second * 2, quotient = step / (std::sqrt(inside) + 0.125);
      wrong += new_m[i] != first || new_v[i] != second || new_w[i] != w[i] - quotient;
    }
    BOOST_TEST(wrong == 0U, threads << " threads");
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
