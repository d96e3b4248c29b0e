#include "nn/module.hpp"

#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/ops/ops.hpp"
#include "autograd/transforms/grad.hpp"
#include "nn/nn.hpp"
#include "tests/testing.hpp"

BOOST_AUTO_TEST_SUITE(nn_module)

namespace {

using namespace xgrad;
using testing::check_elements;
using testing::elements;

template <class L>
std::vector<std::string> names(const L& layer) {
  std::vector<std::string> result;
  for (const nn::NamedVariable& parameter : layer.named_parameters()) {
    result.push_back(parameter.name);
  }
  return result;
}

template <class L>
std::vector<std::vector<double>> contents(const L& layer) {
  std::vector<std::vector<double>> result;
  for (const Variable& parameter : layer.parameters()) {
    result.push_back(elements(parameter));
  }
  return result;
}

using Names = std::vector<std::string>;

nn::Sequential classifier() { return nn::Sequential(nn::Dense(784, 128), nn::ReLU(), nn::Dense(128, 10)); }

/// x + f(x): a layer as users write them.
struct Residual : nn::Layer<Residual> {
  nn::Dense inner{4, 6}, outer{6, 4};
  static constexpr auto members = fields("inner", &Residual::inner, "outer", &Residual::outer);
  Tensor operator()(const Operand& x) const { return outer(relu(inner(x))) + x; }
};

/// Members of every kind; the decoder's weight is the encoder's.
struct Autoencoder : nn::Layer<Autoencoder> {
  Variable encoder{random::normal(random::Key(1), {4, 2}), "encoder"};
  Variable decoder = encoder;
  std::optional<Variable> shift = Variable(zeros({4}), "shift");
  std::optional<nn::Dense> absent;
  std::vector<nn::Dense> middle{nn::Dense(2, 2), nn::Dense(2, 2, {.bias = false})};
  nn::Module last = nn::Dense(4, 4);
  static constexpr auto members =
      fields("encoder", &Autoencoder::encoder, "decoder", &Autoencoder::decoder, "shift", &Autoencoder::shift, "absent",
             &Autoencoder::absent, "middle", &Autoencoder::middle, "last", &Autoencoder::last);

  Tensor operator()(const Operand& x) const {
    return last(matmul(middle[1](middle[0](matmul(x, encoder))), transpose(Tensor(decoder))) + *shift);
  }
};

/// Two layers of one size, by themselves.
struct Pair : nn::Layer<Pair> {
  nn::Dense first{4, 4}, second{4, 4};
  static constexpr auto members = fields("first", &Pair::first, "second", &Pair::second);
  Tensor operator()(const Operand& x) const { return second(first(x)); }
};

/// A layer that draws its own initial values.
struct Scale : nn::Layer<Scale> {
  Variable factor{1.0F, "factor"};
  static constexpr auto members = fields("factor", &Scale::factor);
  Tensor operator()(const Operand& x) const { return x.tensor() * factor; }
  void draw(random::Key key) { factor.assign(random::uniform(key, {}, 1, 2)); }
};

struct Plain {
  Tensor operator()(const Operand& x) const { return x.tensor() + 1; }
};

const Tensor samples = {{0.5F, -1.0F, 2.0F, 1.5F}, {1.0F, 0.25F, -0.5F, 3.0F}};

}  // namespace

BOOST_AUTO_TEST_CASE(parameters_are_named_in_order) {
  const nn::Sequential model = classifier();
  BOOST_TEST((names(model) == Names{"0.weight", "0.bias", "2.weight", "2.bias"}));
  BOOST_TEST(model.parameter_count() == 101770);
  BOOST_TEST(model.size() == 3);
  const nn::Variables parameters = model.parameters();
  BOOST_TEST(to_string(parameters[0].shape()) == "(784, 128)");
  BOOST_TEST(to_string(parameters[3].shape()) == "(10,)");
  BOOST_TEST(parameters[0].same_as(model[0].as<nn::Dense>()->weight()));
  BOOST_TEST(model[1].as<nn::Dense>() == nullptr);
}

