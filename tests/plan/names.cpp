#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "tests/testing.hpp"

/// \file
/// Operations of users' own that happen to have the name of one of the library's: plans go by the type.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(plan_names)

namespace {

using testing::check_elements;

struct Name {
  static constexpr std::string_view cast = "cast";
  static constexpr std::string_view broadcast_to = "broadcast_to";
  static constexpr std::string_view alias = "alias";
  static constexpr std::string_view barrier = "barrier";
  static constexpr std::string_view placeholder = "placeholder";
  static constexpr std::string_view compiled = "compiled";
};

/// -x.
template <const std::string_view& op_name>
struct Negated {
  static constexpr std::string_view name = op_name;
  Spec infer(Inputs in) const { return {in[0].shape(), in[0].dtype()}; }
  void eval(ConstViews in, Views out) const {
    for (std::int64_t i = 0; i < out[0].size(); ++i) {
      out[0].as<double>()[i] = -in[0].as<double>()[i];
    }
  }
};

/// The largest of each column.
struct Sum {
  static constexpr std::string_view name = "sum";
  std::string axes = "(0,)";
  static constexpr auto attributes = fields("axes", &Sum::axes);
  Spec infer(Inputs in) const { return {{in[0].shape(1)}, in[0].dtype()}; }
  void eval(ConstViews in, Views out) const {
    const std::int64_t columns = out[0].size();
    for (std::int64_t j = 0; j < columns; ++j) {
      out[0].as<double>()[j] = std::max(in[0].as<double>()[j], in[0].as<double>()[columns + j]);
    }
  }
};

/// Two tensors from nothing.
struct RandomPair {
  static constexpr std::string_view name = "random_pair";
  Specs infer(Inputs) const { return {{{2}, DType::float64}, {{3}, DType::float64}}; }
  void eval(ConstViews, Views out) const {
    for (const View& each : out) {
      for (std::int64_t i = 0; i < each.size(); ++i) {
        each.as<double>()[i] = static_cast<double>(i);
      }
    }
  }
};

template <const std::string_view& op_name>
void check_negated() {
  BOOST_TEST_CONTEXT(op_name) {
    const auto f = compile([](const Tensor& x) { return 2 * apply_op(Negated<op_name>(), {x}); });
    check_elements(f(Tensor{1.1, 2.2, 3.3}), {3}, {-2.2, -4.4, -6.6}, 1e-15);
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(maps_read_what_own_operations_compute) {
  check_negated<Name::cast>();
  check_negated<Name::broadcast_to>();
  check_negated<Name::alias>();
  check_negated<Name::barrier>();
  check_negated<Name::placeholder>();
  check_negated<Name::compiled>();
}

BOOST_AUTO_TEST_CASE(own_operations_may_be_captured) {
  const Tensor captured = apply_op(Negated<Name::alias>(), {Tensor{1.0, 2.0}});
  const auto f = compile([&](const Tensor& x) { return x + captured; });
  check_elements(f(Tensor{10.0, 10.0}), {2}, {9, 8});
}

BOOST_AUTO_TEST_CASE(a_sum_of_ones_own_is_not_the_sum) {
  const Tensor x{{1.0, 5.0}, {4.0, 2.0}};
  const auto f = compile([](const Tensor& t) { return 2 * apply_op(Sum(), {t}); });
  check_elements(f(x), {2}, {8, 10});
}

BOOST_AUTO_TEST_CASE(own_operations_without_inputs_in_graphs_that_are_planned) {
  const Tensors pair = apply_op_all(RandomPair(), Inputs());
  Tensor x = pair[0];
  for (int i = 0; i < 20; ++i) {
    x = x + 1;
  }
  check_elements(x, {2}, {20, 21});
  check_elements(pair[1], {3}, {0, 1, 2});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
