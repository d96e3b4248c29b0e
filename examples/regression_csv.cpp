// Regression on a table: what a house costs, from a CSV file with numbers, words and a quantity to predict.
//
// The file is made here, prices by a known rule plus noise, so that one knows how good a model can be: no better than
// the noise. A table of your own takes the place of write_houses(); the rest stays as it is.

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>

#include <unistd.h>

#include <autograd/autograd.hpp>
#include <datasets/datasets.hpp>
#include <nn/nn.hpp>

using namespace xgrad;

namespace {

constexpr double noise = 10;  // thousands

void write_houses(const std::filesystem::path& path, int houses) {
  std::mt19937 engine(0);
  std::uniform_real_distribution<> uniform(0, 1);
  std::normal_distribution<> normal(0, noise);
  std::ofstream file(path);
  file << "area,age,district,price\n";
  for (int i = 0; i < houses; ++i) {
    const double area = 40 + 160 * uniform(engine);
    const double age = 100 * uniform(engine);
    const int district = static_cast<int>(3 * uniform(engine));
    const double per_area = district == 0 ? 4 : district == 1 ? 2.5 : 1.5;
    const double price = per_area * area * (0.5 + 0.5 * std::exp(-age / 30)) + normal(engine);
    file << area << ',' << age << ','
         << (district == 0   ? "centre"
             : district == 1 ? "suburb"
                             : "village")
         << ',' << price << '\n';
  }
}

// The root of the mean squared error on \p data, in thousands: predictions go back to the scale of the prices.
double error_of(const nn::Sequential& model, const datasets::Dataset& data, const datasets::Normalizer& prices) {
  const Tensor predicted = prices.inverse(model(data.features()).array());
  return std::sqrt(nn::mse(predicted, prices.inverse(data.targets())).item());
}

// The same for the best linear model: w = (XᵀX)⁻¹ Xᵀy.
double linear_error(const datasets::Split& data, const datasets::Normalizer& prices) {
  const auto with_ones = [](const Tensor& x) {
    return concatenate({x[{all(), range(0, -1)}], ones({x.shape(0), 1})}, 1);
  };
  const Tensor x = with_ones(data.train.features());
  const Tensor w = linalg::solve(matmul(transpose(x), x), matmul(transpose(x), data.train.targets()));
  const Tensor predicted = prices.inverse(matmul(with_ones(data.test.features()), w).array());
  return std::sqrt(nn::mse(predicted, prices.inverse(data.test.targets())).item());
}

bool run() {
  const auto path = std::filesystem::temp_directory_path() / ("xgrad-houses-" + std::to_string(getpid()) + ".csv");
  write_houses(path, 2000);
  const auto table = datasets::read_csv(path, {.target = "price", .categorical = {"district"}});
  std::filesystem::remove(path);
  std::printf("%d houses:", static_cast<int>(table.size()));
  for (const std::string& name : table.feature_names()) {
    std::printf(" %s", name.c_str());
  }

  // Scales are fitted to the training part alone, and then used on both.
  const auto raw = datasets::split(table, {.fraction = 0.25});
  const auto features = datasets::Normalizer::mean_std(raw.train.features());
  const auto prices = datasets::Normalizer::mean_std(raw.train.targets());
  const auto scaled = [&](const datasets::Dataset& part) {
    return datasets::Dataset(features(part.features()), prices(part.targets()));
  };
  const datasets::Split data{scaled(raw.train), scaled(raw.test)};

  nn::Sequential model(nn::Dense(features.scale().size(), 32), nn::Tanh(), nn::Dense(32, 1));
  model.initialize(random::Key(0));
  const int epochs = 60;
  const datasets::Batches batches(data.train, {.batch_size = 32});
  nn::Adam adam(model.parameters());
  const nn::Schedule rate = nn::schedules::cosine(1e-2, epochs);
  const auto step = compile([&](const Tensor& x, const Tensor& y) {
    const Tensor loss = nn::mse(model(x), y);
    adam.minimize(loss);
    return loss;
  });
  std::printf("\nepoch  train  test  (error in thousands)\n");
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    adam.learning_rate().assign(rate(epoch - 1));
    for (const auto& [x, y] : batches.epoch(epoch)) {
      step(x, y);
    }
    if (epoch % 15 == 0) {
      std::printf("%5d  %5.1f  %4.1f\n", epoch, error_of(model, data.train, prices),
                  error_of(model, data.test, prices));
    }
  }

  nn::R2 r2;
  r2.update(model(data.test.features()), data.test.targets());
  const double error = error_of(model, data.test, prices);
  const double linear = linear_error(data, prices);
  std::printf("r2 %.4f, error %.1f; the best linear model: %.1f; the noise: %.1f\n", r2.value(), error, linear, noise);
  const bool good = error < 1.25 * noise && linear > 1.5 * noise;
  std::printf("%s\n", good ? "check: nearly as good as the noise allows" : "check failed: the error is too large");
  return good;
}

}  // namespace

int main() {
  try {
    return run() ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
