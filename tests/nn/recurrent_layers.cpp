#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "nn/nn.hpp"
#include "tests/datasets/temporary_folder.hpp"
#include "tests/testing.hpp"

/// \file
/// Recurrent layers as parts of models: weights and their names, files, models, training, and what is refused.

BOOST_AUTO_TEST_SUITE(nn_recurrent_layers)

namespace nn_recurrent_layers {

using namespace xgrad;
using testing::check_elements;
using testing::check_throws;
using testing::elements;
using testing::random_tensor;

using Names = std::vector<std::string>;

Names names_of(const std::vector<nn::NamedVariable>& variables) {
  Names names;
  for (const nn::NamedVariable& named : variables) {
    names.push_back(named.name);
  }
  return names;
}

void check_equal(const Tensor& actual, const Tensor& expected, double tolerance = 0) {
  check_elements(actual, expected.shape(), elements(expected), tolerance);
}

/// The class of a sequence of words: whether it has an odd number of words 2. Word 0 is padding.
struct Reader : nn::Layer<Reader> {
  nn::Embedding words{3, 4};
  nn::GRU gru{4, 12, {.batch_first = true, .key = random::Key(2)}};
  nn::Dense scores{12, 2};
  static constexpr auto members = fields("words", &Reader::words, "gru", &Reader::gru, "scores", &Reader::scores);
  Tensor operator()(const Operand& x) const {
    const Tensor tokens = x.tensor();
    return scores(gru(words(tokens), {.lengths = sum(cast(tokens != 0, DType::int64), -1)}).state);
  }
};

/// A layer with a function inside.
struct Recomputed : nn::Layer<Recomputed> {
  nn::Dense dense{4, 3};
  static constexpr auto members = fields("dense", &Recomputed::dense);
  Tensor operator()(const Operand& x) const {
    return checkpoint([this](const Tensor& inner) { return dense(inner); })(x.tensor());
  }
};

}  // namespace nn_recurrent_layers

using namespace nn_recurrent_layers;

