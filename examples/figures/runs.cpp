// Figures of runs: paths of optimisers, and what training looks like.

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <string>

#include <fmt/format.h>

#include <nn/nn.hpp>

#include "figures.hpp"

using namespace xgrad;

namespace figures {

namespace {

using MakeOptimizer = std::function<std::unique_ptr<nn::Optimizer>(const nn::Variables& parameters, double rate)>;

template <class O, class Options>
MakeOptimizer maker(Options options) {
  return [options](const nn::Variables& parameters, double rate) mutable -> std::unique_ptr<nn::Optimizer> {
    options.learning_rate = rate;
    return std::make_unique<O>(parameters, options);
  };
}

// ---- Two variables.

using Surface = std::function<Tensor(const Tensor& x, const Tensor& y)>;

svg::Curve path(const std::string& name, const Surface& f, svg::Point start, double rate, const MakeOptimizer& make,
                int steps) {
  const Variable x(Tensor(start.x), "x"), y(Tensor(start.y), "y");
  const auto optimizer = make({x, y}, rate);
  svg::Curve curve{fmt::format("{}, {:g}", name, rate), {start}};
  for (int step = 0; step < steps; ++step) {
    optimizer->minimize(f(x, y));
    curve.points.push_back({x.item(), y.item()});
  }
  return curve;
}

svg::Panel landscape(const std::string& title, const Surface& f, svg::Range x, svg::Range y,
                     const std::vector<double>& levels) {
  constexpr std::int64_t columns = 90, rows = 70;
  const Tensor xs = expand_dims(linspace(x.low, x.high, columns, DType::float64), 0);
  const Tensor ys = expand_dims(linspace(y.low, y.high, rows, DType::float64), 1);
  const Tensor surface = f(xs, ys);
  const auto elements = surface.value<double>();
  std::vector<std::vector<double>> values(rows, std::vector<double>(columns));
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t column = 0; column < columns; ++column) {
      values[row][column] = elements(row, column);
    }
  }
  svg::Panel panel{title, "x", "y", {}, {}, x, y};
  for (const double level : levels) {
    const std::vector<svg::Segment> line = svg::contour(values, x, y, level);
    panel.contours.insert(panel.contours.end(), line.begin(), line.end());
  }
  return panel;
}

// ---- Networks.

nn::Sequential make_network(std::int64_t hidden, double dropout) {
  nn::Sequential model(nn::Dense(datasets::FashionMnist::image_size, hidden), nn::ReLU());
  if (dropout > 0) {
    model.append(nn::Dropout(dropout));
  }
  model.append(nn::Dense(hidden, datasets::FashionMnist::class_count));
  model.initialize(random::Key(0));
  return model;
}

datasets::Dataset first(const datasets::Dataset& data, std::int64_t from, std::int64_t count) {
  std::vector<std::int64_t> positions;
  for (std::int64_t i = from; i < std::min(from + count, data.size()); ++i) {
    positions.push_back(i);
  }
  return data.take(positions);
}

// The training loss, averaged over stretches of steps.
svg::Curve descend(const std::string& name, const datasets::Batches& batches, int epochs, double rate,
                   const MakeOptimizer& make) {
  const nn::Sequential model = make_network(64, 0);
  const auto optimizer = make(model.parameters(), rate);
  const auto step = compile([&](const Tensor& images, const Tensor& labels) {
    const Tensor loss = nn::cross_entropy(model(images), labels);
    optimizer->minimize(loss);
    return loss;
  });
  const std::int64_t stretch = std::max<std::int64_t>(1, batches.count() * epochs / 40);
  svg::Curve curve{name.empty() ? fmt::format("{:g}", rate) : fmt::format("{}, {:g}", name, rate), {}};
  double loss_sum = 0;
  std::int64_t count = 0;
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    for (const auto& [images, labels] : batches.epoch(epoch)) {
      loss_sum += step(images, labels).item();
      if (++count % stretch == 0) {
        curve.points.push_back({static_cast<double>(count), loss_sum / static_cast<double>(stretch)});
        loss_sum = 0;
      }
    }
  }
  return curve;
}

double last(const svg::Curve& curve) {
  const double value = curve.points.back().y;
  return std::isfinite(value) ? value : std::numeric_limits<double>::infinity();
}

svg::Curve best_of(const std::string& name, const datasets::Batches& batches, int epochs,
                   const std::vector<double>& rates, const MakeOptimizer& make) {
  svg::Curve best;
  for (const double rate : rates) {
    svg::Curve curve = descend(name, batches, epochs, rate, make);
    if (best.points.empty() || last(curve) < last(best)) {
      best = std::move(curve);
    }
  }
  return best;
}

// Losses on training and validation images of a network that could learn a thousand images by heart.
void add_regularization(svg::Panel& panel, const std::string& name, const datasets::FashionMnist& data, double dropout,
                        double weight_decay) {
  constexpr int epochs = 60;
  const datasets::Dataset train = first(data.train, 0, 1000);
  const auto whole = [](const datasets::Dataset& part) {
    return datasets::Batches(part, {.batch_size = part.size(), .shuffle = false}).epoch(0)[0];
  };
  const datasets::Batch seen = whole(train), unseen = whole(first(data.train, 50000, 2000));
  const nn::Sequential model = make_network(128, dropout);
  nn::AdamW adamw(model.parameters(), {.weight_decay = weight_decay});
  const datasets::Batches batches(train, {.batch_size = 50});
  svg::Curve on_seen{name + ", training", {}}, on_unseen{name + ", validation", {}, true};
  std::uint64_t step = 0;
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    for (const auto& [images, labels] : batches.epoch(epoch)) {
      adamw.minimize(nn::cross_entropy(model(images, nn::Training(random::Key(1).fold(step++))), labels));
    }
    on_seen.points.push_back({double(epoch), nn::cross_entropy(model(seen.features), seen.targets).item()});
    on_unseen.points.push_back({double(epoch), nn::cross_entropy(model(unseen.features), unseen.targets).item()});
  }
  panel.curves.push_back(on_seen);
  panel.curves.push_back(on_unseen);
}

}  // namespace

