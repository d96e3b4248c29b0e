#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "onnx/load.hpp"
#include "tests/datasets/temporary_folder.hpp"
#include "tests/onnx/small_model.hpp"
#include "tests/testing.hpp"

/// \file
/// Operators that ONNX's cases in tests/onnx/cases leave out, and what they meant in older sets: values of the specification's
/// own examples, or such as can be told by hand.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(onnx_operators)

namespace {

using onnx::tests::set;
using onnx::tests::SmallModel;
using testing::check_elements;
using testing::check_throws;
using Describe = std::function<void(onnx::proto::NodeProto& node)>;

constexpr double precise = 1e-6;

/// What one node gives. Undefined inputs are left out.
Tensors run(const std::string& type, const Tensors& inputs, const Describe& describe = nullptr, std::int64_t opset = 22,
            std::size_t outputs = 1) {
  const testing::TemporaryFolder folder;
  SmallModel model(opset);
  std::vector<std::string> names, results;
  Tensors given;
  for (const Tensor& input : inputs) {
    names.push_back(input.defined() ? "x" + std::to_string(names.size()) : "");
    if (input.defined()) {
      model.input(names.back(), input.dtype());
      given.push_back(input);
    }
  }
  for (std::size_t i = 0; i < outputs; ++i) {
    results.push_back("y" + std::to_string(i));
    model.output(results.back());
  }
  onnx::proto::NodeProto& node = model.node(type, names, results);
  if (describe) {
    describe(node);
  }
  model.write(folder.folder / "model.onnx");
  return onnx::load(folder.folder / "model.onnx").run(given);
}

template <class Value>
Describe with(const std::string& name, const Value& value) {
  return [=](onnx::proto::NodeProto& node) { set(node, name, value); };
}
Describe operator&(const Describe& a, const Describe& b) {
  return [=](onnx::proto::NodeProto& node) { a(node), b(node); };
}
Describe with_axes(const std::vector<std::int64_t>& axes) { return with("axes", axes); }
Describe with_axis(std::int64_t axis) { return with("axis", axis); }

Tensor integers(const std::vector<std::int64_t>& list) { return Tensor(list); }

/// 0, 1, 2, ... as float32.
Tensor counting(const Shape& shape) { return reshape(arange(static_cast<double>(shape.element_count())), shape); }

}  // namespace

BOOST_AUTO_TEST_CASE(slices_walk_both_ways) {
  const Tensor x = counting({5});
  const auto cut = [&](std::int64_t start, std::int64_t end, std::int64_t step) {
    return run("Slice", {x, integers({start}), integers({end}), integers({0}), integers({step})})[0];
  };
  constexpr std::int64_t far = std::numeric_limits<std::int64_t>::max();
  check_elements(cut(3, -far - 1, -1), {4}, {3, 2, 1, 0});
  check_elements(cut(far, 0, -2), {2}, {4, 2});
  check_elements(cut(-3, far, 1), {3}, {2, 3, 4});
  check_elements(cut(0, -far - 1, 1), {0}, {});
  check_elements(cut(-far - 1, 2, 1), {2}, {0, 1});
  check_elements(run("Slice", {x},
                     with("starts", std::vector<std::int64_t>{1}) & with("ends", std::vector<std::int64_t>{-1}), 9)[0],
                 {3}, {1, 2, 3});
}

BOOST_AUTO_TEST_CASE(pads_repeat_what_is_there) {
  const Tensor x = counting({4});
  const auto padded = [&](const std::string& mode, std::int64_t before, std::int64_t behind) {
    return run("Pad", {x, integers({before, behind})}, with("mode", mode))[0];
  };
  check_elements(padded("reflect", 2, 3), {9}, {2, 1, 0, 1, 2, 3, 2, 1, 0});
  check_elements(padded("edge", 2, 1), {7}, {0, 0, 0, 1, 2, 3, 3});
  check_elements(padded("wrap", 2, 5), {11}, {2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0});
  check_elements(padded("edge", -1, 1), {4}, {1, 2, 3, 3});
  check_elements(padded("constant", -1, -2), {1}, {1});
  check_elements(run("Pad", {counting({1, 2}), integers({1, 0}), Tensor(7.F), integers({-1})})[0], {1, 3}, {7, 0, 1});
  check_elements(run("Pad", {x}, with("pads", std::vector<std::int64_t>{1, 0}) & with("value", 5.0), 10)[0], {5},
                 {5, 0, 1, 2, 3});
  check_throws<ValueError>([&] { padded("mirror", 1, 1); }, {"Pad", "'mirror'"});
}