BOOST_AUTO_TEST_CASE(sequential_applies_layers_in_order) {
  const nn::Dense first(4, 3);
  const nn::Dense second(3, 2, {.key = random::Key(1)});
  const nn::Sequential model(first, nn::Tanh(), second, Plain());
  check_elements(model(samples), {2, 2}, elements(second(tanh(first(samples))) + 1));
  BOOST_TEST(nn::Sequential()(samples).same_as(samples));
  BOOST_TEST(nn::Sequential().parameter_count() == 0);
}

BOOST_AUTO_TEST_CASE(appended_layers_follow) {
  nn::Sequential model;
  model.append(nn::Dense(4, 3));
  model.append(nn::Sequential(nn::ReLU(), nn::Dense(3, 2)));
  BOOST_TEST((names(model) == Names{"0.weight", "0.bias", "1.1.weight", "1.1.bias"}));
  BOOST_TEST(to_string(model(samples).shape()) == "(2, 2)");
}

BOOST_AUTO_TEST_CASE(users_layer_nests) {
  const nn::Sequential model(nn::Dense(4, 4), Residual());
  BOOST_TEST((names(model) ==
              Names{"0.weight", "0.bias", "1.inner.weight", "1.inner.bias", "1.outer.weight", "1.outer.bias"}));
  const Residual* residual = model[1].as<Residual>();
  BOOST_TEST_REQUIRE(residual != nullptr);
  const Tensor h = model[0](samples);
  check_elements(model(samples), {2, 4}, elements(residual->outer(relu(residual->inner(h))) + h));
}

BOOST_AUTO_TEST_CASE(members_of_every_kind) {
  const Autoencoder model;
  BOOST_TEST((names(model) == Names{"encoder", "shift", "middle.0.weight", "middle.0.bias", "middle.1.weight",
                                    "last.weight", "last.bias"}));
  BOOST_TEST(model.parameter_count() == 8 + 4 + 6 + 4 + 20);
}

BOOST_AUTO_TEST_CASE(module_has_the_parameters_of_its_layer) {
  nn::Module module = nn::Dense(4, 3);
  BOOST_TEST((names(module) == Names{"weight", "bias"}));
  BOOST_TEST(module.parameter_count() == 15);
  const nn::Module copy = module.clone();
  module.initialize(random::Key(8));
  BOOST_TEST((contents(module) != contents(copy)));
  nn::Dense dense(4, 3);
  dense.initialize(random::Key(8));
  BOOST_TEST((contents(module) == contents(dense)));
}

BOOST_AUTO_TEST_CASE(copies_share_variables) {
  const nn::Sequential model = classifier();
  const nn::Sequential copy = model;
  for (std::size_t i = 0; i < 4; ++i) {
    BOOST_TEST(copy.parameters()[i].same_as(model.parameters()[i]));
  }
  const nn::Dense dense(2, 2);
  const nn::Dense other = dense;
  other.bias()->assign(Tensor{1.0F, 2.0F});
  check_elements(*dense.bias(), {2}, {1, 2});
}

BOOST_AUTO_TEST_CASE(clones_are_independent) {
  const nn::Sequential model(Residual(), nn::Dense(4, 2));
  const nn::Sequential copy = model.clone();
  BOOST_TEST((names(copy) == names(model)));
  BOOST_TEST((contents(copy) == contents(model)));
  check_elements(copy(samples), {2, 2}, elements(model(samples)));

  const auto before = contents(copy);
  const Tensor output = copy(samples).detach();
  for (const Variable& parameter : model.parameters()) {
    parameter.assign(parameter + 1);
  }
  BOOST_TEST((contents(copy) == before));
  BOOST_TEST((contents(model) != before));
  check_elements(copy(samples), {2, 2}, elements(output));
}

