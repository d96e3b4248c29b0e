#include <filesystem>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "nn/nn.hpp"
#include "onnx/load.hpp"
#include "tests/datasets/temporary_folder.hpp"
#include "tests/onnx/small_model.hpp"
#include "tests/testing.hpp"

/// \file
/// Recurrent layers, branches and loops.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(onnx_loops)

namespace {

using onnx::tests::set;
using onnx::tests::SmallModel;
using testing::check_elements;

struct Files : testing::TemporaryFolder {
  onnx::Model load(const SmallModel& model) const {
    model.write(folder / "model.onnx");
    return onnx::load(folder / "model.onnx");
  }
};

constexpr std::int64_t steps = 4, batch = 3, inputs = 2, hidden = 5;

bool agree(const Tensor& a, const Tensor& b) { return a.shape() == b.shape() && allclose(a, b, 1e-5, 1e-6); }

/// The weights of a layer of ours as ONNX has them: (1, gates · hidden, ..), with gates in another order.
Tensor reordered(const Tensor& weight, const std::vector<std::int64_t>& gates) {
  Tensors parts;
  for (const std::int64_t gate : gates) {
    parts.push_back(weight[{ellipsis(), range(gate * hidden, (gate + 1) * hidden)}]);
  }
  const Tensor joined = concatenate(parts, -1);
  return expand_dims(joined.ndim() == 2 ? transpose(joined) : joined, 0);
}

template <class Layer>
SmallModel model_of(const std::string& type, const Layer& layer, const std::vector<std::int64_t>& gates) {
  SmallModel model;
  model.input("x").input("lengths", DType::int32).output("y").output("h");
  model.initializer("w", reordered(layer.weight_ih(), gates)).initializer("r", reordered(layer.weight_hh(), gates));
  model.initializer("b", concatenate({reordered(*layer.bias_ih(), gates), reordered(*layer.bias_hh(), gates)}, -1));
  set(model.node(type, {"x", "w", "r", "b", "lengths"}, {"y", "h"}), "hidden_size", hidden);
  return model;
}

const Tensor x = cast(testing::random_tensor({steps, batch, inputs}), DType::float32);
const Tensor lengths = Tensor{4, 2, 1};

/// Values, and gradients of the input.
/// With the lengths of the samples.
template <class State>
nn::SequenceOptions<State> up_to_lengths() {
  return {{}, lengths};
}

/// \p State is that of the layer.
template <class State, class Layer>
void check_same(const onnx::Model& model, const Layer& layer) {
  const auto ours = layer(x, up_to_lengths<State>());
  const Tensors found = model.run({x, lengths});
  BOOST_TEST(agree(squeeze(found[0], 1), ours.output));
  BOOST_TEST(agree(grad(sum(square(found[0])), x), grad(sum(square(ours.output)), x)));
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(recurrent_layers_are_ours, Files) {
  const nn::LSTM lstm(inputs, hidden);
  SmallModel of_lstm = model_of("LSTM", lstm, {0, 3, 1, 2});  // i, o, f, c
  check_same<nn::LSTMState>(load(of_lstm), lstm);
  BOOST_TEST(agree(load(of_lstm).run({x, lengths})[1][0], lstm(x, up_to_lengths<nn::LSTMState>()).state.h));
  const nn::GRU gru(inputs, hidden);
  SmallModel of_gru = model_of("GRU", gru, {1, 0, 2});  // z, r, h
  set(*of_gru.proto().mutable_graph()->mutable_node(0), "linear_before_reset", std::int64_t{1});
  check_same<Tensor>(load(of_gru), gru);
  const nn::RNN rnn(inputs, hidden);
  check_same<Tensor>(load(model_of("RNN", rnn, {0})), rnn);
}

/// The other direction is the first one of the sequence the other way round; the batch may come first.
BOOST_FIXTURE_TEST_CASE(directions_and_layouts, Files) {
  const nn::GRU gru(inputs, hidden);
  const auto model = [&](const std::string& direction, std::int64_t layout) {
    SmallModel small = model_of("GRU", gru, {1, 0, 2});
    onnx::proto::NodeProto& node = *small.proto().mutable_graph()->mutable_node(0);
    set(node, "direction", direction);
    set(node, "layout", layout);
    if (direction == "bidirectional") {
      for (const char* name : {"w", "r", "b"}) {
        small.node("Concat", {name, name}, {std::string(name) + "2"});
        set(*small.proto().mutable_graph()->mutable_node(small.proto().graph().node_size() - 1), "axis",
            std::int64_t{0});
      }
      node.set_input(1, "w2");
      node.set_input(2, "r2");
      node.set_input(3, "b2");
      onnx::proto::NodeProto last = node;  // behind those that it reads
      small.proto().mutable_graph()->mutable_node()->DeleteSubrange(0, 1);
      *small.proto().mutable_graph()->add_node() = last;
    }
    return load(small);
  };
  const Tensor all = full({batch}, steps, DType::int32);
  const Tensor forward = model("forward", 0).run({x, all})[0];
  const Tensor reverse = model("reverse", 0).run({x, all})[0];
  BOOST_TEST(agree(reverse, flip(model("forward", 0).run({flip(x, 0), all})[0], 0)));
  const Tensors both = model("bidirectional", 0).run({x, all});
  BOOST_TEST(agree(both[0], concatenate({forward, reverse}, 1)));
  BOOST_TEST((both[1].shape() == Shape{2, batch, hidden}));
  const Tensors batch_first = model("bidirectional", 1).run({swapaxes(x, 0, 1), all});
  BOOST_TEST(agree(batch_first[0], transpose(both[0], {2, 0, 1, 3})));
  BOOST_TEST(agree(batch_first[1], swapaxes(both[1], 0, 1)));
}

namespace {

/// y = 2x where the condition holds, else x³.
SmallModel branching() {
  SmallModel model;
  model.input("x").input("condition", DType::boolean).output("y");
  onnx::proto::NodeProto& node = model.node("If", {"condition"}, {"y"});
  for (const auto& [name, type, count] : {std::tuple{"then_branch", "Add", 2}, std::tuple{"else_branch", "Mul", 3}}) {
    onnx::proto::AttributeProto& attribute = *node.add_attribute();
    attribute.set_name(name);
    attribute.set_type(onnx::proto::AttributeProto::GRAPH);
    onnx::proto::GraphProto& graph = *attribute.mutable_g();
    for (int i = 1; i < count; ++i) {
      onnx::proto::NodeProto& step = *graph.add_node();
      step.set_op_type(type);
      step.add_input(i == 1 ? "x" : "t" + std::to_string(i - 1));
      step.add_input("x");
      step.add_output("t" + std::to_string(i));
    }
    graph.add_output()->set_name("t" + std::to_string(count - 1));
  }
  return model;
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(branches_are_in_the_graph, Files) {
  const onnx::Model model = load(branching());
  const auto both = compile([&](const Tensor& a, const Tensor& condition) { return model.run({a, condition})[0]; });
  check_elements(both(Tensor{3.F}, Tensor(true)), {1}, {6});
  check_elements(both(Tensor{3.F}, Tensor(false)), {1}, {27});
  const Tensor a = Tensor{3.F};
  check_elements(grad(sum(model.run({a, Tensor(false)})[0]), a), {1}, {27});
}

namespace {

onnx::proto::GraphProto& body_of(onnx::proto::NodeProto& node, const std::vector<std::string>& inputs_of_body,
                                 const std::vector<std::string>& outputs_of_body) {
  onnx::proto::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name("body");
  attribute.set_type(onnx::proto::AttributeProto::GRAPH);
  onnx::proto::GraphProto& body = *attribute.mutable_g();
  for (const std::string& name : inputs_of_body) {
    body.add_input()->set_name(name);
  }
  for (const std::string& name : outputs_of_body) {
    body.add_output()->set_name(name);
  }
  return body;
}

void add_node(onnx::proto::GraphProto& graph, const std::string& type, const std::vector<std::string>& from,
              const std::string& to) {
  onnx::proto::NodeProto& node = *graph.add_node();
  node.set_op_type(type);
  for (const std::string& name : from) {
    node.add_input(name);
  }
  node.add_output(to);
}

}  // namespace

/// Until the sum is large enough, and at most as often as is said; with the sums of all steps.
BOOST_FIXTURE_TEST_CASE(loops_go_on_while_their_condition_holds, Files) {
  SmallModel model;
  model.input("x").input("limit", DType::int64).initializer("most", Tensor(10.F)).output("last").output("all");
  model.initializer("go", Tensor(true));
  onnx::proto::GraphProto& body =
      body_of(model.node("Loop", {"limit", "go", "x"}, {"last", "all"}), {"i", "c", "s"}, {"more", "next", "kept"});
  add_node(body, "Add", {"s", "s"}, "next");
  add_node(body, "Less", {"next", "most"}, "more");
  add_node(body, "Identity", {"next"}, "kept");
  const onnx::Model loaded = load(model);
  const Tensors by_condition = loaded.run({Tensor(1.F), Tensor(std::int64_t{100})});
  check_elements(by_condition[0], {}, {16});
  check_elements(by_condition[1], {4}, {2, 4, 8, 16});
  check_elements(loaded.run({Tensor(1.F), Tensor(std::int64_t{2})})[1], {2}, {2, 4});
  check_elements(loaded.run({Tensor(1.F), Tensor(std::int64_t{0})})[0], {}, {1});
  testing::check_throws<ValueError>(
      [&] {
        loaded.run({Tensor(0.F), Tensor(std::int64_t{1} << 60)});
      },
      {"Loop", "steps"});
}

BOOST_FIXTURE_TEST_CASE(scans_run_along_an_axis, Files) {
  SmallModel model;
  model.input("first").input("xs").output("last").output("sums");
  onnx::proto::NodeProto& node = model.node("Scan", {"first", "xs"}, {"last", "sums"});
  set(node, "num_scan_inputs", std::int64_t{1});
  set(node, "scan_input_axes", std::vector<std::int64_t>{1});
  set(node, "scan_input_directions", std::vector<std::int64_t>{1});
  set(node, "scan_output_axes", std::vector<std::int64_t>{-1});
  onnx::proto::GraphProto& body = body_of(node, {"s", "each"}, {"sum", "kept"});
  add_node(body, "Add", {"s", "each"}, "sum");
  add_node(body, "Identity", {"sum"}, "kept");
  const Tensors found = load(model).run({Tensor{0.F, 10.F}, Tensor{{1.F, 2.F, 3.F}, {4.F, 5.F, 6.F}}});
  check_elements(found[0], {2}, {6, 25});
  check_elements(found[1], {2, 3}, {3, 5, 6, 16, 21, 25});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
