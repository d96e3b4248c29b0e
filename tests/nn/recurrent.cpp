#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "autograd/graph/walks.hpp"
#include "autograd/loops/loop.hpp"
#include "nn/nn.hpp"
#include "tests/testing.hpp"

/// \file
/// What recurrent layers compute; tests/golden has their values and derivatives by PyTorch.

BOOST_AUTO_TEST_SUITE(nn_recurrent)

namespace nn_recurrent {

using namespace xgrad;
using testing::check_elements;
using testing::elements;
using testing::random_tensor;

constexpr std::int64_t features = 3;
constexpr std::int64_t hidden = 4;

const nn::RecurrentOptions in_double{.dtype = DType::float64};
const nn::RecurrentOptions batches_first{.batch_first = true, .dtype = DType::float64};

nn::RNN make_rnn(nn::Nonlinearity nonlinearity = nn::Nonlinearity::tanh) {
  return nn::RNN(features, hidden, {.nonlinearity = nonlinearity, .dtype = DType::float64});
}

void check_equal(const Tensor& actual, const Tensor& expected, double tolerance = 1e-13) {
  check_elements(actual, expected.shape(), elements(expected), tolerance);
}

/// The gates of torch's formulas: columns i · hidden to (i + 1) · hidden of x W + b.
Tensor gate(std::int64_t i, const Tensor& x, const Tensor& weight, const Tensor& bias) {
  return (matmul(x, weight) + bias)[{all(), range(i * hidden, (i + 1) * hidden)}];
}

/// What a layer gives for each sample by itself, over its own steps alone; x is (steps, batch, features).
template <class L>
void check_lengths(const L& layer, const Tensor& x, const std::vector<std::int64_t>& lengths) {
  const auto made = layer(x, {.lengths = Tensor(lengths)});
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    const auto sample = static_cast<std::int64_t>(i);
    const auto alone = layer(x[{range(0, lengths[i]), sample}]);
    check_equal(made.output[{range(0, lengths[i]), sample}], alone.output);
    check_elements(made.output[{range(lengths[i]), sample}], {x.shape()[0] - lengths[i], hidden},
                   std::vector<double>(static_cast<std::size_t>((x.shape()[0] - lengths[i]) * hidden), 0.0));
    check_equal(nn::detail::hidden_of(made.state)[sample], nn::detail::hidden_of(alone.state));
  }
}

}  // namespace nn_recurrent

using namespace nn_recurrent;

BOOST_AUTO_TEST_CASE(rnn_by_its_definition) {
  const Tensor x = random_tensor({5, 2, features});
  for (const nn::Nonlinearity nonlinearity : {nn::Nonlinearity::tanh, nn::Nonlinearity::relu}) {
    const nn::RNN rnn = make_rnn(nonlinearity);
    const auto [output, state] = rnn(x);
    Tensor h = zeros({2, hidden}, DType::float64);
    for (std::int64_t t = 0; t < 5; ++t) {
      const Tensor z = matmul(x[t], rnn.weight_ih()) + *rnn.bias_ih() + matmul(h, rnn.weight_hh()) + *rnn.bias_hh();
      h = nonlinearity == nn::Nonlinearity::tanh ? tanh(z) : maximum(z, 0.0);
      check_equal(output[t], h);
    }
    check_equal(state, h);
  }
}

BOOST_AUTO_TEST_CASE(lstm_by_its_definition) {
  const nn::LSTM lstm(features, hidden, in_double);
  const Tensor x = random_tensor({5, 2, features});
  const auto [output, state] = lstm(x);
  Tensor h = zeros({2, hidden}, DType::float64);
  Tensor c = h;
  for (std::int64_t t = 0; t < 5; ++t) {
    const auto z = [&, before = h](std::int64_t i) {
      return gate(i, x[t], lstm.weight_ih(), *lstm.bias_ih()) + gate(i, before, lstm.weight_hh(), *lstm.bias_hh());
    };
    c = sigmoid(z(1)) * c + sigmoid(z(0)) * tanh(z(2));
    h = sigmoid(z(3)) * tanh(c);
    check_equal(output[t], h);
  }
  check_equal(state.h, h);
  check_equal(state.c, c);
}

