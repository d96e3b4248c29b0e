#include "nn/torch_state.hpp"

#include <array>
#include <optional>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "nn/nn.hpp"
#include "tests/testing.hpp"

BOOST_AUTO_TEST_SUITE(nn_torch_state)

namespace nn_torch_state {

using namespace xgrad;
using testing::check_elements;
using testing::check_throws;
using testing::elements;
using Names = std::vector<std::string>;

Names names_of(const nn::State& state) {
  Names names;
  for (const auto& [name, array] : state) {
    names.push_back(name);
  }
  return names;
}

Array numbers(const Shape& shape, DType dtype = DType::float32, double first = 0) {
  return cast(reshape(arange(static_cast<double>(shape.element_count()), DType::float64), shape) + first, dtype)
      .array();
}

/// A layer with tables of its own: two members are called otherwise in PyTorch, one of which is laid out otherwise; several and perhaps one go by their member's name.
struct Own : nn::Layer<Own> {
  Variable kernel = Variable(zeros({2, 3}), "kernel");
  std::vector<Variable> several = {Variable(zeros({1, 2}), "x"), Variable(zeros({2, 1}), "y")};
  std::optional<nn::Dense> perhaps;
  std::vector<nn::Dense> stack = {nn::Dense(1, 2), nn::Dense(2, 3)};
  static constexpr auto members =
      fields("kernel", &Own::kernel, "several", &Own::several, "perhaps", &Own::perhaps, "stack", &Own::stack);
  static constexpr std::array torch_names = {
      nn::TorchName{"kernel", "linear.weight", nn::TorchLayout::transposed},
      nn::TorchName{"several", "several", nn::TorchLayout::transposed},
      nn::TorchName{"stack", "layers"},
  };
  Tensor operator()(const Operand& x) const { return matmul(x, kernel); }
};

/// One variable under two names.
struct Tied : nn::Layer<Tied> {
  nn::Dense first{2, 2};
  nn::Dense second = first;
  static constexpr auto members = fields("first", &Tied::first, "second", &Tied::second);
  Tensor operator()(const Operand& x) const { return second(first(x)); }
};

struct Clash : nn::Layer<Clash> {
  Variable a = Variable(zeros({1}), "a");
  Variable b = Variable(zeros({1}), "b");
  static constexpr auto members = fields("a", &Clash::a, "b", &Clash::b);
  static constexpr std::array torch_names = {nn::TorchName{"b", "a"}};
  Tensor operator()(const Operand& x) const { return x + a + b; }
};

nn::State dense_state() { return {{"weight", numbers({3, 2})}, {"bias", numbers({3})}}; }

}  // namespace nn_torch_state

using namespace nn_torch_state;

