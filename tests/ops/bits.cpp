#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <iterator>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "autograd/kernels/choose.hpp"
#include "autograd/kernels/kernels.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/ops/random.hpp"
#include "autograd/transforms/grad.hpp"
#include "bits_training.hpp"
#include "op_table.hpp"

/// \file
/// Prints `set NAME`, the instruction set of the kernels, and for every row of the table of ops and every floating dtype
/// `row dtype hash`, where the hash is of the bits of what the op gives; of its derivative, as `row'`; and such lines of trained
/// weights. check_bits.py compares instruction sets.

namespace {

using namespace xgrad;
using op_table::Input;
using op_table::Row;

/// FNV-1a (Fowler, Noll and Vo). All NaNs are one.
class Hash {
 public:
  void add(const Tensor& tensor) {
    const Array array = tensor.array();
    dispatch(array.dtype(), [&](auto zero) {
      using T = decltype(zero);
      const T* data = array.template data<T>();
      for (std::int64_t i = 0; i < array.size(); ++i) {
        const T each = data[i] == data[i] ? data[i] : std::numeric_limits<T>::quiet_NaN();
        add_bytes(&each, sizeof each);
      }
    });
  }

  void print(const std::string& row, DType dtype) const {
    std::printf("%s %s %016llx\n", row.c_str(), std::string(to_string(dtype)).c_str(),
                static_cast<unsigned long long>(value_));
  }

 private:
  void add_bytes(const void* data, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      value_ = (value_ ^ static_cast<const unsigned char*>(data)[i]) * 1099511628211U;
    }
  }

  std::uint64_t value_ = 14695981039346656037U;
};

/// Axes that fill vectors of every width, and leave a rest.
std::vector<Input> enlarged(const std::vector<Input>& inputs) {
  std::vector<Input> larger = inputs;
  for (Input& input : larger) {
    std::vector<std::int64_t> sizes(input.shape.begin(), input.shape.end());
    for (std::int64_t& size : sizes) {
      size = size > 1 ? size * 11 : size;
    }
    input.shape = Shape(sizes.begin(), sizes.end());
  }
  return larger;
}

/// What the op gives, and the gradient of the sum of its squares.
struct RowHashes {
  Hash values;
  Hash gradients;

  void add(const Row& row, const Tensors& operands) {
    const Tensor result = row.call(operands);
    values.add(result);
    Tensors inputs;
    std::copy_if(operands.begin(), operands.end(), std::back_inserter(inputs),
                 [](const Tensor& operand) { return is_floating(operand.dtype()); });
    if (row.derivative == op_table::Derivative::smooth && is_floating(result.dtype()) && !inputs.empty()) {
      for (const Tensor& gradient : grad(sum(square(result)), inputs, Unreached::zeros)) {
        gradients.add(gradient);
      }
    }
  }
};

void add_result(RowHashes& hashes, const Row& row, const std::vector<Input>& inputs, DType dtype) {
  try {
    hashes.add(row, op_table::make_inputs(inputs, dtype));
  } catch (const Error&) {  // the op's arguments fit its own case alone
  }
}

/// Special numbers, those next to where functions are put together, and numbers of all sizes.
template <class T>
std::vector<T> hard_numbers() {
  using Limits = std::numeric_limits<T>;
  std::vector<T> x = {0, 1, 2, 3, T(0.5), Limits::min(), Limits::denorm_min(), Limits::max(), Limits::infinity()};
  std::mt19937_64 engine(3);
  const auto uniform = [&] { return static_cast<double>(engine() >> 11) * 0x1p-53; };
  for (int i = 0; i < 1500; ++i) {
    const double significand = uniform() + 1;
    x.push_back(static_cast<T>(std::ldexp(significand, static_cast<int>(engine() % 250) - 126)));
    x.push_back(std::ldexp(static_cast<T>(uniform()), Limits::min_exponent));
    x.push_back(static_cast<T>(1 + (uniform() - 0.5) * 0x1p-10));
    for (const double size : {1.0, 4.0, 30.0, 100.0, 1e4, 1e7}) {
      x.push_back(static_cast<T>(size * uniform()));
    }
  }
  const std::size_t count = x.size();
  for (std::size_t i = 0; i < count; ++i) {
    x.push_back(-x[i]);
  }
  x.push_back(Limits::quiet_NaN());
  return x;
}