BOOST_AUTO_TEST_CASE(tied_variables_stay_tied_in_a_clone) {
  const Autoencoder model;
  const Autoencoder copy = model.clone();
  BOOST_TEST(copy.encoder.same_as(copy.decoder));
  BOOST_TEST(!copy.encoder.same_as(model.encoder));
  BOOST_TEST((names(copy) == names(model)));

  const nn::Dense shared(4, 4);
  const nn::Sequential twice(shared, nn::Tanh(), shared);
  BOOST_TEST((names(twice) == Names{"0.weight", "0.bias"}));
  const nn::Sequential twin = twice.clone();
  BOOST_TEST((names(twin) == Names{"0.weight", "0.bias"}));
  BOOST_TEST(twin[0].as<nn::Dense>()->weight().same_as(twin[2].as<nn::Dense>()->weight()));
  BOOST_TEST(!twin[0].as<nn::Dense>()->weight().same_as(shared.weight()));
}

BOOST_AUTO_TEST_CASE(tied_variables_get_the_sum_of_their_gradients) {
  const nn::Dense shared(4, 4, {.bias = false});
  const nn::Dense a = shared.clone();
  const nn::Dense b = shared.clone();
  const Tensor tied = grad(sum(shared(tanh(shared(samples)))), shared.weight());
  const Tensors apart = grad(sum(b(tanh(a(samples)))), Tensors{a.weight(), b.weight()});
  check_elements(tied, {4, 4}, elements(apart[0] + apart[1]), 1e-6);
}

BOOST_AUTO_TEST_CASE(initialize_depends_on_key_and_order_alone) {
  const auto make = [](std::uint64_t construction_key) {
    const nn::DenseOptions options{.key = random::Key(construction_key)};
    return nn::Sequential(nn::Dense(4, 4, options), nn::Tanh(), nn::Dense(4, 4, options));
  };
  nn::Sequential model = make(1);
  nn::Sequential other = make(2);
  model.parameters()[1].assign(ones({4}));
  BOOST_TEST((contents(model) != contents(other)));
  model.initialize(random::Key(7));
  other.initialize(random::Key(7));
  BOOST_TEST((contents(model) == contents(other)));
  BOOST_TEST((contents(model)[0] != contents(model)[2]), "layers of one shape should differ");
  BOOST_TEST((contents(model)[1] == std::vector<double>(4, 0.0)));

  other.initialize(random::Key(8));
  BOOST_TEST((contents(model) != contents(other)));
  other.initialize(random::Key(7));
  BOOST_TEST((contents(model) == contents(other)));

  // Layers without initial values of their own do not count.
  nn::Sequential bare(nn::Dense(4, 4), nn::Dense(4, 4));
  bare.initialize(random::Key(7));
  BOOST_TEST((contents(bare) == contents(model)));
}

BOOST_AUTO_TEST_CASE(initialize_reaches_nested_layers) {
  Residual residual;
  residual.initialize(random::Key(3));
  nn::Sequential flat(nn::Dense(4, 6), nn::Dense(6, 4));
  flat.initialize(random::Key(3));
  BOOST_TEST((contents(residual) == contents(flat)));
  nn::Sequential nested{Residual()};
  nested.initialize(random::Key(3));
  BOOST_TEST((contents(nested) == contents(flat)));
}

BOOST_AUTO_TEST_CASE(users_layer_draws_its_own_values) {
  nn::Sequential model{Scale(), Scale()};
  model.initialize(random::Key(1));
  const auto drawn = contents(model);
  BOOST_TEST((drawn[0][0] >= 1 && drawn[0][0] < 2));
  BOOST_TEST(drawn[0][0] != drawn[1][0]);
  BOOST_TEST(drawn[0][0] == random::uniform(random::Key(1).fold(0), {}, 1, 2).item());
}

