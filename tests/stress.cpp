#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "autograd/autograd.hpp"
#include "autograd/runtime/pool.hpp"
#include "autograd/runtime/workers.hpp"
#include "datasets/datasets.hpp"
#include "nn/nn.hpp"

/// \file
/// Everything at once, on several threads that share what can be shared:  stress [ROUNDS]. Every number is compared with
/// what one thread computes before the others begin.

namespace {

using namespace xgrad;
using datasets::Dataset;

std::atomic<long> checked = 0;
std::atomic<long> wrong = 0;

void require(bool holds, const char* what) {
  ++checked;
  if (!holds && ++wrong < 10) {
    std::fprintf(stderr, "wrong: %s\n", what);
  }
}

/// A graph of some twenty nodes, whose structure depends on the slope.
Tensor chain(const Tensor& x, double slope) {
  Tensor y = x;
  for (int i = 0; i < 6; ++i) {
    y = leaky_relu(sin(y), slope) + cos(matmul(y, transpose(x))) * 0.1;
  }
  return sum(y);
}

Tensor input(int seed) { return sin(reshape(arange(16.0, DType::float64), {4, 4}) * (0.1 + 0.01 * seed)).detach(); }

constexpr int variants = 7;
double slope_of(int variant) { return 0.05 * variant; }

struct Expected {
  double value, gradient, batch;
};

double first_of(const Tensor& t) { return reshape(t, {-1})[0].item<double>(); }

Tensor rows_of(const Tensor& x, double slope) {
  return vmap([&](const Tensor& row) { return chain(reshape(row, {1, 4}), slope); })(x);
}

struct Fitting {
  nn::Sequential model{nn::Dense(4, 5), nn::Tanh(), nn::Dropout(0.2), nn::Dense(5, 2)};
  Dataset data{random::normal(random::Key(1), {24, 4}).array(), remainder(arange(24, DType::int64), 2).array()};

  Fitting() { model.initialize(random::Key(3)); }
  std::vector<double> losses() {
    nn::Trainer trainer(model, nn::Adam(model.parameters()), nn::cross_entropy);
    return trainer.fit(data, {.epochs = 2, .progress = nn::Progress::quiet})["loss"];
  }
};

Expected expected_of(int variant) {
  const Tensor x = input(variant);
  return {chain(x, slope_of(variant)).item<double>(), first_of(grad(chain(x, slope_of(variant)), x)),
          first_of(rows_of(x, slope_of(variant)))};
}

}  // namespace

int main(int count, char** arguments) {
  const int rounds = count > 1 ? std::stoi(arguments[1]) : 400;
  runtime::set_num_threads(3);
  std::vector<Expected> expected;
  for (int variant = 0; variant < variants; ++variant) {
    expected.push_back(expected_of(variant));
  }
  const std::vector<double> losses = Fitting().losses();
  runtime::release_cached_memory();

  const auto step = compile([](const Tensor& x) { return Tensors{chain(x, 0.3), grad(chain(x, 0.3), x)}; });
  const Tensor fixed = input(3);
  const double fixed_value = chain(fixed, 0.3).item<double>();
  const Variable shared(fixed);

  const std::vector<std::function<void(int)>> work = {
      [&](int i) {
        const int variant = i % variants;
        const Tensor x = input(variant);
        const Tensor y = chain(x, slope_of(variant));
        const Tensor g = grad(y, x);  // shares parts of the graph, which another thread computes at the same time
        std::thread other(
            [&] { require(first_of(g) == expected[static_cast<std::size_t>(variant)].gradient, "grad"); });
        require(y.item<double>() == expected[static_cast<std::size_t>(variant)].value, "value");
        other.join();
      },
      [&](int i) {
        require(step(fixed)[0].item<double>() == fixed_value, "compiled");
        require(step(input(i % 3 + 4)).size() == 2, "compiled, other elements");
      },
      [&](int i) {
        const int variant = i % variants;
        require(
            first_of(rows_of(input(variant), slope_of(variant))) == expected[static_cast<std::size_t>(variant)].batch,
            "vmap");
      },
      [&](int i) {
        if (i % 8 == 0) {
          require(Fitting().losses() == losses, "training");
        }
      },
      [&](int i) {
        runtime::set_num_threads(1 + i % 4);
        if (i % 5 == 0) {
          runtime::release_cached_memory();
        }
        require(chain(shared, 0.3).item<double>() == fixed_value, "a variable that all read");
      },
      [&](int i) {  // a formula of its own in every round
        const double a = 1 + i;
        const Tensor x = input(0);
        const Tensor y = map([a](Scalar s) { return exp(-s * s * a) * s; }, x);
        require(std::abs(y[{1, 1}].item<double>() -
                         std::exp(-std::pow(x[{1, 1}].item<double>(), 2) * a) * x[{1, 1}].item<double>()) < 1e-12,
                "formula");
      },
  };
  std::vector<std::thread> threads;
  for (std::size_t number = 0; number < work.size(); ++number) {
    threads.emplace_back([&, number] {
      for (int i = 0; i < rounds; ++i) {
        work[number](i + static_cast<int>(number));
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  std::printf("%ld of %ld results are wrong\n", wrong.load(), checked.load());
  return wrong == 0 && checked > 4 * rounds ? 0 : 1;
}
