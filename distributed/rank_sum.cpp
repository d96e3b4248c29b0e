#include "distributed/rank_sum.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <type_traits>

namespace xgrad::distributed::detail {

namespace {

constexpr std::int64_t block = 2048;  // elements that stay in the L1 cache, with what is added to them

template <class T>
void add(const T* a, const T* b, T* sum, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    if constexpr (std::is_integral_v<T>) {
      using Wrapping = std::make_unsigned_t<T>;
      sum[i] = static_cast<T>(static_cast<Wrapping>(a[i]) + static_cast<Wrapping>(b[i]));
    } else {
      sum[i] = a[i] + b[i];
    }
  }
}

// Elements from `begin` of all terms, at most a block. Where there is one term, it is given as it is.
template <class T>
const T* sum_block(std::span<const std::byte* const> terms, std::int64_t begin, std::int64_t count, T* memory) {
  const auto term = [&](std::size_t i) { return reinterpret_cast<const T*>(terms[i]) + begin; };
  if (terms.size() == 1) {
    return term(0);
  }
  if (terms.size() == 2) {
    add(term(0), term(1), memory, count);
    return memory;
  }
  const std::size_t half = std::bit_ceil(terms.size()) / 2;
  std::array<T, block> second;
  const T* left = sum_block(terms.first(half), begin, count, memory);
  const T* right = sum_block(terms.subspan(half), begin, count, second.data());
  add(left, right, memory, count);
  return memory;
}

template <class T>
void sum_all(std::span<const std::byte* const> terms, std::byte* sum, std::int64_t count) {
  std::array<T, block> memory;
  for (std::int64_t begin = 0; begin < count; begin += block) {
    const std::int64_t length = std::min(block, count - begin);
    T* out = reinterpret_cast<T*>(sum) + begin;
    if (terms.size() == 2) {
      sum_block(terms, begin, length, out);
    } else {
      const T* found = sum_block(terms, begin, length, memory.data());
      std::memmove(out, found, static_cast<std::size_t>(length) * sizeof(T));
    }
  }
}

}  // namespace

void sum_of_ranks(DType dtype, std::span<const std::byte* const> terms, std::byte* sum, std::int64_t count) {
  dispatch_numbers(dtype, [&](auto zero) { sum_all<decltype(zero)>(terms, sum, count); });
}

}  // namespace xgrad::distributed::detail
