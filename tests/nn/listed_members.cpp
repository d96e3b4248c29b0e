#include <array>
#include <boost/test/unit_test.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nn/nn.hpp"

/// \file
/// Which layers' tables name all that holds variables. What the compiler says of the others: tests/check_refusals.py.

using namespace xgrad;

BOOST_AUTO_TEST_SUITE(listed_members)

/// Has the call operator of a layer.
struct Same {
  Tensor operator()(const Operand& x) const { return x.tensor(); }
};

struct Block : nn::Layer<Block>, Same {
  nn::Dense inner{4, 6}, outer{6, 4};
  static constexpr auto members = fields("inner", &Block::inner, "outer", &Block::outer);
  using Same::operator();
};

/// Everything that can be in a table, some of it without a default.
struct Everything : nn::Layer<Everything>, Same {
  Variable variable;
  nn::Statistic statistic{Tensor(1.0)};
  std::optional<Variable> optional;
  std::vector<nn::Dense> layers;
  nn::Module module{nn::ReLU()};
  nn::Sequential sequential;
  nn::Dense dense;
  std::optional<nn::Dense> optional_dense;
  Block block;
  static constexpr auto members =
      fields("variable", &Everything::variable, "statistic", &Everything::statistic, "optional", &Everything::optional,
             "layers", &Everything::layers, "module", &Everything::module, "sequential", &Everything::sequential,
             "dense", &Everything::dense, "optional_dense", &Everything::optional_dense, "block", &Everything::block);
  using Same::operator();
};

/// The same without its last member in the table.
struct AllButOne : nn::Layer<AllButOne>, Same {
  Variable variable;
  nn::Statistic statistic{Tensor(1.0)};
  nn::Dense dense;
  Block block;
  static constexpr auto members =
      fields("variable", &AllButOne::variable, "statistic", &AllButOne::statistic, "dense", &AllButOne::dense);
  using Same::operator();
};

/// What holds no variables needs no place in the table.
struct Plain : nn::Layer<Plain>, Same {
  nn::Dense dense{2, 2};
  nn::Dropout first{0.1}, second;
  nn::ReLU relu;
  double rate = 0.5;
  std::string name;
  std::vector<double> numbers;
  std::array<int, 3> array{};
  std::optional<int> optional;
  std::function<Tensor(const Tensor&)> function;
  Tensor tensor;
  random::Key key{0};
  const nn::Dense* elsewhere = nullptr;
  static constexpr auto members = fields("dense", &Plain::dense);
  using Same::operator();
};

struct Numbers : Same {
  double factor = 2;
  using Same::operator();
};

BOOST_AUTO_TEST_CASE(tables_that_name_all_are_accepted) {
  using nn::detail::lists_members;
  static_assert(lists_members<Block>() && lists_members<Everything>() && lists_members<Plain>());
  static_assert(lists_members<Same>() && lists_members<Numbers>());
  static_assert(lists_members<nn::Dense>() && lists_members<nn::BatchNorm>() && lists_members<nn::Sequential>() &&
                lists_members<nn::Residual>() && lists_members<nn::Dropout>() && lists_members<nn::ReLU>());
  const auto captures = [w = Variable(Tensor(1.0))](const Tensor& x) { return x * w; };
  static_assert(lists_members<decltype(captures)>());
  BOOST_TEST(Plain().parameters().size() == 2U);
}

template <class Member>
struct Without : nn::Layer<Without<Member>>, Same {
  double before = 1;
  Member member;
  double behind = 2;
  using Same::operator();
};

struct Pair {
  int number = 0;
  nn::Dense dense{1, 1};
};

struct OfArray : nn::Layer<OfArray>, Same {
  nn::Dense layers[2] = {{4, 4}, {4, 4}};
  using Same::operator();
};

struct Constructed : nn::Layer<Constructed>, Same {
  Constructed() : dense(2, 2) {}
  nn::Dense dense;
  using Same::operator();
};

struct NoBase : Same {
  nn::Dense dense{2, 2};
  using Same::operator();
};

BOOST_AUTO_TEST_CASE(tables_that_lack_a_member_are_refused) {
  using nn::detail::lists_members;
  static_assert(!lists_members<AllButOne>());
  static_assert(!lists_members<NoBase>());
  static_assert(!lists_members<Without<Variable>>() && !lists_members<Without<nn::Statistic>>());
  static_assert(!lists_members<Without<nn::Dense>>() && !lists_members<Without<Block>>());
  static_assert(!lists_members<Without<nn::Module>>() && !lists_members<Without<nn::Sequential>>());
  static_assert(!lists_members<Without<std::optional<Variable>>>());
  static_assert(!lists_members<Without<std::vector<nn::Dense>>>());
  static_assert(!lists_members<Without<std::array<nn::Dense, 2>>>());
  static_assert(!lists_members<Without<std::unique_ptr<nn::Dense>>>());
  static_assert(!lists_members<Without<std::map<std::string, nn::Module>>>());
  static_assert(!lists_members<Without<Pair>>());
  static_assert(!lists_members<OfArray>());
  static_assert(!lists_members<Constructed>());
  static_assert(lists_members<Without<double>>() && lists_members<Without<nn::ReLU>>() &&
                lists_members<Without<nn::Dropout>>());
  BOOST_TEST(Plain().named_parameters().front().name == "dense.weight");
}

BOOST_AUTO_TEST_SUITE_END()