std::vector<svg::Panel> paths() {
  const Surface valley = [](const Tensor& x, const Tensor& y) { return 0.5 * (square(x) + 20 * square(y)); };
  const Surface banana = [](const Tensor& x, const Tensor& y) { return square(1 - x) + 100 * square(y - square(x)); };
  svg::Panel quadratic =
      landscape("(x² + 20 y²) / 2, 40 steps", valley, {-4.5, 1.5}, {-1.6, 1.6}, {0.1, 0.5, 1.5, 4, 8, 14, 22});
  svg::Panel rosenbrock =
      landscape("(1 − x)² + 100 (y − x²)², 300 steps", banana, {-1.6, 1.6}, {-0.6, 1.8}, {0.3, 1, 3, 10, 30, 100, 300});
  const auto sgd = maker<nn::SGD>(nn::SGDOptions{});
  const auto momentum = maker<nn::SGD>(nn::SGDOptions{.momentum = 0.9});
  const auto rmsprop = maker<nn::RMSprop>(nn::RMSpropOptions{.decay = 0.9});
  const auto adam = maker<nn::Adam>(nn::AdamOptions{});
  const svg::Point west{-4, 1.2}, hill{-1.2, 1};
  quadratic.curves = {path("SGD", valley, west, 0.09, sgd, 40), path("momentum", valley, west, 0.02, momentum, 40),
                      path("RMSprop", valley, west, 0.1, rmsprop, 40), path("Adam", valley, west, 0.3, adam, 40)};
  rosenbrock.curves = {path("SGD", banana, hill, 1e-3, sgd, 300), path("momentum", banana, hill, 1e-3, momentum, 300),
                       path("RMSprop", banana, hill, 0.01, rmsprop, 300), path("Adam", banana, hill, 0.1, adam, 300)};
  return {quadratic, rosenbrock};
}

std::vector<svg::Panel> optimizers(const datasets::FashionMnist& data, const Settings& settings) {
  const datasets::Batches batches(first(data.train, 0, settings.images), {.batch_size = 64});
  const auto best = [&](const std::string& name, const std::vector<double>& rates, const MakeOptimizer& make) {
    return best_of(name, batches, settings.epochs, rates, make);
  };
  const std::vector<double> plain = {0.03, 0.1, 0.3, 1}, scaled = {3e-4, 1e-3, 3e-3, 1e-2};
  svg::Panel simple{"by the gradient, or its sign", "step", "training loss", {}};
  simple.curves = {
      best("SGD", plain, maker<nn::SGD>(nn::SGDOptions{})),
      best("momentum 0.9", {0.01, 0.03, 0.1}, maker<nn::SGD>(nn::SGDOptions{.momentum = 0.9})),
      best("Nesterov 0.9", {0.01, 0.03, 0.1}, maker<nn::SGD>(nn::SGDOptions{.momentum = 0.9, .nesterov = true})),
      best("Lion", {1e-4, 3e-4, 1e-3, 3e-3}, maker<nn::Lion>(nn::LionOptions{}))};
  svg::Panel adaptive{"by the gradient over its size", "step", "training loss", {}};
  adaptive.curves = {best("Adagrad", {0.01, 0.03, 0.1}, maker<nn::Adagrad>(nn::AdagradOptions{})),
                     best("RMSprop", scaled, maker<nn::RMSprop>(nn::RMSpropOptions{})),
                     best("Adam", scaled, maker<nn::Adam>(nn::AdamOptions{})),
                     best("NAdam", scaled, maker<nn::NAdam>(nn::NAdamOptions{})),
                     best("Adadelta", {0.3, 1, 3}, maker<nn::Adadelta>(nn::AdadeltaOptions{}))};
  simple.y = adaptive.y = svg::Range{0.3, 1};
  return {simple, adaptive};
}

std::vector<svg::Panel> training_curves(const datasets::FashionMnist& data, const Settings& settings) {
  const datasets::Batches batches(first(data.train, 0, settings.images), {.batch_size = 64});
  svg::Panel rates{"SGD with different learning rates", "step", "training loss", {}, {}, {}, svg::Range{0, 3.5}};
  for (const double rate : {1e-3, 1e-2, 0.1, 1.0}) {
    rates.curves.push_back(descend("", batches, settings.epochs, rate, maker<nn::SGD>(nn::SGDOptions{})));
  }
  svg::Panel fitting{"1000 images, Adam", "epoch", "loss", {}, {}, {}, svg::Range{0, 1.5}};
  add_regularization(fitting, "plain", data, 0, 0);
  add_regularization(fitting, "dropout 0.5, decay 0.1", data, 0.5, 0.1);
  return {rates, fitting};
}

}  // namespace figures