BOOST_AUTO_TEST_CASE(every_layer_has_the_names_and_layouts_of_pytorch) {
  const nn::Sequential model(nn::Embedding(7, 4), nn::Residual(nn::Dense(4, 4, {.bias = false})), nn::Dense(4, 3),
                             nn::ReLU(), nn::BatchNorm(3), nn::Dropout(), nn::LayerNorm(3),
                             nn::LayerNorm(3, {.affine = false}));
  const nn::State state = nn::torch_state(model);
  BOOST_TEST(names_of(state) == (Names{"0.weight", "1.weight", "2.bias", "2.weight", "4.bias", "4.num_batches_tracked",
                                       "4.running_mean", "4.running_var", "4.weight", "6.bias", "6.weight"}),
             boost::test_tools::per_element());
  BOOST_TEST((state.at("0.weight").shape() == Shape{7, 4}));
  BOOST_TEST((state.at("2.weight").shape() == Shape{3, 4}));
  BOOST_TEST((state.at("4.num_batches_tracked").shape() == Shape{}));
  BOOST_TEST(*state.at("4.num_batches_tracked").data<std::int64_t>() == 0);

  const auto weight = model[2].as<nn::Dense>()->weight().value<float>();
  const float* turned = state.at("2.weight").data<float>();
  for (std::size_t in = 0; in < 4; ++in) {
    for (std::size_t out = 0; out < 3; ++out) {
      BOOST_TEST(turned[out * 4 + in] == weight(in, out));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_state_goes_there_and_back) {
  const nn::Sequential model(nn::Dense(3, 2), nn::BatchNorm(2), nn::Embedding(2, 2));
  nn::Sequential other = model.clone();
  other.initialize(random::Key(9));
  const nn::TorchLeftOut left_out = nn::load_torch_state(other, nn::torch_state(model));
  BOOST_TEST(left_out.missing.empty());
  BOOST_TEST(left_out.unexpected.empty());
  for (const auto& [name, array] : model.state()) {
    BOOST_TEST(elements(Tensor(other.state().at(name))) == elements(Tensor(array)), boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(handles_and_layers_alone_are_models_too) {
  const nn::Dense dense(2, 3);
  nn::load_torch_state(dense, dense_state());
  check_elements(dense.weight(), {2, 3}, {0, 2, 4, 1, 3, 5});
  const nn::Module module = nn::Dense(2, 3);
  nn::load_torch_state(module, dense_state());
  check_elements(module.as<nn::Dense>()->weight(), {2, 3}, {0, 2, 4, 1, 3, 5});
  const nn::Sequential frozen(nn::Dense(2, 3));
  frozen[0].freeze();
  nn::load_torch_state(frozen[0], dense_state());
  check_elements(frozen[0].as<nn::Dense>()->bias().value(), {3}, {0, 1, 2});
}

BOOST_AUTO_TEST_CASE(a_layer_of_ones_own_joins_by_its_table) {
  const Own own;
  BOOST_TEST(names_of(nn::torch_state(own)) == (Names{"layers.0.bias", "layers.0.weight", "layers.1.bias",
                                                      "layers.1.weight", "linear.weight", "several.0", "several.1"}),
             boost::test_tools::per_element());
  nn::State state = nn::torch_state(own);
  state["linear.weight"] = numbers({3, 2});
  state["several.0"] = numbers({2, 1}, DType::float32, 7);
  state["layers.1.weight"] = numbers({3, 2});
  nn::load_torch_state(nn::Sequential(own)[0], state);
  check_elements(own.kernel, {2, 3}, {0, 2, 4, 1, 3, 5});
  check_elements(own.several[0], {1, 2}, {7, 8});
  check_elements(own.stack[1].weight(), {2, 3}, {0, 2, 4, 1, 3, 5});

  Own more;
  more.perhaps.emplace(1, 1);
  BOOST_TEST(nn::torch_state(nn::Sequential(more)).contains("0.perhaps.weight"));
  check_throws<ValueError>([] { nn::torch_state(Clash()); },
                           {"[torch_state] two variables are both `a` in PyTorch", "torch_state.cpp:"});
}

BOOST_AUTO_TEST_CASE(floating_elements_are_converted) {
  const nn::Dense wide(2, 3, {.dtype = DType::float64});
  nn::load_torch_state(wide, dense_state());
  BOOST_TEST(wide.weight().dtype() == DType::float64);
  check_elements(wide.weight(), {2, 3}, {0, 2, 4, 1, 3, 5});
  const nn::Dense narrow(2, 3);
  nn::load_torch_state(
      narrow, {{"weight", numbers({3, 2}, DType::float64, 1.0 / 3)}, {"bias", numbers({3}, DType::float64, 1e300)}});
  BOOST_TEST(narrow.weight().value<float>()(0, 0) == static_cast<float>(1.0 / 3));
  BOOST_TEST(narrow.bias()->value<float>()(0) == std::numeric_limits<float>::infinity());
  check_throws<DTypeError>(
      [&] {
        nn::load_torch_state(narrow, {{"weight", numbers({3, 2}, DType::int32)}, {"bias", numbers({3})}});
      },
      {"[load_torch_state] of another dtype: `weight` is int32(3, 2), not float32(3, 2)", "torch_state.cpp:"});
}

BOOST_AUTO_TEST_CASE(batches_are_counted_and_the_count_goes_both_ways) {
  const nn::BatchNorm norm(2);
  norm(ones({4, 2}), nn::Training(random::Key(0)));
  nn::State state = nn::torch_state(norm);
  BOOST_TEST(*state.at("num_batches_tracked").data<std::int64_t>() == 1);
  state["num_batches_tracked"] = Tensor(std::int64_t{17}).array();
  nn::load_torch_state(norm, state);
  norm(ones({4, 2}));
  BOOST_TEST(norm.batch_count().item<std::int64_t>() == 17);
  state["num_batches_tracked"] = numbers({2});
  check_throws<ShapeError>([&] { nn::load_torch_state(norm, state); },
                           {"`num_batches_tracked` is float32(2,), not int64()"});
  state.erase("num_batches_tracked");  // as in files of PyTorch before 0.4
  check_throws<ValueError>([&] { nn::load_torch_state(norm, state); }, {"missing in the state: `num_batches_tracked`"});
  nn::load_torch_state(norm, state, {.allow_missing = true});
}

BOOST_AUTO_TEST_CASE(all_that_does_not_fit_is_listed_and_nothing_changed) {
  const nn::Sequential model(nn::Dense(2, 3), nn::Dense(3, 4), nn::LayerNorm(4));
  const nn::State before = model.state();
  nn::State state = nn::torch_state(model);
  for (auto& [name, array] : state) {
    array = (Tensor(array) + 1.0).array();
  }
  state["0.weight"] = numbers({2, 3});
  state["0.bias"] = numbers({3}, DType::boolean);
  state.erase("1.weight");
  state.erase("2.bias");
  state["3.weight"] = numbers({5, 6}, DType::float64);
  state["evil\x1b[2J"] = numbers({1});
  check_throws<ValueError>(
      [&] { nn::load_torch_state(model, state); },
      {"[load_torch_state] missing in the state: `1.weight` float32(4, 3), `2.bias` float32(4,); unexpected in the "
       "state: `3.weight` float64(5, 6), `evil\\x1b[2J` float32(1,); of another shape: `0.weight` is float32(2, 3), "
       "not "
       "float32(3, 2); of another dtype: `0.bias` is boolean(3,), not float32(3,); build the model",
       "torch_state.cpp:"});
  state.erase("3.weight");
  state.erase("evil\x1b[2J");
  check_throws<ShapeError>([&] { nn::load_torch_state(model, state, {.allow_missing = true}); },
                           {"[load_torch_state] of another shape: `0.weight`"});
  for (const auto& [name, array] : model.state()) {
    BOOST_TEST(elements(Tensor(array)) == elements(Tensor(before.at(name))), boost::test_tools::per_element());
  }

  nn::State many;
  for (int i = 0; i < 1000; ++i) {
    many[std::to_string(i)] = numbers({1});
  }
  check_throws<ValueError>([&] { nn::load_torch_state(nn::ReLU(), many); }, {"`0` float32(1,)", " and 900 more;"});
}

BOOST_AUTO_TEST_CASE(a_part_is_loaded_when_told) {
  const nn::Sequential model(nn::Dense(2, 3), nn::Dense(3, 4));
  nn::State state;
  state["0.weight"] = numbers({3, 2});
  state["0.bias"] = numbers({3});
  state["head.weight"] = numbers({9, 9});
  const auto kept = elements(Tensor(model[1].as<nn::Dense>()->weight()));
  check_throws<ValueError>([&] { nn::load_torch_state(model, state, {.allow_missing = true}); },
                           {"[load_torch_state] unexpected in the state: `head.weight` float32(9, 9);"});
  check_throws<ValueError>([&] { nn::load_torch_state(model, state, {.allow_unexpected = true}); },
                           {"[load_torch_state] missing in the state: `1.weight` float32(4, 3), `1.bias`"});
  const nn::TorchLeftOut left_out =
      nn::load_torch_state(model, state, {.allow_missing = true, .allow_unexpected = true});
  BOOST_TEST(left_out.missing == (Names{"1.weight", "1.bias"}), boost::test_tools::per_element());
  BOOST_TEST(left_out.unexpected == (Names{"head.weight"}), boost::test_tools::per_element());
  check_elements(model[0].as<nn::Dense>()->weight(), {2, 3}, {0, 2, 4, 1, 3, 5});
  BOOST_TEST(elements(Tensor(model[1].as<nn::Dense>()->weight())) == kept, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_tied_variable_has_all_its_names_and_needs_one) {
  const Tied tied;
  BOOST_TEST(tied.variables().size() == 2u);
  const nn::State both = nn::torch_state(tied);
  BOOST_TEST(names_of(both) == (Names{"first.bias", "first.weight", "second.bias", "second.weight"}),
             boost::test_tools::per_element());
  nn::load_torch_state(tied, both);

  nn::State one;
  one["first.weight"] = numbers({2, 2});
  one["second.bias"] = numbers({2});
  const nn::TorchLeftOut left_out = nn::load_torch_state(tied, one);
  BOOST_TEST(left_out.missing.empty());
  check_elements(tied.second.weight(), {2, 2}, {0, 2, 1, 3});
  check_elements(tied.first.bias().value(), {2}, {0, 1});

  one["second.weight"] = numbers({2, 2}, DType::float32, 1);
  check_throws<ValueError>(
      [&] { nn::load_torch_state(tied, one); },
      {"[load_torch_state] one variable in the model, but different elements in the state: `first.weight` and "
       "`second.weight`;"});
  one.erase("first.weight");
  one.erase("second.weight");
  check_throws<ValueError>([&] { nn::load_torch_state(tied, one); },
                           {"missing in the state: `first.weight` float32(2, 2), `second.weight` float32(2, 2);"});
}

BOOST_AUTO_TEST_SUITE_END()
