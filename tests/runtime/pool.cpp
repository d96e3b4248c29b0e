#include "autograd/runtime/pool.hpp"

#include <cstdint>
#include <cstring>
#include <new>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(runtime_pool)

namespace {

using namespace xgrad;

BOOST_AUTO_TEST_CASE(blocks_are_aligned_and_large_enough) {
  for (std::size_t bytes = 0; bytes < 100'000; bytes += 1 + bytes / 7) {
    void* block = runtime::allocate(bytes);
    BOOST_TEST(reinterpret_cast<std::uintptr_t>(block) % runtime::alignment == 0U);
    std::memset(block, 1, bytes);
    runtime::deallocate(block, bytes);
  }
}

BOOST_AUTO_TEST_CASE(a_freed_block_is_the_next_of_its_size) {
  for (const std::size_t bytes : {1UL, 64UL, 1000UL, 1'000'000UL, 40'000'000UL}) {
    void* block = runtime::allocate(bytes);
    runtime::deallocate(block, bytes);
    void* again = runtime::allocate(bytes);
    BOOST_TEST(again == block);
    runtime::deallocate(again, bytes);
  }
}

BOOST_AUTO_TEST_CASE(sizes_are_rounded_up_by_a_quarter_at_most) {
  for (const std::size_t bytes : {257UL, 1000UL, 5000UL, 1'000'001UL, 33'000'000UL}) {
    const std::size_t before = runtime::pool_status().in_use;
    void* block = runtime::allocate(bytes);
    const std::size_t taken = runtime::pool_status().in_use - before;
    BOOST_TEST(taken >= bytes);
    BOOST_TEST(taken <= bytes + bytes / 4);
    runtime::deallocate(block, bytes);
  }
}

BOOST_AUTO_TEST_CASE(status_counts_what_is_used_and_cached) {
  runtime::release_cached_memory();
  const auto before = runtime::pool_status();
  BOOST_TEST(before.cached == 0U);
  void* block = runtime::allocate(4096);
  BOOST_TEST(runtime::pool_status().in_use == before.in_use + 4096);
  runtime::deallocate(block, 4096);
  BOOST_TEST(runtime::pool_status().in_use == before.in_use);
  BOOST_TEST(runtime::pool_status().cached == 4096U);
  runtime::release_cached_memory();
  BOOST_TEST(runtime::pool_status().cached == 0U);
}

BOOST_AUTO_TEST_CASE(the_cache_has_a_limit) {
  constexpr std::size_t bytes = std::size_t{300} << 20;
  std::vector<void*> blocks;
  for (int i = 0; i < 5; ++i) {
    blocks.push_back(runtime::allocate(bytes));
  }
  for (void* block : blocks) {
    runtime::deallocate(block, bytes);
    BOOST_TEST(runtime::pool_status().cached <= std::size_t{1} << 30);
  }
  runtime::release_cached_memory();
}

BOOST_AUTO_TEST_CASE(sizes_that_are_used_stay) {
  runtime::release_cached_memory();
  constexpr std::size_t used = 5'000'000;
  constexpr std::size_t old = std::size_t{200} << 20;
  std::vector<void*> blocks;
  for (int i = 0; i < 4; ++i) {
    blocks.push_back(runtime::allocate(old));
  }
  for (void* block : blocks) {
    runtime::deallocate(block, old);
  }
  void* first = runtime::allocate(used);
  runtime::deallocate(first, used);
  for (std::size_t bytes = old / 2; bytes < old; bytes += old / 8) {  // until the old ones are too much
    void* other = runtime::allocate(bytes);
    void* again = runtime::allocate(used);
    BOOST_TEST(again == first);
    runtime::deallocate(other, bytes);
    runtime::deallocate(again, used);
  }
  BOOST_TEST(runtime::pool_status().cached <= std::size_t{1} << 30);
  BOOST_TEST(runtime::pool_status().cached < 4 * old);
  runtime::release_cached_memory();
}

BOOST_AUTO_TEST_CASE(more_than_there_is) {
  const auto before = runtime::pool_status();
  BOOST_CHECK_THROW(runtime::allocate(SIZE_MAX), std::bad_alloc);
  BOOST_CHECK_THROW(runtime::allocate(std::size_t{1} << 60), std::bad_alloc);
  BOOST_TEST(runtime::pool_status().in_use == before.in_use);
  runtime::deallocate(nullptr, 5);
}

BOOST_AUTO_TEST_CASE(threads_share_it) {
  const auto before = runtime::pool_status();
  std::vector<std::thread> threads;
  std::vector<int> broken(4, 0);
  for (std::size_t t = 0; t < broken.size(); ++t) {
    threads.emplace_back([t, &broken] {
      for (std::size_t round = 0; round < 2000; ++round) {
        const std::size_t bytes = 64 + round % 5 * 700;
        auto* a = static_cast<unsigned char*>(runtime::allocate(bytes));
        auto* b = static_cast<unsigned char*>(runtime::allocate(bytes));
        std::memset(a, static_cast<int>(t), bytes);
        std::memset(b, static_cast<int>(t + 100), bytes);
        broken[t] += a[bytes - 1] != t || b[0] != t + 100;
        runtime::deallocate(a, bytes);
        runtime::deallocate(b, bytes);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (const int each : broken) {
    BOOST_TEST(each == 0);
  }
  BOOST_TEST(runtime::pool_status().in_use == before.in_use);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
