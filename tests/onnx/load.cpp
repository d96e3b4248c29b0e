#include "onnx/load.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "autograd/graph/node.hpp"
#include "nn/nn.hpp"
#include "onnx/save.hpp"
#include "tests/datasets/temporary_folder.hpp"
#include "tests/onnx/small_model.hpp"
#include "tests/testing.hpp"

/// \file
/// Five models of PyTorch 2.6, as it wrote them, give what they gave there, and go on learning. NAME.check.npz is an input, a
/// target, and of the model in evaluation its output, the cross-entropy and the gradients of that.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(onnx_load)

namespace {

using onnx::tests::set;
using onnx::tests::SmallModel;
using testing::check_throws;

const std::filesystem::path models = std::filesystem::path(XGRAD_SOURCE_ROOT) / "tests" / "nn" / "interop";

/// PyTorch writes the weight of a layer without a bias transposed, under the name of the product's result.
const std::map<std::string, std::string> transposed = {{"onnx::MatMul_39", "0.weight"},
                                                       {"onnx::MatMul_50", "b.weight"}};

/// As in tests/nn/interop.cpp: up to the rounding of float32 in sums in another order.
void check_close(const std::string& name, const Tensor& found, const Tensor& expected) {
  BOOST_TEST_INFO(name);
  BOOST_REQUIRE(found.shape() == expected.shape());
  const double largest = amax(abs(expected)).item();
  const double difference = amax(abs(found - expected)).item();
  BOOST_TEST(difference <= 1e-5 * largest, name << ": " << difference << " of " << largest);
}

struct Loaded {
  explicit Loaded(const std::string& name)
      : model(onnx::load(models / (name + ".onnx"))), check(nn::read_npz(models / (name + ".check.npz"))) {}

  Tensor input() const { return Tensor(check.at("input")); }
  Tensor target() const { return Tensor(check.at("target")); }
  Tensor loss() const { return nn::cross_entropy(model(input()), target()); }

  onnx::Model model;
  nn::State check;
};

const std::vector<std::string> names = {"mlp", "mlp_norm", "residual", "two_heads", "words"};

void gives_what_it_gave(const std::string& name) {
  const Loaded loaded(name);
  check_close("output", loaded.model(loaded.input()), Tensor(loaded.check.at("output")));
  check_close("loss", loaded.loss(), Tensor(loaded.check.at("loss")));
  const auto parameters = loaded.model.named_parameters();
  const Tensors gradients = grad(loaded.loss(), [&] {
    Tensors list;
    for (const nn::NamedVariable& parameter : parameters) {
      list.emplace_back(parameter.variable);
    }
    return list;
  }());
  std::size_t count = 0;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const auto other = transposed.find(parameters[i].name);
    const bool turned = other != transposed.end();
    const std::string expected = "grad." + (turned ? other->second : parameters[i].name);
    BOOST_TEST_INFO(expected);
    BOOST_REQUIRE(loaded.check.contains(expected));
    check_close(expected, turned ? transpose(gradients[i]) : gradients[i], Tensor(loaded.check.at(expected)));
    ++count;
  }
  BOOST_TEST(count == loaded.check.size() - 4);  // beside input, target, output and loss
}

void trains_further(const std::string& name) {
  const Loaded loaded(name);
  const double before = loaded.loss().item();
  nn::Trainer trainer(loaded.model, nn::Adam(loaded.model.parameters(), {.learning_rate = 0.01}), nn::cross_entropy);
  trainer.fit({loaded.check.at("input"), loaded.check.at("target")}, {.epochs = 30, .progress = nn::Progress::quiet});
  BOOST_TEST(loaded.loss().item() < 0.5 * before);
}

void compiles(const std::string& name) {
  const Loaded loaded(name);
  const auto compiled = compile([&](const Tensor& x) { return loaded.model(x); });
  check_close("compiled", compiled(loaded.input()), loaded.model(loaded.input()));
}

