#include <cmath>
#include <cstddef>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"
#include "nn/report/report.hpp"

namespace xgrad::nn {

namespace {

constexpr double unknown_number = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t most_parameters = 64;  // of a model that are watched

std::vector<NamedVariable> watched_parameters(const Module& model) {
  std::vector<NamedVariable> watched;
  std::set<const void*> trained;
  for (const Variable& parameter : model.parameters()) {
    trained.insert(parameter.id());
  }
  for (const NamedVariable& named : model.named_variables()) {
    const bool is_weight = named.variable.shape().ndim() > 1;  // biases say little
    if (is_weight && trained.contains(named.variable.id()) && watched.size() < most_parameters) {
      watched.push_back(named);
    }
  }
  return watched;
}

// A copy: the elements themselves may be written over.
std::vector<double> elements_of(const Variable& variable) {
  const Array array = variable.read().array();
  return dispatch_floating(array.dtype(), [&](auto zero) {
    const auto* all = array.data<decltype(zero)>();
    return std::vector<double>(all, all + array.size());
  });
}

double norm_of(const std::vector<double>& numbers) {
  double squares = 0;
  for (const double x : numbers) {
    squares += x * x;
  }
  return std::sqrt(squares);
}

double change_of(const std::vector<double>& before, const std::vector<double>& after) {
  if (before.size() != after.size()) {
    return unknown_number;
  }
  double squares = 0;
  for (std::size_t i = 0; i < after.size(); ++i) {
    squares += (after[i] - before[i]) * (after[i] - before[i]);
  }
  const double norm = norm_of(after);
  return norm > 0 ? std::sqrt(squares) / norm : unknown_number;
}

// Puts a number at the place of the last epoch; epochs that were not looked at have none.
void put_last(std::vector<double>& numbers, std::size_t epochs, double value) {
  numbers.resize(epochs, unknown_number);
  if (epochs > 0) {
    numbers.back() = value;
  }
}

// Of h (samples, ..., units): the share of units that are the same for all samples and places.
double dead_share(const Tensor& h) {
  const Tensor flat = reshape(h, {-1, h.shape()[h.ndim() - 1]});
  const Tensor same = equal(amax(flat, {0}), amin(flat, {0}));
  return mean(cast(same, DType::float64)).item();
}

struct LayerOutput {
  std::string name;
  double dead;
};

// Of layers that end in a function of single numbers, which are those without parameters. The others tell nothing.
void add_outputs(const Module& layer, const std::string& path, Tensor& h, std::vector<LayerOutput>& outputs) {
  if (const Sequential* layers = layer.as<Sequential>()) {
    for (std::size_t i = 0; i < layers->size(); ++i) {
      add_outputs((*layers)[i], detail::join_path(path, std::to_string(i)), h, outputs);
    }
    return;
  }
  h = layer(h);
  const std::string type = layer.type_name();
  static const std::set<std::string_view> saturating = {"ReLU",      "Sigmoid", "Tanh",      "HardSigmoid",
                                                        "HardSwish", "Shrink",  "LeakyReLU", "GELU"};
  if (saturating.contains(type) && h.ndim() >= 2 && is_floating(h.dtype()) && h.size() > 0) {
    outputs.push_back({path.empty() ? type : phrase("{} {}", path, type), dead_share(h)});
  }
}

template <class Course>
Course& course_called(std::vector<Course>& courses, std::string Course::*name, const std::string& wanted) {
  for (Course& course : courses) {
    if (course.*name == wanted) {
      return course;
    }
  }
  courses.emplace_back().*name = wanted;
  return courses.back();
}

}  // namespace

LayerProbe::LayerProbe(Module model, const Tensor& samples) : model_(std::move(model)), samples_(samples) {}

void LayerProbe::before_step() {
  before_.clear();
  for (const NamedVariable& named : watched_parameters(model_)) {
    before_.push_back(elements_of(named.variable));
  }
}

void LayerProbe::after_epoch(RunRecord& run) {
  const std::size_t epochs = run.epochs.size();
  std::size_t i = 0;
  for (const NamedVariable& named : watched_parameters(model_)) {
    const std::vector<double> now = elements_of(named.variable);
    WeightCourse& course = course_called(run.weights, &WeightCourse::name, named.name);
    put_last(course.norms, epochs, norm_of(now));
    put_last(course.updates, epochs, i < before_.size() ? change_of(before_[i], now) : unknown_number);
    ++i;
  }
  before_.clear();
  std::vector<LayerOutput> outputs;
  Tensor h = samples_;
  if (h.defined() && h.size() > 0) {
    add_outputs(model_, "", h, outputs);
  }
  for (const LayerOutput& each : outputs) {
    put_last(course_called(run.units, &UnitCourse::layer, each.name).dead, epochs, each.dead);
  }
}

}  // namespace xgrad::nn
