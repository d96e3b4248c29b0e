#include "nn/optimizers/optimizer.hpp"

#include <algorithm>
#include <cmath>

#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"
#include "nn/optimizers/checks.hpp"
#include "nn/optimizers/number.hpp"

namespace xgrad::nn {

namespace {

// A number of every group: the group's own, or one that all others share. None at all where it would be 0 everywhere
// and may be left out.
std::vector<std::optional<Variable>> make_numbers(const std::vector<ParameterGroup>& groups, const std::string& name,
                                                  std::optional<double> GroupOptions::*own, double common,
                                                  bool may_be_left_out) {
  std::vector<std::optional<Variable>> numbers(groups.size());
  const bool is_zero = std::all_of(groups.begin(), groups.end(), [&](const ParameterGroup& group) {
    return (group.options.*own).value_or(common) == 0;
  });
  if (is_zero && may_be_left_out) {
    return numbers;
  }
  const Variable shared(Tensor(common), name);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const std::optional<double> value = groups[i].options.*own;
    numbers[i] = value ? Variable(Tensor(*value), phrase("group_{}.{}", i, name)) : shared;
  }
  return numbers;
}

// λ w + g, or λ w - g.
Tensor decayed_gradient(const Tensor& w, const Tensor& g, const Tensor& lambda, bool maximize) {
  static const Formula down([](Scalar a, Scalar b, Scalar l) { return b + l * a; }, "decayed_gradient");
  static const Formula up([](Scalar a, Scalar b, Scalar l) { return l * a - b; }, "decayed_gradient");
  return map(maximize ? up : down, {w, g, lambda});
}

}  // namespace

Parameters::Parameters(const Variables& parameters) : groups_{{parameters}} {}
Parameters::Parameters(std::initializer_list<Variable> parameters) : groups_{{parameters}} {}
Parameters::Parameters(std::initializer_list<ParameterGroup> groups) : groups_(groups) {}
Parameters::Parameters(const std::vector<ParameterGroup>& groups) : groups_(groups) {}

Optimizer::Optimizer(const Parameters& parameters, const Common& common, const std::source_location& where)
    : name_(common.name),
      momentum_kind_(common.momentum_kind),
      maximize_(common.maximize),
      decoupled_(common.decoupled_weight_decay) {
  located(where, [&] {
    add_parameters(parameters.groups());
    add_groups(parameters.groups(), common);
  });
}

void Optimizer::add_parameters(const std::vector<ParameterGroup>& groups) {
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (groups[i].parameters.empty() && groups.size() > 1) {
      raise<ValueError>("optimizer", phrase("group {} has no parameters; leave it out", i));
    }
    parameters_.insert(parameters_.end(), groups[i].parameters.begin(), groups[i].parameters.end());
  }
  detail::require_trainable("optimizer", parameters_);
}

void Optimizer::add_groups(const std::vector<ParameterGroup>& groups, const Common& common) {
  const auto check = [&](double rate, double decay, double momentum) {
    detail::require_not_negative(name_, "the learning rate", rate);
    detail::require_not_negative(name_, "weight decay", decay);
    if (common.momentum_kind == Momentum::beta) {
      detail::require_decay(name_, "beta1", momentum);
    } else {
      detail::require_not_negative(name_, "momentum", momentum);
    }
  };
  check(common.learning_rate, common.weight_decay, common.momentum);
  for (const auto& [parameters, own] : groups) {
    check(own.learning_rate.value_or(0), own.weight_decay.value_or(0), own.momentum.value_or(0));
    if (own.momentum && common.momentum_kind == Momentum::none) {
      raise<ValueError>(name_, "a group is given a momentum, which this optimiser does not have; leave it out");
    }
  }
  const auto rates = make_numbers(groups, "learning_rate", &GroupOptions::learning_rate, common.learning_rate, false);
  const auto decays = make_numbers(groups, "weight_decay", &GroupOptions::weight_decay, common.weight_decay, true);
  const auto momenta = make_numbers(groups, "momentum", &GroupOptions::momentum, common.momentum,
                                    common.momentum_kind != Momentum::beta);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    groups_.push_back({groups[i].parameters.size(), *rates[i], decays[i], momenta[i]});
  }
  has_momentum_ = momenta.front().has_value();
}

const Optimizer::Group& Optimizer::group_at(std::size_t group) const {
  if (group >= groups_.size()) {
    raise<ValueError>(name_, phrase("there is no group {}, the last one is {}", group, groups_.size() - 1));
  }
  return groups_[group];
}

const Variable& Optimizer::learning_rate(std::size_t group, std::source_location where) const {
  return located(where, [&]() -> const Variable& { return group_at(group).learning_rate; });
}

const Variable& Optimizer::weight_decay(std::size_t group, std::source_location where) const {
  return located(where, [&]() -> const Variable& {
    if (!group_at(group).weight_decay) {
      raise<ValueError>(name_, "weight decay is left out of the update; construct the optimiser with one above 0");
    }
    return *groups_[group].weight_decay;
  });
}

