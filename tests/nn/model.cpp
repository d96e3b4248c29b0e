#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/ops/ops.hpp"
#include "autograd/transforms/grad.hpp"
#include "nn/nn.hpp"
#include "tests/testing.hpp"

BOOST_AUTO_TEST_SUITE(nn_model)

namespace {

using namespace xgrad;
using testing::check_elements;
using testing::check_throws;
using testing::elements;
using testing::random_tensor;

using Names = std::vector<std::string>;

Names names(const std::vector<nn::NamedVariable>& variables) {
  Names result;
  for (const nn::NamedVariable& named : variables) {
    result.push_back(named.name);
  }
  return result;
}

/// A layer with training behaviour, as users write them.
struct Block : nn::Layer<Block> {
  nn::Dense dense{4, 4};
  nn::BatchNorm norm{4};
  nn::Dropout first{0.5}, second{0.5};
  static constexpr auto members = fields("dense", &Block::dense, "norm", &Block::norm);
  Tensor operator()(const Operand& x, const nn::Mode& mode = {}) const {
    return second(norm(first(dense(x), mode.fold(0)), mode), mode.fold(1));
  }
};

/// A layer whose weights are stored as bfloat16.
struct Stored : nn::Layer<Stored> {
  nn::Statistic weight{ones({4, 3}, DType::bfloat16)};
  static constexpr auto members = fields("weight", &Stored::weight);
  Tensor operator()(const Operand& x) const { return matmul(x.tensor(), cast(weight, DType::float32)); }
};

/// A layer that takes the mode with a tensor in place of an Operand.
struct Doubler {
  Tensor operator()(const Tensor& x, const nn::Mode& mode = {}) const { return mode.training() ? 2 * x : x; }
};

nn::Sequential classifier() { return nn::Sequential(nn::Dense(4, 3), nn::BatchNorm(3), nn::ReLU(), nn::Dense(3, 2)); }

const Tensor samples = {{0.5F, -1.0F, 2.0F, 1.5F}, {1.0F, 0.25F, -0.5F, 3.0F}, {-1.0F, 0.5F, 0.0F, 1.0F}};

}  // namespace

BOOST_AUTO_TEST_CASE(the_mode_reaches_every_layer) {
  const nn::Sequential model{nn::Sequential{Doubler(), nn::Tanh()}, nn::Residual{Doubler()}};
  const Tensor x = random_tensor({5});
  check_elements(model(x), {5}, elements(2 * tanh(x)), 1e-15);
  check_elements(model(x, nn::Training()), {5}, elements(3 * tanh(2 * x)), 1e-15);
  const nn::Module handle = model;
  check_elements(handle(x, nn::Training()), {5}, elements(3 * tanh(2 * x)), 1e-15);
}

BOOST_AUTO_TEST_CASE(users_layer_trains_in_a_model) {
  const nn::Sequential model(Block(), nn::Dense(4, 2));
  BOOST_TEST((names(model.named_variables()) == Names{"0.dense.weight", "0.dense.bias", "0.norm.weight", "0.norm.bias",
                                                      "0.norm.running_mean", "0.norm.running_var",
                                                      "0.norm.num_batches_tracked", "1.weight", "1.bias"}));
  const nn::Training training(random::Key(3));
  const Tensor once = model(samples, training).detach();
  BOOST_TEST((elements(once) == elements(model(samples, training))));
  BOOST_TEST((elements(once) != elements(model(samples, nn::Training(random::Key(4))))));
  BOOST_TEST((elements(model(samples)) == elements(model(samples))));
}

BOOST_AUTO_TEST_CASE(frozen_layers_are_not_trained) {
  const nn::Sequential model = classifier();
  model[0].freeze();
  model[1].freeze();
  BOOST_TEST((model[0].frozen() && !model[2].frozen() && !model[3].frozen()));
  BOOST_TEST(model[0].as<nn::Dense>()->frozen());
  BOOST_TEST((names(model.named_parameters()) == Names{"3.weight", "3.bias"}));
  BOOST_TEST(model.parameter_count() == 8);
  BOOST_TEST(model.variables().size() == 9);

  const Variable frozen = model.variables().front(), trained = model.variables().back();
  const auto frozen_before = elements(frozen), trained_before = elements(trained);
  nn::SGD sgd(model.parameters(), {.learning_rate = 1});
  sgd.minimize(nn::cross_entropy(model(samples), Tensor{0, 1, 1}));
  BOOST_TEST((elements(frozen) == frozen_before));
  BOOST_TEST((elements(trained) != trained_before));

  const nn::Sequential copy = model.clone();
  BOOST_TEST(copy.parameters().size() == 2);
  copy[0].unfreeze();
  BOOST_TEST(copy.parameters().size() == 4);
  BOOST_TEST(model.parameters().size() == 2);
  model[0].unfreeze();
  model[1].unfreeze();
  BOOST_TEST(model.parameters().size() == 6);
}