BOOST_AUTO_TEST_CASE(parameters_are_called_and_laid_out_as_in_torch) {
  const nn::Sequential model(nn::LSTM(3, 5), nn::LastState(nn::GRU(5, 4)), nn::Dense(4, 2));
  BOOST_TEST(names_of(model.named_parameters()) ==
                 (Names{"0.weight_ih_l0", "0.weight_hh_l0", "0.bias_ih_l0", "0.bias_hh_l0", "1.weight_ih_l0",
                        "1.weight_hh_l0", "1.bias_ih_l0", "1.bias_hh_l0", "2.weight", "2.bias"}),
             boost::test_tools::per_element());
  const nn::State state = nn::torch_state(model);
  BOOST_TEST((state.at("0.weight_ih_l0").shape() == Shape{20, 3}));
  BOOST_TEST((state.at("0.weight_hh_l0").shape() == Shape{20, 5}));
  BOOST_TEST((state.at("0.bias_ih_l0").shape() == Shape{20}));
  BOOST_TEST((state.at("1.weight_ih_l0").shape() == Shape{12, 5}));
  check_equal(Tensor(state.at("0.weight_hh_l0")), transpose(model[0].as<nn::LSTM>()->weight_hh()));
  BOOST_TEST((nn::torch_state(nn::RNN(3, 5)).at("weight_ih_l0").shape() == Shape{5, 3}));
  BOOST_TEST(names_of(nn::LSTM(3, 5, {.bias = false}).named_variables()) == (Names{"weight_ih_l0", "weight_hh_l0"}),
             boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(weights_go_into_files_and_to_torch_and_back, testing::TemporaryFolder) {
  const nn::Sequential model(nn::RNN(3, 5), nn::LSTM(5, 5), nn::LastState(nn::GRU(5, 4)));
  const Tensor x = cast(random_tensor({4, 2, 3}), DType::float32);
  nn::Sequential other = model.clone();
  other.initialize(random::Key(7));
  BOOST_TEST(!allclose(model(x), other(x)));
  nn::write_safetensors(folder / "own.safetensors", model.state());
  other.load_state(nn::read_safetensors(folder / "own.safetensors"));
  check_equal(other(x), model(x));

  other.initialize(random::Key(8));
  nn::write_safetensors(folder / "torch.safetensors", nn::torch_state(model));
  const nn::TorchLeftOut left_out = nn::load_torch_state(other, nn::read_safetensors(folder / "torch.safetensors"));
  BOOST_TEST(left_out.missing.empty());
  BOOST_TEST(left_out.unexpected.empty());
  check_equal(other(x), model(x));
  check_throws<ValueError>(
      [&] { nn::load_torch_state(nn::LSTM(5, 5), nn::torch_state(nn::LSTM(5, 5, {.bias = false}))); },
      {"missing in the state: `bias_ih_l0` float32(20,), `bias_hh_l0` float32(20,)"});
}

BOOST_AUTO_TEST_CASE(initial_values_are_uniform_in_the_bound) {
  const nn::GRU gru(30, 64, {.key = random::Key(4)});
  const double bound = 1 / std::sqrt(64.0);
  for (const Variable& parameter : gru.parameters()) {
    BOOST_TEST_CONTEXT(parameter.name()) {
      BOOST_TEST(amax(abs(parameter)).item() <= bound);
      BOOST_TEST(amax(abs(parameter)).item() > 0.95 * bound);
      // The mean square of a uniform number in ±a is a² / 3.
      BOOST_TEST(mean(square(parameter)).item() == bound * bound / 3, boost::test_tools::tolerance(0.15));
    }
  }
  BOOST_TEST(!allclose(*gru.bias_ih(), *gru.bias_hh()));
  const nn::GRU same(30, 64, {.key = random::Key(4)});
  check_equal(gru.weight_hh(), same.weight_hh());
}

BOOST_AUTO_TEST_CASE(layers_of_a_sequential_begin_by_their_place) {
  const nn::Sequential model(nn::LSTM(4, 4), nn::LSTM(4, 4), nn::LastState(nn::LSTM(4, 4)),
                             nn::LSTM(4, 4, {.key = random::Key(9)}));
  const auto weight = [&](std::size_t i) { return model[i].as<nn::LSTM>()->weight_hh(); };
  BOOST_TEST(!allclose(weight(0), weight(1)));
  BOOST_TEST(!allclose(weight(1), model[2].as<nn::LastState<nn::LSTM>>()->layer().weight_hh()));
  check_equal(weight(3), nn::LSTM(4, 4, {.key = random::Key(9)}).weight_hh());
  nn::LSTM drawn(4, 4);
  drawn.initialize(random::Key(9));
  BOOST_TEST(!allclose(drawn.weight_hh(), nn::LSTM(4, 4).weight_hh()));
  nn::LSTM again(4, 4);
  again.initialize(random::Key(9));
  check_equal(drawn.weight_hh(), again.weight_hh());
}

BOOST_AUTO_TEST_CASE(in_a_sequential_outputs_or_the_last_state_go_on) {
  const nn::LSTM lstm(3, 4);
  const nn::GRU gru(4, 5);
  const Tensor x = cast(random_tensor({6, 2, 3}), DType::float32);
  check_equal(nn::Sequential(lstm, gru)(x), gru(lstm(x).output).output);
  check_equal(nn::Sequential(lstm, nn::LastState(gru))(x), gru(lstm(x).output).state);
  check_equal(nn::LastState(lstm)(x), lstm(x).state.h);
  const nn::Dense dense(4, 2);
  check_equal(dense(lstm(x)), dense(lstm(x).output));
  const auto line = std::to_string(__LINE__ + 1);
  const auto call = [&] { nn::Dense(7, 2)(lstm(x)); };
  check_throws<ShapeError>(call, {"[dense] the layer takes 7 features", "recurrent_layers.cpp:" + line});
  const nn::RNN front(3, 4, {.nonlinearity = nn::Nonlinearity::relu, .batch_first = true});
  check_equal(nn::LastState(front)(swapaxes(x, 0, 1)), front(swapaxes(x, 0, 1)).output[{all(), -1}]);
  check_equal(vmap(lstm)(reshape(x, {6, 1, 2, 3}))[2], lstm(x[range(2, 3)]).output, 1e-6);
}

BOOST_AUTO_TEST_CASE(clones_have_weights_of_their_own_and_frozen_layers_none_to_train) {
  const nn::LSTM lstm(3, 4);
  const nn::LSTM shared = lstm;
  const nn::LSTM copy = lstm.clone();
  const Tensor x = ones({2, 1, 3});
  const Tensor before = lstm(x).output.detach();
  evaluate({before});
  lstm.weight_hh().assign(zeros({4, 16}));
  lstm.bias_ih()->assign(zeros({16}));
  check_equal(shared(x).output, lstm(x).output);
  check_equal(copy(x).output, before);
  nn::Sequential model(lstm, nn::LastState(nn::GRU(4, 2)));
  model[1].freeze();
  BOOST_TEST(names_of(model.named_parameters()).size() == 4u);
  BOOST_TEST(names_of(model.named_variables()).size() == 8u);
}

BOOST_AUTO_TEST_CASE(summary_counts_the_products_of_all_steps) {
  const nn::Sequential model(nn::LSTM(4, 6), nn::LastState(nn::GRU(6, 5)), nn::Dense(5, 2));
  // For 7 steps of 3 samples: 21 (4 + 6) 24, 21 (6 + 5) 15 and 3 · 5 · 2.
  BOOST_TEST(nn::summary(model, {7, 3, 4}) ==
             "layer             output     parameters  multiply-adds\n"
             "0 LSTM            (7, 3, 6)         288          5,040\n"
             "1 LastState<GRU>  (3, 5)            195          3,465\n"
             "2 Dense           (3, 2)             12             30\n"
             "total                               495          8,535\n"
             "trainable                           495\n");
  BOOST_TEST(nn::summary(Recomputed(), {2, 4}).find("Recomputed  (2, 3)          15             24\n") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_trainer_trains_a_reader_of_padded_sequences) {
  constexpr std::int64_t samples = 256;
  constexpr std::int64_t steps = 6;
  const Tensor lengths = cast(random::uniform(random::Key(1), {samples, 1}, 2, steps + 1), DType::int64);
  const Tensor words = cast(random::uniform(random::Key(2), {samples, steps}, 1, 3), DType::int64);
  const Tensor tokens = where(arange(steps, DType::int64) < lengths, words, 0);
  const Tensor odd = remainder(sum(cast(tokens == 2, DType::int64), -1), 2);
  Reader reader;
  reader.initialize(random::Key(3));
  nn::Trainer trainer(reader, nn::Adam(reader.parameters(), {.learning_rate = 0.02}), nn::cross_entropy,
                      {.metrics = {nn::Accuracy()}, .batches = {.batch_size = 32}});
  trainer.fit({tokens, odd}, {.epochs = 40, .progress = nn::Progress::quiet});
  BOOST_TEST(trainer.evaluate({tokens, odd})["accuracy"] == 1.0);
  // How much padding there is does not matter.
  const Tensor padded = concatenate({tokens, zeros({samples, 3}, DType::int64)}, 1);
  check_equal(reader(padded), reader(tokens), 1e-5);
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_refused) {
  const nn::LSTM lstm(3, 4);
  const nn::GRU gru(3, 4, {.batch_first = true});
  const Tensor x = zeros({5, 2, 3});
  const Tensor state = zeros({2, 4});
  const auto line = std::to_string(__LINE__ + 1);
  const auto call = [&] { lstm(zeros({5, 2, 7})); };
  check_throws<ShapeError>(call, {"[lstm] the layer takes 3 features in each step, got an input of shape (5, 2, 7)",
                                  "(steps, batch, 3)", "recurrent_layers.cpp:" + line});
  check_throws<ShapeError>([&] { lstm(zeros({3})); }, {"[lstm] ", "(3,)"});
  check_throws<ShapeError>([&] { gru(zeros({1, 5, 2, 3})); }, {"[gru] ", "(1, 5, 2, 3)", "(batch, steps, 3)"});
  check_throws<DTypeError>(
      [&] {
        lstm(zeros({5, 2, 3}, DType::float64));
      },
      {"[lstm] the weights are float32, the input is float64; cast it", "recurrent_layers.cpp:"});
  check_throws<DTypeError>([&] { nn::RNN(3, 4)(zeros({5, 2, 3}, DType::int64)); }, {"[rnn] ", "int64"});
  check_throws<ShapeError>(
      [&] {
        lstm(x, {state, zeros({3, 4})});
      },
      {"[lstm] the state c has shape (3, 4); for this input it takes (2, 4)"});
  check_throws<ShapeError>([&] { gru(zeros({2, 5, 3}), zeros({1, 2, 4})); }, {"[gru] the state h has shape (1, 2, 4)"});
  check_throws<DTypeError>(
      [&] {
        nn::RNN(3, 4)(x, zeros({2, 4}, DType::float64));
      },
      {"[rnn] the weights are float32, the state h is float64; cast it"});
  check_throws<ValueError>([&] { lstm(x, nn::LSTMState{state, Tensor()}); }, {"empty", "recurrent_layers.cpp:"});
  check_throws<ShapeError>(
      [&] {
        lstm(x, {.lengths = Tensor{1, 2, 3}});
      },
      {"[lstm] lengths have shape (3,); for this input they take (2,), one for each sample", "recurrent_layers.cpp:"});
  check_throws<DTypeError>(
      [&] {
        lstm(x, {.lengths = Tensor{1.0, 2.0}});
      },
      {"[lstm] lengths are float64; give integers"});
  for (const std::int64_t bad : {std::int64_t{-1}, std::int64_t{6}}) {
    check_throws<ValueError>(
        [&] {
          lstm(x, {.lengths = Tensor{std::int64_t{5}, bad}}).output.array();
        },
        {"[lstm] the length of sample 1 of 2 is " + std::to_string(bad) + ", outside [0, 5]; the input has 5 steps",
         "recurrent_layers.cpp:"});
  }
  check_throws<ValueError>([] { nn::LSTM(0, 4); },
                           {"[lstm] sizes are 1 or more, got 0 inputs and a state of 4", "recurrent_layers.cpp:"});
  check_throws<ValueError>([] { nn::GRU(3, -1); }, {"[gru] ", "-1"});
  check_throws<ValueError>([] { nn::RNN(3, 0); }, {"[rnn] ", "recurrent_layers.cpp:"});
  check_throws<DTypeError>([] { nn::LSTM(3, 4, {.dtype = DType::int64}); }, {"int64", "recurrent_layers.cpp:"});
  check_throws<ShapeError>([&] { nn::Sequential(nn::Dense(3, 3), lstm, nn::Dense(9, 1))(x); }, {"in layer 2 (Dense)"});
}

BOOST_AUTO_TEST_SUITE_END()