/// Samples of several rows each.
void maps(const std::string& name) {
  const Loaded loaded(name);
  const Tensor x = loaded.input();
  const Tensor samples = stack({x, flip(x, 0)});
  const auto model = [&](const Tensor& rows) { return loaded.model(rows); };
  check_close("mapped", vmap(model)(samples), stack({model(samples[0]), model(samples[1])}));
}

/// Written again, with a batch of any size, and read again.
void goes_out_again(const std::string& name) {
  const Loaded loaded(name);
  const testing::TemporaryFolder folder;
  Shape shape = loaded.input().shape();
  shape[0] = onnx::any_size;
  onnx::save(folder.folder / "again.onnx", loaded.model, {.input = {shape, loaded.input().dtype()}});
  const onnx::Model again = onnx::load(folder.folder / "again.onnx");
  check_close("output", again(loaded.input()), Tensor(loaded.check.at("output")));
  check_close("part", again(loaded.input()[range(0, 2)]), Tensor(loaded.check.at("output"))[range(0, 2)]);
  std::vector<std::string> first, second;
  for (const nn::NamedVariable& parameter : loaded.model.named_parameters()) {
    first.push_back(parameter.name);
  }
  for (const nn::NamedVariable& parameter : again.named_parameters()) {
    second.push_back(parameter.name);
  }
  for (const std::string& parameter : first) {
    BOOST_TEST((std::find(second.begin(), second.end(), parameter) != second.end()), parameter);
  }
}

const auto name_of = [](const std::string& name) { return name; };

BOOST_AUTO_TEST_SUITE(values)
const testing::CasePerRow each(names, name_of, gives_what_it_gave);
BOOST_AUTO_TEST_SUITE_END()
BOOST_AUTO_TEST_SUITE(training)
const testing::CasePerRow each(names, name_of, trains_further);
BOOST_AUTO_TEST_SUITE_END()
BOOST_AUTO_TEST_SUITE(written_again)
const testing::CasePerRow each(names, name_of, goes_out_again);
BOOST_AUTO_TEST_SUITE_END()
BOOST_AUTO_TEST_SUITE(compiled)
const testing::CasePerRow each(names, name_of, compiles);
BOOST_AUTO_TEST_SUITE_END()
BOOST_AUTO_TEST_SUITE(mapped)
const testing::CasePerRow each(names, name_of, maps);
BOOST_AUTO_TEST_SUITE_END()

std::set<std::string> names_of(const std::vector<nn::NamedVariable>& variables) {
  std::set<std::string> found;
  for (const nn::NamedVariable& variable : variables) {
    found.insert(variable.name);
  }
  return found;
}

struct Files : testing::TemporaryFolder {
  std::filesystem::path path = folder / "model.onnx";

  onnx::Model load(const SmallModel& model, const onnx::LoadOptions& options = {}) const {
    model.write(path);
    return onnx::load(path, options);
  }
};

/// Up to the rounding of float32.
bool agree(const Tensor& a, const Tensor& b) { return a.shape() == b.shape() && allclose(a, b, 1e-6, 1e-6); }

/// x + w with a summand of its own.
SmallModel sum_model(const Tensor& w) {
  SmallModel model;
  model.input("x").initializer("w", w).output("y");
  model.node("Add", {"x", "w"}, {"y"});
  return model;
}

}  // namespace

BOOST_AUTO_TEST_CASE(statistics_are_no_parameters) {
  const Loaded loaded("mlp_norm");
  const std::set<std::string> parameters = names_of(loaded.model.named_parameters());
  const std::set<std::string> all = names_of(loaded.model.named_variables());
  BOOST_TEST(!parameters.contains("1.running_mean"));
  BOOST_TEST(all.contains("1.running_mean"));
  BOOST_TEST(all.contains("1.running_var"));
  BOOST_TEST(parameters.size() + 2 == all.size());
}

