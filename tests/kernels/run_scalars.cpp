#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/array/dtype.hpp"
#include "autograd/kernels/kernels.hpp"
#include "autograd/runtime/floating_mode.hpp"
#include "tests/kernels/naive.hpp"

// Programs on single numbers against map: every instruction, to the bit.

BOOST_AUTO_TEST_SUITE(kernels_run_scalars)

namespace {

using namespace xgrad;
using kernels::Opcode;

/// Of both signs: zero, subnormal, tiny, ordinary, halves, large and special numbers.
template <class T>
std::vector<T> numbers() {
  using Limits = std::numeric_limits<T>;
  std::vector<T> result{0,
                        Limits::denorm_min(),
                        Limits::min() / 3,
                        Limits::min(),
                        Limits::epsilon(),
                        static_cast<T>(0.3),
                        0.5,
                        1,
                        1.5,
                        static_cast<T>(2.7),
                        std::nextafter(T{1}, T{2}),
                        88,
                        720,
                        5000,
                        2e6,
                        Limits::max(),
                        Limits::infinity(),
                        Limits::quiet_NaN()};
  for (const T x : naive::random_elements<T>(6, -3, 3)) {
    result.push_back(x);
  }
  const std::size_t count = result.size();
  for (std::size_t i = 0; i < count; ++i) {
    result.push_back(-result[i]);
  }
  return result;
}

template <class T>
T by_map(Opcode code, const std::vector<T>& operands) {
  std::vector<kernels::MapInput> inputs;
  for (const T& operand : operands) {
    inputs.push_back({&operand, dtype_of<T>(), {}});
  }
  const kernels::Instruction instruction{code, 4, 0, 1, 2, 3};
  T result;
  const kernels::MapOutput output{&result, dtype_of<T>(), 4};
  kernels::map("test", {&instruction, 1, nullptr, 0, 5, dtype_of<T>(), inputs.data(), 4, &output, 1, Shape()});
  return result;
}

template <class T>
T by_scalars(Opcode code, const std::vector<T>& operands) {
  std::vector<T> registers = operands;
  registers.push_back(0);
  const kernels::ScalarInstruction instruction{code, 1, 4, 0, 1, 2, 3};
  kernels::run_scalars(dtype_of<T>(), &instruction, 1, registers.data());
  return registers[4];
}

template <class T>
std::string text_of(const std::vector<T>& operands) {
  std::ostringstream text;
  for (const T operand : operands) {
    text << operand << ' ';
  }
  return text.str();
}

// Which of two NaN an instruction gives is up to the compiler, in map as well.
template <class T>
bool same_bits(T a, T b) {
  return std::memcmp(&a, &b, sizeof(T)) == 0 || (std::isnan(a) && std::isnan(b));
}

// The last two operands walk through the numbers beside the first two.
template <class T>
void check_all_instructions() {
  const std::vector<T> x = numbers<T>();
  for (int i = 0; i < kernels::opcode_count; ++i) {
    const auto code = static_cast<Opcode>(i);
    int different = 0;
    std::string example;
    for (std::size_t a = 0; a < x.size(); ++a) {
      for (std::size_t b = 0; b < x.size(); ++b) {
        const std::vector<T> operands = {x[a], x[b], x[(a + 3 * b + 1) % x.size()], x[(5 * a + b + 2) % x.size()]};
        if (!same_bits(by_map<T>(code, operands), by_scalars<T>(code, operands))) {
          ++different;
          example = text_of(operands);
        }
      }
    }
    BOOST_TEST(different == 0, "opcode " << i << " gives other bits, as of " << example);
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_instruction_gives_the_bits_of_map) {
  check_all_instructions<float>();
  check_all_instructions<double>();
}

BOOST_AUTO_TEST_CASE(also_where_subnormal_numbers_count_as_zero) {
  const runtime::FloatingModeScope scope(runtime::flushing_subnormals());
  check_all_instructions<float>();
  check_all_instructions<double>();
}

BOOST_AUTO_TEST_CASE(registers_may_be_written_over_and_read_again) {
  std::vector<double> registers = {3, 4, 0};
  const std::vector<kernels::ScalarInstruction> code = {
      {Opcode::multiply, 1, 2, 0, 0, 0}, {Opcode::multiply_add, 1, 2, 1, 1, 2}, {Opcode::sqrt, 1, 2, 2, 0, 0}};
  kernels::run_scalars(DType::float64, code.data(), code.size(), registers.data());
  BOOST_TEST(registers == (std::vector<double>{3, 4, 5}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