/// An order of its own for each operand.
template <class T>
Tensor hard_operand(std::size_t position) {
  std::vector<T> x = hard_numbers<T>();
  std::mt19937_64 engine(position);
  for (std::size_t i = x.size(); position > 0 && i > 1; --i) {
    std::swap(x[i - 1], x[engine() % i]);
  }
  Array elements({static_cast<std::int64_t>(x.size())}, dtype_of<T>());
  std::copy(x.begin(), x.end(), elements.template data<T>());
  return Tensor(elements);
}

/// What an elementwise op makes of them.
void add_hard_results(RowHashes& hashes, const Row& row, DType dtype) {
  Tensors operands;
  for (std::size_t i = 0; i < row.cases[0].size(); ++i) {
    if (row.cases[0][i].role != op_table::Role::value) {
      return;
    }
    operands.push_back(dtype == DType::float32 ? hard_operand<float>(i) : hard_operand<double>(i));
  }
  hashes.add(row, operands);
}

void print_row(const Row& row, bool elementwise, DType dtype) {
  RowHashes hashes;
  for (const std::vector<Input>& inputs : row.cases) {
    add_result(hashes, row, inputs, dtype);
    add_result(hashes, row, enlarged(inputs), dtype);
  }
  if (elementwise) {
    add_hard_results(hashes, row, dtype);
  }
  hashes.values.print(row.name(), dtype);
  hashes.gradients.print(row.name() + "'", dtype);
}

void print_random_numbers(DType dtype) {
  Hash uniform_numbers;
  uniform_numbers.add(random::uniform(random::Key(5), {10007}, 0, 1, dtype));
  uniform_numbers.print("uniform", dtype);
  Hash normal_numbers;
  normal_numbers.add(random::normal(random::Key(5), {10007}, 0, 1, dtype));
  normal_numbers.print("normal", dtype);
}

/// Products of factors rounded to bfloat16, which have bits of their own.
void print_rounded_products(ProductPrecision precision) {
  Hash hash;
  for (const auto& [m, k, n] : {std::array{1, 700, 40}, std::array{50, 33, 70}, std::array{100, 1100, 90}}) {
    Array a = random::normal(random::Key(6), {m, k}).array();
    const Array b = random::normal(random::Key(7), {k, n}).array();
    a.data<float>()[k / 2] = std::numeric_limits<float>::infinity();
    Array c({m, n}, DType::float32);
    for (int flags = 0; flags < 4; ++flags) {
      kernels::matmul(DType::float32, (flags & 1) != 0, (flags & 2) != 0, m, n, k, a.data(), b.data(), c.data<float>(),
                      false, precision);
      hash.add(Tensor(c));
    }
  }
  hash.print("products_in_" + std::string(to_string(precision)), DType::float32);
}

/// Rows of bytes, as batches of pictures are made of them.
void print_gathered_rows() {
  constexpr std::int64_t rows = 20, size = 101;
  std::vector<std::uint8_t> bytes(rows * size);
  std::mt19937 engine(1);
  std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<std::uint8_t>(engine()); });
  const std::int64_t indices[] = {3, 19, 0, 7, 7};
  Array gathered({5, size}, DType::float32);
  kernels::chosen_kernels().gather_rows(bytes.data(), size, indices, 5, 1 / 255.0F, gathered.data<float>());
  Hash hash;
  hash.add(Tensor(gathered));
  hash.print("gather_rows", DType::float32);
}

}  // namespace

int main() {
  const std::string set = kernels::instruction_set();
  const bool has_instructions = *kernels::rounded_products().instructions != '\0';
  std::printf("set %s\n", (set == "avx512_bf16" || set == "amx") && !has_instructions ? "avx512" : set.c_str());
  std::set<std::string> elementwise;
  for (const op_table::Rows& family : {op_table::unary_ops::rows(), op_table::binary_ops::rows()}) {
    for (const Row& row : family) {
      elementwise.insert(row.name());
    }
  }
  for (const DType dtype : {DType::float32, DType::float64}) {
    for (const Row& row : op_table::tensor_rows()) {
      if (op_table::takes(row, dtype)) {
        print_row(row, elementwise.count(row.name()) > 0, dtype);
      }
    }
    print_random_numbers(dtype);
  }
  print_gathered_rows();
  print_rounded_products(ProductPrecision::bfloat16);
  print_rounded_products(ProductPrecision::bfloat16_3x);
  bits::print_training();
  return 0;
}
