#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <source_location>
#include <string_view>
#include <utility>

#include "autograd/graph/node.hpp"
#include "nn/initializers.hpp"
#include "nn/layer.hpp"

/// \file
/// What the recurrent layers have in common: RNN, LSTM and GRU, one layer each, in one direction.

namespace xgrad::nn {

/// Options of LSTM and GRU.
struct RecurrentOptions {
  bool bias = true;                     ///< whether b_ih and b_hh are added
  bool batch_first = false;             ///< x and output are (batch, steps, ..), else (steps, batch, ..)
  std::optional<random::Key> key = {};  ///< of the initial values; left out, the place in a Sequential tells it
  DType dtype = DType::float32;         ///< of weights and biases
};

/// What a recurrent layer is given beside x: `gru(x, {.lengths = lengths})`.
template <class State>
struct SequenceOptions {
  std::optional<State> state = {};  ///< before the first step; left out: zeros
  /// Integers (batch,) in [0, steps]: how many steps of each sample count. Those behind leave its state as it is, and their
  /// output is 0. Undefined: all steps.
  Tensor lengths = {};
};

/// What a recurrent layer gives: `auto [output, state] = lstm(x);`, or the output alone where a tensor is wanted.
template <class State>
struct Recurrence {
  Tensor output;  ///< h after each step: (steps, batch, hidden_size), or (batch, steps, hidden_size) with batch_first
  State state;    ///< after the last step of each sample, in the form in which the layer takes it

  /// \name Conversions to the output, which the next layer takes
  /// \{

  /// `dense(lstm(x))`; errors name the line of this call.
  operator Tensor() const { return output; }
  operator Operand() const { return output.defined() ? Operand(output, output.node().location()) : Operand(output); }
  /// \}
};

/// The weights of a recurrent layer, under PyTorch's names, and the loop over its steps. The product of the input and W_ih is
/// taken for all steps together, before the loop.
class Recurrent {
 public:
  /// Draws all weights and biases anew, uniform in ±1/√hidden_size.
  void draw(random::Key key);
  /// For Sequential: draws by the layer's place, unless a key was given, or somebody may have seen the values.
  void place(random::Key key);

  const Variable& weight_ih() const { return weight_ih_; }             ///< W_ih, (input_size, gates · hidden_size)
  const Variable& weight_hh() const { return weight_hh_; }             ///< W_hh, (hidden_size, gates · hidden_size)
  const std::optional<Variable>& bias_ih() const { return bias_ih_; }  ///< b_ih, (gates · hidden_size,)
  const std::optional<Variable>& bias_hh() const { return bias_hh_; }  ///< b_hh, (gates · hidden_size,)
  std::int64_t input_size() const { return weight_ih_.shape()[0]; }    ///< features of each step
  std::int64_t hidden_size() const { return weight_hh_.shape()[0]; }   ///< features of the state

 protected:
  /// \param layer its name in errors. \param gates how many matrices lie beside each other in each weight.
  /// \throws ValueError when a size is less than 1.
  Recurrent(std::string_view layer, std::int64_t gates, std::int64_t input_size, std::int64_t hidden_size,
            const RecurrentOptions& options, const std::source_location& where);

  /// The next state from the state and the projected input, (batch, gates · hidden_size). h is the first of the state.
  using Step = std::function<Tensors(const Tensors& state, const Tensor& projected)>;
  /// What is known of the state before the first step.
  struct Begin {
    std::optional<Tensors> state;  ///< its tensors; left out: zeros
    std::size_t count = 1;         ///< how many there are
  };
  /// Of a layer whose state is one tensor.
  static Begin from(const std::optional<Tensor>& state);
  /// The parts of a Recurrence.
  struct Made {
    Tensor output;  ///< as it has it
    Tensors state;  ///< the tensors of it
  };

  /// Projects \p x, and runs \p step for each of its steps. \param bias is added to the projection, if it is defined.
  Made run(const Operand& x, const Begin& begin, const Tensor& lengths, const Tensor& bias, const Step& step) const;
  /// b_ih + b_hh, or nothing: for layers that add both of them at once.
  Tensor both_biases() const;

 private:
  template <class F>
  void for_each_parameter(random::Key key, const F& f);
  void draw_fresh(random::Key key);
  Tensor time_major(const Tensor& x) const;
  Tensor projected(const Tensor& x, const Tensor& bias) const;
  Tensors first_state(const Begin& begin, const Tensor& x) const;
  Tensor counting_steps(const Tensor& lengths, const Tensor& x) const;
  std::pair<Tensors, Tensor> run_counting(const Tensor& x, const Tensors& first, const Tensor& counts,
                                          const Tensor& bias, const Step& step) const;

  std::string_view layer_;
  bool batch_first_;
  bool has_key_;
  Initializer initializer_;
  Variable weight_ih_, weight_hh_;
  std::optional<Variable> bias_ih_, bias_hh_;

 public:
  /// The parameters' paths, as torch.nn names them.
  static constexpr auto members = fields("weight_ih_l0", &Recurrent::weight_ih_, "weight_hh_l0", &Recurrent::weight_hh_,
                                         "bias_ih_l0", &Recurrent::bias_ih_, "bias_hh_l0", &Recurrent::bias_hh_);
  /// torch.nn keeps weights as (gates · hidden_size, ..).
  static constexpr std::array torch_names = {TorchName{"weight_ih_l0", "weight_ih_l0", TorchLayout::transposed},
                                             TorchName{"weight_hh_l0", "weight_hh_l0", TorchLayout::transposed}};
};

namespace detail {

/// What the state of a recurrent layer has as its output: h.
inline const Tensor& hidden_of(const Tensor& state) { return state; }

}  // namespace detail

}  // namespace xgrad::nn