BOOST_AUTO_TEST_CASE(gru_by_its_definition) {
  const nn::GRU gru(features, hidden, in_double);
  const Tensor x = random_tensor({5, 2, features});
  const auto [output, state] = gru(x);
  Tensor h = zeros({2, hidden}, DType::float64);
  for (std::int64_t t = 0; t < 5; ++t) {
    const auto by_input = [&](std::int64_t i) { return gate(i, x[t], gru.weight_ih(), *gru.bias_ih()); };
    const auto by_state = [&, before = h](std::int64_t i) { return gate(i, before, gru.weight_hh(), *gru.bias_hh()); };
    const Tensor reset = sigmoid(by_input(0) + by_state(0));
    const Tensor update = sigmoid(by_input(1) + by_state(1));
    h = (1.0 - update) * tanh(by_input(2) + reset * by_state(2)) + update * h;
    check_equal(output[t], h);
  }
  check_equal(state, h);
}

BOOST_AUTO_TEST_CASE(without_biases) {
  nn::RecurrentOptions options = in_double;
  options.bias = false;
  const Tensor x = random_tensor({4, 2, features});
  const auto check = [&](const auto& bare, const auto& full) {
    BOOST_TEST(!bare.bias_ih().has_value());
    BOOST_TEST(!bare.bias_hh().has_value());
    full.weight_ih().assign(bare.weight_ih());
    full.weight_hh().assign(bare.weight_hh());
    full.bias_ih()->assign(zeros_like(*full.bias_ih()));
    full.bias_hh()->assign(zeros_like(*full.bias_hh()));
    check_equal(bare(x).output, full(x).output);
  };
  check(nn::LSTM(features, hidden, options), nn::LSTM(features, hidden, in_double));
  check(nn::GRU(features, hidden, options), nn::GRU(features, hidden, in_double));
  check(nn::RNN(features, hidden, {.bias = false, .dtype = DType::float64}), make_rnn());
}

BOOST_AUTO_TEST_CASE(float32_is_float64_rounded) {
  const Tensor x = random_tensor({6, 2, features});
  const nn::LSTM wide(features, hidden, in_double);
  const nn::LSTM narrow(features, hidden);
  nn::load_torch_state(narrow, nn::torch_state(wide));
  const auto [output, state] = narrow(cast(x, DType::float32), {.lengths = Tensor{6, 2}});
  BOOST_TEST(output.dtype() == DType::float32);
  BOOST_TEST(state.c.dtype() == DType::float32);
  check_elements(output, {6, 2, hidden}, elements(wide(x, {.lengths = Tensor{6, 2}}).output), 1e-6);
}

BOOST_AUTO_TEST_CASE(a_state_goes_on_where_the_first_part_ended) {
  const Tensor x = random_tensor({7, 2, features});
  const Tensor first = x[range(0, 3)];
  const Tensor second = x[range(3)];
  const nn::LSTM lstm(features, hidden, in_double);
  const auto begun = lstm(first);
  const auto whole = lstm(x);
  check_equal(lstm(second, begun.state).output, whole.output[range(3)]);
  check_equal(lstm(second, {begun.state.h, begun.state.c}).state.c, whole.state.c);
  check_equal(lstm(second, {.state = begun.state, .lengths = Tensor{4, 4}}).state.h, whole.state.h);

  const nn::GRU gru(features, hidden, in_double);
  check_equal(gru(second, gru(first).state).output, gru(x).output[range(3)]);
  const Variable learnt(gru(first).state);
  check_equal(gru(second, learnt).state, gru(x).state);
  check_equal(gru(second, {.state = learnt}).state, gru(x).state);
  const nn::RNN rnn = make_rnn();
  check_equal(rnn(second, rnn(first).state).state, rnn(x).state);
}

BOOST_AUTO_TEST_CASE(steps_behind_the_length_of_a_sample_do_not_count) {
  const Tensor x = random_tensor({5, 4, features});
  const std::vector<std::int64_t> lengths = {5, 3, 1, 0};
  check_lengths(make_rnn(), x, lengths);
  check_lengths(nn::LSTM(features, hidden, in_double), x, lengths);
  check_lengths(nn::GRU(features, hidden, in_double), x, lengths);

  const nn::LSTM lstm(features, hidden, in_double);
  const Tensor c = random_tensor({4, hidden});
  check_equal(lstm(x, {.state = nn::LSTMState{c, c}, .lengths = Tensor(lengths)}).state.c[3], c[3]);
  // Nothing behind the lengths has a derivative, or is in one, whatever is there.
  const Tensor counts = reshape(arange(5, DType::int64), {5, 1, 1}) < reshape(Tensor(lengths), {1, 4, 1});
  for (const double padding : {1e300, std::numeric_limits<double>::infinity(), std::nan("")}) {
    const Tensor padded = where(counts, x, padding);
    const auto [output, state] = lstm(padded, {.lengths = cast(Tensor(lengths), DType::uint8)});
    const Tensors slopes = grad(sum(square(output)) + sum(state.c), {padded, lstm.weight_ih(), lstm.weight_hh()});
    check_equal(where(counts, 0.0, slopes[0]), zeros_like(x));
    BOOST_TEST(norm(slopes[0][{range(0, 3), 1}]).item() > 1e-3);
    for (const Tensor& slope : slopes) {
      BOOST_TEST(all(isfinite(slope)).item<bool>());
    }
  }
}