BOOST_AUTO_TEST_CASE(scattered_elements_are_joined) {
  const Tensor x = {{1.F, 2.F, 3.F, 4.F, 5.F}};
  const Tensor indices = Tensor{{std::int64_t{1}, std::int64_t{-4}}};
  const Tensor updates = {{3.F, 0.5F}};
  const auto joined = [&](const std::string& reduction) {
    return run("ScatterElements", {x, indices, updates}, with_axis(1) & with("reduction", reduction))[0];
  };
  check_elements(joined("add"), {1, 5}, {1, 5.5, 3, 4, 5});
  check_elements(joined("mul"), {1, 5}, {1, 3, 3, 4, 5});
  check_elements(joined("max"), {1, 5}, {1, 3, 3, 4, 5});
  check_elements(joined("min"), {1, 5}, {1, 0.5, 3, 4, 5});
  const auto with_traced_indices = compile([&](const Tensor& places) {
    return run("ScatterElements", {x, places, updates}, with_axis(1) & with("reduction", std::string("max")))[0];
  });
  check_elements(with_traced_indices(indices), {1, 5}, {1, 3, 3, 4, 5});
  const Tensor rows = run("ScatterND", {counting({3, 2}), Tensor{{std::int64_t{2}}, {std::int64_t{2}}}, ones({2, 2})},
                          with("reduction", std::string("add")))[0];
  check_elements(rows, {3, 2}, {0, 1, 2, 3, 6, 7});
  check_throws<ValueError>(
      [&] {
        run("ScatterND", {counting({2, 3}), Tensor{{std::int64_t{0}, std::int64_t{3}}}, ones({1})})[0].array();
      },
      {"outside"});
}

BOOST_AUTO_TEST_CASE(gathered_slices_pair_up) {
  const Tensor x = counting({2, 2, 2});
  check_elements(
      run("GatherND", {x, Tensor{{std::int64_t{1}}, {std::int64_t{0}}}}, with("batch_dims", std::int64_t{1}))[0],
      {2, 2}, {2, 3, 4, 5});
  check_elements(run("GatherND", {x, Tensor{{std::int64_t{-1}, std::int64_t{0}}}})[0], {1, 2}, {4, 5});
  // (0, 2) lies outside of the second axis, and must not become (1, 0).
  check_throws<ValueError>(
      [&] {
        run("GatherND", {x, Tensor{{std::int64_t{0}, std::int64_t{2}}}})[0].array();
      },
      {"outside"});
  check_elements(run("GatherElements", {counting({3, 3}), Tensor{{std::int64_t{1}, std::int64_t{2}}}}, with_axis(0))[0],
                 {1, 2}, {3, 7});
}

BOOST_AUTO_TEST_CASE(elements_are_chosen_by_what_they_are) {
  const Tensor x = {2.F, 1.F, 1.F, 3.F, 4.F, 3.F};
  const Tensors unique = run("Unique", {x}, with("sorted", std::int64_t{0}), 22, 4);
  check_elements(unique[0], {4}, {2, 1, 3, 4});
  check_elements(unique[1], {4}, {0, 1, 3, 4});
  check_elements(unique[2], {6}, {0, 1, 1, 2, 3, 2});
  check_elements(unique[3], {4}, {1, 2, 2, 1});
  check_elements(run("Unique", {Tensor{{1.F, 0.F}, {1.F, 0.F}, {2.F, 3.F}}}, with_axis(0))[0], {2, 2}, {1, 0, 2, 3});
  check_elements(run("Compress", {counting({3, 2}), Tensor{false, true, true}}, with_axis(0))[0], {2, 2}, {2, 3, 4, 5});
  check_elements(run("Compress", {counting({3, 2}), Tensor{false, true, false, false, true}})[0], {2}, {1, 4});
  check_elements(run("OneHot", {integers({0, -1, 5}), Tensor(std::int64_t{3}), Tensor{2.F, 7.F}}, with_axis(0))[0],
                 {3, 3}, {7, 2, 2, 2, 2, 2, 2, 7, 2});
}