BOOST_AUTO_TEST_CASE(freezing_reaches_what_is_inside) {
  nn::Sequential model(classifier(), nn::Dense(2, 2));
  model.freeze();
  BOOST_TEST((model.frozen() && model.parameters().empty()));
  model.unfreeze();
  model[0].freeze();
  BOOST_TEST((names(model.named_parameters()) == Names{"1.weight", "1.bias"}));

  Block block;
  block.dense.freeze();
  BOOST_TEST((names(block.named_parameters()) == Names{"norm.weight", "norm.bias"}));
}

BOOST_AUTO_TEST_CASE(a_tied_variable_is_trained_where_it_is_not_frozen) {
  const nn::Dense shared(4, 4);
  const nn::Sequential model(shared, nn::Tanh(), shared);
  model[0].freeze();
  BOOST_TEST((names(model.named_parameters()) == Names{"2.weight", "2.bias"}));
  model[2].freeze();
  BOOST_TEST(model.parameters().empty());
}

BOOST_AUTO_TEST_CASE(hooks_observe_inputs_and_outputs) {
  const nn::Sequential model(nn::Dense(4, 3), nn::Tanh(), nn::Dense(3, 2));
  Tensors inputs, outputs;
  nn::Hook input_hook = model[1].on_input([&](const Tensor& x) { inputs.push_back(x); });
  nn::Hook output_hook = model[1].on_output([&](const Tensor& y) { outputs.push_back(y); });
  const Tensor result = model(samples);
  BOOST_TEST_REQUIRE((inputs.size() == 1 && outputs.size() == 1));
  check_elements(inputs[0], {3, 3}, elements(model[0](samples)));
  check_elements(outputs[0], {3, 3}, elements(tanh(inputs[0])));
  // The tensors are part of the graph.
  check_elements(grad(sum(result), outputs[0]), {3, 3},
                 elements(matmul(ones({3, 2}), transpose(Tensor(model[2].as<nn::Dense>()->weight())))), 1e-6);

  input_hook.remove();
  model(samples, nn::Training());
  BOOST_TEST((inputs.size() == 1 && outputs.size() == 2));
  output_hook = nn::Hook();
  model(samples);
  BOOST_TEST(outputs.size() == 2);
}

BOOST_AUTO_TEST_CASE(hooks_end_with_their_lives) {
  const nn::Module module = nn::Dense(4, 2);
  const nn::Module other_handle = module;
  int calls = 0;
  {
    const nn::Hook first = module.on_output([&](const Tensor&) { ++calls; });
    const nn::Hook second = other_handle.on_output([&](const Tensor&) { calls += 10; });
    module(samples);
    BOOST_TEST(calls == 11);
    module.clone()(samples);
    BOOST_TEST(calls == 11);
  }
  module(samples);
  BOOST_TEST(calls == 11);
}

BOOST_AUTO_TEST_CASE(hooks_may_change_hooks) {
  const nn::Module module = nn::ReLU();
  int calls = 0;
  nn::Hook added;
  nn::Hook once;
  once = module.on_input([&](const Tensor&) {
    ++calls;
    once.remove();
    added = module.on_input([&](const Tensor&) { calls += 100; });
  });
  module(samples);
  BOOST_TEST(calls == 1);
  module(samples);
  BOOST_TEST(calls == 101);
}

BOOST_AUTO_TEST_CASE(state_is_loaded_into_another_model) {
  const nn::Sequential trained = classifier();
  trained(samples, nn::Training());
  nn::Sequential other = classifier();
  other.initialize(random::Key(77));
  const nn::State state = trained.state();
  BOOST_TEST(state.size() == 9);
  BOOST_TEST(state.contains("1.running_var"));
  other.load_state(state);
  BOOST_TEST((elements(other(samples)) == elements(trained(samples))));

  for (const Variable& variable : trained.variables()) {
    variable.assign(variable + 1);
  }
  BOOST_TEST((elements(other(samples)) != elements(trained(samples))));
  BOOST_TEST((elements(Tensor(state.at("0.bias"))) == elements(other.variables()[1])));
}

BOOST_AUTO_TEST_CASE(wrong_states_change_nothing) {
  const nn::Sequential model = classifier();
  const auto before = elements(model.variables()[0]);
  nn::State state = model.state();
  state.at("0.weight") = ones({4, 3}).array();

  nn::State lacking = state;
  lacking.erase("3.bias");
  check_throws<ValueError>([&] { model.load_state(lacking); }, {"[load_state] ", "lacks '3.bias'"});
  nn::State surplus = state;
  surplus.emplace("4.weight", ones({1}).array());
  check_throws<ValueError>([&] { model.load_state(surplus); }, {"'4.weight'", "has not"});
  nn::State misshapen = state;
  misshapen.at("3.bias") = zeros({3}).array();
  check_throws<ShapeError>([&] { model.load_state(misshapen); },
                           {"[load_state] ", "bias'", "(2,)", "(3,)", "build the model"});
  misshapen.at("3.bias") = zeros({2}, DType::float64).array();
  check_throws<DTypeError>([&] { model.load_state(misshapen); }, {"bias", "float64"});
  BOOST_TEST((elements(model.variables()[0]) == before));
}

