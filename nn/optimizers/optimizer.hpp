#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/graph/tensor.hpp"
#include "autograd/graph/variable.hpp"
#include "nn/layer.hpp"
#include "nn/optimizers/gradients.hpp"

/// \file
/// What all optimisers share.

namespace xgrad::nn {

/// What a group of parameters has of its own; what is left out it shares with the other groups.
struct GroupOptions {
  std::optional<double> learning_rate = {};  ///< α
  std::optional<double> weight_decay = {};   ///< λ
  std::optional<double> momentum = {};       ///< μ, or β₁ of Adam and its kin
};

/// Parameters that are trained alike.
struct ParameterGroup {
  Variables parameters;       ///< at least one
  GroupOptions options = {};  ///< what they have of their own
};

/// What an optimiser is given to train: variables, `Adam(model.parameters())`, or groups of them,
/// `Adam({{weights, {.weight_decay = 1e-4}}, {biases, {}}})`.
class Parameters {
 public:
  /// \name Conversions
  /// \{

  /// From a list of variables, which form one group, or from a list of groups.
  Parameters() = default;
  Parameters(const Variables& parameters);
  Parameters(std::initializer_list<Variable> parameters);
  Parameters(std::initializer_list<ParameterGroup> groups);
  Parameters(const std::vector<ParameterGroup>& groups);
  /// \}

  const std::vector<ParameterGroup>& groups() const { return groups_; }  ///< one after the other

 private:
  std::vector<ParameterGroup> groups_;
};

/// What all optimisers share: the parameters they train, numbers that may change at any time, and one step.
///
/// The numbers are float64 variables of shape (): assign to one, and the next step uses it. It checks them as the
/// constructor does. Groups that were not given
/// one of their own share it. A weight decay, or a momentum that is no β₁, of 0 in all groups is left out of the update,
/// and so cannot be changed later.
///
/// A step is one assignment of graph tensors; it reads no elements, so it can be recorded as a whole.
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  /// One step down the gradient of \p loss (up, with the option maximize): takes its gradient with respect to every
  /// parameter, limits it as \p clipping says, computes all new values together and assigns them. When something fails,
  /// nothing changes.
  /// \throws GradientError when the loss does not depend on a parameter.
  /// \throws ValueError for a limit that is not positive, a number such as the learning rate that was assigned what the
  ///         constructor would refuse, and gradients that are not finite if \p clipping looks at them.
  void minimize(const Tensor& loss, const Clipping& clipping = {},
                std::source_location where = std::source_location::current());

  /// One step with given gradients, one per parameter.
  /// \throws ValueError when there are more or fewer of them than parameters.
  /// \throws ShapeError when one is not of the shape of its parameter.
  /// \throws DTypeError when one is not of the dtype of its parameter.
  void step(const Tensors& gradients, std::source_location where = std::source_location::current()) {
    step(gradients, Clipping{}, where);
  }
  /// The same with gradients that are limited first, as minimize does.
  void step(const Tensors& gradients, const Clipping& clipping,
            std::source_location where = std::source_location::current());

  /// What step would assign, of parameters and state; nothing is computed.
  /// \throws Error as step does.
  std::vector<Assignment> updates(const Tensors& gradients, const Clipping& clipping = {},
                                  std::source_location where = std::source_location::current()) const;

  const Variables& parameters() const { return parameters_; }  ///< what it trains, in the order given
  std::size_t group_count() const { return groups_.size(); }   ///< number of groups of parameters
  /// α of a group. \throws ValueError when there is no such group.
  const Variable& learning_rate(std::size_t group = 0,
                                std::source_location where = std::source_location::current()) const;
  /// λ of a group. \throws ValueError when there is no such group, or it has none.
  const Variable& weight_decay(std::size_t group = 0,
                               std::source_location where = std::source_location::current()) const;
  /// μ or β₁ of a group. \throws ValueError when there is no such group, or it has none.
  const Variable& momentum(std::size_t group = 0, std::source_location where = std::source_location::current()) const;
  const std::vector<Variable>& state() const { return state_; }  ///< what it remembers: moments, number of steps
  Variables variables() const;                                   ///< α, λ, μ, each once, then the state
  std::vector<NamedVariable> named_variables() const;            ///< variables() with their names, such as `step`
  /// Assigns the elements of all named_variables(), all or nothing.
  /// \throws ValueError for names that are missing or too many. \throws ShapeError, DTypeError for what does not fit.
  void load_state(const State& state, std::source_location where = std::source_location::current()) const;