/// The same layer of ours goes the same way: its momentum is 1 minus ONNX's.
BOOST_FIXTURE_TEST_CASE(statistics_move_as_those_of_a_batch_norm, Files) {
  SmallModel small;
  small.input("x").initializer("scale", Tensor{1.5F, -2.F}).initializer("shift", Tensor{0.25F, 1.F});
  small.initializer("mean", Tensor{0.5F, -0.5F}).initializer("var", Tensor{2.F, 3.F}).output("y");
  set(small.node("BatchNormalization", {"x", "scale", "shift", "mean", "var"}, {"y"}), "momentum", 0.75);
  const onnx::Model model = load(small);
  const nn::BatchNorm ours(2, {.momentum = 0.25, .axis = 1});
  ours.weight()->assign(Tensor{1.5F, -2.F});
  ours.bias()->assign(Tensor{0.25F, 1.F});
  ours.running_mean().assign(Tensor{0.5F, -0.5F});
  ours.running_variance().assign(Tensor{2.F, 3.F});
  const Tensor x = cast(testing::random_tensor({3, 2, 4}), DType::float32);
  BOOST_TEST(agree(model(x), ours(x)));
  BOOST_TEST(agree(model(x, nn::Training()), ours(x, nn::Training())));
  const nn::State state = model.state();
  BOOST_TEST(agree(Tensor(state.at("mean")), ours.running_mean()));
  BOOST_TEST(agree(Tensor(state.at("var")), ours.running_variance()));
  BOOST_TEST(agree(model(x), ours(x)));
}

BOOST_FIXTURE_TEST_CASE(dropout_follows_the_mode, Files) {
  SmallModel small;
  small.input("x").initializer("ratio", Tensor(0.25F)).output("y").output("mask");
  small.node("Dropout", {"x", "ratio"}, {"y", "mask"});
  const onnx::Model model = load(small);
  BOOST_TEST(model.parameters().empty());
  const Tensor x = ones({10000});
  BOOST_TEST(allclose(model(x), x));
  BOOST_TEST(all(model.run({x})[1]).item<bool>());
  const Tensors dropped = model.run({x}, nn::Training(random::Key(1)));
  const double kept = mean(cast(dropped[1], DType::float32)).item();
  BOOST_TEST(std::abs(kept - 0.75) < 0.02);  // some five standard deviations
  BOOST_TEST(allclose(dropped[0], where(dropped[1], 1 / 0.75F, 0.0F)));
  BOOST_TEST(!allclose(dropped[0], model(x, nn::Training(random::Key(2)))));
  check_throws<ValueError>([&] { model(x, nn::Training()); }, {"key", "Dropout"});
}

BOOST_FIXTURE_TEST_CASE(training_can_be_as_in_the_file, Files) {
  SmallModel small;
  small.input("x").initializer("ratio", Tensor(0.5F)).initializer("trains", Tensor(false)).output("y");
  small.node("Dropout", {"x", "ratio", "trains"}, {"y"});
  const Tensor x = ones({100});
  const nn::Training training(random::Key(1));
  BOOST_TEST(allclose(load(small, {.training_as_in_file = true})(x, training), x));
  BOOST_TEST(!allclose(load(small)(x, training), x));
}

/// Weights that began as equal numbers are one initialiser in the file; training must not tie them.
BOOST_FIXTURE_TEST_CASE(merged_initialisers_are_separate, Files) {
  SmallModel small;
  small.input("x").initializer("a", ones({2})).initializer("b", Tensor{1.F, 2.F}).output("y");
  small.node("Identity", {"a"}, {"c"});
  small.node("Identity", {"b"}, {"d"});
  small.node("Mul", {"x", "a"}, {"xa"});
  small.node("Mul", {"xa", "b"}, {"xab"});
  small.node("Mul", {"xab", "c"}, {"xabc"});
  small.node("Mul", {"xabc", "d"}, {"y"});
  const onnx::Model model = load(small);
  BOOST_TEST((names_of(model.named_parameters()) == std::set<std::string>{"a", "b", "c"}));
  const nn::Variables parameters = model.parameters();
  const Tensors gradients = grad(sum(model(ones({2}))), Tensors(parameters.begin(), parameters.end()));
  testing::check_elements(gradients[0], {2}, {1, 4});
  testing::check_elements(gradients[1], {2}, {2, 4});  // b is tied to d: the derivative of b²
}

