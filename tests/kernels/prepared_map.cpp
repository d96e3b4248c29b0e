#include <cstring>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/array/dtype.hpp"
#include "autograd/runtime/error.hpp"
#include "tests/kernels/naive.hpp"
#include "tests/runtime/threads.hpp"

// Calls of map that are prepared once: other buffers, parts of the iteration space, shared buffers.

BOOST_AUTO_TEST_SUITE(kernels_prepared_map)

namespace {

using namespace xgrad;
using kernels::Instruction;
using kernels::MapInput;
using kernels::MapOutput;
using kernels::Opcode;
using kernels::PreparedMap;

/// out = (x + row) * 3, where row has \p columns elements and lies under every row of x. What the call points at is gone
/// when it is run.
PreparedMap scaled_sum(std::int64_t rows, std::int64_t columns) {
  const std::vector<Instruction> code{{Opcode::add, 3, 0, 1, 0}, {Opcode::multiply, 3, 3, 2, 0}};
  const std::vector<double> constants{3};
  const std::vector<MapInput> inputs{{nullptr, DType::float32, {columns, 1}}, {nullptr, DType::float32, {0, 1}}};
  float elsewhere = 0;
  const MapOutput output{&elsewhere, DType::float32, 3};
  return PreparedMap("test", {code.data(), 2, constants.data(), 1, 4, DType::float32, inputs.data(), 2, &output, 1,
                              Shape{rows, columns}});
}

std::vector<float> expected_sum(const std::vector<float>& x, const std::vector<float>& row) {
  std::vector<float> out(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    out[i] = (x[i] + row[i % row.size()]) * 3;
  }
  return out;
}

void run(const PreparedMap& map, const std::vector<float>& x, const std::vector<float>& row, std::vector<float>& out) {
  const void* const inputs[] = {x.data(), row.data()};
  void* const outputs[] = {out.data()};
  map.run(inputs, outputs);
}

BOOST_AUTO_TEST_CASE(other_buffers_each_time) {
  for (const auto& [rows, columns] : {std::pair{1, 1}, {3, 10}, {64, 128}, {700, 77}, {90, 2500}}) {
    const PreparedMap map = scaled_sum(rows, columns);
    const auto count = static_cast<std::size_t>(rows * columns);
    BOOST_TEST(map.count() == static_cast<std::int64_t>(count));
    for (unsigned seed = 1; seed < 4; ++seed) {
      const auto x = naive::random_elements<float>(count, -1, 1, seed);
      const auto row = naive::random_elements<float>(static_cast<std::size_t>(columns), -1, 1, seed + 9);
      std::vector<float> out(count);
      run(map, x, row, out);
      BOOST_TEST(out == expected_sum(x, row), rows << " x " << columns);
    }
  }
}

BOOST_AUTO_TEST_CASE(ranges_in_any_order_and_nothing_beyond_them) {
  constexpr std::int64_t rows = 37;
  constexpr std::int64_t columns = 130;
  const PreparedMap map = scaled_sum(rows, columns);
  const auto x = naive::random_elements<float>(rows * columns, -1, 1);
  const auto row = naive::random_elements<float>(columns, -1, 1, 2);
  const auto expected = expected_sum(x, row);
  const void* const inputs[] = {x.data(), row.data()};
  for (const std::int64_t grain : {1, 16, 100, 130, 1040, 4096}) {
    std::vector<float> out(rows * columns, 42);
    void* const outputs[] = {out.data()};
    for (std::int64_t last = map.count(); last > 0; last -= grain) {
      const std::int64_t first = std::max<std::int64_t>(0, last - grain);
      map.run_range(inputs, outputs, first, last);
      for (std::int64_t i = 0; i < map.count(); ++i) {
        const float wanted = i >= first ? expected[static_cast<std::size_t>(i)] : 42;
        if (out[static_cast<std::size_t>(i)] != wanted) {
          BOOST_FAIL("element " << i << " after the range " << first << " to " << last);
        }
      }
    }
    map.run_range(inputs, outputs, 5, 5);
    BOOST_TEST(out == expected);
  }
}

BOOST_AUTO_TEST_CASE(moved) {
  PreparedMap map = scaled_sum(2, 3);
  PreparedMap other = std::move(map);
  map = std::move(other);
  std::vector<float> out(6);
  run(map, {1, 2, 3, 4, 5, 6}, {10, 20, 30}, out);
  BOOST_TEST(out == (std::vector<float>{33, 66, 99, 42, 75, 108}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(buffers_that_may_be_shared) {
  // m = x + y stored over x, which is read once more, for v = x - m stored over y.
  const Instruction code[] = {{Opcode::add, 2, 0, 1, 0}, {Opcode::subtract, 3, 0, 2, 0}};
  for (const std::size_t n : {1U, 16U, 1000U, 100'003U}) {
    const auto x = naive::random_elements<float>(n, -5, 5);
    const auto y = naive::random_elements<float>(n, -5, 5, 2);
    std::vector<float> m(n), v(n), both(n), rest(n);
    const MapInput inputs[] = {{m.data(), DType::float32, {1}}, {v.data(), DType::float32, {1}}};
    const MapOutput outputs[] = {{m.data(), DType::float32, 2}, {v.data(), DType::float32, 3}};
    const PreparedMap map(
        "test", {code, 2, nullptr, 0, 4, DType::float32, inputs, 2, outputs, 2, {static_cast<std::int64_t>(n)}});
    const auto check = [&](std::vector<float>& first, std::vector<float>& second) {
      for (std::size_t i = 0; i < n; ++i) {
        BOOST_REQUIRE(first[i] == x[i] + y[i]);
        BOOST_REQUIRE(second[i] == x[i] - (x[i] + y[i]));
      }
    };
    both = x;
    rest = y;
    const void* const shared_inputs[] = {both.data(), rest.data()};
    void* const shared_outputs[] = {both.data(), rest.data()};
    map.run(shared_inputs, shared_outputs);
    check(both, rest);
    const void* const other_inputs[] = {x.data(), y.data()};
    map.run(other_inputs, shared_outputs);
    check(both, rest);
  }
}

BOOST_AUTO_TEST_CASE(a_division_by_zero_throws_on_every_way) {
  const Instruction code{Opcode::divide, 2, 0, 1, 0};
  std::int32_t elsewhere = 0;
  const MapInput inputs[] = {{nullptr, DType::int32, {1}}, {nullptr, DType::int32, {1}}};
  const MapOutput output{&elsewhere, DType::int32, 2};
  const PreparedMap map("quotient", {&code, 1, nullptr, 0, 3, DType::int32, inputs, 2, &output, 1, {4}});
  const std::int32_t a[] = {8, 8, 8, 8};
  const std::int32_t b[] = {1, 2, 0, 4};
  std::int32_t out[] = {0, 0, 0, 0};
  const void* const pointers[] = {a, b};
  void* const targets[] = {out};
  const auto names_the_op = [](const Error& error) {
    return std::string(error.what()).find("[quotient] an integer is divided by zero") != std::string::npos;
  };
  BOOST_CHECK_EXCEPTION(map.run(pointers, targets), ValueError, names_the_op);
  BOOST_CHECK_EXCEPTION(map.run_range(pointers, targets, 2, 3), ValueError, names_the_op);
  map.run_range(pointers, targets, 3, 4);
  BOOST_TEST(out[3] == 2);
}

BOOST_AUTO_TEST_CASE(no_elements) {
  const PreparedMap map = scaled_sum(0, 5);
  BOOST_TEST(map.count() == 0);
  BOOST_TEST(map.grain() > 0);
  map.run(nullptr, nullptr);
}

BOOST_AUTO_TEST_CASE(same_bits_for_any_number_of_threads_and_on_several_at_once) {
  constexpr std::int64_t rows = 1000;
  constexpr std::int64_t columns = 300;
  const PreparedMap map = scaled_sum(rows, columns);
  BOOST_TEST(map.grain() < map.count());
  const auto x = naive::random_elements<float>(rows * columns, -1, 1);
  const auto row = naive::random_elements<float>(columns, -1, 1, 2);
  const auto expected = expected_sum(x, row);
  for (const int threads : {1, 2, 3}) {
    const testing::Threads setting(threads);
    std::vector<float> out(rows * columns);
    run(map, x, row, out);
    BOOST_TEST(std::memcmp(out.data(), expected.data(), out.size() * sizeof(float)) == 0);
  }
  std::vector<std::vector<float>> results(3, std::vector<float>(rows * columns));
  std::vector<std::thread> callers;
  for (auto& out : results) {
    callers.emplace_back([&] { run(map, x, row, out); });
  }
  for (std::thread& caller : callers) {
    caller.join();
  }
  for (const auto& out : results) {
    BOOST_TEST((out == expected));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
