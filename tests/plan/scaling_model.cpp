#include "autograd/plan/report/scaling_model.hpp"

#include <chrono>
#include <cstdint>
#include <limits>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/runtime/workers.hpp"
#include "tests/runtime/threads.hpp"

/// \file
/// Predictions from given times, which are exact.

BOOST_AUTO_TEST_SUITE(plan_scaling_model)

namespace {

using namespace xgrad;
using plan::Barrier;
using plan::Loss;
using plan::Prediction;
using plan::Stretch;
using Seconds = std::vector<double>;

constexpr Loss::Kind no_kind = Loss::Kind::none;

/// Of one group.
Stretch shared(std::uint32_t phase, const Seconds& seconds, std::uint32_t group = 0) {
  return {phase, true, seconds, std::vector<std::uint32_t>(seconds.size(), group)};
}

Stretch alone(std::uint32_t phase, double seconds, std::uint32_t group = 0) {
  return {phase, false, {seconds}, {group}};
}

BOOST_AUTO_TEST_CASE(threads_run_their_own_part_and_then_others_pieces) {
  BOOST_TEST(plan::finish_time(Seconds{1, 1, 1, 1}, 1) == 4);
  BOOST_TEST(plan::finish_time(Seconds{1, 1, 1, 1}, 2) == 2);
  BOOST_TEST(plan::finish_time(Seconds{1, 1, 1, 1}, 3) == 2);
  BOOST_TEST(plan::finish_time(Seconds{3, 2}, 16) == 3);
  BOOST_TEST(plan::finish_time(Seconds{}, 4) == 0);
  // Thread 0 owns {4, 1}, thread 1 {1, 1, 1} and has time for the 1.
  BOOST_TEST(plan::finish_time(Seconds{4, 1, 1, 1, 1}, 2) == 4);
  // Each owns two: the first takes, from 2 on, what the second has not begun, the third finds nothing left.
  BOOST_TEST(plan::finish_time(Seconds{1, 1, 10, 7, 1, 1}, 3) == 10);
  // The long piece comes last of the first part: nobody took it before.
  BOOST_TEST(plan::finish_time(Seconds{1, 1, 1, 8, 1, 1, 1, 1}, 2) == 11);
}

BOOST_AUTO_TEST_CASE(more_pieces_than_a_claim_counts_go_several_at_a_time) {
  const Seconds pieces(200'000, 1.0);  // claimed four at a time: 50,000 units
  BOOST_TEST(plan::finish_time(pieces, 2) == 100'000);
  BOOST_TEST(plan::finish_time(pieces, 64) == 782 * 4);
}

/// Pieces that sleep need no processor, so the times hold on a busy machine, too.
BOOST_AUTO_TEST_CASE(the_workers_do_what_the_model_says) {
  using Clock = std::chrono::steady_clock;
  constexpr double unit = 0.01;
  for (const int threads : {2, 3}) {
    const testing::Threads setting(threads);
    for (const Seconds& pieces : {Seconds{1, 1, 1, 8, 1, 1, 1, 1}, Seconds{6, 1, 1, 1, 1}, Seconds{1, 1, 6, 5, 1, 1}}) {
      const double expected = plan::finish_time(pieces, threads) * unit;
      double taken = std::numeric_limits<double>::infinity();
      for (int attempt = 0; attempt < 10 && taken > 1.25 * expected; ++attempt) {
        const auto start = Clock::now();
        runtime::parallel_for(static_cast<std::int64_t>(pieces.size()), [&](std::int64_t piece) {
          std::this_thread::sleep_for(std::chrono::duration<double>(pieces[static_cast<std::size_t>(piece)] * unit));
        });
        taken = std::chrono::duration<double>(Clock::now() - start).count();
      }
      BOOST_TEST(taken >= 0.99 * expected, taken << " s, expected " << expected << " on " << threads);
      BOOST_TEST(taken <= 1.25 * expected, taken << " s, expected " << expected << " on " << threads);
    }
  }
}

BOOST_AUTO_TEST_CASE(barriers_are_as_measured_and_grow_in_proportion) {
  const std::vector<Barrier> measured{{2, 0.5}, {4, 2.0}};
  BOOST_TEST(plan::barrier_of(measured, 1) == 0);
  BOOST_TEST(plan::barrier_of(measured, 2) == 0.5);
  BOOST_TEST(plan::barrier_of(measured, 3) == 1.5);
  BOOST_TEST(plan::barrier_of(measured, 4) == 2);
  BOOST_TEST(plan::barrier_of(measured, 16) == 8);
  BOOST_TEST(plan::barrier_of({}, 1) == 0);
  BOOST_TEST(plan::barrier_of({}, 4) == 2 * plan::barrier_of({}, 2));
  BOOST_TEST(plan::barrier_of({}, 2) > 0);
}

BOOST_AUTO_TEST_CASE(a_run_is_the_sum_of_its_stretches) {
  const std::vector<Barrier> barriers{{2, 0.125}};
  const std::vector<Stretch> run{alone(0, 2), shared(1, {1, 1, 1, 1}), shared(2, {0.5, 0.5})};
  BOOST_TEST(plan::predict(run, barriers, 1).seconds == 7);
  BOOST_TEST(plan::predict(run, barriers, 2).seconds == 2 + (2 + 0.125) + (0.5 + 0.125));
  BOOST_TEST(plan::predict(run, barriers, 4).seconds == 2 + (1 + 0.25) + (0.5 + 0.25));
  BOOST_TEST(plan::predict(run, barriers, 64).seconds == 2 + (1 + 4) + (0.5 + 4));
  BOOST_TEST(plan::predict({}, barriers, 4).seconds == 0);
}

BOOST_AUTO_TEST_CASE(the_largest_loss_is_named) {
  const std::vector<Barrier> barriers{{2, 0.125}};
  const std::vector<Stretch> run{alone(0, 2, 7), shared(1, {1, 1, 1, 1}, 8), shared(2, {6, 6}, 9)};
  BOOST_TEST((plan::predict(run, barriers, 1).largest.kind == no_kind));
  const Loss of_two = plan::predict(run, barriers, 2).largest;
  BOOST_TEST((of_two.kind == Loss::Kind::alone));
  BOOST_TEST(of_two.seconds == 1);
  BOOST_TEST(of_two.phase == 0u);
  BOOST_TEST(of_two.group == 7u);
  const Loss of_four = plan::predict(run, barriers, 4).largest;
  BOOST_TEST((of_four.kind == Loss::Kind::pieces));
  BOOST_TEST(of_four.seconds == 6 - 12.0 / 4);
  BOOST_TEST(of_four.phase == 2u);
  BOOST_TEST(of_four.group == 9u);
  BOOST_TEST(of_four.count == 2);
  const Loss of_many = plan::predict(run, std::vector<Barrier>{{2, 1}}, 64).largest;
  BOOST_TEST((of_many.kind == Loss::Kind::barriers));
  BOOST_TEST(of_many.seconds == 2 * 32);
  BOOST_TEST(of_many.count == 2);
}

BOOST_AUTO_TEST_CASE(losses_of_a_phase_add_up_and_the_longest_piece_names_its_group) {
  // A loop, whose steps are jobs of one phase; each loses less than the phase after it.
  std::vector<Stretch> run(10, shared(0, {1, 0.5}, 1));
  run.push_back({1, true, {0.25, 2, 0.25, 2}, {4, 5, 4, 5}});
  const Loss largest = plan::predict(run, {}, 4).largest;
  BOOST_TEST(largest.phase == 0u);
  BOOST_TEST(largest.seconds == 10 * (1 - 1.5 / 4), boost::test_tools::tolerance(1e-12));
  const Loss of_last = plan::predict(std::vector<Stretch>{run.back()}, {}, 4).largest;
  BOOST_TEST(of_last.group == 5u);
  BOOST_TEST(of_last.count == 2);
}

BOOST_AUTO_TEST_CASE(medians_are_of_runs_that_are_cut_alike) {
  const auto run = [](double first, double second) {
    return std::vector<Stretch>{alone(0, first), shared(1, {second, 2 * second})};
  };
  std::vector<std::vector<Stretch>> runs{run(1, 30), run(3, 10), {alone(0, 1000)}, run(2, 20)};
  runs.insert(runs.begin(), {alone(0, 1000), shared(1, {1, 1, 1})});
  const std::vector<Stretch> median = plan::median_of(runs);
  BOOST_TEST_REQUIRE(median.size() == 2u);
  BOOST_TEST(median[0].seconds == Seconds{2}, boost::test_tools::per_element());
  BOOST_TEST(median[1].seconds == (Seconds{20, 40}), boost::test_tools::per_element());
  BOOST_TEST(plan::median({5}) == 5);
  BOOST_TEST(plan::median({9, 1, 5}) == 5);
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
