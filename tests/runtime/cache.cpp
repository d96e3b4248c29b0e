#include "autograd/runtime/cache.hpp"

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/runtime/pool.hpp"

BOOST_AUTO_TEST_SUITE(runtime_cache)

namespace {

using namespace xgrad;
using runtime::Cache;

/// The keys of 0 ... 9 that are there; looking makes them all used, the largest last.
std::string keys_in(Cache<int, int>& cache) {
  std::string keys;
  for (int key = 0; key < 10; ++key) {
    keys += cache.find(key) ? std::to_string(key) : "";
  }
  return keys;
}

BOOST_AUTO_TEST_CASE(what_has_not_been_used_for_longest_goes_first) {
  Cache<int, int> cache(3);
  for (const int key : {1, 2, 3}) {
    cache.insert(key, 10 * key);
  }
  BOOST_TEST(cache.find(1).value() == 10);
  cache.insert(4, 40);
  BOOST_TEST(keys_in(cache) == "134");
  cache.insert(1, 11);  // there already, so used
  cache.insert(5, 50);
  BOOST_TEST(keys_in(cache) == "145");
  BOOST_TEST(cache.size() == 3U);
}

BOOST_AUTO_TEST_CASE(prices_are_bounded_too) {
  Cache<int, int> cache(100, 1000);
  cache.insert(1, 0, 400);
  cache.insert(2, 0, 400);
  cache.insert(3, 0, 200);
  BOOST_TEST(keys_in(cache) == "123");
  cache.insert(4, 0, 500);
  BOOST_TEST(keys_in(cache) == "34");
  BOOST_TEST(cache.bytes() == 700U);
  BOOST_TEST(cache.insert(5, 7, 1001) == 7, "too dear to be kept, but made");
  BOOST_TEST(cache.bytes() <= 1000U);
  BOOST_TEST(!cache.find(5));
}

BOOST_AUTO_TEST_CASE(the_first_value_wins) {
  Cache<std::string, int> cache(10);
  BOOST_TEST(cache.insert("a", 1) == 1);
  BOOST_TEST(cache.insert("a", 2) == 1);
  BOOST_TEST(cache.find_or_make("a", [] { return 3; }) == 1);
  BOOST_TEST(cache.find_or_make("b", [] { return 4; }) == 4);
  BOOST_TEST(cache.find("b").value() == 4);
}

struct Length {
  std::size_t operator()(std::string_view text) const { return text.size(); }
};

BOOST_AUTO_TEST_CASE(keys_of_one_hash_and_questions_of_another_type) {
  Cache<std::string, int, Length> cache(3);
  cache.insert("ab", 1);
  cache.insert("cd", 2);
  cache.insert("ef", 3);
  BOOST_TEST(cache.find(std::string_view("cd")).value() == 2);
  BOOST_TEST(!cache.find("gh"));
  cache.insert("gh", 4);
  BOOST_TEST(!cache.find("ab"));
  BOOST_TEST(cache.find("ef").value() == 3);
}

BOOST_AUTO_TEST_CASE(releasing_memory_empties_caches_before_the_pool) {
  constexpr std::size_t bytes = 5000;
  const auto block = [] {
    return std::shared_ptr<void>(runtime::allocate(bytes), [](void* place) { runtime::deallocate(place, bytes); });
  };
  Cache<int, std::shared_ptr<void>> cache(10);
  Cache<int, std::shared_ptr<void>> other(10);
  runtime::release_cached_memory();  // what other caches hold
  const std::size_t before = runtime::pool_status().in_use;
  cache.insert(1, block());
  cache.insert(2, block());
  other.insert(1, block());
  BOOST_TEST(runtime::pool_status().in_use > before);
  runtime::release_cached_memory();
  BOOST_TEST(cache.size() + other.size() == 0U);
  BOOST_TEST(cache.bytes() == 0U);
  BOOST_TEST(runtime::pool_status().in_use == before);
  BOOST_TEST(runtime::pool_status().cached == 0U);
  cache.insert(3, nullptr);
  BOOST_TEST(cache.size() == 1U);
}

/// Uses a cache, and all caches, while it is destroyed.
struct Busy {
  explicit Busy(Cache<int, std::shared_ptr<Busy>>& of) : cache(of) {}
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;
  ~Busy() {
    cache.find(1);
    inner.insert(1, 1);
  }
  Cache<int, std::shared_ptr<Busy>>& cache;
  Cache<int, int> inner{1};
};

BOOST_AUTO_TEST_CASE(values_that_use_caches_while_they_are_destroyed) {
  Cache<int, std::shared_ptr<Busy>> cache(2);
  for (int key = 0; key < 5; ++key) {
    cache.insert(key, std::make_shared<Busy>(cache));
  }
  cache.insert(4, std::make_shared<Busy>(cache));  // the second one loses
  BOOST_TEST(cache.size() == 2U);
  runtime::release_cached_memory();
  BOOST_TEST(cache.size() == 0U);
  cache.insert(1, std::make_shared<Busy>(cache));
  cache.clear();
}

BOOST_AUTO_TEST_CASE(threads_share_it) {
  Cache<int, std::shared_ptr<int>> cache(50, 5000);
  std::atomic<int> wrong = 0;
  std::atomic<bool> over = false;
  std::thread emptier([&] {
    while (!over) {
      runtime::release_cached_memory();
      const Cache<int, int> passing(1);
      std::this_thread::yield();
    }
  });
  std::vector<std::thread> users;
  for (int t = 0; t < 4; ++t) {
    users.emplace_back([&, t] {
      for (int i = 0; i < 5000; ++i) {
        const int key = (i * (t + 1)) % 97;
        const auto value = cache.find_or_make(
            key, [&] { return std::make_shared<int>(key); }, 90);
        wrong += *value != key;
        if (i % 500 == 0) {
          Cache<int, int> passing(1);
          passing.insert(key, key);
        }
      }
    });
  }
  for (std::thread& user : users) {
    user.join();
  }
  over = true;
  emptier.join();
  BOOST_TEST(wrong == 0);
  BOOST_TEST(cache.size() <= 50U);
  BOOST_TEST(cache.bytes() == 90 * cache.size());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
