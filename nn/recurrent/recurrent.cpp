#include "nn/recurrent/recurrent.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "autograd/graph/operation.hpp"
#include "autograd/loops/scan.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad::nn {

namespace {

// Lengths as they are, if all are in [0, steps]: it is known when they are computed.
struct CheckedLengths {
  static constexpr std::string_view name = "lengths";
  static constexpr bool stops_gradient = true;
  static constexpr bool maps_leading_axes = true;
  std::string layer;
  std::int64_t steps = 0;
  static constexpr auto attributes = fields("layer", &CheckedLengths::layer, "steps", &CheckedLengths::steps);

  Spec infer(Inputs in) const { return {in[0].shape(), DType::int64}; }
  void eval(ConstViews in, Views out) const {
    const auto* lengths = in[0].as<std::int64_t>();
    const std::int64_t count = in[0].size();
    const auto fits = [this](std::int64_t length) { return length >= 0 && length <= steps; };
    const auto* bad = std::find_if_not(lengths, lengths + count, fits);
    if (bad != lengths + count) {
      raise<ValueError>(layer, phrase("the length of sample {} of {} is {}, outside [0, {}]; the input has {} steps",
                                      bad - lengths, count, *bad, steps, steps));
    }
    std::copy_n(lengths, count, out[0].as<std::int64_t>());
  }
};

// Uniform in ±1/√hidden_size, as torch.nn's recurrent layers begin.
Initializer initializer_for(std::string_view layer, std::int64_t input_size, std::int64_t hidden_size,
                            const std::source_location& where) {
  return located(where, [&] {
    if (input_size < 1 || hidden_size < 1) {
      raise<ValueError>(layer, phrase("sizes are 1 or more, got {} inputs and a state of {}", input_size, hidden_size));
    }
    const double bound = 1 / std::sqrt(static_cast<double>(hidden_size));
    return init::uniform(-bound, bound);
  });
}

// What a tensor of a state is called.
std::string_view state_name(std::size_t number) { return number == 0 ? "h" : "c"; }

}  // namespace

Recurrent::Recurrent(std::string_view layer, std::int64_t gates, std::int64_t input_size, std::int64_t hidden_size,
                     const RecurrentOptions& options, const std::source_location& where)
    : layer_(layer),
      batch_first_(options.batch_first),
      has_key_(options.key.has_value()),
      initializer_(initializer_for(layer, input_size, hidden_size, where)),
      weight_ih_(zeros({input_size, gates * hidden_size}, options.dtype, where), "weight_ih_l0"),
      weight_hh_(zeros({hidden_size, gates * hidden_size}, options.dtype, where), "weight_hh_l0") {
  if (options.bias) {
    bias_ih_.emplace(zeros({gates * hidden_size}, options.dtype, where), "bias_ih_l0");
    bias_hh_.emplace(zeros({gates * hidden_size}, options.dtype, where), "bias_hh_l0");
  }
  located(where, [&] { draw_fresh(options.key.value_or(random::Key(0))); });
}

template <class F>
void Recurrent::for_each_parameter(random::Key key, const F& f) {
  f(weight_ih_, key.fold(0));
  f(weight_hh_, key.fold(1));
  if (bias_ih_) {
    f(*bias_ih_, key.fold(2));
    f(*bias_hh_, key.fold(3));
  }
}

void Recurrent::draw(random::Key key) {
  for_each_parameter(key, [this](const Variable& parameter, random::Key own) {
    parameter.assign(initializer_(own, parameter.shape(), parameter.dtype()));
  });
}

void Recurrent::draw_fresh(random::Key key) {
  for_each_parameter(
      key, [this](Variable& parameter, random::Key own) { detail::draw_if_fresh(parameter, initializer_, own); });
}

void Recurrent::place(random::Key key) {
  if (!has_key_) {
    draw_fresh(key);
  }
}

Recurrent::Begin Recurrent::from(const std::optional<Tensor>& state) {
  return {state ? std::optional(Tensors{*state}) : std::nullopt, 1};
}

Tensor Recurrent::both_biases() const { return bias_ih_ ? *bias_ih_ + *bias_hh_ : Tensor(); }

