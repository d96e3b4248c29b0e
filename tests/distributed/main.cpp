#include <cstdio>
#include <memory>

#include <boost/test/unit_test.hpp>

#include "autograd/ops/ops.hpp"
#include "tests/distributed/world_of_tests.hpp"

namespace xgrad::testing {

namespace {

std::unique_ptr<distributed::World> world_of_all_tests;

}  // namespace

const distributed::World& world() { return *world_of_all_tests; }

Tensor of_rank(std::int64_t rank, const Shape& shape, unsigned seed) {
  return random_tensor(shape, -2, 2, 100 * seed + static_cast<unsigned>(rank));
}

Tensors of_all_ranks(const Shape& shape, unsigned seed) {
  Tensors all;
  for (std::int64_t rank = 0; rank < world().size(); ++rank) {
    all.push_back(of_rank(rank, shape, seed));
  }
  return all;
}

Tensor tree_sum(Tensors terms) {
  while (terms.size() > 1) {
    Tensors next;
    for (std::size_t i = 0; i + 1 < terms.size(); i += 2) {
      next.push_back(terms[i] + terms[i + 1]);
    }
    if (terms.size() % 2 == 1) {
      next.push_back(terms.back());
    }
    terms = next;
  }
  return terms[0];
}

}  // namespace xgrad::testing

int main(int argc, char* argv[]) {
  using xgrad::testing::world_of_all_tests;
  xgrad::distributed::WorldOptions options{.timeout = std::chrono::seconds(30)};
  world_of_all_tests = std::make_unique<xgrad::distributed::World>(argc, argv, options);
  const int code = boost::unit_test::unit_test_main([] { return true; }, argc, argv);
  world_of_all_tests.reset();
  return code;
}