const Variable& Optimizer::momentum(std::size_t group, std::source_location where) const {
  return located(where, [&]() -> const Variable& {
    if (!group_at(group).momentum) {
      raise<ValueError>(name_,
                        "momentum is left out of the update; construct the optimiser with one above 0, if it has "
                        "that option");
    }
    return *groups_[group].momentum;
  });
}

Variables Optimizer::variables() const {
  Variables result;
  const auto add = [&](const std::optional<Variable>& variable) {
    const auto is_same = [&](const Variable& other) { return other.same_as(*variable); };
    if (variable && std::none_of(result.begin(), result.end(), is_same)) {
      result.push_back(*variable);
    }
  };
  for (const Group& group : groups_) {
    add(group.learning_rate);
    add(group.weight_decay);
    add(group.momentum);
  }
  result.insert(result.end(), state_.begin(), state_.end());
  return result;
}

std::vector<NamedVariable> Optimizer::named_variables() const { return detail::with_names(variables()); }

void Optimizer::load_state(const State& state, std::source_location where) const {
  detail::load_state(named_variables(), state, where);
}

Variable Optimizer::add_state(const Tensor& initial, std::string name) {
  return state_.emplace_back(initial, std::move(name));
}

Variables Optimizer::add_moments(std::string_view name, double initial) {
  Variables moments;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const std::string& parameter = parameters_[i].name();
    moments.push_back(add_state(full_like(parameters_[i], initial),
                                phrase("{}.{}{}{}", i, parameter, parameter.empty() ? "" : ".", name)));
  }
  return moments;
}

void Optimizer::count_steps() { steps_ = add_state(Tensor(0.0), "step"); }

void Optimizer::minimize(const Tensor& loss, const Clipping& clipping, std::source_location where) {
  // Nobody holds the gradients when new contents are computed: so they need no memory of their own.
  std::vector<Assignment> all = updates(detail::gradients_of(loss, parameters_, where), clipping, where);
  const SourceScope scope(where);
  located(where, [&] { assign(std::move(all)); });
}

Optimizer::Step Optimizer::prepare(std::size_t number, std::size_t first, const Tensors& gradients) const {
  const Group& group = groups_[number];
  // They may have been assigned to since the constructor looked at them.
  Step step{number, {}, detail::checked_not_negative(name_, "the learning rate", group.learning_rate), {}, {}};
  if (group.momentum) {
    step.momentum = momentum_kind_ == Momentum::beta ? detail::checked_decay(name_, "beta1", *group.momentum)
                                                     : detail::checked_not_negative(name_, "momentum", *group.momentum);
  }
  std::optional<detail::Number> decay;
  if (group.weight_decay) {
    const Tensor lambda = detail::checked_not_negative(name_, "weight decay", *group.weight_decay);
    decay.emplace(decoupled_ ? map([](Scalar alpha, Scalar l) { return 1 - alpha * l; }, step.learning_rate, lambda)
                             : lambda);
  }
  for (std::size_t i = first; i < first + group.size; ++i) {
    Entry entry{i, parameters_[i], parameters_[i], gradients[i]};
    if (decay && !decoupled_) {
      entry.g = decayed_gradient(entry.w, entry.g, decay->in(entry.w.dtype()), maximize_);
    } else if (maximize_) {
      entry.g = -entry.g;
    }
    if (decay && decoupled_) {
      entry.w = entry.w * decay->in(entry.w.dtype());
    }
    step.entries.push_back(std::move(entry));
  }
  return step;
}

void Optimizer::step(const Tensors& given, const Clipping& clipping, std::source_location where) {
  const SourceScope scope(where);
  located(where, [&] { assign(updates(given, clipping, where)); });
}

std::vector<Assignment> Optimizer::updates(const Tensors& given, const Clipping& clipping,
                                           std::source_location where) const {
  const SourceScope scope(where);
  const xgrad::detail::LabelOf part(xgrad::detail::Part::update);
  const NameScope name(name_);
  return located(where, [&] {
    detail::require_gradients("optimizer", given, parameters_);
    const auto [gradients, finite] = detail::clipped(given, clipping, parameters_, where);
    std::vector<Assignment> all;
    if (steps_) {
      all.emplace_back(*steps_, *steps_ + 1);
    }
    std::size_t first = 0;
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      Step one = prepare(i, first, gradients);
      one.t = steps_ ? all.front().second : Tensor();
      if (finite.defined()) {
        one.learning_rate =
            xgrad::where(finite, one.learning_rate, std::nan(""));  // so that it is computed, and may throw
      }
      update(one, all);
      first += groups_[i].size;
    }
    if (clipping.not_finite == NotFinite::skip) {
      for (auto& [variable, value] : all) {
        value = xgrad::where(finite, value, variable);
      }
    }
    return all;
  });
}

}  // namespace xgrad::nn