// The input with its steps on axis 0.
Tensor Recurrent::time_major(const Tensor& x) const {
  if ((x.ndim() != 2 && x.ndim() != 3) || x.shape().back() != input_size()) {
    raise<ShapeError>(layer_, phrase("the layer takes {} features in each step, got an input of shape {}; give one of "
                                     "shape ({}, {}), or (steps, {}) of a single sample",
                                     input_size(), to_string(x.shape()), batch_first_ ? "batch, steps" : "steps, batch",
                                     input_size(), input_size()));
  }
  if (x.dtype() != weight_ih_.dtype()) {
    raise<DTypeError>(layer_, phrase("the weights are {}, the input is {}; cast it, or give the options another dtype",
                                     to_string(weight_ih_.dtype()), to_string(x.dtype())));
  }
  return batch_first_ && x.ndim() == 3 ? swapaxes(x, 0, 1) : x;
}

// x W_ih + bias: of all steps, one product.
Tensor Recurrent::projected(const Tensor& x, const Tensor& bias) const {
  const Tensor z = matmul(x, weight_ih_);
  return bias.defined() ? z + bias : z;
}

Tensors Recurrent::first_state(const Begin& begin, const Tensor& x) const {
  Shape shape(x.shape().begin() + 1, x.shape().end() - 1);
  shape.push_back(hidden_size());
  if (!begin.state) {
    return Tensors(begin.count, zeros(shape, x.dtype()));
  }
  for (std::size_t i = 0; i < begin.count; ++i) {
    const Tensor state = Operand((*begin.state)[i]).tensor();
    if (state.shape() != shape) {
      raise<ShapeError>(layer_, phrase("the state {} has shape {}; for this input it takes {}", state_name(i),
                                       to_string(state.shape()), to_string(shape)));
    }
    if (state.dtype() != x.dtype()) {
      raise<DTypeError>(layer_, phrase("the weights are {}, the state {} is {}; cast it", to_string(x.dtype()),
                                       state_name(i), to_string(state.dtype())));
    }
  }
  return *begin.state;
}

// Whether a step counts, (steps, .., 1): broadcasts to the states of all steps.
Tensor Recurrent::counting_steps(const Tensor& lengths, const Tensor& x) const {
  const Shape samples(x.shape().begin() + 1, x.shape().end() - 1);
  if (lengths.shape() != samples) {
    raise<ShapeError>(layer_, phrase("lengths have shape {}; for this input they take {}, one for each sample",
                                     to_string(lengths.shape()), to_string(samples)));
  }
  if (!is_whole(lengths.dtype())) {
    raise<DTypeError>(layer_, phrase("lengths are {}; give integers", to_string(lengths.dtype())));
  }
  const std::int64_t steps = x.shape()[0];
  const Tensor checked = apply_op(CheckedLengths{std::string(layer_), steps}, {cast(lengths, DType::int64)});
  Tensor number = arange(static_cast<double>(steps), DType::int64);
  if (!samples.empty()) {
    number = expand_dims(number, 1);
  }
  return expand_dims(number < checked, -1);
}

// What is in steps that do not count, NaN perhaps, reaches neither a state nor a derivative.
std::pair<Tensors, Tensor> Recurrent::run_counting(const Tensor& x, const Tensors& first, const Tensor& counts,
                                                   const Tensor& bias, const Step& step) const {
  const auto masked = [&](const Tensors& state, const std::pair<Tensor, Tensor>& slice) {
    Tensors next = step(state, slice.first);
    const Tensor shown = where(slice.second, next[0], 0.0);
    for (std::size_t i = 0; i < next.size(); ++i) {
      next[i] = where(slice.second, next[i], state[i]);
    }
    return std::pair(next, shown);
  };
  return scan(masked, first, std::pair(projected(where(counts, x, 0.0), bias), counts));
}

Recurrent::Made Recurrent::run(const Operand& x, const Begin& begin, const Tensor& lengths, const Tensor& bias,
                               const Step& step) const {
  const SourceScope scope(x);
  const Tensor given = x.tensor();
  return located(x.where(), [&] {
    const Tensor input = time_major(given);
    const Tensors first = first_state(begin, input);
    auto [last, output] = lengths.defined() ? run_counting(input, first, counting_steps(lengths, input), bias, step)
                                            : scan(
                                                  [&](const Tensors& state, const Tensor& slice) {
                                                    Tensors next = step(state, slice);
                                                    return std::pair(next, next[0]);
                                                  },
                                                  first, projected(input, bias), {}, x.where());
    return Made{batch_first_ && output.ndim() == 3 ? swapaxes(output, 0, 1) : output, last};
  });
}

}  // namespace xgrad::nn
