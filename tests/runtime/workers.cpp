#include "autograd/runtime/workers.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <sched.h>
#include <unistd.h>
#include <boost/test/unit_test.hpp>

#include "autograd/runtime/error.hpp"
#include "autograd/runtime/pool.hpp"
#include "tests/runtime/threads.hpp"

BOOST_AUTO_TEST_SUITE(runtime_workers)

namespace {

using namespace xgrad;
using testing::Threads;

std::vector<std::atomic<int>> run_counts(std::int64_t pieces) {
  std::vector<std::atomic<int>> counts(static_cast<std::size_t>(pieces));
  runtime::parallel_for(pieces, [&](std::int64_t piece) { ++counts[static_cast<std::size_t>(piece)]; });
  return counts;
}

BOOST_AUTO_TEST_CASE(every_piece_runs_once) {
  for (const int count : {1, 2, 3, 8}) {
    const Threads threads(count);
    for (const std::int64_t pieces : {0, 1, 2, 3, 7, 8, 100, 1000}) {
      for (int round = 0; round < 20; ++round) {
        for (const auto& each : run_counts(pieces)) {
          BOOST_REQUIRE(each == 1);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(other_threads_take_part) {
  const Threads threads(2);
  std::atomic<bool> helped = false;
  const auto caller = std::this_thread::get_id();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!helped && std::chrono::steady_clock::now() < deadline) {
    runtime::parallel_for(8, [&](std::int64_t) {
      helped = helped || std::this_thread::get_id() != caller;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    });
  }
  BOOST_TEST(helped);
}

BOOST_AUTO_TEST_CASE(a_sleeping_worker_is_woken) {
  const Threads threads(2);
  run_counts(2);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  std::atomic<int> inside = 0;
  // Each of the two pieces waits for the other: they end only when two threads run them.
  runtime::parallel_for(2, [&](std::int64_t) {
    ++inside;
    while (inside < 2) {
      std::this_thread::yield();
    }
  });
  BOOST_TEST(inside == 2);
}

/// How often a thread of this process has gone to sleep.
long sleeps_of(pid_t thread) {
  std::ifstream status("/proc/self/task/" + std::to_string(thread) + "/status");
  for (std::string word; status >> word;) {
    if (long count = 0; word == "voluntary_ctxt_switches:" && status >> count) {
      return count;
    }
  }
  return -1;
}

/// Two busy threads that yield to each other on one core would not be moved apart.
BOOST_AUTO_TEST_CASE(a_worker_on_the_callers_core_sleeps) {
  using Clock = std::chrono::steady_clock;
  const Threads threads(2);
  std::atomic<pid_t> worker = 0;
  const auto deadline = Clock::now() + std::chrono::seconds(10);
  while (worker == 0 && Clock::now() < deadline) {
    runtime::parallel_for(8, [&](std::int64_t) {
      worker = runtime::thread_number() == 1 ? gettid() : worker.load();
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    });
  }
  BOOST_REQUIRE(worker != 0);
  cpu_set_t allowed;
  cpu_set_t one;
  BOOST_REQUIRE(sched_getaffinity(0, sizeof(allowed), &allowed) == 0);
  CPU_ZERO(&one);
  CPU_SET(static_cast<std::size_t>(sched_getcpu()), &one);
  sched_setaffinity(0, sizeof(one), &one);
  sched_setaffinity(worker, sizeof(one), &one);
  const long before = sleeps_of(worker);
  BOOST_TEST(before >= 0);
  constexpr long some = 10;
  for (long now = before; now < before + some && Clock::now() < deadline; now = sleeps_of(worker)) {
    for (const auto end = Clock::now() + std::chrono::milliseconds(1); Clock::now() < end;) {
      run_counts(20);  // so many jobs that it never gets tired of waiting for the next one
    }
  }
  BOOST_TEST((Clock::now() < deadline));
  sched_setaffinity(worker, sizeof(allowed), &allowed);
  sched_setaffinity(0, sizeof(allowed), &allowed);
}

BOOST_AUTO_TEST_CASE(the_exception_of_the_lowest_piece_is_thrown_after_all_have_run) {
  for (const int count : {1, 2, 3}) {
    const Threads threads(count);
    for (int round = 0; round < 50; ++round) {
      std::atomic<int> ran = 0;
      BOOST_CHECK_EXCEPTION(runtime::parallel_for(40,
                                                  [&](std::int64_t piece) {
                                                    ++ran;
                                                    if (piece % 10 == 7) {
                                                      throw std::runtime_error(std::to_string(piece));
                                                    }
                                                  }),
                            std::runtime_error,
                            [](const std::exception& error) { return error.what() == std::string("7"); });
      BOOST_TEST(ran == 40);
    }
    BOOST_TEST(run_counts(10)[9] == 1);  // and the next job is not disturbed
  }
}

BOOST_AUTO_TEST_CASE(inside_a_piece_it_runs_serially) {
  const Threads threads(3);
  std::atomic<int> sum = 0;
  std::atomic<int> strangers = 0;
  runtime::parallel_for(6, [&](std::int64_t) {
    const auto self = std::this_thread::get_id();
    runtime::parallel_for(5, [&](std::int64_t inner) {
      sum += static_cast<int>(inner);
      strangers += std::this_thread::get_id() != self;
    });
  });
  BOOST_TEST(sum == 60);
  BOOST_TEST(strangers == 0);
}

BOOST_AUTO_TEST_CASE(many_callers_at_once) {
  const Threads threads(2);
  std::atomic<int> wrong = 0;
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&wrong] {
      for (int round = 0; round < 300; ++round) {
        for (const auto& each : run_counts(9)) {
          wrong += each != 1;
        }
      }
    });
  }
  for (std::thread& caller : callers) {
    caller.join();
  }
  BOOST_TEST(wrong == 0);
}

BOOST_AUTO_TEST_CASE(any_callable) {
  int calls = 0;
  const auto constant = [&calls](std::int64_t) { ++calls; };
  runtime::parallel_for(1, constant);
  auto variable = [&calls](std::int64_t) mutable { ++calls; };
  runtime::parallel_for(1, variable);
  runtime::parallel_for(1, [&calls](std::int64_t) { ++calls; });
  BOOST_TEST(calls == 3);
}

BOOST_AUTO_TEST_CASE(the_number_of_threads) {
  const Threads threads(3);
  BOOST_TEST(runtime::num_threads() == 3);
  BOOST_CHECK_THROW(runtime::set_num_threads(0), ValueError);
  BOOST_CHECK_THROW(runtime::set_num_threads(-2), ValueError);
  BOOST_TEST(runtime::num_threads() == 3);
}

BOOST_AUTO_TEST_CASE(threads_of_a_loop_have_different_numbers) {
  for (const int count : {1, 2, 3, 5}) {
    const Threads threads(count);
    std::vector<std::atomic<int>> users(static_cast<std::size_t>(count));
    const auto caller = std::this_thread::get_id();
    std::atomic<int> wrong = 0;
    for (int round = 0; round < 50; ++round) {
      runtime::parallel_for(64, [&](std::int64_t) {
        const int number = runtime::thread_number();
        if (number < 0 || number >= count) {
          ++wrong;
          return;
        }
        wrong += (number == 0) != (std::this_thread::get_id() == caller);
        wrong += users[static_cast<std::size_t>(number)]++ != 0;  // nobody else has this number now
        runtime::parallel_for(3, [&](std::int64_t) { wrong += runtime::thread_number() != number; });
        --users[static_cast<std::size_t>(number)];
      });
    }
    BOOST_TEST(wrong == 0);
  }
  BOOST_TEST(runtime::thread_number() == 0);
}

BOOST_AUTO_TEST_CASE(a_worker_has_a_number_above_0) {
  const Threads threads(2);
  std::atomic<int> inside = 0;
  std::atomic<int> numbers = 0;
  // Each of the two pieces waits for the other: two threads run them.
  runtime::parallel_for(2, [&](std::int64_t) {
    ++inside;
    while (inside < 2) {
      std::this_thread::yield();
    }
    numbers += 1 + 10 * runtime::thread_number();
  });
  BOOST_TEST(numbers == 12);
}

BOOST_AUTO_TEST_CASE(scratch_is_each_threads_own) {
  const Threads threads(3);
  std::atomic<int> broken = 0;
  runtime::parallel_for(50, [&](std::int64_t piece) {
    const std::size_t count = 10 + static_cast<std::size_t>(piece) * 100;
    auto* scratch = static_cast<std::int64_t*>(runtime::thread_scratch(count * sizeof(std::int64_t)));
    broken += reinterpret_cast<std::uintptr_t>(scratch) % runtime::alignment != 0;
    for (std::size_t i = 0; i < count; ++i) {
      scratch[i] = piece;
    }
    for (std::size_t i = 0; i < count; ++i) {
      broken += scratch[i] != piece;
    }
  });
  BOOST_TEST(broken == 0);
}

BOOST_AUTO_TEST_CASE(no_more_threads_take_part_than_are_wanted) {
  const Threads threads(8);
  for (const int most : {1, 2, 3, 20}) {
    std::atomic<int> highest = 0;
    std::atomic<int> pieces = 0;
    for (int round = 0; round < 50; ++round) {
      runtime::parallel_for(
          100,
          [&](std::int64_t) {
            ++pieces;
            int seen = highest;
            while (seen < runtime::thread_number() && !highest.compare_exchange_weak(seen, runtime::thread_number())) {
            }
          },
          most);
    }
    BOOST_TEST(pieces == 5000);
    BOOST_TEST(highest < most);
  }
}

BOOST_AUTO_TEST_CASE(a_piece_cannot_change_the_number_of_threads) {
  const Threads threads(2);
  BOOST_CHECK_THROW(runtime::parallel_for(4, [](std::int64_t) { runtime::set_num_threads(3); }), ValueError);
  BOOST_TEST(runtime::num_threads() == 2);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
