#include <functional>
#include <map>
#include <memory>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "autograd/ops/ops.hpp"
#include "autograd/runtime/error.hpp"
#include "nn/optimizers.hpp"
#include "nn/schedules.hpp"
#include "tests/golden/arrays.hpp"
#include "tests/golden/cases.hpp"

namespace xgrad::golden {

namespace {

using nlohmann::json;

using Loss = std::function<Tensor()>;
/// One step of an optimiser.
using Step = std::function<void(const Loss& loss)>;
using MakeStep = std::function<Step(const Variable& w, Entries& config)>;
using MakeSchedule = std::function<nn::Schedule(double initial, Entries& config)>;

/// Limits under the names of PyTorch's functions or of their arguments.
nn::Clipping read_clipping(Entries& config) {
  nn::Clipping clipping;
  for (const char* key : {"max_norm", "clip_norm", "clip_grad_norm"}) {
    if (config.find(key) != nullptr) {
      clipping.norm = config.number(key);
    }
  }
  for (const char* key : {"clip_value", "clip_grad_value"}) {
    if (config.find(key) != nullptr) {
      clipping.value = config.number(key);
    }
  }
  return clipping;
}

template <class Optimizer, class Options>
Step make_step(const Variable& w, const Options& options, Entries& config) {
  const auto optimizer = std::make_shared<Optimizer>(nn::Variables{w}, options);
  return [optimizer, clipping = read_clipping(config)](const Loss& loss) { optimizer->minimize(loss(), clipping); };
}

/// What nearly all optimisers have. \param options with PyTorch's defaults.
template <class Options>
void read_common(Options& options, Entries& config) {
  options.learning_rate = config.number("lr", options.learning_rate);
  options.weight_decay = config.number("weight_decay", options.weight_decay);
  options.maximize = config.flag("maximize", options.maximize);
}

template <class Options>
Options read_adam_options(Entries& config) {
  Options options;
  read_common(options, config);
  std::tie(options.beta1, options.beta2) = config.pair("betas", {options.beta1, options.beta2});
  if constexpr (requires { options.epsilon; }) {
    options.epsilon = config.number("eps", options.epsilon);
  }
  if constexpr (requires { options.amsgrad; }) {
    options.amsgrad = config.flag("amsgrad", options.amsgrad);
  }
  if constexpr (requires { options.decoupled_weight_decay; }) {
    options.decoupled_weight_decay = config.flag("decoupled_weight_decay", options.decoupled_weight_decay);
  }
  if constexpr (requires { options.momentum_decay; }) {
    options.momentum_decay = config.number("momentum_decay", options.momentum_decay);
  }
  return options;
}

template <class Optimizer, class Options>
Step make_adam(const Variable& w, Entries& config) {
  return make_step<Optimizer>(w, read_adam_options<Options>(config), config);
}

Step make_sgd(const Variable& w, Entries& config) {
  nn::SGDOptions options{.learning_rate = 1e-3};
  read_common(options, config);
  options.momentum = config.number("momentum", 0);
  options.dampening = config.number("dampening", 0);
  options.nesterov = config.flag("nesterov", false);
  return make_step<nn::SGD>(w, options, config);
}

Step make_rmsprop(const Variable& w, Entries& config) {
  nn::RMSpropOptions options;
  read_common(options, config);
  options.decay = config.number("alpha", options.decay);
  options.epsilon = config.number("eps", options.epsilon);
  options.momentum = config.number("momentum", 0);
  options.centered = config.flag("centered", false);
  return make_step<nn::RMSprop>(w, options, config);
}

Step make_adagrad(const Variable& w, Entries& config) {
  nn::AdagradOptions options;
  read_common(options, config);
  options.learning_rate_decay = config.number("lr_decay", 0);
  options.initial_accumulator = config.number("initial_accumulator_value", 0);
  options.epsilon = config.number("eps", options.epsilon);
  return make_step<nn::Adagrad>(w, options, config);
}

Step make_adadelta(const Variable& w, Entries& config) {
  nn::AdadeltaOptions options;
  read_common(options, config);
  options.decay = config.number("rho", options.decay);
  options.epsilon = config.number("eps", options.epsilon);
  return make_step<nn::Adadelta>(w, options, config);
}

Step make_lbfgs(const Variable& w, Entries& config) {
  nn::LBFGSOptions options;
  options.learning_rate = config.number("lr", options.learning_rate);
  options.max_iterations = static_cast<int>(config.integer("max_iter", options.max_iterations));
  options.max_evaluations = config.find("max_eval") == nullptr ? 0 : static_cast<int>(config.integer("max_eval"));
  options.gradient_tolerance = config.number("tolerance_grad", options.gradient_tolerance);
  options.change_tolerance = config.number("tolerance_change", options.change_tolerance);
  options.history_size = static_cast<int>(config.integer("history_size", options.history_size));
  options.line_search = config.find("line_search_fn") != nullptr;
  if (options.line_search) {
    config.choice("line_search_fn", {"strong_wolfe"});
  }
  const auto lbfgs = std::make_shared<nn::LBFGS>(nn::Variables{w}, options);
  return [lbfgs](const Loss& loss) { lbfgs->minimize(loss); };
}

const std::map<std::string_view, MakeStep>& optimizers() {
  static const std::map<std::string_view, MakeStep> table = {
      {"sgd", make_sgd},
      {"adam", make_adam<nn::Adam, nn::AdamOptions>},
      {"adamw", make_adam<nn::AdamW, nn::AdamWOptions>},
      {"adamax", make_adam<nn::Adamax, nn::AdamaxOptions>},
      {"nadam", make_adam<nn::NAdam, nn::NAdamOptions>},
      {"radam", make_adam<nn::RAdam, nn::RAdamOptions>},
      {"lion", make_adam<nn::Lion, nn::LionOptions>},
      {"rmsprop", make_rmsprop},
      {"adagrad", make_adagrad},
      {"adadelta", make_adadelta},
      {"lbfgs", make_lbfgs},
  };
  return table;
}

nn::Schedule make_constant(double initial, Entries& config) {
  const double factor = config.number("factor", 1.0 / 3);
  return nn::schedules::sequential({nn::schedules::constant(initial * factor), nn::schedules::constant(initial)},
                                   {config.integer("steps", 5)});
}

nn::Schedule make_step_schedule(double initial, Entries& config) {
  return nn::schedules::step(initial, config.integer("step_size"), config.number("gamma", 0.1));
}

nn::Schedule make_multi_step(double initial, Entries& config) {
  const Shape milestones = config.integers("milestones");
  return nn::schedules::multi_step(initial, {milestones.begin(), milestones.end()}, config.number("gamma", 0.1));
}

nn::Schedule make_exponential(double initial, Entries& config) {
  return nn::schedules::exponential(initial, config.number("gamma"));
}

nn::Schedule make_linear(double initial, Entries& config) {
  const double start = initial * config.number("start_factor", 1.0 / 3);
  const double end = initial * config.number("end_factor", 1);
  return nn::schedules::linear(start, end, config.integer("steps", 5));
}

nn::Schedule make_polynomial(double initial, Entries& config) {
  return nn::schedules::polynomial(initial, config.integer("steps", 5), config.number("power", 1));
}

nn::Schedule make_cosine(double initial, Entries& config) {
  return nn::schedules::cosine(initial, config.integer("period"), config.number("min_lr", 0));
}

nn::Schedule make_warm_restarts(double initial, Entries& config) {
  return nn::schedules::warm_restarts(initial, config.integer("period"), config.integer("multiplier", 1),
                                      config.number("min_lr", 0));
}

/// The initial rate follows from the largest one.
nn::Schedule make_one_cycle(double, Entries& config) {
  nn::schedules::OneCycleOptions options;
  options.rise = config.number("pct_start", options.rise);
  options.initial_divisor = config.number("div_factor", options.initial_divisor);
  options.final_divisor = config.number("final_div_factor", options.final_divisor);
  options.straight = config.choice("anneal_strategy", {"cos", "linear"}) == "linear";
  options.three_phases = config.flag("three_phase", false);
  return nn::schedules::one_cycle(config.number("max_lr"), config.integer("total_steps"), options);
}

const std::map<std::string_view, MakeSchedule>& schedules() {
  static const std::map<std::string_view, MakeSchedule> table = {
      {"constant", make_constant},     {"step", make_step_schedule},
      {"multi_step", make_multi_step}, {"exponential", make_exponential},
      {"linear", make_linear},         {"polynomial", make_polynomial},
      {"cosine", make_cosine},         {"warm_restarts", make_warm_restarts},
      {"one_cycle", make_one_cycle},
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
  const Step take_step = look_up(optimizers(), entries.text("optimizer"), "optimizer")(w, config);
  config.require_all_read();
  const Objective objective = look_up(objectives(), entries.text("function"), "function");
  Differences differences;
  int step = 0;
  for (const json& point : entries.at("trajectory")) {
    take_step([&] { return objective(w); });
    differences.compare(fmt::format("step {}", ++step), w, read_numbers(point, "trajectory"), reference_tolerance, 0);
  }
  return differences.report();
}

std::string compare_schedule(Entries& entries) {
  Entries config(entries.at("config"), "config");
  const double initial = entries.number("base_lr");
  const nn::Schedule schedule = look_up(schedules(), entries.text("schedule"), "schedule")(initial, config);
  config.require_all_read();
  const Tensor expected = read_numbers(entries.at("lr"), "lr");
  Array actual(expected.shape(), DType::float64);
  for (std::int64_t step = 0; step < actual.size(); ++step) {
    actual.data<double>()[step] = schedule(step);
  }
  Differences differences;
  differences.compare("learning rate", actual, expected, reference_tolerance, 0);
  return differences.report();
}

}  // namespace xgrad::golden
