#include <cstring>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/array/dtype.hpp"
#include "tests/kernels/naive.hpp"
#include "tests/runtime/threads.hpp"

// How map reads its operands, stores its results and cuts its work; the primitives have tests of their own.

BOOST_AUTO_TEST_SUITE(kernels_map)

namespace {

using namespace xgrad;
using kernels::Instruction;
using kernels::MapInput;
using kernels::MapOutput;
using kernels::Opcode;

const std::int64_t lengths[] = {1, 2, 7, 8, 15, 16, 17, 63, 64, 65, 511, 512, 513, 1023, 1024, 1025, 4099, 100'003};

void run(const std::vector<Instruction>& code, const std::vector<double>& constants, std::size_t registers,
         DType compute, const std::vector<MapInput>& inputs, const std::vector<MapOutput>& outputs,
         const Shape& shape) {
  kernels::map("test", {code.data(), code.size(), constants.data(), constants.size(), registers, compute, inputs.data(),
                        inputs.size(), outputs.data(), outputs.size(), shape});
}

/// out = x * 3 + y with x and y read through the given strides, compared element by element.
template <class T, class X, class Y>
void check_strides(const Shape& shape, const std::vector<X>& x, std::int64_t x_first, const Ints& x_strides,
                   const std::vector<Y>& y, std::int64_t y_first, const Ints& y_strides) {
  const auto count = static_cast<std::size_t>(shape.element_count());
  std::vector<T> out(count, T{-1});
  run({{Opcode::multiply, 3, 0, 2, 0}, {Opcode::add, 3, 3, 1, 0}}, {3}, 4, dtype_of<T>(),
      {{x.data() + x_first, dtype_of<X>(), x_strides}, {y.data() + y_first, dtype_of<Y>(), y_strides}},
      {{out.data(), dtype_of<T>(), 3}}, shape);
  std::size_t wrong = 0;
  for (std::size_t flat = 0; flat < count; ++flat) {
    const auto index = naive::index_of(shape, static_cast<std::int64_t>(flat));
    const T a = static_cast<T>(x[static_cast<std::size_t>(x_first + naive::offset_of(index, x_strides))]);
    const T b = static_cast<T>(y[static_cast<std::size_t>(y_first + naive::offset_of(index, y_strides))]);
    wrong += out[flat] != a * 3 + b;
  }
  BOOST_TEST(wrong == 0U,
             "shape " << to_string(shape) << " strides " << to_string(x_strides) << " " << to_string(y_strides));
}

template <class T>
std::vector<T> count_up(std::size_t count) {
  std::vector<T> elements(count);
  for (std::size_t i = 0; i < count; ++i) {
    elements[i] = static_cast<T>(i % 97);
  }
  return elements;
}

BOOST_AUTO_TEST_CASE_TEMPLATE(all_lengths, T, decltype(std::tuple<std::int32_t, std::int64_t, float, double>())) {
  for (const std::int64_t n : lengths) {
    const auto x = count_up<T>(static_cast<std::size_t>(n));
    check_strides<T>({n}, x, 0, {1}, x, 0, {1});
    check_strides<T>({n}, x, 0, {1}, x, n - 1, {0});
    check_strides<T>({n}, x, 0, {1}, x, n - 1, {-1});
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(broadcasting, T, decltype(std::tuple<std::int32_t, float, double>())) {
  const auto x = count_up<T>(400'000);
  for (const std::int64_t rows : {1, 3, 64, 257}) {
    for (const std::int64_t columns : {1, 2, 10, 16, 128, 784, 1500}) {
      const Shape shape{rows, columns};
      check_strides<T>(shape, x, 0, {columns, 1}, x, 5, {0, 1});     // a row under every row
      check_strides<T>(shape, x, 0, {columns, 1}, x, 5, {1, 0});     // a column beside every column
      check_strides<T>(shape, x, 0, {columns, 1}, x, 5, {0, 0});     // a scalar
      check_strides<T>(shape, x, 0, {1, rows}, x, 5, {columns, 1});  // a transpose
      check_strides<T>(shape, x, 0, {1, 0}, x, 5, {0, 1});           // an outer sum
      check_strides<T>(shape, x, 0, {0, 2}, x, 5, {2, 0});           // every second element
    }
  }
  for (const Shape& shape : {Shape{3, 5, 7}, Shape{2, 64, 33}, Shape{40, 1, 50}, Shape{2, 3, 4, 5, 6}}) {
    const Ints dense = row_major_strides(shape);
    for (unsigned kept = 0; kept < 1U << shape.ndim(); ++kept) {
      Shape small = shape;
      for (std::size_t axis = 0; axis < shape.ndim(); ++axis) {
        small[axis] = (kept >> axis & 1U) != 0 ? shape[axis] : 1;
      }
      check_strides<T>(shape, x, 0, dense, x, 1, broadcast_strides(small, shape));
    }
  }
  check_strides<T>({}, x, 3, {}, x, 4, {});
}

BOOST_AUTO_TEST_CASE(operands_of_other_types) {
  const auto bytes = count_up<std::uint8_t>(5000);
  const auto ints = count_up<std::int32_t>(5000);
  const auto wide = count_up<std::int64_t>(5000);
  const auto floats = count_up<float>(5000);
  const auto doubles = count_up<double>(5000);
  const Shape shape{71, 70};
  check_strides<float>(shape, bytes, 0, {70, 1}, ints, 0, {0, 1});
  check_strides<float>(shape, wide, 0, {70, 1}, doubles, 0, {1, 0});
  check_strides<double>(shape, floats, 0, {70, 1}, bytes, 9, {0, 0});
  check_strides<std::int64_t>(shape, ints, 0, {70, 1}, bytes, 0, {1, 71});
  check_strides<std::int32_t>(shape, wide, 0, {0, 1}, floats, 0, {70, 1});
}

BOOST_AUTO_TEST_CASE(booleans_in_and_out) {
  for (const std::size_t n : {1UL, 13UL, 64UL, 3001UL}) {
    const auto x = naive::random_elements<float>(n, -1, 1);
    const std::unique_ptr<bool[]> negative(new bool[n]);
    const std::unique_ptr<bool[]> positive(new bool[n]);
    const Shape shape{static_cast<std::int64_t>(n)};
    run({{Opcode::less, 2, 0, 1, 0}}, {0}, 3, DType::float32, {{x.data(), DType::float32, {1}}},
        {{negative.get(), DType::boolean, 2}}, shape);
    run({{Opcode::logical_not, 1, 0, 0, 0}}, {}, 2, DType::int32, {{negative.get(), DType::boolean, {1}}},
        {{positive.get(), DType::boolean, 1}}, shape);
    for (std::size_t i = 0; i < n; ++i) {
      BOOST_REQUIRE(negative[i] == (x[i] < 0));
      BOOST_REQUIRE(positive[i] != negative[i]);
    }
  }
}

BOOST_AUTO_TEST_CASE(outputs_of_every_kind) {
  for (const std::int64_t n : lengths) {
    const auto size = static_cast<std::size_t>(n);
    const auto x = naive::random_elements<float>(size, -5, 5);
    std::vector<float> square(size), copy(size), same(size), constant(size), scalar(size);
    std::vector<std::int32_t> whole(size);
    std::vector<double> wide(size);
    const float seven = 7;
    run({{Opcode::multiply, 3, 0, 0, 0}}, {2.5}, 4, DType::float32,
        {{x.data(), DType::float32, {1}}, {&seven, DType::float32, {0}}},
        {{wide.data(), DType::float64, 3},
         {square.data(), DType::float32, 3},
         {same.data(), DType::float32, 3},
         {copy.data(), DType::float32, 0},
         {scalar.data(), DType::float32, 1},
         {constant.data(), DType::float32, 2},
         {whole.data(), DType::int32, 0}},
        {n});
    for (std::size_t i = 0; i < size; ++i) {
      BOOST_REQUIRE(square[i] == x[i] * x[i]);
      BOOST_REQUIRE(same[i] == square[i]);
      BOOST_REQUIRE(wide[i] == static_cast<double>(square[i]));
      BOOST_REQUIRE(copy[i] == x[i]);
      BOOST_REQUIRE(scalar[i] == 7.0F);
      BOOST_REQUIRE(constant[i] == 2.5F);
      BOOST_REQUIRE(whole[i] == static_cast<std::int32_t>(x[i]));
    }
  }
}

BOOST_AUTO_TEST_CASE(registers_are_used_again) {
  // t = x; three times t = t * x + 1, all in one register that is written many times before it is stored.
  const auto x = naive::random_elements<double>(2000, -1, 1);
  std::vector<double> out(x.size());
  run({{Opcode::multiply, 2, 0, 0, 0},
       {Opcode::add, 2, 2, 1, 0},
       {Opcode::multiply, 2, 2, 0, 0},
       {Opcode::add, 2, 2, 1, 0}},
      {1}, 3, DType::float64, {{x.data(), DType::float64, {1}}}, {{out.data(), DType::float64, 2}}, {2000});
  for (std::size_t i = 0; i < x.size(); ++i) {
    BOOST_REQUIRE(out[i] == (x[i] * x[i] + 1) * x[i] + 1);
  }
}

BOOST_AUTO_TEST_CASE(in_place) {
  for (const std::int64_t n : lengths) {
    const auto size = static_cast<std::size_t>(n);
    const auto x = naive::random_elements<float>(size, -5, 5);
    const auto y = naive::random_elements<float>(size, -5, 5, 2);
    // m = x + y stored over x, which is still read afterwards; v = x - m stored over y.
    std::vector<float> m = x;
    std::vector<float> v = y;
    run({{Opcode::add, 2, 0, 1, 0}, {Opcode::subtract, 3, 0, 2, 0}}, {}, 4, DType::float32,
        {{m.data(), DType::float32, {1}}, {v.data(), DType::float32, {1}}},
        {{m.data(), DType::float32, 2}, {v.data(), DType::float32, 3}}, {n});
    for (std::size_t i = 0; i < size; ++i) {
      BOOST_REQUIRE(m[i] == x[i] + y[i]);
      BOOST_REQUIRE(v[i] == x[i] - (x[i] + y[i]));
    }
    // Two arrays change places.
    m = x;
    v = y;
    run({}, {}, 2, DType::float32, {{m.data(), DType::float32, {1}}, {v.data(), DType::float32, {1}}},
        {{m.data(), DType::float32, 1}, {v.data(), DType::float32, 0}}, {n});
    BOOST_REQUIRE(m == y);
    BOOST_REQUIRE(v == x);
  }
}

BOOST_AUTO_TEST_CASE(unaligned_memory_and_nothing_beyond_its_end) {
  for (std::size_t offset = 1; offset < 17; offset += 5) {
    for (const std::size_t n : {5UL, 16UL, 1030UL}) {
      std::vector<float> x = naive::random_elements<float>(n + offset, -5, 5);
      std::vector<float> out(n + offset + 1, 42.0F);
      run({{Opcode::negative, 1, 0, 0, 0}}, {}, 2, DType::float32, {{x.data() + offset, DType::float32, {1}}},
          {{out.data() + offset, DType::float32, 1}}, {static_cast<std::int64_t>(n)});
      for (std::size_t i = 0; i < n; ++i) {
        BOOST_REQUIRE(out[offset + i] == -x[offset + i]);
      }
      BOOST_TEST(out[offset - 1] == 42.0F);
      BOOST_TEST(out[offset + n] == 42.0F);
    }
  }
}

BOOST_AUTO_TEST_CASE(many_inputs_and_outputs) {
  constexpr std::uint16_t count = 40;
  std::vector<std::vector<float>> x;
  std::vector<std::vector<float>> out(count, std::vector<float>(100));
  std::vector<MapInput> inputs;
  std::vector<MapOutput> outputs;
  std::vector<Instruction> code;
  for (std::uint16_t i = 0; i < count; ++i) {
    x.push_back(naive::random_elements<float>(100, -1, 1, i));
  }
  for (std::uint16_t i = 0; i < count; ++i) {
    inputs.push_back({x[i].data(), DType::float32, {1}});
    code.push_back(
        {Opcode::add, static_cast<std::uint16_t>(count + i), i, static_cast<std::uint16_t>((i + 1) % count), 0});
    outputs.push_back({out[i].data(), DType::float32, static_cast<std::uint16_t>(count + i)});
  }
  run(code, {}, 2 * count, DType::float32, inputs, outputs, {100});
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t k = 0; k < 100; ++k) {
      BOOST_REQUIRE(out[i][k] == x[i][k] + x[(i + 1) % count][k]);
    }
  }
}

BOOST_AUTO_TEST_CASE(no_elements) {
  run({{Opcode::negative, 1, 0, 0, 0}}, {}, 2, DType::float32, {{nullptr, DType::float32, {0, 1}}},
      {{nullptr, DType::float32, 1}}, {3, 0});
}

BOOST_AUTO_TEST_CASE(same_bits_for_any_number_of_threads) {
  const auto x = naive::random_elements<float>(300'001, -5, 5);
  const auto row = naive::random_elements<float>(300'001, -5, 5, 2);
  std::vector<std::vector<float>> results;
  for (const int threads : {1, 2, 3}) {
    const testing::Threads setting(threads);
    std::vector<float> out(x.size());
    run({{Opcode::tanh, 2, 0, 0, 0}, {Opcode::pow, 2, 2, 1, 0}, {Opcode::exp, 2, 2, 0, 0}}, {}, 3, DType::float32,
        {{x.data(), DType::float32, {1}}, {row.data(), DType::float32, {1}}}, {{out.data(), DType::float32, 2}},
        {300'001});
    results.push_back(out);
  }
  for (const auto& result : results) {
    BOOST_TEST(std::memcmp(result.data(), results[0].data(), result.size() * sizeof(float)) == 0);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
