#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "autograd/ops/ops.hpp"
#include "autograd/plan/compile.hpp"
#include "autograd/runtime/error.hpp"
#include "autograd/transforms/grad.hpp"
#include "nn/module.hpp"
#include "nn/recurrent/gru.hpp"
#include "nn/recurrent/lstm.hpp"
#include "nn/recurrent/rnn.hpp"
#include "nn/torch_state.hpp"
#include "tests/golden/arrays.hpp"
#include "tests/golden/cases.hpp"

namespace xgrad::golden {

namespace {

using nlohmann::json;

/// Arrays by the names of what they belong to: inputs and weights.
using Named = std::map<std::string, Tensor>;

/// Input, h0 and c0, as far as they are given, with their names.
struct Inputs {
  std::vector<std::string> names;
  Tensors tensors;
};

/// What a case says of its layer.
struct Settings {
  std::int64_t input_size = 0;
  std::int64_t hidden_size = 0;
  bool bias = true;
  bool batch_first = false;
  Tensor lengths;
};

struct RecurrentCase {
  std::string layer;
  Settings settings;
  Named weights;
  Inputs inputs;
  std::vector<std::pair<std::string, Tensor>> outputs;  ///< output, hn and cn
  Tensor cotangent;
  Named gradients;
  Named directions;
  Tensor vjp2;
};

/// A layer behind one type: the inputs of a case to its outputs. States are (1, batch, hidden_size).
struct Model {
  nn::Module module;  ///< the layer's variables
  std::function<Tensors(const Tensors& inputs)> call;
};

Named read_named(Entries& entries, const std::string& key) {
  const json& object = entries.at(key);
  Entries checked(object, key);
  Named result;
  for (const auto& [name, value] : object.items()) {
    result.emplace(name, read_defined(checked, name));
  }
  return result;
}

/// One array for each input and weight, and nothing else.
Named read_per_part(Entries& entries, const std::string& key, const RecurrentCase& c) {
  Named parts = c.weights;
  for (std::size_t i = 0; i < c.inputs.names.size(); ++i) {
    parts.emplace(c.inputs.names[i], c.inputs.tensors[i]);
  }
  Named result = read_named(entries, key);
  const bool fits =
      std::equal(result.begin(), result.end(), parts.begin(), parts.end(), [](const auto& a, const auto& b) {
        return a.first == b.first && a.second.shape() == b.second.shape() && a.second.dtype() == b.second.dtype();
      });
  if (!fits) {
    raise<FileError>(key, "should have an array like each of input, h0, c0 and the weights that the case has");
  }
  return result;
}

Tensor read_lengths(Entries& entries) {
  const json* lengths = entries.find("lengths");
  if (lengths == nullptr) {
    return {};
  }
  const Shape numbers = to_integers(*lengths, "lengths");
  return Tensor(std::vector<std::int64_t>(numbers.begin(), numbers.end()));
}

RecurrentCase read_recurrent_case(Entries& entries) {
  RecurrentCase c;
  c.layer = entries.text("layer");
  c.weights = read_named(entries, "weights");
  c.settings = {entries.integer("input_size"), entries.integer("hidden_size"), c.weights.contains("bias_ih_l0"),
                entries.flag("batch_first", false), read_lengths(entries)};
  c.inputs = {{"input"}, {read_defined(entries, "input")}};
  c.outputs = {{"output", read_defined(entries, "output")}};
  for (const auto& [before, after] : {std::pair("h0", "hn"), std::pair("c0", "cn")}) {
    if (entries.find(before) != nullptr) {
      c.inputs.names.emplace_back(before);
      c.inputs.tensors.push_back(read_defined(entries, before));
    }
    if (entries.find(after) != nullptr) {
      c.outputs.emplace_back(after, read_defined(entries, after));
    }
  }
  c.cotangent = read_defined(entries, "cotangent");
  c.gradients = read_per_part(entries, "grads", c);
  c.directions = read_per_part(entries, "directions", c);
  c.vjp2 = read_defined(entries, "vjp2");
  return c;
}

template <class L>
Model model_of(const L& layer, const Tensor& lengths) {
  return {layer, [=](const Tensors& inputs) {
            nn::SequenceOptions<Tensor> options{.lengths = lengths};
            if (inputs.size() > 1) {
              options.state = inputs[1][0];
            }
            const auto [output, state] = layer(inputs[0], options);
            return Tensors{output, expand_dims(state, 0)};
          }};
}

Model model_of(const nn::LSTM& layer, const Tensor& lengths) {
  return {layer, [=](const Tensors& inputs) {
            nn::SequenceOptions<nn::LSTMState> options{.lengths = lengths};
            if (inputs.size() > 2) {
              options.state = nn::LSTMState{inputs[1][0], inputs[2][0]};
            }
            const auto [output, state] = layer(inputs[0], options);
            return Tensors{output, expand_dims(state.h, 0), expand_dims(state.c, 0)};
          }};
}

Model make_model(const std::string& layer, const Settings& s) {
  const nn::RecurrentOptions options{.bias = s.bias, .batch_first = s.batch_first, .dtype = DType::float64};
  if (layer == "lstm") {
    return model_of(nn::LSTM(s.input_size, s.hidden_size, options), s.lengths);
  }
  if (layer == "gru") {
    return model_of(nn::GRU(s.input_size, s.hidden_size, options), s.lengths);
  }
  if (layer == "rnn_tanh" || layer == "rnn_relu") {
    return model_of(nn::RNN(s.input_size, s.hidden_size,
                            {.nonlinearity = layer == "rnn_tanh" ? nn::Nonlinearity::tanh : nn::Nonlinearity::relu,
                             .bias = s.bias,
                             .batch_first = s.batch_first,
                             .dtype = DType::float64}),
                    s.lengths);
  }
  raise<FileError>(layer, "the layer is not known");
}

/// Gradients of inputs and weights, these as PyTorch has them: (out, in).
Named gradients_of(const Model& model, const std::vector<std::string>& names, const Tensors& inputs,
                   const Tensor& output, const Tensor& cotangent) {
  std::vector<std::string> all_names = names;
  Tensors all = inputs;
  for (const auto& [name, variable] : model.module.named_variables()) {
    all_names.push_back(name);
    all.push_back(variable);
  }
  const Tensors gradients = vjp(output, all, cotangent, Unreached::zeros);
  Named result;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool is_weight = i >= inputs.size() && gradients[i].ndim() == 2;
    result.emplace(all_names[i], is_weight ? transpose(gradients[i]) : gradients[i]);
  }
  return result;
}

/// All outputs, the gradients in the order of their names, and the second derivative.
Tensors compute(const Model& model, const RecurrentCase& c, const Tensors& inputs) {
  Tensors result = model.call(inputs);
  Tensor projection = 0.0;
  const Named gradients = gradients_of(model, c.inputs.names, inputs, result[0], c.cotangent);
  for (const auto& [name, gradient] : gradients) {
    projection = projection + sum(gradient * c.directions.at(name));
    result.push_back(gradient);
  }
  result.push_back(grad(projection, inputs[0], Unreached::zeros));
  return result;
}

void compare(Differences& differences, const std::string& how, const Tensors& actual, const RecurrentCase& c) {
  std::vector<std::pair<std::string, Tensor>> expected = c.outputs;
  for (const auto& [name, gradient] : c.gradients) {
    expected.emplace_back("grads." + name, gradient);
  }
  expected.emplace_back("vjp2", c.vjp2);
  if (expected.size() != actual.size()) {
    raise<FileError>("case", "should have `hn`, and for an lstm `cn`");
  }
  for (std::size_t i = 0; i < expected.size(); ++i) {
    differences.compare(how + expected[i].first, actual[i], expected[i].second, reference_tolerance, 0);
  }
}

}  // namespace

std::string compare_recurrent(Entries& entries) {
  const RecurrentCase c = read_recurrent_case(entries);
  const Model model = make_model(c.layer, c.settings);
  nn::State state;
  for (const auto& [name, weight] : c.weights) {
    state.emplace(name, weight.array());
  }
  nn::load_torch_state(model.module, state);
  const auto compiled = compile([&](const auto&... inputs) { return compute(model, c, {inputs...}); });
  const Tensors& x = c.inputs.tensors;
  Differences differences;
  compare(differences, "", compute(model, c, x), c);
  compare(differences, "compiled ",
          x.size() == 1   ? compiled(x[0])
          : x.size() == 2 ? compiled(x[0], x[1])
                          : compiled(x[0], x[1], x[2]),
          c);
  return differences.report();
}

}  // namespace xgrad::golden
