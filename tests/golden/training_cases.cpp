#include <functional>
#include <map>
#include <memory>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "autograd/error.hpp"
#include "autograd/ops.hpp"
#include "nn/optimizers.hpp"
#include "tests/golden/arrays.hpp"
#include "tests/golden/cases.hpp"

namespace xgrad::golden {

namespace {

using nlohmann::json;

constexpr double tolerance = 1e-9;

using MakeOptimizer = std::function<std::unique_ptr<nn::Optimizer>(nn::Variables parameters, Entries& config)>;
using Schedule = std::function<double(std::int64_t step)>;
using MakeSchedule = std::function<Schedule(double initial, Entries& config)>;

std::unique_ptr<nn::Optimizer> make_sgd(nn::Variables parameters, Entries& config) {
  return std::make_unique<nn::SGD>(std::move(parameters),
                                   nn::SGDOptions{.learning_rate = config.number("lr"),
                                                  .momentum = config.number("momentum", 0),
                                                  .nesterov = config.flag("nesterov", false),
                                                  .weight_decay = config.number("weight_decay", 0)});
}

std::unique_ptr<nn::Optimizer> make_adam(nn::Variables parameters, Entries& config) {
  nn::AdamOptions options{.learning_rate = config.number("lr"),
                          .epsilon = config.number("eps", 1e-8),
                          .weight_decay = config.number("weight_decay", 0)};
  std::tie(options.beta1, options.beta2) = config.pair("betas", {0.9, 0.999});
  return std::make_unique<nn::Adam>(std::move(parameters), options);
}

const std::map<std::string_view, MakeOptimizer>& optimizers() {
  static const std::map<std::string_view, MakeOptimizer> table = {
      {"sgd", make_sgd},
      {"adam", make_adam},
  };
  return table;
}

/// From start_factor to end_factor times the initial rate: nn::LinearDecay goes from 1 to 0.
Schedule make_linear(double initial, Entries& config) {
  config.only("start_factor", 1);
  config.only("end_factor", 0);
  return nn::LinearDecay(initial, config.integer("steps"));
}

const std::map<std::string_view, MakeSchedule>& schedules() {
  static const std::map<std::string_view, MakeSchedule> table = {
      {"linear", make_linear},
  };
  return table;
}

template <class T>
const T& look_up(const std::map<std::string_view, T>& table, const std::string& name, std::string_view what) {
  const auto row = table.find(name);
  if (row == table.end()) {
    raise<FileError>(name, fmt::format("the {} is not known", what));
  }
  return row->second;
}

using Objective = Tensor (*)(const Tensor& w);

/// Functions to minimise, by how they are written in the files.
const std::map<std::string_view, Objective>& objectives() {
  static const std::map<std::string_view, Objective> table = {
      {"(1-w0)^2 + 5(w1-w0^2)^2 + 0.1(w2 w0)^2",
       [](const Tensor& w) { return square(1 - w[0]) + 5 * square(w[1] - square(w[0])) + 0.1 * square(w[2] * w[0]); }},
  };
  return table;
}

/// A list of numbers. \throws FileError `[name]` when it is none.
Tensor read_numbers(const json& value, const std::string& name) {
  return read_array(json{{"shape", {value.size()}}, {"data", value}}, name);
}

}  // namespace

std::string compare_optimizer(Entries& entries) {
  Entries config(entries.at("config"), "config");
  const Variable w(read_numbers(entries.at("start"), "start"), "w");
  const auto optimizer = look_up(optimizers(), entries.text("optimizer"), "optimizer")({w}, config);
  config.require_all_read();
  const Objective objective = look_up(objectives(), entries.text("function"), "function");
  Differences differences;
  int step = 0;
  for (const json& point : entries.at("trajectory")) {
    optimizer->minimize(objective(w));
    differences.compare(fmt::format("step {}", ++step), w, read_numbers(point, "trajectory"), tolerance, 0);
  }
  return differences.report();
}

std::string compare_schedule(Entries& entries) {
  Entries config(entries.at("config"), "config");
  const double initial = entries.number("base_lr");
  const Schedule schedule = look_up(schedules(), entries.text("schedule"), "schedule")(initial, config);
  config.require_all_read();
  const Tensor expected = read_numbers(entries.at("lr"), "lr");
  Array actual(expected.shape(), DType::float64);
  for (std::int64_t step = 0; step < actual.size(); ++step) {
    actual.data<double>()[step] = schedule(step);
  }
  Differences differences;
  differences.compare("learning rate", actual, expected, tolerance, 0);
  return differences.report();
}

}  // namespace xgrad::golden