BOOST_AUTO_TEST_CASE(batches_in_front) {
  const Tensor x = random_tensor({3, 5, features});
  const nn::GRU front(features, hidden, batches_first);
  const nn::GRU behind(features, hidden, in_double);  // the same weights: neither has a key
  const Tensor lengths = {5, 2, 4};
  const auto [output, state] = front(x, {.lengths = lengths});
  const auto expected = behind(swapaxes(x, 0, 1), {.lengths = lengths});
  check_equal(output, swapaxes(expected.output, 0, 1));
  check_equal(state, expected.state);
  check_equal(front(x, state).state, behind(swapaxes(x, 0, 1), state).state);
}

BOOST_AUTO_TEST_CASE(a_single_sample_needs_no_axis_of_batches) {
  const Tensor x = random_tensor({5, 2, features});
  const nn::LSTM lstm(features, hidden, in_double);
  const auto alone = lstm(x[{all(), 1}]);
  check_equal(alone.output, lstm(x).output[{all(), 1}]);
  check_equal(alone.state.c, lstm(x).state.c[1]);
  check_equal(nn::LSTM(features, hidden, batches_first)(x[{all(), 1}]).output, alone.output);
  const auto shorter = lstm(x[{all(), 1}], {.lengths = 2});
  check_equal(shorter.state.h, alone.output[1]);
}

BOOST_AUTO_TEST_CASE(few_steps_and_no_samples) {
  const nn::LSTM lstm(features, hidden, in_double);
  const Tensor h = random_tensor({2, hidden});
  const Tensor one = random_tensor({1, 2, features});
  const auto after_one = lstm(one);
  check_equal(after_one.output[0], after_one.state.h);
  for (const Tensor& lengths : {Tensor(), Tensor{0, 0}}) {
    const auto none =
        lstm(zeros({0, 2, features}, DType::float64), {.state = nn::LSTMState{h, 2.0 * h}, .lengths = lengths});
    BOOST_TEST((none.output.shape() == Shape{0, 2, hidden}));
    check_equal(none.state.h, h);
    check_equal(none.state.c, 2.0 * h);
  }
  const Tensor nobody = zeros({5, 0, features}, DType::float64);
  const auto of_nobody = lstm(nobody, {.lengths = zeros({0}, DType::int64)});
  BOOST_TEST((of_nobody.output.array().shape() == Shape{5, 0, hidden}));
  BOOST_TEST((of_nobody.state.h.array().shape() == Shape{0, hidden}));
  check_equal(grad(sum(of_nobody.output), lstm.weight_hh()), zeros({hidden, 4 * hidden}, DType::float64));
  const Tensor no_steps = zeros({0, 2, features}, DType::float64);
  const nn::GRU gru(features, hidden, in_double);
  check_equal(grad(sum(gru(no_steps, h).state), gru.weight_ih(), Unreached::zeros),
              zeros({features, 3 * hidden}, DType::float64));
}

BOOST_AUTO_TEST_CASE(differentiable_twice) {
  const Tensor x = random_tensor({4, 2, features}, -1, 1);
  const Tensor h = random_tensor({2, hidden}, -1, 1, 2);
  const Tensor lengths = {4, 2};
  const nn::LSTM lstm(features, hidden, in_double);
  const auto of_lstm = [&](const Tensors& in) {
    const auto [output, state] = lstm(in[0], {.state = nn::LSTMState{in[1], in[2]}, .lengths = lengths});
    return concatenate({reshape(output, {-1}), reshape(state.h, {-1}), reshape(state.c, {-1})});
  };
  BOOST_CHECK_NO_THROW(check_grads(of_lstm, {x, h, random_tensor({2, hidden}, -1, 1, 3)}));
  const nn::GRU gru(features, hidden, in_double);
  const auto of_gru = [&](const Tensors& in) {
    const auto [output, state] = gru(in[0], {.state = in[1], .lengths = lengths});
    return concatenate({reshape(output, {-1}), reshape(state, {-1})});
  };
  BOOST_CHECK_NO_THROW(check_grads(of_gru, {x, h}));
  const nn::RNN rnn = make_rnn();
  BOOST_CHECK_NO_THROW(check_grads([&](const Tensors& in) { return rnn(in[0], in[1]).output; }, {x, h}));
}