BOOST_AUTO_TEST_CASE(blocks_become_channels_and_back) {
  const Tensor x = counting({1, 8, 1, 1});
  const Describe by_two = with("blocksize", std::int64_t{2});
  check_elements(run("DepthToSpace", {x}, by_two)[0], {1, 2, 2, 2}, {0, 2, 4, 6, 1, 3, 5, 7});
  check_elements(run("DepthToSpace", {x}, by_two & with("mode", std::string("CRD")))[0], {1, 2, 2, 2},
                 {0, 1, 2, 3, 4, 5, 6, 7});
  check_elements(run("SpaceToDepth", {run("DepthToSpace", {x}, by_two)[0]}, by_two)[0], {1, 8, 1, 1},
                 {0, 1, 2, 3, 4, 5, 6, 7});
  check_elements(run("CenterCropPad", {counting({4, 1}), integers({2, 3})})[0], {2, 3}, {0, 1, 0, 0, 2, 0});
}

BOOST_AUTO_TEST_CASE(sequences_are_reversed_up_to_their_lengths) {
  const Tensor x = transpose(counting({4, 4}));  // the specification's example
  check_elements(run("ReverseSequence", {x, integers({4, 3, 2, 1})},
                     with("time_axis", std::int64_t{0}) & with("batch_axis", std::int64_t{1}))[0],
                 {4, 4}, {3, 6, 9, 12, 2, 5, 8, 13, 1, 4, 10, 14, 0, 7, 11, 15});
}

BOOST_AUTO_TEST_CASE(groups_and_instances_are_normalised) {
  const Tensor x = cast(testing::random_tensor({2, 4, 3}), DType::float32);
  const auto standard = [](const Tensor& t, const Axes& axes) {
    return (t - mean(t, axes, true)) / sqrt(variance(t, axes, true) + 1e-5);
  };
  const Tensor scale = {1.F, 2.F, 3.F, 4.F};
  const Tensor shift = {0.F, 1.F, 0.F, -1.F};
  const auto along = [](const Tensor& t) { return reshape(t, {t.size(), 1}); };
  BOOST_TEST(allclose(run("InstanceNormalization", {x, scale, shift})[0], standard(x, 2) * along(scale) + along(shift),
                      precise, precise));
  const Tensor grouped = reshape(standard(reshape(x, {2, 2, 6}), 2), {2, 4, 3});
  const Describe two = with("num_groups", std::int64_t{2});
  BOOST_TEST(allclose(run("GroupNormalization", {x, scale, shift}, two, 21)[0], grouped * along(scale) + along(shift),
                      precise, precise));
  const Tensor each = Tensor{1.F, 1.F, 2.F, 2.F};
  BOOST_TEST(allclose(run("GroupNormalization", {x, Tensor{1.F, 2.F}, Tensor{0.F, 0.F}}, two, 18)[0],
                      grouped * along(each), precise, precise));
  const Tensor three =
      run("LRN", {ones({1, 3, 1})}, with("size", std::int64_t{3}) & with("alpha", 3.0) & with("beta", 1.0))[0];
  check_elements(three, {1, 3, 1}, {1.0 / 3, 1.0 / 4, 1.0 / 3}, precise);
  check_elements(run("LpNormalization", {Tensor{3.F, 4.F}})[0], {2}, {0.6, 0.8}, precise);
}

