#include "autograd/runtime/job_recorder.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <thread>

#include <sched.h>
#include <boost/test/unit_test.hpp>

#include "autograd/runtime/meeting.hpp"
#include "autograd/runtime/workers.hpp"
#include "tests/runtime/threads.hpp"

BOOST_AUTO_TEST_SUITE(runtime_job_recorder)

namespace {

using namespace xgrad;
using testing::Threads;

/// How many threads a job of many pieces saw, one more than the highest number.
int threads_seen() {
  std::atomic<int> most = 0;
  for (int round = 0; round < 20; ++round) {
    runtime::parallel_for(64, [&](std::int64_t) {
      int seen = most;
      while (seen <= runtime::thread_number() && !most.compare_exchange_weak(seen, runtime::thread_number() + 1)) {
      }
    });
  }
  return most;
}

BOOST_AUTO_TEST_CASE(a_limit_holds_for_its_scope_and_its_thread) {
  const Threads threads(4);
  for (const int limit : {1, 2, 3}) {
    const runtime::ThreadLimit scope(limit);
    BOOST_TEST(threads_seen() <= limit);
    const runtime::ThreadLimit higher(8);  // does not lift the one around it
    BOOST_TEST(threads_seen() <= limit);
    BOOST_TEST(runtime::num_threads() == 4);
  }
  const runtime::ThreadLimit one(1);
  std::thread([] {
    std::atomic<int> inside = 0;
    // Each of the two pieces waits for the other: they end only when two threads run them.
    runtime::parallel_for(2, [&](std::int64_t) {
      ++inside;
      while (inside < 2) {
        std::this_thread::yield();
      }
    });
  }).join();
}

BOOST_AUTO_TEST_CASE(pieces_are_timed_one_by_one) {
  const Threads threads(3);
  runtime::JobRecorder jobs(1);
  const auto sleep = [](int milliseconds) { std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds)); };
  runtime::parallel_for(3, [&](std::int64_t piece) { sleep(static_cast<int>(1 + 4 * piece)); });
  sleep(10);                                       // of no job
  runtime::parallel_for(1, [&](std::int64_t) {});  // nothing to share out
  runtime::parallel_for(0, [&](std::int64_t) {});
  runtime::parallel_for(2, [&](std::int64_t) {
    runtime::parallel_for(5, [&](std::int64_t) { sleep(1); });  // a part of the piece
  });
  BOOST_TEST_REQUIRE(jobs.job_count() == 2u);
  const auto first = jobs.stamps(0);
  const auto second = jobs.stamps(1);
  BOOST_TEST_REQUIRE(first.size() == 4u);
  BOOST_TEST_REQUIRE(second.size() == 3u);
  BOOST_TEST(jobs.stamp_count() == 7u);
  for (std::int64_t piece = 0; piece < 3; ++piece) {
    const auto i = static_cast<std::size_t>(piece);
    BOOST_TEST(first[i + 1] - first[i] >= 1'000'000 * (1 + 4 * piece));
  }
  BOOST_TEST(second[0] - first[3] >= 10'000'000);
  BOOST_TEST(second[1] - second[0] >= 5'000'000);
  BOOST_TEST(second[2] - second[1] >= 5'000'000);
}

BOOST_AUTO_TEST_CASE(recorders_nest_and_exceptions_pass) {
  const Threads threads(2);
  runtime::JobRecorder outer(1);
  {
    runtime::JobRecorder inner(1);
    BOOST_CHECK_THROW(runtime::parallel_for(3,
                                            [](std::int64_t piece) {
                                              if (piece == 1) {
                                                throw std::runtime_error("piece");
                                              }
                                            }),
                      std::runtime_error);
    runtime::parallel_for(2, [](std::int64_t) {});
    BOOST_TEST(inner.job_count() == 2u);
    BOOST_TEST(inner.stamps(0).size() == 4u);
  }
  BOOST_TEST(outer.job_count() == 0u);
  runtime::parallel_for(2, [](std::int64_t) {});
  BOOST_TEST(outer.job_count() == 1u);
}

BOOST_AUTO_TEST_CASE(threads_meet) {
  const Threads threads(2);
  cpu_set_t before;
  BOOST_TEST_REQUIRE(sched_getaffinity(0, sizeof(before), &before) == 0);
  runtime::meet(1);
  runtime::meet(2);
  runtime::meet(50);  // as many as there are
  const double seconds = runtime::meeting_seconds(2, 0.01);
  BOOST_TEST(seconds > 10e-9);  // a cache line has to come and go
  BOOST_TEST(seconds < 0.1);
  cpu_set_t mine;
  BOOST_TEST_REQUIRE(sched_getaffinity(0, sizeof(mine), &mine) == 0);
  BOOST_TEST(CPU_EQUAL(&mine, &before));  // and so do the workers have what they had
  std::atomic<int> changed = 0;
  runtime::parallel_for(64, [&](std::int64_t) {
    cpu_set_t own;
    changed += sched_getaffinity(0, sizeof(own), &own) != 0 || !CPU_EQUAL(&own, &before);
  });
  BOOST_TEST(changed == 0);
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
