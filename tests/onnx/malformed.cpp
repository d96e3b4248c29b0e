#include <filesystem>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "onnx/load.hpp"
#include "tests/datasets/temporary_folder.hpp"
#include "tests/onnx/small_model.hpp"
#include "tests/testing.hpp"

/// \file
/// Files that are no right models, and models with what is not supported, are errors of ours.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(onnx_malformed)

namespace {

using onnx::tests::set;
using onnx::tests::SmallModel;
using testing::check_throws;

struct Files : testing::TemporaryFolder {
  std::filesystem::path path = folder / "model.onnx";

  onnx::Model load(const SmallModel& model) const {
    model.write(path);
    return onnx::load(path);
  }
};

SmallModel one_node(const std::string& type, const std::vector<std::string>& inputs) {
  SmallModel model;
  model.input("x").output("y");
  model.node(type, inputs, {"y"});
  return model;
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(every_shorter_file_is_an_error, Files) {
  SmallModel model = one_node("Add", {"x", "w"});
  model.initializer("w", ones({3}));
  model.write(path);
  const std::string whole = testing::read_bytes(path);
  std::size_t refused = 0;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    testing::write_bytes(path, whole.substr(0, size));
    try {
      onnx::load(path);
    } catch (const FileError&) {
      ++refused;
    } catch (const ValueError&) {  // cut between two fields, it is a model of another set of operators
      ++refused;
    }
  }
  BOOST_TEST(refused >= whole.size() - 2);  // or the last field was one that may be left out
}

BOOST_FIXTURE_TEST_CASE(a_missing_file_is_named, Files) {
  check_throws<FileError>([&] { onnx::load(folder / "nothing.onnx"); }, {"nothing.onnx"});
}

BOOST_FIXTURE_TEST_CASE(values_are_there_once_and_before_they_are_read, Files) {
  SmallModel circle;
  circle.input("x").output("y");
  circle.node("Add", {"x", "b"}, {"a"}).set_name("first");
  circle.node("Neg", {"a"}, {"b"});
  circle.node("Neg", {"b"}, {"y"});
  check_throws<FileError>([&] { load(circle); }, {"`b`", "`first` (Add)", "circle"});
  check_throws<FileError>([&] { load(one_node("Neg", {"nothing"})); }, {"`nothing`"});
  SmallModel twice = one_node("Neg", {"x"});
  twice.node("Exp", {"x"}, {"y"});
  check_throws<FileError>([&] { load(twice); }, {"`y`", "twice"});
  SmallModel absent = one_node("Neg", {"x"});
  absent.output("z");
  check_throws<FileError>([&] { load(absent); }, {"`z`", "outputs"});
}

BOOST_FIXTURE_TEST_CASE(nodes_have_the_inputs_of_their_operators, Files) {
  check_throws<FileError>([&] { load(one_node("Add", {"x"})); }, {"1 inputs", "Add", "takes 2"});
  check_throws<FileError>([&] { load(one_node("Neg", {"x", "x"})); }, {"2 inputs", "Neg", "takes 1"});
  check_throws<FileError>([&] { load(one_node("Clip", {"x", "x", "x", "x"})); }, {"4 inputs", "1 to 3"});
  const onnx::Model hole = load(one_node("Where", {"x", "", "x"}));
  check_throws<ValueError>([&] { hole(ones({2})); }, {"Where", "input 1", "missing"});
}

BOOST_FIXTURE_TEST_CASE(attributes_are_of_the_right_sort, Files) {
  SmallModel model = one_node("Softmax", {"x"});
  set(*model.proto().mutable_graph()->mutable_node(0), "axis", std::string("one"));
  const onnx::Model loaded = load(model);
  check_throws<ValueError>([&] { loaded(ones({2})); }, {"Softmax", "'axis'", "a text", "an integer"});
  SmallModel lacks = one_node("Constant", {});
  check_throws<ValueError>([&] { load(lacks)(ones({2})); }, {"Constant", "'value'", "missing"});
}

BOOST_FIXTURE_TEST_CASE(hostile_sizes_take_no_memory, Files) {
  SmallModel claims = one_node("Add", {"x", "w"});
  claims.initializer("w", ones({3}));
  claims.proto().mutable_graph()->mutable_initializer(0)->set_dims(0, 1'000'000'000);
  check_throws<FileError>([&] { load(claims); }, {"`w`"});
  SmallModel negative = one_node("Add", {"x", "w"});
  negative.initializer("w", ones({3}));
  negative.proto().mutable_graph()->mutable_initializer(0)->set_dims(0, -3);
  check_throws<FileError>([&] { load(negative); }, {"`w`"});
  SmallModel full = one_node("ConstantOfShape", {"shape"});
  full.initializer("shape", Tensor{std::int64_t{1} << 40, std::int64_t{1} << 40});
  const onnx::Model loaded = load(full);
  check_throws<ShapeError>([&] { loaded(ones({2})).array(); }, {"ConstantOfShape"});
}

/// Numbers that nothing can be done with.
BOOST_FIXTURE_TEST_CASE(hostile_numbers_are_refused, Files) {
  constexpr std::int64_t huge = std::numeric_limits<std::int64_t>::max();
  const auto refuses = [&](SmallModel model, const Tensor& x, std::initializer_list<std::string_view> parts) {
    const onnx::Model loaded = load(model);
    check_throws<ValueError>([&] { loaded(x); }, parts);
  };
  SmallModel parts = one_node("Split", {"x"});
  set(*parts.proto().mutable_graph()->mutable_node(0), "num_outputs", huge);
  refuses(parts, ones({7}), {"Split", "num_outputs"});
  SmallModel padded = one_node("Pad", {"x", "pads"});
  padded.initializer("pads", Tensor{-huge - 1, huge});
  set(*padded.proto().mutable_graph()->mutable_node(0), "mode", std::string("edge"));
  refuses(padded, ones({7}), {"Pad", "width"});
  SmallModel deep = one_node("OneHot", {"x", "depth", "values"});
  deep.initializer("depth", Tensor(1e300)).initializer("values", Tensor{0.F, 1.F});
  refuses(deep, ones({7}), {"OneHot", "depth"});
  SmallModel blocks = one_node("SpaceToDepth", {"x"});
  set(*blocks.proto().mutable_graph()->mutable_node(0), "blocksize", huge);
  refuses(blocks, ones({1, 1, 2, 2}), {"SpaceToDepth", "blocksize"});
  SmallModel wide = one_node("LRN", {"x"});
  set(*wide.proto().mutable_graph()->mutable_node(0), "size", huge);
  testing::check_elements(load(wide)(ones({1, 2, 1})), {1, 2, 1}, {1, 1}, 1e-6);
}

BOOST_FIXTURE_TEST_CASE(everything_unsupported_is_listed_at_once, Files) {
  SmallModel model;
  model.input("x").output("y");
  model.node("Conv", {"x", "x"}, {"a"}).set_name("conv1");
  model.node("Conv", {"a", "x"}, {"b"});
  set(model.node("Cast", {"b"}, {"c"}), "to", std::int64_t{10});
  model.node("Attention", {"c"}, {"d"}).set_domain("com.example");
  model.node("Wonder", {"d"}, {"y"});
  check_throws<ValueError>([&] { load(model); },
                           {"Conv", "`conv1` (Conv) and 1 more", "Cast to float16", "com.example.Attention", "Wonder"});
  SmallModel newer(99);
  newer.input("x").output("x");
  check_throws<ValueError>([&] { load(newer); }, {"opset 99"});
}

/// What a call leaves out is as the function says.
BOOST_FIXTURE_TEST_CASE(functions_have_attributes, Files) {
  SmallModel model = one_node("Slope", {"x"});
  onnx::proto::NodeProto& call = *model.proto().mutable_graph()->mutable_node(0);
  call.set_domain("own");
  auto& function = *model.proto().add_functions();
  function.set_name("Slope");
  function.set_domain("own");
  function.add_input("a");
  function.add_output("b");
  auto& node = *function.add_node();
  node.set_op_type("LeakyRelu");
  node.add_input("a");
  node.add_output("b");
  auto& reference = *node.add_attribute();
  reference.set_name("alpha");
  reference.set_ref_attr_name("slope");
  auto& otherwise = *function.add_attribute_proto();
  otherwise.set_name("slope");
  otherwise.set_type(onnx::proto::AttributeProto::FLOAT);
  otherwise.set_f(0.5F);
  testing::check_elements(load(model)(Tensor{-1.F}), {1}, {-0.5});
  set(call, "slope", 0.25);
  testing::check_elements(load(model)(Tensor{-1.F}), {1}, {-0.25});
  function.clear_attribute_proto();
  call.clear_attribute();
  testing::check_elements(load(model)(Tensor{-1.F}), {1}, {-0.01}, 1e-9);
}

/// Functions of the file's own are built in; one that calls itself has no end.
BOOST_FIXTURE_TEST_CASE(functions_are_followed, Files) {
  SmallModel model = one_node("Twice", {"x"});
  model.proto().mutable_graph()->mutable_node(0)->set_domain("own");
  auto& function = *model.proto().add_functions();
  function.set_name("Twice");
  function.set_domain("own");
  function.add_input("a");
  function.add_output("b");
  auto& node = *function.add_node();
  node.set_op_type("Add");
  node.add_input("a");
  node.add_input("a");
  node.add_output("b");
  testing::check_elements(load(model)(Tensor{1.F, 2.F}), {2}, {2, 4});
  node.set_op_type("Twice");
  node.set_domain("own");
  check_throws<FileError>([&] { load(model); }, {"call themselves"});
}

BOOST_FIXTURE_TEST_CASE(errors_name_the_node, Files) {
  SmallModel model;
  model.input("x").initializer("w", ones({3, 4})).output("y");
  model.node("MatMul", {"x", "w"}, {"y"}).set_name("/layer/MatMul");
  const onnx::Model loaded = load(model);
  check_throws<ShapeError>(
      [&] {
        loaded(ones({2, 5}));
      },
      {"(2, 5) x (3, 4)", "in node `/layer/MatMul` (MatMul)", "malformed.cpp"});
}

/// A shape that depends on elements cannot stand in a compiled function.
BOOST_FIXTURE_TEST_CASE(elements_are_needed_for_some_shapes, Files) {
  const onnx::Model model = load(one_node("NonZero", {"x"}));
  testing::check_elements(model(Tensor{0.F, 2.F, 3.F}), {1, 2}, {1, 2});
  const auto compiled = compile([&](const Tensor& x) { return model(x); });
  check_throws<ValueError>([&] { compiled(Tensor{0.F, 2.F}); }, {"NonZero", "elements"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