BOOST_AUTO_TEST_CASE(older_sets_mean_what_they_meant) {
  // Softmax over all axes from the second on, as if they were one.
  check_elements(run("Softmax", {zeros({1, 2, 2})}, nullptr, 12)[0], {1, 2, 2}, {0.25, 0.25, 0.25, 0.25}, precise);
  check_elements(run("Softmax", {zeros({1, 2, 2})}, nullptr, 13)[0], {1, 2, 2}, {0.5, 0.5, 0.5, 0.5}, precise);
  check_elements(run("Clip", {Tensor{-1.F, 5.F}}, with("min", 0.0), 10)[0], {2}, {0, 5});
  check_elements(run("Squeeze", {ones({1, 2, 1})}, with_axes({0}), 11)[0], {2, 1}, {1, 1});
  check_elements(run("Unsqueeze", {ones({2})}, with_axes({-1, 0}), 11)[0], {1, 2, 1}, {1, 1});
  check_elements(run("ReduceSum", {ones({2, 3})}, with_axes({1}), 11)[0], {2, 1}, {3, 3});
  check_elements(run("ReduceMax", {counting({2, 3}), integers({1})}, nullptr, 18)[0], {2, 1}, {2, 5});
  const Tensors parts = run("Split", {counting({3})}, with("split", std::vector<std::int64_t>{1, 2}), 11, 2);
  check_elements(parts[1], {2}, {1, 2});
  check_elements(run("TopK", {Tensor{1.F, 3.F, 2.F}}, with("k", std::int64_t{2}), 9)[0], {2}, {3, 2});
  const Tensors dropped = run("Dropout", {ones({2})}, nullptr, 7, 2);
  BOOST_TEST((dropped[1].dtype() == DType::float32));
  check_throws<ValueError>([&] { run("Clip", {ones({2})}, nullptr, 5); }, {"Clip", "too old"});
}

BOOST_AUTO_TEST_CASE(integers_keep_their_type) {
  check_elements(run("Pow", {Tensor{std::int32_t{-3}, 2, 0, 7}, integers({3, 10, 0, 1})})[0], {4}, {-27, 1024, 1, 7});
  BOOST_TEST((run("Pow", {Tensor(2), integers({3})})[0].dtype() == DType::int32));
  check_elements(run("ReduceMean", {Tensor{1, 2, 4}})[0], {1}, {2});
  BOOST_TEST((run("ReduceSum", {Tensor{1, 2, 4}})[0].dtype() == DType::int32));
  check_elements(run("MatMul", {Tensor{{1, 2}, {3, 4}}, Tensor{{1, 0}, {0, 2}}})[0], {2, 2}, {1, 4, 3, 8});
  check_elements(run("Mod", {Tensor{-7, 7}, Tensor{3, -3}})[0], {2}, {2, -2});
  check_elements(run("Mod", {Tensor{-7, 7}, Tensor{3, -3}}, with("fmod", std::int64_t{1}))[0], {2}, {-1, 1});
}

BOOST_AUTO_TEST_CASE(windows_and_pools) {
  check_elements(run("HannWindow", {Tensor(std::int64_t{4})})[0], {4}, {0, 0.5, 1, 0.5}, precise);
  check_elements(run("BlackmanWindow", {Tensor(std::int64_t{3})}, with("periodic", std::int64_t{0}))[0], {3}, {0, 1, 0},
                 precise);
  check_elements(run("GlobalAveragePool", {counting({1, 2, 2, 2})})[0], {1, 2, 1, 1}, {1.5, 5.5});
  check_elements(run("GlobalMaxPool", {counting({1, 2, 2, 2})})[0], {1, 2, 1, 1}, {3, 7});
  check_elements(run("GlobalLpPool", {Tensor{{{3.F, 4.F}}}})[0], {1, 1, 1}, {5}, precise);
}

BOOST_AUTO_TEST_CASE(gradients_and_steps_of_optimisers) {
  const testing::TemporaryFolder folder;
  SmallModel model;
  model.proto().add_opset_import()->set_version(1);
  model.proto().mutable_opset_import(1)->set_domain("ai.onnx.preview.training");
  model.input("a").input("b").output("da").output("db");
  model.node("Mul", {"a", "b"}, {"ab"});
  model.node("Mul", {"ab", "a"}, {"c"});
  onnx::proto::NodeProto& node = model.node("Gradient", {"a", "b"}, {"da", "db"});
  node.set_domain("ai.onnx.preview.training");
  set(node, "y", std::string("c"));
  onnx::proto::AttributeProto& xs = *node.add_attribute();
  xs.set_name("xs");
  xs.set_type(onnx::proto::AttributeProto::STRINGS);
  xs.add_strings("a");
  xs.add_strings("b");
  model.write(folder.folder / "model.onnx");
  const Tensors gradients = onnx::load(folder.folder / "model.onnx").run({Tensor(3.F), Tensor(5.F)});
  check_elements(gradients[0], {}, {30});  // of a²b: 2ab and a²
  check_elements(gradients[1], {}, {9});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
