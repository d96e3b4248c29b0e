#include <cstring>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/kernels/byte_rows.hpp"
#include "autograd/runtime/error.hpp"
#include "tests/kernels/naive.hpp"
#include "tests/runtime/threads.hpp"

BOOST_AUTO_TEST_SUITE(kernels_gather)

namespace {

using namespace xgrad;

struct Case {
  std::int64_t outer, n, inner, count;
};

const Case cases[] = {{1, 5, 1, 3},       {2, 4, 3, 7},     {3, 10, 1, 100},
                      {1, 1000, 64, 300}, {50, 20, 17, 33}, {1, 9, 5000, 40}};

/// Indices of both signs, with repetitions.
std::vector<std::int64_t> some_indices(const Case& c) {
  std::vector<std::int64_t> indices;
  for (std::int64_t j = 0; j < c.count; ++j) {
    indices.push_back((j * 7 + 3) % (2 * c.n) - c.n);
  }
  return indices;
}

std::size_t at(const Case& c, std::int64_t rows, std::int64_t o, std::int64_t j, std::int64_t i) {
  return static_cast<std::size_t>((o * rows + (j < 0 ? j + c.n : j)) * c.inner + i);
}

template <class F>
bool message_has(const F& call, const std::string& text) {
  try {
    call();
  } catch (const ValueError& error) {
    return std::string(error.what()).find(text) != std::string::npos;
  }
  return false;
}

BOOST_AUTO_TEST_CASE_TEMPLATE(takes, T, decltype(std::tuple<std::uint8_t, float, double>())) {
  for (const Case& c : cases) {
    const auto in = naive::random_elements<T>(static_cast<std::size_t>(c.outer * c.n * c.inner), 0, 200);
    const auto indices = some_indices(c);
    std::vector<T> out(static_cast<std::size_t>(c.outer * c.count * c.inner));
    kernels::take("test", sizeof(T), in.data(), c.outer, c.n, c.inner, indices.data(), c.count, out.data());
    for (std::int64_t o = 0; o < c.outer; ++o) {
      for (std::int64_t j = 0; j < c.count; ++j) {
        for (std::int64_t i = 0; i < c.inner; ++i) {
          BOOST_REQUIRE(out[at(c, c.count, o, j, i)] == in[at(c, c.n, o, indices[static_cast<std::size_t>(j)], i)]);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(scatters, T, decltype(std::tuple<std::int32_t, std::int64_t, float, double>())) {
  for (const Case& c : cases) {
    const auto in = naive::random_elements<T>(static_cast<std::size_t>(c.outer * c.count * c.inner), -50, 50);
    const auto start = naive::random_elements<T>(static_cast<std::size_t>(c.outer * c.n * c.inner), -50, 50, 2);
    const auto indices = some_indices(c);
    std::vector<T> expected = start;
    for (std::int64_t o = 0; o < c.outer; ++o) {
      for (std::int64_t j = 0; j < c.count; ++j) {
        for (std::int64_t i = 0; i < c.inner; ++i) {
          expected[at(c, c.n, o, indices[static_cast<std::size_t>(j)], i)] += in[at(c, c.count, o, j, i)];
        }
      }
    }
    for (const int threads : {1, 3}) {
      const testing::Threads setting(threads);
      std::vector<T> out = start;
      kernels::scatter_add("test", dtype_of<T>(), in.data(), c.outer, c.n, c.inner, indices.data(), c.count,
                           out.data());
      BOOST_TEST(std::memcmp(out.data(), expected.data(), out.size() * sizeof(T)) == 0);
    }
  }
}

BOOST_AUTO_TEST_CASE(indices_out_of_range_are_named) {
  const float in[12] = {};
  float out[12];
  const std::int64_t high[] = {0, 1, 3};
  const std::int64_t low[] = {-3, -4};
  BOOST_TEST(message_has([&] { kernels::take("take", 4, in, 1, 3, 1, high, 3, out); },
                         "[take] index 3 at position 2 is outside [-3, 3)"));
  BOOST_TEST(message_has([&] { kernels::take("take", 4, in, 1, 3, 1, low, 2, out); },
                         "[take] index -4 at position 1 is outside [-3, 3)"));
  BOOST_TEST(message_has([&] { kernels::scatter_add("put", DType::float32, in, 1, 3, 1, high, 3, out); },
                         "[put] index 3 at position 2 is outside [-3, 3)"));
  BOOST_TEST(message_has([&] { kernels::one_hot("one_hot", low, 2, 10, DType::float32, out); },
                         "[one_hot] index -3 at position 0 is outside [0, 10)"));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(one_hot, T, decltype(std::tuple<std::uint8_t, std::int32_t, float, double>())) {
  const std::int64_t labels[] = {2, 0, 9, 2};
  std::vector<T> out(40, T{7});
  kernels::one_hot("test", labels, 4, 10, dtype_of<T>(), out.data());
  for (std::size_t j = 0; j < 4; ++j) {
    for (std::size_t c = 0; c < 10; ++c) {
      BOOST_REQUIRE(out[j * 10 + c] == static_cast<T>(labels[j] == static_cast<std::int64_t>(c)));
    }
  }
}

BOOST_AUTO_TEST_CASE(rows_of_bytes) {
  for (const std::int64_t size : {1, 15, 64, 784}) {
    const auto rows = naive::random_elements<std::uint8_t>(static_cast<std::size_t>(100 * size), 0, 255.9);
    std::vector<std::int64_t> indices;
    for (std::int64_t j = 0; j < 70; ++j) {
      indices.push_back(j * 37 % 100);
    }
    std::vector<float> out(static_cast<std::size_t>(70 * size) + 1, -1.0F);
    kernels::gather_rows(rows.data(), size, indices.data(), 70, 1.0F / 255, out.data());
    for (std::int64_t j = 0; j < 70; ++j) {
      for (std::int64_t i = 0; i < size; ++i) {
        const auto byte = rows[static_cast<std::size_t>(indices[static_cast<std::size_t>(j)] * size + i)];
        BOOST_REQUIRE(out[static_cast<std::size_t>(j * size + i)] == static_cast<float>(byte) * (1.0F / 255));
      }
    }
    BOOST_TEST(out.back() == -1.0F);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
