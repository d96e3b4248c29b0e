#include "autograd/plan/report/scaling.hpp"

#include <algorithm>
#include <chrono>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "autograd/kernels/kernels.hpp"
#include "autograd/runtime/cpu.hpp"
#include "nn/nn.hpp"
#include "tests/runtime/threads.hpp"
#include "tests/testing.hpp"

/// \file
/// What plans say more cores would do for them.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(plan_scaling)

namespace {

using testing::check_throws;

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

const ScalingRow& row_of(const ScalingReport& report, int workers) {
  return *std::find_if(report.rows.begin(), report.rows.end(),
                       [workers](const ScalingRow& row) { return row.workers == workers; });
}

/// Takes 5 ms, which no other thread can help with.
struct Slow {
  static constexpr std::string_view name = "slow";
  static constexpr double seconds = 0.005;
  Spec infer(Inputs in) const { return {in[0].shape(), in[0].dtype()}; }
  void eval(ConstViews in, Views out) const {
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
    std::copy_n(in[0].as<float>(), in[0].size(), out[0].as<float>());
  }
};

/// A network whose step has products of several pieces.
struct Network {
  nn::Sequential model{nn::Dense(400, 300), nn::ReLU(), nn::Dense(300, 10)};
  nn::Adam adam{model.parameters()};
  Tensor images = random::normal(random::Key(1), {128, 400}).detach();
  Tensor labels = (remainder(arange(128, DType::int64), 10) * 1).detach();

