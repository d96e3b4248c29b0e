#include <algorithm>
#include <atomic>
#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "autograd/runtime/pool.hpp"
#include "autograd/runtime/workers.hpp"
#include "nn/nn.hpp"
#include "random_graphs.hpp"
#include "tests/runtime/threads.hpp"
#include "tests/testing.hpp"

/// \file
/// How much memory plans need, and that no two values share what both need.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(plan_memory)

namespace {

std::size_t bytes_in_use() { return runtime::pool_status().in_use; }

/// x, and what the pool has handed out while it is computed.
struct PoolProbe {
  static constexpr std::string_view name = "pool_probe";
  std::atomic<std::size_t>* in_use;

  Spec infer(Inputs in) const { return {in[0].shape(), in[0].dtype()}; }
  void eval(ConstViews in, Views out) const {
    *in_use = bytes_in_use();
    std::copy_n(in[0].as<float>(), in[0].size(), out[0].as<float>());
  }
};

/// What the pool hands out for arrays of these sizes.
std::size_t pool_bytes(const std::vector<std::size_t>& sizes) {
  const std::size_t before = bytes_in_use();
  std::vector<Array> arrays;
  for (const std::size_t bytes : sizes) {
    arrays.emplace_back(Shape{static_cast<std::int64_t>(bytes)}, DType::uint8);
  }
  return bytes_in_use() - before;
}

/// A line of a memory map.
struct Placed {
  std::int64_t offset, bytes, first, last;
};

std::vector<Placed> parse_map(const std::string& map) {
  std::vector<Placed> values;
  std::istringstream lines(map);
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line) && !line.starts_with("arena")) {
    std::istringstream words(line);
    Placed value{};
    std::string to;
    words >> value.offset >> value.bytes >> value.first >> to >> value.last;
    BOOST_TEST(to == "to");
    values.push_back(value);
  }
  return values;
}

/// How many pairs of values overlap in memory while both are needed.
int overlaps(const std::vector<Placed>& values) {
  int count = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      const Placed& a = values[i];
      const Placed& b = values[k];
      const bool at_once = a.first <= b.last && b.first <= a.last;
      count += at_once && a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
    }
  }
  return count;
}

/// A network and a batch, and the memory that training it cannot do without.
struct Network {
  std::string name;
  std::vector<std::int64_t> widths;
  std::int64_t batch;
};

struct Need {
  std::size_t parameters = 0;
  std::size_t activations = 0;  ///< what the layers give, which the backward pass reads
  std::size_t temporaries = 0;  ///< the largest two
};

Need need_of(const Network& network) {
  Need need;
  std::vector<std::size_t> temporaries;
  for (std::size_t i = 1; i < network.widths.size(); ++i) {
    const auto weight = static_cast<std::size_t>(network.widths[i - 1] * network.widths[i]) * sizeof(float);
    const auto activation = static_cast<std::size_t>(network.batch * network.widths[i]) * sizeof(float);
    need.parameters += weight + static_cast<std::size_t>(network.widths[i]) * sizeof(float);
    need.activations += activation;
    temporaries.push_back(weight);      // its gradient
    temporaries.push_back(activation);  // its cotangent
  }
  std::sort(temporaries.rbegin(), temporaries.rend());
  need.temporaries = temporaries[0] + temporaries[1];
  return need;
}

Plan plan_of(const Network& network) {
  nn::Sequential model;
  for (std::size_t i = 1; i < network.widths.size(); ++i) {
    model.append(nn::Dense(network.widths[i - 1], network.widths[i]));
    if (i + 1 < network.widths.size()) {
      model.append(nn::ReLU());
    }
  }
  model.initialize(random::Key(1));
  nn::Adam adam(model.parameters());
  const auto step = compile([&](const Tensor& x, const Tensor& labels) {
    const Tensor loss = nn::cross_entropy(model(x), labels);
    adam.minimize(loss);
    return loss;
  });
  return step.plan(zeros({network.batch, network.widths.front()}), zeros({network.batch}, DType::int64));
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_peak_is_known_before_the_first_run) {
  for (const int threads : {1, 2, 3}) {
    const testing::Threads setting(threads);
    std::atomic<std::size_t> during = 0;
    const auto step = compile([&](const Tensor& x) {
      const Tensor y = matmul(tanh(x), transpose(x)) * 0.5;
      const Tensor probed = apply_op(PoolProbe{&during}, {softmax(y, 1)});
      return Tensors{sum(probed * y, {1}), exp(probed), sum(sin(probed), {0})};
    });
    const std::vector<Array> inputs{ones({300, 200}).array()};
    const Plan plan = step.plan(Tensor(inputs[0]));
    const std::size_t peak = plan.peak_bytes();
    const std::size_t outputs = (300 + 300 * 300 + 300) * sizeof(float);
    BOOST_TEST(peak > outputs);
    const std::size_t of_results = pool_bytes({300 * sizeof(float), 300 * 300 * sizeof(float), 300 * sizeof(float)});
    const std::size_t before = bytes_in_use();
    for (int run = 0; run < 3; ++run) {
      const std::vector<Array> results = plan.run(inputs);
      BOOST_TEST(during - before == pool_bytes({peak - outputs}) + of_results);
      BOOST_TEST(bytes_in_use() - before == of_results);  // the working memory is back in the pool
    }
    BOOST_TEST(bytes_in_use() == before);
    BOOST_TEST(plan.peak_bytes() == peak);
  }
}