BOOST_AUTO_TEST_CASE(layers_by_number) {
  const nn::Sequential model(nn::Dense(4, 3), nn::ReLU());
  BOOST_TEST(model[0].variables().size() == 2u);
  check_throws<ValueError>([&] { model[2]; }, {"[sequential] ", "no layer 2", "has 2"});
}

BOOST_AUTO_TEST_CASE(errors_say_in_which_layer) {
  const nn::Sequential model(nn::Dense(4, 3), nn::Sequential(nn::Tanh(), nn::Dense(5, 2)), nn::ReLU());
  const auto line = std::to_string(__LINE__ + 1);
  const auto call = [&] { model(samples); };
  check_throws<ShapeError>(call, {"[dense] the layer takes 5 features", "\n  at ", "nn/model.cpp:" + line,
                                  "\n  in layer 1 (Dense)\n  in layer 1 (Sequential)"});
  const auto of_block = [] { nn::Sequential(Block(), Block())(zeros({2, 3})); };
  check_throws<ShapeError>(of_block, {"4 features", "\n  in layer 0 (Block)"});
}

BOOST_AUTO_TEST_CASE(summary_lists_the_layers) {
  const nn::Sequential model(nn::Flatten(), nn::Dense(784, 128), nn::BatchNorm(128), nn::ReLU(),
                             nn::Sequential(nn::Residual(nn::Dense(128, 128)), nn::Dense(128, 10, {.bias = false})));
  model[2].freeze();
  BOOST_TEST(nn::summary(model, {64, 28, 28}) ==
             "layer         output     parameters  multiply-adds\n"
             "0 Flatten     (64, 784)           0              0\n"
             "1 Dense       (64, 128)     100,480      6,422,528\n"
             "2 BatchNorm   (64, 128)         512              0\n"
             "3 ReLU        (64, 128)           0              0\n"
             "4.0 Residual  (64, 128)      16,512      1,048,576\n"
             "4.1 Dense     (64, 10)        1,280         81,920\n"
             "total                       118,784      7,553,024\n"
             "trainable                   118,272\n");
}

BOOST_AUTO_TEST_CASE(summary_of_other_models) {
  const nn::Sequential words(nn::Embedding(1000, 8), nn::Dense(8, 3));
  BOOST_TEST(nn::summary(words, {2, 5}, DType::int64).find("0 Embedding  (2, 5, 8)       8,000") != std::string::npos);
  const nn::Dense in_double(3, 2, {.dtype = DType::float64});
  BOOST_TEST(nn::summary(in_double, {7, 3}).find("Dense      (7, 2)           8             42\n") !=
             std::string::npos);
  BOOST_TEST(nn::summary(Stored(), {5, 4}).find("Stored     (5, 3)          12             60\n") != std::string::npos);
  const nn::Dense shared(4, 4);
  const std::string tied = nn::summary(nn::Sequential(shared, shared), {1, 4});
  BOOST_TEST(tied.find("total                      20             32\n") != std::string::npos, tied);
  check_throws<ShapeError>(
      [&] {
        nn::summary(nn::Sequential(shared, nn::Dense(3, 1)), {1, 4});
      },
      {"[dense] ", "in layer 1 (Dense)"});
}

// Products with transposed operands count as much: the operand sizes alone decide.
BOOST_AUTO_TEST_CASE(multiply_adds_of_any_product) {
  const Tensor w = ones({5, 7});
  const auto count = [](const nn::Module& layer, const Shape& input) {
    const std::string table = nn::summary(layer, input);
    const std::size_t begin = table.find("total");
    const std::size_t end = table.find('\n', begin);
    return table.substr(table.rfind(' ', end) + 1, end - table.rfind(' ', end) - 1);
  };
  BOOST_TEST(count([=](const Tensor& x) { return matmul(x, transpose(w)); }, {3, 7}) == "105");
  BOOST_TEST(count([=](const Tensor& x) { return matmul(x, w); }, {5}) == "35");
  BOOST_TEST(count([](const Tensor& x) { return matmul(x, transpose(x, {0, 2, 1})); }, {2, 3, 4}) == "72");
  BOOST_TEST(count([=](const Tensor& x) { return einsum("bi,ij->bj", {x, w}); }, {4, 5}) == "140");
}

BOOST_AUTO_TEST_SUITE_END()