  Network() { model.initialize(random::Key(2)); }
  Plan plan() {
    const auto step = compile([&](const Tensor& x, const Tensor& y) {
      const Tensor loss = nn::cross_entropy(model(x), y);
      adam.minimize(loss);
      return loss;
    });
    return step.plan(images, labels);
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(the_rows_are_1_2_4_to_64_workers) {
  const testing::Threads threads(2);
  Network network;
  const ScalingReport report = network.plan().scaling({network.images, network.labels}, 3);
  std::vector<int> workers;
  for (const ScalingRow& row : report.rows) {
    workers.push_back(row.workers);
    BOOST_TEST(row.seconds > 0);
    BOOST_TEST(row.speedup == report.rows.front().seconds / row.seconds, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(row.speedup <= row.workers * (1 + 1e-9));
    BOOST_TEST(row.measured.has_value() == (row.workers <= std::min(2, runtime::cpu_info().usable)));
    BOOST_TEST(row.limit.empty() == (row.workers == 1), row.limit);
  }
  BOOST_TEST(workers == (std::vector<int>{1, 2, 4, 8, 16, 32, 64}), boost::test_tools::per_element());
  BOOST_TEST(report.repetitions == 3);
  BOOST_TEST(report.barrier_seconds > 0);
  BOOST_TEST(report.barrier_threads <= 2);
  // The work of a plan of a few dozen pieces is shared out, and hardly faster for the last 32 threads.
  BOOST_TEST(row_of(report, 2).speedup > 1.2, to_string(report));
  BOOST_TEST(row_of(report, 64).speedup < 32, to_string(report));
}

/// Measured in turn: other programs disturb both.
BOOST_AUTO_TEST_CASE(on_one_thread_the_pieces_add_up_to_the_run) {
  Network network;
  const ScalingReport report = network.plan().scaling({network.images, network.labels}, 15);
  const ScalingRow& one = report.rows.front();
  BOOST_TEST_REQUIRE(one.measured.has_value());
  BOOST_TEST(one.seconds < 3 * *one.measured, to_string(report));
  BOOST_TEST(one.seconds > 0.5 * *one.measured, to_string(report));
  if (report.rows[1].measured) {  // what others leave of the second processor is unknown
    BOOST_TEST(report.rows[1].seconds < 3 * *report.rows[1].measured, to_string(report));
  }
}

BOOST_AUTO_TEST_CASE(variables_keep_their_contents) {
  Network network;
  nn::Variables variables = network.adam.parameters();
  variables.insert(variables.end(), network.adam.state().begin(), network.adam.state().end());
  const Plan plan = network.plan();
  plan.run(std::vector<Array>{network.images, network.labels});  // writes them in place from now on
  const std::uint64_t before = testing::hash_of(variables);
  plan.scaling({network.images, network.labels}, 3);
  BOOST_TEST(testing::hash_of(variables) == before);
  plan.run(std::vector<Array>{network.images, network.labels});
  BOOST_TEST(testing::hash_of(variables) != before);
}

BOOST_AUTO_TEST_CASE(variables_that_take_each_others_contents_stay_apart) {
  const Variable a(ones({2000}) * 1.0, "a");
  const Variable b(ones({2000}) * 2.0, "b");
  const auto step = compile([&](const Tensor& x) {
    a.assign(b);
    b.assign(b * 0.5 + x);
    return sum(a * b);
  });
  BOOST_TEST(!step.plan(ones({})).scaling({ones({})}, 3).rows.empty());
  testing::check_elements(a.read()[0], {}, {1});
  testing::check_elements(b.read()[0], {}, {2});
}

// A group of one piece runs on the calling thread, and its kernel may share out work of its own.
BOOST_AUTO_TEST_CASE(kernels_cut_themselves_inside_of_a_piece) {
  const testing::Threads threads(2);
  const auto inverses = compile([](const Tensor& x) { return linalg::inv(x); });
  const Tensor x = testing::random_tensor({8, 128, 128}) + 4 * eye(128, DType::float64);
  const ScalingReport report = inverses.plan(x).scaling({x}, 3);
  BOOST_TEST(to_string(report).find("8 pieces of linalg::inv") != std::string::npos, to_string(report));
}

BOOST_AUTO_TEST_CASE(what_one_thread_does_limits) {
  const testing::Threads threads(2);
  const auto step = compile([](const Tensor& x) { return apply_op(Slow{}, {exp(x) * 2.0F}); });
  const Tensor x = ones({1000, 1000});
  const ScalingReport report = step.plan(x).scaling({x}, 3);
  for (const ScalingRow& row : report.rows) {
    BOOST_TEST(row.seconds > Slow::seconds);
  }
  const std::string& limit = row_of(report, 64).limit;
  BOOST_TEST(contains(limit, "one thread, slow at scaling.cpp:"), limit);
  BOOST_TEST(contains(limit, " %"), limit);
}

// 784-512-256-10 on batches of 128, as benchmarks train it: each product has a piece for every one of sixteen threads.
BOOST_AUTO_TEST_CASE(large_products_have_work_for_sixteen_threads) {
  if (kernels::multiplies_by_blas(DType::float32)) {
    BOOST_TEST_MESSAGE("skipped: BLAS multiplies, in pieces that are large");
    return;
  }
  nn::Sequential model(nn::Dense(784, 512), nn::ReLU(), nn::Dense(512, 256), nn::ReLU(), nn::Dense(256, 10));
  nn::SGD sgd(model.parameters(), {.learning_rate = 0.01});
  const auto step = compile([&](const Tensor& images, const Tensor& labels) {
    const Tensor loss = nn::cross_entropy(model(images), labels);
    sgd.minimize(loss);
    return loss;
  });
  std::ostringstream text;
  text << step.plan(zeros({128, 784}, DType::float32), zeros({128}, DType::int64));
  const std::string plan = text.str();
  std::size_t products = 0;
  for (const char* cut :
       {"128 rows x 16 slabs in 16 pieces of 128", "784 rows in 16 pieces of 49", "512 rows in 16 pieces of 32"}) {
    for (std::size_t at = plan.find(cut); at != std::string::npos; at = plan.find(cut, at + 1)) {
      ++products;
    }
  }
  BOOST_TEST(products == 5U, plan);  // two of the forward pass, one cotangent, two gradients
}

BOOST_AUTO_TEST_CASE(few_pieces_limit) {
  const testing::Threads threads(2);
  const auto step = compile([](const Tensor& x, const Tensor& y) { return matmul(x, y); });
  const Tensor x = ones({512, 2048});  // much longer than barriers, also on a busy machine
  const Tensor y = ones({2048, 512});
  const ScalingReport report = step.plan(x, y).scaling({x, y}, 5);
  const std::string& limit = row_of(report, 64).limit;
  BOOST_TEST(limit.starts_with("phase 0: "), limit);
  BOOST_TEST(contains(limit, " pieces of matmul at scaling.cpp:"), limit);
}

BOOST_AUTO_TEST_CASE(kernels_that_share_their_own_work_are_shared_out) {
  const testing::Threads threads(2);
  const auto step = compile([](const Tensor& x) { return sum(x); });
  const Tensor x = ones({4'000'000});
  const ScalingReport report = step.plan(x).scaling({x}, 7);
  BOOST_TEST(row_of(report, 4).speedup > 2, to_string(report));
}

BOOST_AUTO_TEST_CASE(loops_that_stop_when_they_like_are_measured) {
  const Variable count(zeros({}) + 2.0F, "count");
  const auto step = compile([&](const Tensor& x) {
    count.assign(count + 1.0F);  // a step more each time
    return while_loop([](const Tensors& s) { return s[0] > 0.0F; },
                      [](const Tensors& s) {
                        return Tensors{s[0] - 1.0F, tanh(matmul(s[1], s[1]))};
                      },
                      Tensors{count + 0.0F, x})
        .carry[1];
  });
  const Tensor x = random::uniform(random::Key(1), {64, 64}, -0.1, 0.1).detach();
  const ScalingReport report = step.plan(x).scaling({x}, 4);
  BOOST_TEST(report.rows.front().seconds > 0);
  BOOST_TEST(count.item() == 2);
}

BOOST_AUTO_TEST_CASE(one_thread_has_no_barrier_to_measure) {
  const testing::Threads threads(1);
  const auto step = compile([](const Tensor& x) { return exp(x) + 1.0F; });
  const Tensor x = ones({100, 1000});
  const ScalingReport report = step.plan(x).scaling({x}, 2);
  BOOST_TEST(report.barrier_threads == 0);
  BOOST_TEST(report.barrier_seconds > 0);
  BOOST_TEST(!row_of(report, 2).measured.has_value());
  BOOST_TEST(contains(to_string(report), "taken to cost"));
}

BOOST_AUTO_TEST_CASE(the_table_has_a_line_per_row) {
  ScalingReport report;
  report.rows = {{1, 8e-6, 1, 9e-6, ""}, {16, 1e-6, 8, {}, "phase 3: 2 pieces of matmul at main.cpp:12, 35 %"}};
  report.barrier_seconds = 0.5e-6;
  report.barrier_threads = 2;
  report.repetitions = 20;
  std::ostringstream printed;
  printed << report;
  BOOST_TEST(printed.str() == to_string(report));
  std::istringstream lines(printed.str());
  std::string line;
  std::getline(lines, line);
  BOOST_TEST(line.starts_with("workers   us per run"));
  std::getline(lines, line);
  BOOST_TEST(line == "      1         8.00     1.00         9.00");
  std::getline(lines, line);
  BOOST_TEST(line == "     16         1.00     8.00               phase 3: 2 pieces of matmul at main.cpp:12, 35 %");
  std::getline(lines, line);
  BOOST_TEST(line == "a barrier takes 0.50 us on 2 threads, measured, and in proportion on more");
  std::getline(lines, line);
  BOOST_TEST(contains(line, "memory bandwidth"));
  std::getline(lines, line);
  BOOST_TEST(line == "from medians of 20 runs; measured is the shortest");
}

BOOST_AUTO_TEST_CASE(a_run_that_fails_leaves_all_as_it_was) {
  const testing::Threads threads(2);
  const Variable sums(zeros({2}, DType::float64), "sums");
  const auto step = compile(
      [&](const Tensor& x) {
        sums.assign(sums + x);
        return sum(log(x - 1.0) * 2.0);
      },
      {.plan = {.check_finite = true}});
  const Tensor bad{2.0, 1.0};
  const Plan plan = step.plan(bad);
  check_throws<ValueError>([&] { plan.scaling({bad}, 3); }, {"[log]", "NaN or infinite", "scaling.cpp:"});
  testing::check_elements(sums.read(), {2}, {0, 0});
  BOOST_TEST(plan.scaling({Tensor{2.0, 3.0}}, 3).rows.front().measured.has_value());
  testing::check_elements(sums.read(), {2}, {0, 0});
}

// Runs write copies of the variables: what the second one reads, they do not hold.
BOOST_AUTO_TEST_CASE(a_later_run_that_fails_is_explained_too) {
  const Variable v(Tensor(2.0), "v");
  const auto step = compile([&](const Tensor& x) {
    const Tensor rest = sqrt(5.0 * x - v * v);
    v.assign(v * v * v);
    return debug::require_finite(rest);
  });
  const Plan plan = step.plan(Tensor(1.0));
  check_throws<NotFiniteError>([&] { plan.scaling({Tensor(1.0)}, 3); }, {"[sqrt]", "-59"});
  BOOST_TEST(v.item() == 2);
}

BOOST_AUTO_TEST_CASE(mistakes_of_scaling_are_errors) {
  Network network;
  const Plan plan = network.plan();
  check_throws<ValueError>([&] { plan.scaling({network.images, network.labels}, 0); }, {"[scaling]", "1 or more"});
  check_throws<ValueError>([&] { plan.scaling({network.images}); }, {"1 arguments"});
  check_throws<ShapeError>([&] { plan.scaling({network.labels, network.labels}); }, {"argument 0"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