BOOST_AUTO_TEST_CASE(layers_of_equal_size_begin_with_weights_of_their_own) {
  const auto make = [] {
    return nn::Sequential(nn::Dense(4, 4), nn::ReLU(), nn::Dense(4, 4), nn::Residual(nn::Dense(4, 4)), Pair(),
                          nn::Sequential(nn::Dense(4, 4), nn::Dense(4, 4)),
                          nn::Sequential(nn::Dense(4, 4), nn::Dense(4, 4)), nn::Embedding(4, 4), nn::Embedding(4, 4));
  };
  const nn::Sequential model = make();
  std::vector<std::vector<double>> weights;
  for (const Variable& parameter : model.parameters()) {
    if (parameter.name() == "weight") {
      weights.push_back(elements(parameter));
    }
  }
  BOOST_TEST(weights.size() == 11U);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      BOOST_TEST((weights[i] != weights[j]), i << " and " << j);
    }
  }
  BOOST_TEST((contents(model) == contents(make())));  // and always the same ones
  nn::Sequential appended;
  appended.append(nn::Dense(4, 4));
  BOOST_TEST(elements(appended.parameters()[0]) == weights[0]);
}

BOOST_AUTO_TEST_CASE(weights_that_somebody_knows_stay_as_they_are) {
  nn::Dense held(4, 4);
  const std::vector<double> before = elements(held.weight());
  const nn::Sequential with_held(nn::Dense(4, 4), held, held);
  BOOST_TEST(elements(held.weight()) == before);
  BOOST_TEST(with_held.parameters().size() == 4U);  // tied
  const nn::Sequential again(nn::ReLU(), with_held);
  BOOST_TEST((contents(again) == contents(with_held)));

  nn::Dense assigned(4, 4);
  assigned.weight().assign(ones({4, 4}));
  const nn::Sequential with_assigned(nn::ReLU(), std::move(assigned));
  BOOST_TEST(elements(with_assigned.parameters()[0]) == std::vector<double>(16, 1));

  const nn::DenseOptions keyed{.key = random::Key(7)};
  const nn::Sequential with_keys(nn::Dense(4, 4, keyed), nn::Dense(4, 4, keyed));
  BOOST_TEST(elements(with_keys.parameters()[0]) == elements(nn::Dense(4, 4, keyed).weight()));
  BOOST_TEST(elements(with_keys.parameters()[0]) == elements(with_keys.parameters()[2]));
  nn::Sequential initialized(nn::Dense(4, 4), nn::Dense(4, 4));
  initialized.initialize(random::Key(3));
  const nn::Sequential around(nn::ReLU(), initialized.clone());
  BOOST_TEST((contents(around) == contents(initialized)));
}

BOOST_AUTO_TEST_CASE(models_and_what_is_counted_print) {
  std::ostringstream out;
  out << nn::Sequential(nn::Dense(3, 4), nn::ReLU(), nn::Sequential(nn::Dense(4, 2, {.bias = false}))) << '\n'
      << nn::Dense(1, 2) << '\n'
      << nn::ReLU();
  BOOST_TEST(out.str() ==
             "Sequential\n"
             "  0 Dense: weight (3, 4), bias (4,)\n"
             "  1 ReLU\n"
             "  2 Sequential\n"
             "    0 Dense: weight (4, 2)\n"
             "Dense: weight (1, 2), bias (2,)\n"
             "ReLU");
  nn::ConfusionMatrix matrix(2);
  matrix.update(Tensor{0, 1, 1}, Tensor{0, 1, 0});
  std::ostringstream table;
  table << matrix;
  BOOST_TEST(table.str() == matrix.table());
  nn::Scores scores;
  scores.set("loss", 0.25);
  scores.set("accuracy", 0.9);
  std::ostringstream numbers;
  numbers << scores;
  BOOST_TEST(numbers.str() == "loss 0.25  accuracy 0.9");
}

BOOST_AUTO_TEST_SUITE_END()
