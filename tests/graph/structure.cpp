#include <array>
#include <cstdint>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "autograd/graph/structure.hpp"
#include "tests/testing.hpp"

/// \file
/// Descriptions of graphs, and their hashes.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(graph_structure)

namespace {

Tensor network(const Tensor& x, const Tensor& w, double slope) {
  return sum(leaky_relu(matmul(x, w), slope), {1}) + 2.5;
}

/// A matrix as two of its parts.
struct Halves {
  static constexpr std::string_view name = "halves";
  Specs infer(Inputs in) const {
    const Spec half{{in[0].shape()[0] / 2}, in[0].dtype()};
    return {half, half};
  }
  void eval(ConstViews in, Views out) const {
    for (std::int64_t i = 0; i < in[0].size(); ++i) {
      out[i < out[0].size() ? 0 : 1].as<double>()[i % out[0].size()] = in[0].as<double>()[i];
    }
  }
};

/// Lists of lists, as an attribute.
struct Grouped {
  static constexpr std::string_view name = "grouped";
  static constexpr bool total = true;
  std::vector<std::vector<std::int64_t>> groups;
  static constexpr auto attributes = fields("groups", &Grouped::groups);

  Spec infer(Inputs) const { return {{static_cast<std::int64_t>(groups.size())}, DType::float64}; }
  void eval(ConstViews in, Views out) const {
    for (std::size_t i = 0; i < groups.size(); ++i) {
      out[0].as<double>()[i] = in[0].as<double>()[0] * static_cast<double>(groups[i].size());
    }
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(lists_within_lists_differ) {
  const Tensor x = {3.0};
  const Tensor one = apply_op(Grouped{{{1, 2}}}, {x});
  const Tensor two = apply_op(Grouped{{{1}, {2}}}, {x});
  BOOST_TEST(!same_operation(one.node().operation(), two.node().operation()));
  BOOST_TEST(one.node().operation().hash() != two.node().operation().hash());
  const auto f = compile([](const Tensor& a) {
    return std::pair(apply_op(Grouped{{{1, 2}}}, {a}) + 0, apply_op(Grouped{{{1}, {2}}}, {a}) + 0);
  });
  testing::check_elements(f(x).first, {1}, {6});
  testing::check_elements(f(x).second, {2}, {3, 3});
}

BOOST_AUTO_TEST_CASE(nodes_stand_in_order_and_leaves_are_found_once) {
  const Tensor x = {1.0, 2.0};
  const Tensor y = exp(x) * x;
  const Tensor z = y + x;
  const Description graph(std::array{z});
  BOOST_TEST(graph.nodes().size() == 3U);
  BOOST_TEST(graph.leaves().size() == 1U);
  BOOST_TEST((graph.leaves()[0].elements.buffer() == x.array().buffer()));
  BOOST_TEST(graph.value_of(z) == 2U);
  BOOST_TEST(graph.value_of(x) == Description::leaf_bit);
  BOOST_TEST(graph.value_of(Tensor{3.0}) == Description::none);
  BOOST_TEST((graph.reads(1)[0] == 0U && graph.reads(1)[1] == Description::leaf_bit));
}

BOOST_AUTO_TEST_CASE(given_tensors_are_leaves_whatever_is_behind_them) {
  const Tensor x = {1.0, 2.0, 3.0, 4.0};
  const Tensors halves = apply_op_all(Halves(), Inputs(&x, 1));
  const Tensor y = halves[0] + halves[1];
  const Description graph(std::array{y}, std::array{halves[1]});
  BOOST_TEST(graph.value_of(halves[1]) == Description::leaf_bit);
  BOOST_TEST(graph.value_of(halves[0]) == 0U);  // its node is computed for the other half
  BOOST_TEST(!static_cast<bool>(graph.leaves()[0].elements));
  BOOST_TEST(graph.leaves().size() == 2U);
}

BOOST_AUTO_TEST_CASE(what_is_known_when_it_is_described_stays_a_leaf) {
  const Tensor x = {1.0, 2.0};
  const Tensor y = exp(x);
  const Tensor z = y * 2;
  const Description before(std::array{z});
  y.array();
  const Description after(std::array{z});
  BOOST_TEST(before.nodes().size() == 2U);
  BOOST_TEST(after.nodes().size() == 1U);
}

// A hash that a file or another process has kept is of use as long as these numbers stay what they are.
BOOST_AUTO_TEST_CASE(hashes_are_the_same_in_every_process) {
  const Tensor x = testing::make_tensor({1, 2, 3, 4, 5, 6}, {2, 3}, DType::float32);
  const Tensor w = testing::make_tensor({1, 0, 0, 1, 1, 1}, {3, 2}, DType::float32);
  const Tensor y = network(x, w, 0.125);
  BOOST_TEST(structure_hash(std::array{y}, std::array{x, w}) == 11175933758753465683U);
  BOOST_TEST(reshape(x, {6}).node().operation().hash() == 13825042162336526529U);
}

BOOST_AUTO_TEST_CASE(hashes_tell_structures_apart) {
  const Tensor x = ones({2, 3});
  const Tensor w = ones({3, 2});
  const auto hash = [&](const Tensor& y) { return structure_hash(std::array{y}, std::array{x, w}); };
  const std::uint64_t reference = hash(network(x, w, 0.125));
  BOOST_TEST(hash(network(x, w, 0.125)) == reference);
  BOOST_TEST(hash(network(x, w, 0.25)) != reference);
  BOOST_TEST(hash(network(x * 1, w, 0.125)) != reference);
  BOOST_TEST(structure_hash(std::array{network(x, w, 0.125)}, std::array{w, x}) != reference);
  BOOST_TEST(hash(network(x, w, 0.125) + Tensor(1.0F)) != hash(network(x, w, 0.125) + Tensor(2.0F)));
  BOOST_TEST(hash(full({2}, 0.0)) != hash(full({2}, -0.0)));
}

BOOST_AUTO_TEST_CASE(only_wanted_outputs_are_kept) {
  const Tensor x = {1.0, 2.0, 3.0, 4.0};
  Tensor second;
  {
    const Tensors halves = apply_op_all(Halves(), Inputs(&x, 1));
    second = halves[1];
  }
  testing::check_elements(second, {2}, {3, 4});
  BOOST_TEST(second.node().has_value(1));
  BOOST_TEST(!second.node().has_value(0));
  testing::check_elements(second.node().output(0), {2}, {1, 2});  // computed again
  BOOST_TEST(second.node().has_value(0));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
