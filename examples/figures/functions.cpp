// Figures of functions: nothing is trained here.

#include <functional>
#include <string>
#include <utility>

#include <nn/nn.hpp>

#include "figures.hpp"

using namespace xgrad;

namespace figures {

namespace {

using Function = std::function<Tensor(const Tensor&)>;

svg::Curve curve_of(const std::string& name, const nn::Schedule& schedule, std::int64_t steps) {
  svg::Curve curve{name, {}};
  for (std::int64_t step = 0; step <= steps; ++step) {
    curve.points.push_back({static_cast<double>(step), schedule(step)});
  }
  return curve;
}

// The fraction of elements per unit, in bins.
svg::Curve histogram(const std::string& name, const Tensor& values, double limit) {
  constexpr int bins = 48;
  const double bin_width = 2 * limit / bins;
  svg::Curve curve{name, {}};
  for (int i = 0; i < bins; ++i) {
    const double low = -limit + i * bin_width;
    const Tensor inside = logical_and(values >= low, values < low + bin_width);
    const double density = mean(cast(inside, DType::float64)).item() / bin_width;
    curve.points.push_back({low, density});
    curve.points.push_back({low + bin_width, density});
  }
  return curve;
}

// The standard deviation of activations behind each of many ReLU layers of one width.
svg::Curve deviations(const std::string& name, const nn::Initializer& initializer) {
  constexpr std::int64_t features = 256, layers = 20;
  svg::Curve curve{name, {}};
  Tensor x = random::normal(random::Key(0), {256, features});
  for (std::int64_t layer = 1; layer <= layers; ++layer) {
    const random::Key key = random::Key(1).fold(static_cast<std::uint64_t>(layer));
    x = relu(matmul(x, initializer(key, {features, features}, DType::float32)));
    curve.points.push_back({static_cast<double>(layer), stddev(x).item()});
  }
  return curve;
}

}  // namespace

std::vector<svg::Point> points(const Tensor& x, const Tensor& y) {
  std::vector<svg::Point> result;
  const Tensor xs = cast(x, DType::float64), ys = cast(y, DType::float64);
  const auto horizontal = xs.value<double>(), vertical = ys.value<double>();
  for (std::size_t i = 0; i < horizontal.size(); ++i) {
    result.push_back({horizontal(i), vertical(i)});
  }
  return result;
}

std::vector<svg::Panel> activations() {
  const std::vector<std::pair<const char*, Function>> functions = {
      {"relu", [](const Tensor& x) { return relu(x); }}, {"elu", [](const Tensor& x) { return elu(x); }},
      {"gelu", [](const Tensor& x) { return gelu(x); }}, {"silu", [](const Tensor& x) { return silu(x); }},
      {"tanh", [](const Tensor& x) { return tanh(x); }}, {"sigmoid", [](const Tensor& x) { return sigmoid(x); }}};
  const Tensor x = linspace(-4, 4, 161, DType::float64);
  svg::Panel values{"activations", "z", "φ(z)", {}, {}, {}, svg::Range{-1.5, 3}};
  svg::Panel slopes{"their derivatives", "z", "φ′(z)", {}, {}, {}, svg::Range{-0.3, 1.3}};
  for (const auto& [name, f] : functions) {
    values.curves.push_back({name, points(x, f(x))});
    slopes.curves.push_back({name, points(x, grad([f = f](const Tensor& z) { return sum(f(z)); })(x))});
  }
  return {values, slopes};
}

std::vector<svg::Panel> losses() {
  constexpr nn::Reduction none = nn::Reduction::none;
  const Tensor x = linspace(-3, 3, 121, DType::float64);
  const Tensor yes = ones_like(x);
  svg::Panel regression{"regression", "p − t", "loss", {}, {}, {}, svg::Range{0, 4}};
  regression.curves = {{"mse", points(x, nn::mse(x, zeros_like(x), none))},
                       {"mae", points(x, nn::mae(x, zeros_like(x), none))},
                       {"huber, delta 1", points(x, nn::huber(x, zeros_like(x), 1, none))}};
  svg::Panel margin{"two classes", "score of the right class", "loss", {}, {}, {}, svg::Range{0, 4}};
  const Tensor wrong = cast(x < 0, DType::float64);
  margin.curves = {{"cross-entropy", points(x, nn::binary_cross_entropy_with_logits(x, yes, {.reduction = none}))},
                   {"hinge", points(x, nn::hinge(x, yes, none))},
                   {"0 if right, 1 if wrong", points(x, wrong), true}};
  return {regression, margin};
}

std::vector<svg::Panel> schedules() {
  namespace all = nn::schedules;
  constexpr std::int64_t steps = 100;
  svg::Panel falling{"falling", "step", "learning rate", {}, {}, {}, svg::Range{0, 1.05}};
  falling.curves = {
      curve_of("step", all::step(1, 30, 0.3), steps), curve_of("exponential", all::exponential(1, 0.96), steps),
      curve_of("linear", all::linear(1, 0, steps), steps), curve_of("cosine", all::cosine(1, steps), steps)};
  svg::Panel rising{"rising and falling", "step", "learning rate", {}, {}, {}, svg::Range{0, 1.45}};
  rising.curves = {curve_of("warm_up, cosine", all::warm_up(10, all::cosine(1, steps - 10)), steps),
                   curve_of("one_cycle", all::one_cycle(1, steps), steps),
                   curve_of("warm_restarts", all::warm_restarts(1, 20, 2), steps)};
  return {falling, rising};
}

std::vector<svg::Panel> initialization() {
  const Shape shape = {256, 256};
  const random::Key key(0);
  svg::Panel weights{"weights of a (256, 256) layer", "weight", "density", {}};
  weights.curves = {histogram("glorot_uniform", nn::init::glorot_uniform(key, shape), 0.3),
                    histogram("glorot_normal", nn::init::glorot_normal(key, shape), 0.3),
                    histogram("he_uniform", nn::init::he_uniform(key, shape), 0.3),
                    histogram("he_normal", nn::init::he_normal(key, shape), 0.3)};
  svg::Panel depth{"behind ReLU layers", "layer", "standard deviation of activations", {}};
  depth.logarithmic = true;
  depth.curves = {deviations("normal, deviation 0.02", nn::init::normal(0, 0.02)),
                  deviations("glorot_uniform", nn::init::glorot_uniform), deviations("he_normal", nn::init::he_normal),
                  deviations("normal, deviation 0.2", nn::init::normal(0, 0.2))};
  depth.y = svg::Range{1e-10, 1e10};
  return {weights, depth};
}

}  // namespace figures