BOOST_AUTO_TEST_CASE(the_peak_follows_the_number_of_threads) {
  std::atomic<std::size_t> during = 0;
  const auto step = compile([&](const Tensor& x) {
    const Tensor y = sum(tanh(matmul(tanh(x), transpose(x))) * 2.0, {1});
    return apply_op(PoolProbe{&during}, {y});
  });
  const std::vector<Array> inputs{ones({400, 300}).array()};
  const Plan plan = step.plan(Tensor(inputs[0]));
  const std::size_t before = bytes_in_use();
  for (const int threads : {1, 4, 1}) {
    const testing::Threads setting(threads);
    plan.run(inputs);
    const std::size_t result = 400 * sizeof(float);
    BOOST_TEST(during - before == pool_bytes({plan.peak_bytes() - result, result}));
  }
}

BOOST_AUTO_TEST_CASE(values_that_are_needed_at_once_are_apart) {
  for (unsigned seed = 1; seed <= 120; ++seed) {
    const testing::RandomGraph graph(
        seed, seed % 3 == 0 ? testing::RandomGraph::Size::large : testing::RandomGraph::Size::small);
    const auto variables = graph.make_variables();
    const auto arguments = graph.arguments();
    for (const bool reuse : {true, false}) {
      PlanOptions options;
      options.passes.reuse = reuse;
      const auto step = compile(
          [&](const Tensor& x, const Tensor& y, const Tensor& labels) {
            return graph({x, y, labels}, variables);
          },
          {.plan = options});
      const std::vector<Placed> values = parse_map(step.plan(arguments[0], arguments[1], arguments[2]).memory_map());
      BOOST_TEST(overlaps(values) == 0, "graph " << seed);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_training_step_needs_its_activations_and_two_temporaries) {
  constexpr std::size_t blocks = 64 * 1024;  // rows that wait in the cache, and vectors
  const testing::Threads one(1);
  std::string table = fmt::format("\n{:>24} {:>11} {:>12} {:>12} {:>10} {:>10}\n", "network", "parameters",
                                  "activations", "temporaries", "bound", "peak");
  for (const Network& network : {Network{"784-128-10, 64", {784, 128, 10}, 64},
                                 Network{"8 x 256, 128", {256, 256, 256, 256, 256, 256, 256, 256, 10}, 128},
                                 Network{"784-256-64-256-784, 32", {784, 256, 64, 256, 784}, 32}}) {
    const Need need = need_of(network);
    const Plan plan = plan_of(network);
    const std::size_t bound = need.activations + need.temporaries + blocks;
    table += fmt::format("{:>24} {:>11} {:>12} {:>12} {:>10} {:>10}\n", network.name, need.parameters, need.activations,
                         need.temporaries, bound, plan.peak_bytes());
    BOOST_TEST(plan.peak_bytes() <= bound, network.name);
  }
  BOOST_TEST_MESSAGE(table);
}

// A plan holds constants of some bytes, but no arena while it does not run; blocks of the pool are shared by all sizes
// between two of its steps, up to a factor of 1.25. All lengths together then need a geometric series of blocks: about 5
// times what the largest needs, not 300 times.
BOOST_AUTO_TEST_CASE(six_hundred_batch_lengths_share_their_memory) {
  const testing::Threads one(1);
  const Variable weight(ones({256, 256}));
  const auto step = compile([&](const Tensor& x) {
    const Tensor loss = mean(square(tanh(matmul(tanh(matmul(x, weight)), weight))));
    return grad(loss, weight);
  });
  runtime::release_cached_memory();
  const runtime::PoolStatus before = runtime::pool_status();
  for (std::int64_t rows = 1; rows <= 600; ++rows) {
    step(ones({rows, 256}).detach()).array();
  }
  const runtime::PoolStatus after = runtime::pool_status();
  const std::size_t largest = step.plan(ones({600, 256}).detach()).peak_bytes() + 600 * 256 * sizeof(float);
  BOOST_TEST_MESSAGE(after.cached - before.cached << " bytes kept for 600 lengths, " << largest << " for the largest");
  BOOST_TEST(after.in_use <= before.in_use + largest / 4);
  BOOST_TEST(after.cached <= before.cached + 6 * largest);
}

// Each thread would have rows of its own, which are longer than what threads save by them.
BOOST_AUTO_TEST_CASE(wide_products_take_no_more_memory_on_many_threads) {
  const auto step = compile([](const Tensor& x, const Tensor& y) { return sum(relu(matmul(x, y))); });
  const Tensor x = zeros({128, 64});
  const Tensor y = zeros({64, 50'000});
  std::vector<std::size_t> peaks;
  for (const int threads : {1, 16}) {
    const testing::Threads setting(threads);
    peaks.push_back(step.plan(x, y).peak_bytes());
  }
  const double product = 128 * 50'000 * 4;
  BOOST_TEST(static_cast<double>(peaks[0]) < 2.1 * product);
  BOOST_TEST(static_cast<double>(peaks[1]) < 2.1 * product);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
