#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "autograd/loops/scan.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"
#include "onnx/import/call.hpp"
#include "onnx/import/operators.hpp"
#include "onnx/import/recurrent_activations.hpp"

/// \file
/// Recurrent layers: a loop over the steps, for each direction.

namespace xgrad::onnx::loading {

namespace {

/// What one direction computes with.
struct Direction {
  Tensor recurrent;               ///< (gates · hidden, hidden)
  Tensor input_bias;              ///< (gates · hidden,)
  Tensor hidden_bias;             ///< (gates · hidden,)
  Tensor peepholes;               ///< (3 · hidden,), or undefined
  const Activation* activations;  ///< as many as the cell needs
  double clip;                    ///< limit of what activations are given, or 0
  bool flag;                      ///< linear_before_reset, input_forget

  Tensor activated(std::size_t i, const Tensor& x) const {
    return activations[i](clip > 0 ? xgrad::clip(x, -clip, clip) : x);
  }
};

/// The next state from the state and the projected input, (batch, gates · hidden).
using Cell = Tensors (*)(const Direction& direction, const Tensors& state, const Tensor& projected);

/// h ← f(x W + h R + b)
Tensors rnn_cell(const Direction& d, const Tensors& state, const Tensor& projected) {
  return {d.activated(0, projected + matmul(state[0], transpose(d.recurrent)) + d.hidden_bias)};
}

/// z, r = f(..), h' = g(x W + r (h R + b) + b'), or with (r h) R; h ← (1 - z) h' + z h (Cho et al., 2014).
Tensors gru_cell(const Direction& d, const Tensors& state, const Tensor& projected) {
  const Tensor& h = state[0];
  const std::int64_t size = h.shape(-1);
  const auto part = [&](const Tensor& t, std::int64_t gate, std::int64_t count = 1) {
    return t[{ellipsis(), range(gate * size, (gate + count) * size)}];
  };
  const auto rows = [&](std::int64_t gate, std::int64_t count) {
    return transpose(d.recurrent[{range(gate * size, (gate + count) * size)}]);
  };
  const Tensor gates = part(projected, 0, 2) + matmul(h, rows(0, 2)) + part(d.hidden_bias, 0, 2);
  const Tensor z = d.activated(0, part(gates, 0));
  const Tensor r = d.activated(0, part(gates, 1));
  const Tensor from_state = d.flag ? r * (matmul(h, rows(2, 1)) + part(d.hidden_bias, 2))
                                   : matmul(r * h, rows(2, 1)) + part(d.hidden_bias, 2);
  const Tensor candidate = d.activated(1, part(projected, 2) + from_state);
  return {(1 - z) * candidate + z * h};
}

/// i, o, f = f(..), c ← f c + i g(..), h ← o h(c) (Hochreiter and Schmidhuber, 1997), with peepholes (Gers et al., 2002).
Tensors lstm_cell(const Direction& d, const Tensors& state, const Tensor& projected) {
  const Tensor& c = state[1];
  const std::int64_t size = c.shape(-1);
  const Tensors z = split(projected + matmul(state[0], transpose(d.recurrent)) + d.hidden_bias, 4, -1);
  const auto peeping = [&](const Tensor& gate, std::int64_t i, const Tensor& cells) {
    return d.peepholes.defined() ? gate + d.peepholes[{range(i * size, (i + 1) * size)}] * cells : gate;
  };
  const Tensor input = d.activated(0, peeping(z[0], 0, c));
  const Tensor forget = d.flag ? 1 - input : d.activated(0, peeping(z[2], 2, c));
  const Tensor next = forget * c + input * d.activated(1, z[3]);
  const Tensor output = d.activated(0, peeping(z[1], 1, next));
  return {output * d.activated(2, next), next};
}

/// What the three operators differ in.
struct Kind {
  std::int64_t gates;
  std::size_t states;
  std::vector<std::string> activations;
  const char* flag;
  Cell cell;
};

/// The sizes of a call.
struct Sizes {
  std::int64_t steps, batch, hidden, directions;
};

/// Part \p d of an input of all directions; 0 where it is left out.
Tensor of_direction(const Call& call, std::size_t input, std::int64_t d, const Shape& shape, DType dtype) {
  if (!call.has(input)) {
    return zeros(shape, dtype);
  }
  const Tensor part = call[input][d];
  if (part.shape() != shape) {
    call.refuse(phrase("input {} has shape {} for each direction, where {} is needed", input, to_string(part.shape()),
                       to_string(shape)));
  }
  return part;
}

/// One direction: the outputs of all steps, and the last state.
std::pair<Tensor, Tensors> run_direction(const Direction& direction, Cell cell, const Tensors& first,
                                         const Tensor& projected, const Tensor& lengths, bool reverse) {
  const std::int64_t steps = projected.shape()[0];
  const Tensor numbers = arange(0, static_cast<double>(steps), 1, DType::int64);
  const auto step = [&](const Tensors& state, const Tensors& slices) {
    Tensors next = cell(direction, state, slices[0]);
    Tensor output = next[0];
    if (lengths.defined()) {  // behind its end a sample keeps its state, and gives 0
      const Tensor counts = expand_dims(slices[1] < lengths, 1);
      for (std::size_t i = 0; i < next.size(); ++i) {
        next[i] = where(counts, next[i], state[i]);
      }
      output = where(counts, output, 0.0);
    }
    return std::pair<Tensors, Tensor>(next, output);
  };
  ScanOptions options;
  options.reverse = reverse;
  const auto [last, outputs] = scan(step, first, Tensors{projected, numbers}, options);
  return {outputs, last};
}

/// States (batch, directions, hidden) as (directions, batch, hidden), and back, where the batch comes first.
Tensor with_directions_first(const Tensor& states, bool batch_first) {
  return batch_first && states.defined() ? swapaxes(states, 0, 1) : states;
}

Direction direction_of(const Call& call, const Kind& kind, std::int64_t d, const Sizes& sizes, DType dtype,
                       const std::vector<Activation>& activations) {
  const std::int64_t width = kind.gates * sizes.hidden;
  const Tensor bias = of_direction(call, 3, d, {2 * width}, dtype);
  constexpr std::size_t peephole_input = 7;
  return {of_direction(call, 2, d, {width, sizes.hidden}, dtype),
          bias[{range(0, width)}],
          bias[{range(width, 2 * width)}],
          call.has(peephole_input) ? of_direction(call, peephole_input, d, {3 * sizes.hidden}, dtype) : Tensor(),
          activations.data() + static_cast<std::size_t>(d) * kind.activations.size(),
          call.number("clip", 0),
          call.flag(kind.flag, false)};
}

Tensors recurrent(const Call& call, const Kind& kind) {
  const bool batch_first = call.integer("layout", 0) == 1;
  if (call[0].ndim() != 3 || call[1].ndim() != 3 || call[2].ndim() != 3) {
    call.refuse("the input and both weights have three axes");
  }
  const Tensor x = batch_first ? swapaxes(call[0], 0, 1) : call[0];
  const std::string way = call.text("direction", "forward");
  const Sizes sizes{x.shape()[0], x.shape()[1], call[2].shape(-1), way == "bidirectional" ? 2 : 1};
  if (call[1].shape()[0] != sizes.directions || call[1].shape()[2] != x.shape()[2]) {
    call.refuse(phrase("weights of shape {} for an input of shape {}, {}", to_string(call[1].shape()),
                       to_string(x.shape()), way));
  }
  const auto activations = activations_of(call, static_cast<std::size_t>(sizes.directions), kind.activations);
  const Tensor lengths = call.optional(4);
  Tensors outputs;
  std::vector<Tensors> last(kind.states);
  for (std::int64_t d = 0; d < sizes.directions; ++d) {
    const Direction direction = direction_of(call, kind, d, sizes, x.dtype(), activations);
    Tensors first;
    for (std::size_t state = 0; state < kind.states; ++state) {
      const Tensor all = with_directions_first(call.optional(5 + state), batch_first);
      first.push_back(all.defined() ? all[d] : zeros({sizes.batch, sizes.hidden}, x.dtype()));
    }
    const Tensor projected = matmul(x, transpose(call[1][d])) + direction.input_bias;
    const bool reverse = way == "reverse" || d == 1;
    const auto [all, states] = run_direction(direction, kind.cell, first, projected, lengths, reverse);
    outputs.push_back(all);
    for (std::size_t state = 0; state < kind.states; ++state) {
      last[state].push_back(states[state]);
    }
  }
  const Tensor y = stack(outputs, 1);  // (steps, directions, batch, hidden)
  Tensors results{batch_first ? transpose(y, {2, 0, 1, 3}) : y};
  for (const Tensors& states : last) {
    results.push_back(with_directions_first(stack(states, 0), batch_first));
  }
  return results;
}

Tensors rnn(const Call& call) { return recurrent(call, {1, 1, {"tanh"}, "no_flag", rnn_cell}); }

Tensors gru(const Call& call) { return recurrent(call, {3, 1, {"sigmoid", "tanh"}, "linear_before_reset", gru_cell}); }

Tensors lstm(const Call& call) {
  return recurrent(call, {4, 2, {"sigmoid", "tanh", "tanh"}, "input_forget", lstm_cell});
}

std::string recurrent_objection(const GraphNode& node) {
  const auto names = node.attributes.find("activations");
  for (const std::string& name : names == node.attributes.end() ? std::vector<std::string>() : names->second.texts) {
    if (!is_activation(name)) {
      return "with the activation '" + name + "'";
    }
  }
  return "";
}

constexpr std::array recurrent_table = {
    Operator{"GRU", {3, 6}, gru, 7, any_opset, recurrent_objection},
    Operator{"LSTM", {3, 8}, lstm, 7, any_opset, recurrent_objection},
    Operator{"RNN", {3, 6}, rnn, 7, any_opset, recurrent_objection},
};

}  // namespace

std::span<const Operator> recurrent_operators() { return recurrent_table; }

}  // namespace xgrad::onnx::loading
