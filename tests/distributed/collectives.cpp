#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "tests/distributed/world_of_tests.hpp"

/// \file
/// What collectives give, for few elements, which go with the first message, and for many, which go in parts.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(distributed_collectives)

namespace {

using testing::elements;
using testing::of_all_ranks;
using testing::of_rank;
using testing::tree_sum;
using testing::world;

// The bits of both, not just about their values.
void check_same(const Tensor& found, const Tensor& expected) {
  BOOST_TEST(found.dtype() == expected.dtype());
  BOOST_REQUIRE(found.shape() == expected.shape());
  BOOST_TEST((elements(found) == elements(expected)));
}

// Elements from none to several messages for each rank, and numbers that no number of ranks divides.
const std::vector<std::int64_t> sizes = {0, 1, 7, 1000, 4096, 4097, 16'411, 70'000, 600'011};

Tensors as(const Tensors& tensors, DType dtype) {
  Tensors all;
  for (const Tensor& tensor : tensors) {
    all.push_back(is_integer(dtype) ? cast(1e6 * tensor, dtype) : cast(tensor, dtype));
  }
  return all;
}

const std::vector<DType> summed = {DType::float32, DType::float64, DType::int32, DType::int64};

std::size_t own() { return static_cast<std::size_t>(world().rank()); }

}  // namespace

BOOST_AUTO_TEST_CASE(a_rank_is_one_of_size) {
  BOOST_TEST(world().rank() >= 0);
  BOOST_TEST(world().rank() < world().size());
  BOOST_TEST(world().is_root() == (world().rank() == 0));
  const std::shared_ptr<const nn::Ranks> ranks = world();
  BOOST_TEST(ranks->size() == world().size());
  BOOST_TEST(ranks->rank() == world().rank());
}

BOOST_AUTO_TEST_CASE(all_reduce_adds_in_a_tree) {
  for (const DType dtype : summed) {
    for (const std::int64_t size : sizes) {
      const Tensors all = as(of_all_ranks({size}), dtype);
      check_same(world().all_reduce(all[own()]), tree_sum(all));
    }
  }
  const Tensors matrices = of_all_ranks({3, 5});
  check_same(world().all_reduce(matrices[own()]), tree_sum(matrices));
  check_same(world().all_reduce(static_cast<float>(world().rank()) + 1.5F),
             Tensor(static_cast<float>(world().size()) * static_cast<float>(world().size() + 2) / 2));
}

BOOST_AUTO_TEST_CASE(reduce_scatter_gives_each_its_rows) {
  for (const DType dtype : summed) {
    for (const std::int64_t size : sizes) {
      const Tensors all = as(of_all_ranks({size * world().size()}), dtype);
      const std::int64_t begin = size * world().rank();
      check_same(world().reduce_scatter(all[own()]), tree_sum(all)[range(begin, begin + size)]);
    }
  }
  const Tensors all = of_all_ranks({2 * world().size(), 3});
  check_same(world().reduce_scatter(all[own()]), tree_sum(all)[range(2 * world().rank(), 2 * world().rank() + 2)]);
}

BOOST_AUTO_TEST_CASE(all_gather_stands_in_the_order_of_ranks) {
  for (const DType dtype : testing::every_dtype) {
    for (const std::int64_t size : sizes) {
      Tensors all;
      for (const Tensor& tensor : of_all_ranks({size})) {
        all.push_back(dtype == DType::boolean ? tensor > 0
                                              : cast(dtype == DType::uint8 ? 50 * abs(tensor) : 100 * tensor, dtype));
      }
      check_same(world().all_gather(all[own()]), concatenate(all));
    }
  }
  const Tensors all = of_all_ranks({2, 3});
  check_same(world().all_gather(all[own()]), concatenate(all));
}

BOOST_AUTO_TEST_CASE(broadcast_gives_what_the_root_has) {
  for (std::int64_t root = 0; root < world().size(); ++root) {
    for (const std::int64_t size : sizes) {
      check_same(world().broadcast(of_rank(world().rank(), {size}), root), of_rank(root, {size}));
    }
    check_same(world().broadcast(Tensor(world().rank() == root), root), Tensor(true));
  }
}

BOOST_AUTO_TEST_CASE(texts_of_any_bytes_and_lengths) {
  const auto text_of = [](std::int64_t rank, std::size_t length) {
    std::string text;
    for (std::size_t i = 0; i < length; ++i) {
      text += static_cast<char>(i * 7 + static_cast<std::size_t>(rank));
    }
    return text;
  };
  for (const std::size_t length : {std::size_t{0}, std::size_t{10}, std::size_t{16'384}, std::size_t{200'000}}) {
    const auto length_of = [&](std::int64_t rank) { return length * static_cast<std::size_t>(rank + 1); };
    const std::vector<std::string> all = world().exchange(text_of(world().rank(), length_of(world().rank())));
    BOOST_REQUIRE(all.size() == static_cast<std::size_t>(world().size()));
    for (std::int64_t rank = 0; rank < world().size(); ++rank) {
      BOOST_TEST((all[static_cast<std::size_t>(rank)] == text_of(rank, length_of(rank))));
    }
    const std::shared_ptr<const nn::Ranks> ranks = world();
    const std::vector<std::string> gathered = ranks->gather(text_of(world().rank(), length_of(world().rank())));
    BOOST_TEST((gathered == (world().is_root() ? all : std::vector<std::string>())));
  }
  world().barrier();
}

BOOST_AUTO_TEST_CASE(numbers_that_are_not_finite_arrive) {
  const double infinity = std::numeric_limits<double>::infinity();
  const Tensor x = world().rank() == 0 ? Tensor{infinity, std::nan(""), -0.0} : Tensor{1.0, 1.0, -0.0};
  const std::vector<double> sum = elements(world().all_reduce(x));
  BOOST_TEST(sum[0] == infinity);
  BOOST_TEST(std::isnan(sum[1]));
  BOOST_TEST(std::signbit(sum[2]));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