 protected:
  /// What kind of number the momentum of an optimiser is.
  enum class Momentum : std::uint8_t {
    none,      ///< it has none
    velocity,  ///< 0 or more; left out where it is 0
    beta,      ///< decay of a mean, in [0, 1)
  };

  /// What the base class does for an optimiser.
  struct Common {
    std::string_view name;                    ///< of the optimiser, for errors
    double learning_rate;                     ///< α
    double weight_decay = 0;                  ///< λ
    bool decoupled_weight_decay = false;      ///< w ← w - α λ w before the update, instead of g ← g + λ w
    bool maximize = false;                    ///< g ← -g
    Momentum momentum_kind = Momentum::none;  ///< which values are allowed
    double momentum = 0;                      ///< μ or β₁
  };

  /// What an optimiser's struct of options says, by the names of its members: those that it lacks stay as they are.
  template <class Options>
  static Common common(std::string_view name, const Options& options, bool decoupled_weight_decay = false) {
    Common result{.name = name,
                  .learning_rate = options.learning_rate,
                  .weight_decay = options.weight_decay,
                  .decoupled_weight_decay = decoupled_weight_decay,
                  .maximize = options.maximize};
    if constexpr (requires { options.decoupled_weight_decay; }) {
      result.decoupled_weight_decay = options.decoupled_weight_decay;
    }
    if constexpr (requires { options.beta1; }) {
      result.momentum_kind = Momentum::beta;
      result.momentum = options.beta1;
    } else if constexpr (requires { options.momentum; }) {
      result.momentum_kind = Momentum::velocity;
      result.momentum = options.momentum;
    }
    return result;
  }

  /// One parameter in a step.
  struct Entry {
    std::size_t index;  ///< of the parameter, over all groups
    Variable variable;  ///< to be assigned
    Tensor w;           ///< its content, after decoupled weight decay
    Tensor g;           ///< its gradient, after maximize and other weight decay
  };

  /// One group in a step. Numbers are float64 tensors of shape ().
  struct Step {
    std::size_t group;           ///< its number
    Tensor t;                    ///< number of this step, from 1, when steps are counted
    Tensor learning_rate;        ///< α
    Tensor momentum;             ///< μ or β₁, when there is one
    std::vector<Entry> entries;  ///< its parameters
  };

  /// \throws ValueError for no parameters, an empty group, a parameter given twice, or a number out of range.
  /// \throws DTypeError for a parameter that is not floating.
  Optimizer(const Parameters& parameters, const Common& common, const std::source_location& where);
  Optimizer(const Optimizer&) = default;             ///< shares parameters, numbers and state
  Optimizer& operator=(const Optimizer&) = default;  ///< shares parameters, numbers and state

  /// Appends the new values of a group's parameters and of their state.
  virtual void update(const Step& step, std::vector<Assignment>& updates) const = 0;

  bool has_momentum() const { return has_momentum_; }  ///< false where it is left out
  /// A variable that is part of the state.
  Variable add_state(const Tensor& initial, std::string name);
  /// One variable per parameter, filled with \p initial; they are part of the state as `0.weight.name`: position of the
  /// parameter, its name, and \p name.
  Variables add_moments(std::string_view name, double initial = 0);
  /// Has steps counted, in a float64 variable of the state.
  void count_steps();

 private:
  struct Group {
    std::size_t size;  // number of parameters
    Variable learning_rate;
    std::optional<Variable> weight_decay;
    std::optional<Variable> momentum;
  };

  void add_parameters(const std::vector<ParameterGroup>& groups);
  void add_groups(const std::vector<ParameterGroup>& groups, const Common& common);
  const Group& group_at(std::size_t group) const;
  Step prepare(std::size_t group, std::size_t first, const Tensors& gradients) const;

  std::string name_;
  Momentum momentum_kind_;
  bool maximize_;
  bool decoupled_;
  bool has_momentum_ = false;
  Variables parameters_;
  std::vector<Group> groups_;
  std::optional<Variable> steps_;
  Variables state_;
};

}  // namespace xgrad::nn