BOOST_AUTO_TEST_CASE(gradients_of_each_sample_by_vmap) {
  const nn::GRU gru(features, hidden, in_double);
  const Tensor x = random_tensor({6, 5, features});  // a sample is (5, features)
  const auto of_input = [&](const Tensor& sample) { return sum(square(gru(sample).output)); };
  const Tensor slopes = vmap(grad(of_input))(x);
  const auto of_weight = [&](const Tensor& sample) { return grad(sum(square(gru(sample).output)), gru.weight_hh()); };
  const Tensor of_weights = vmap(of_weight)(x);
  const Tensor lengths = {5, 1, 0, 2, 3, 4};
  const auto shortened = [&](const Tensor& sample, const Tensor& length) {
    return gru(sample, {.lengths = length}).state;
  };
  const Tensor states = vmap(shortened)(x, lengths);
  for (std::int64_t i = 0; i < 6; ++i) {
    check_equal(slopes[i], grad(of_input)(x[i]));
    check_equal(of_weights[i], of_weight(x[i]));
    check_equal(states[i], shortened(x[i], lengths[i]));
  }
  // Batches of sequences are samples, too.
  const Tensor many = random_tensor({3, 5, 2, features});
  check_equal(vmap([&](const Tensor& batch) { return gru(batch).output; })(many)[2], gru(many[2]).output);
}

BOOST_AUTO_TEST_CASE(compiled_and_checkpointed) {
  const nn::LSTM lstm(features, hidden, in_double);
  const Tensor x = random_tensor({5, 2, features});
  const auto step = [&](const Tensor& input, const Tensor& lengths) {
    const auto [output, state] = lstm(input, {.lengths = lengths});
    const Tensor loss = sum(square(output)) + sum(state.c);
    return Tensors{loss, grad(loss, input), grad(loss, lstm.weight_hh())};
  };
  auto compiled = compile(step);
  for (const Tensor& lengths : {Tensor{5, 3}, Tensor{1, 0}}) {
    const Tensors expected = step(x, lengths);
    const Tensors actual = compiled(x, lengths);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      check_equal(actual[i], expected[i]);
    }
  }
  BOOST_TEST(compiled.trace_count() == 1u);
  testing::check_throws<ValueError>(
      [&] {
        evaluate(compiled(x, Tensor{5, 6}));
      },
      {"[lstm] the length of sample 1 of 2 is 6, outside [0, 5]"});

  const auto plain = [&](const Tensor& input) { return sum(square(lstm(input).output)); };
  check_equal(grad(checkpoint(plain))(x), grad(plain)(x));
}

BOOST_AUTO_TEST_CASE(a_state_is_a_structure) {
  const nn::LSTM lstm(features, hidden, in_double);
  const Tensor x = random_tensor({4, 2, 2, features});  // four parts of two steps
  const nn::LSTMState begin{zeros({2, hidden}, DType::float64), zeros({2, hidden}, DType::float64)};
  const auto [last, outputs] = scan(
      [&](const nn::LSTMState& state, const Tensor& part) {
        const auto made = lstm(part, state);
        return std::pair(made.state, made.output);
      },
      begin, x);
  const auto whole = lstm(reshape(x, {8, 2, features}));
  check_equal(last.c, whole.state.c);
  check_equal(reshape(outputs, {8, 2, hidden}), whole.output);
}

BOOST_AUTO_TEST_CASE(the_input_is_projected_once_for_all_steps) {
  const auto count = [](const Tensors& outputs, std::string_view name) {
    std::int64_t found = 0;
    for (const Node* node : topological_order(outputs).nodes) {
      found += node->name() == name ? 1 : 0;
    }
    return found;
  };
  const Tensor output = nn::LSTM(features, hidden, in_double)(random_tensor({9, 2, features}));
  BOOST_TEST(count({output}, "matmul") == 1);
  BOOST_TEST(count({output}, "loop") == 1);
  BOOST_TEST(count(output.node().as<Loop>()->body->outputs(), "matmul") == 1);
}

BOOST_AUTO_TEST_SUITE_END()