BOOST_FIXTURE_TEST_CASE(options_say_what_is_a_parameter, Files) {
  SmallModel small = sum_model(Tensor(2.F));
  small.initializer("table", ones({3})).output("z");
  small.node("Add", {"y", "table"}, {"z"});
  BOOST_TEST((names_of(load(small).named_parameters()) == std::set<std::string>{"table"}));
  BOOST_TEST((names_of(load(small, {.constants = {"table"}, .parameters = {"w"}}).named_parameters()) ==
              std::set<std::string>{"w"}));
  check_throws<ValueError>([&] { load(small, {.constants = {"tabel"}}); }, {"constants", "`tabel`"});
}

BOOST_FIXTURE_TEST_CASE(names_become_paths, Files) {
  SmallModel small;
  small.input("x").initializer("/net/w", ones({2})).initializer("net.w", ones({2})).output("y");
  small.node("Add", {"x", "/net/w"}, {"s"});
  small.node("Add", {"s", "net.w"}, {"y"});
  const onnx::Model model = load(small);
  BOOST_TEST((names_of(model.named_parameters()) == std::set<std::string>{"net.w", "net.w_2"}));
  const std::filesystem::path saved = folder / "state.safetensors";
  nn::write_safetensors(saved, model.state());
  BOOST_TEST(nn::read_safetensors(saved).size() == 2U);
}

BOOST_FIXTURE_TEST_CASE(a_clone_has_variables_of_its_own, Files) {
  const onnx::Model model = load(sum_model(Tensor{1.F, 2.F}));
  const onnx::Model copy = model.clone();
  copy.parameters()[0].assign(Tensor{5.F, 6.F});
  testing::check_elements(model(zeros({2})), {2}, {1, 2});
  testing::check_elements(copy(zeros({2})), {2}, {5, 6});
  const nn::Sequential nested(model, nn::ReLU());
  BOOST_TEST((names_of(nested.named_parameters()) == std::set<std::string>{"0.w"}));
}

/// Shape, Gather, Concat and Reshape are done at once, from the shape that arrives.
BOOST_FIXTURE_TEST_CASE(shape_arithmetic_leaves_nothing_in_the_graph, Files) {
  SmallModel small;
  small.input("x")
      .initializer("zero", Tensor(std::int64_t{0}))
      .initializer("rest", Tensor{std::int64_t{-1}})
      .output("y");
  small.node("Shape", {"x"}, {"shape"});
  small.node("Gather", {"shape", "zero"}, {"rows"});
  small.node("Unsqueeze", {"rows", "zero_list"}, {"row_list"});
  small.initializer("zero_list", Tensor{std::int64_t{0}});
  small.node("Concat", {"row_list", "rest"}, {"target"}).mutable_attribute();
  set(*small.proto().mutable_graph()->mutable_node(3), "axis", std::int64_t{0});
  small.node("Reshape", {"x", "target"}, {"y"});
  const onnx::Model model = load(small);
  const Tensor x = ones({2, 3, 4});
  const Tensor y = model(x);
  BOOST_TEST((y.shape() == Shape{2, 12}));
  // One node, of x itself.
  BOOST_TEST(y.node().inputs().size() == 1U);
  BOOST_TEST(y.node().input(0).same_as(x));
  BOOST_TEST((compile([&](const Tensor& t) { return model(t); })(ones({5, 3, 4})).shape() == Shape{5, 12}));
}

BOOST_AUTO_TEST_CASE(inputs_are_checked) {
  const Loaded loaded("mlp");
  BOOST_TEST(allclose(loaded.model(reshape(loaded.input(), {7, 784})), loaded.model(loaded.input())));
  check_throws<ShapeError>(
      [&] {
        loaded.model(ones({7, 1, 27, 28}));
      },
      {"`input`", "(7, 1, 27, 28)", "(batch, 1, 28, 28)"});
  check_throws<DTypeError>(
      [&] {
        loaded.model(ones({7, 1, 28, 28}, DType::float64));
      },
      {"`input`", "float64", "float32"});
  check_throws<ValueError>([&] { loaded.model.run({}); }, {"1 inputs", "input"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
