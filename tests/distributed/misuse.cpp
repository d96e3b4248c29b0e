#include <string>
#include <thread>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "tests/distributed/world_of_tests.hpp"

/// \file
/// Mistakes are found on every rank, and the ranks go on together.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(distributed_misuse)

namespace {

using testing::check_throws;
using testing::world;

// That the ranks are still together.
void check_all_is_well() { BOOST_TEST(world().all_reduce(Tensor(1)).item() == static_cast<double>(world().size())); }

bool alone() { return world().size() == 1; }

}  // namespace

BOOST_AUTO_TEST_CASE(shapes_and_dtypes_that_no_rank_may_give) {
  const Tensor flags = Tensor{1.0, 2.0} > 1.5;
  check_throws<DTypeError>([&] { world().all_reduce(flags); }, {"[all_reduce]", "boolean", "cast", "misuse.cpp"});
  check_throws<DTypeError>([&] { world().reduce_scatter(cast(zeros({4 * world().size()}), DType::uint8)); },
                           {"[reduce_scatter]", "uint8"});
  check_throws<ShapeError>([&] { world().all_gather(1.5); }, {"[all_gather]", "shape ()"});
  check_throws<ShapeError>([&] { world().reduce_scatter(1.5); }, {"[reduce_scatter]", "shape ()"});
  check_throws<ValueError>([&] { world().broadcast(Tensor(1.0), world().size()); },
                           {"[broadcast]", "there is no rank " + std::to_string(world().size())});
  check_throws<ValueError>([&] { world().broadcast(Tensor(1.0), -1); }, {"[broadcast]", "there is no rank -1"});
  if (!alone()) {
    check_throws<ShapeError>([&] { world().reduce_scatter(ones({world().size() + 1})); },
                             {"[reduce_scatter]", "rows cannot be divided among"});
  }
  check_all_is_well();
}

BOOST_AUTO_TEST_CASE(counts_that_differ) {
  if (alone()) {
    return;
  }
  for (const std::int64_t size : {10, 100'000}) {
    const Tensor x = ones({size + (world().rank() == 1 ? 1 : 0)});
    const std::string one = "rank 1: all_reduce of float32(" + std::to_string(size + 1) + ",)";
    const std::string others = "all_reduce of float32(" + std::to_string(size) + ",)";
    check_throws<ValueError>([&] { world().all_reduce(x); }, {"[all_reduce]", one, others, "misuse.cpp"});
    check_throws<ValueError>([&] { world().all_gather(x); }, {"[all_gather]"});
    check_all_is_well();
  }
}

BOOST_AUTO_TEST_CASE(shapes_dtypes_kinds_and_roots_that_differ) {
  if (alone()) {
    return;
  }
  const bool last = world().rank() + 1 == world().size();
  const std::string which = "rank " + std::to_string(world().size() - 1);
  check_throws<ValueError>(
      [&] {
        world().all_reduce(ones(last ? Shape{2, 3} : Shape{3, 2}));
      },
      {which + ": all_reduce of float32(2, 3)", "float32(3, 2)"});
  check_throws<ValueError>([&] { world().all_reduce(ones({3}, last ? DType::float64 : DType::float32)); },
                           {which + ": all_reduce of float64(3,)"});
  check_throws<ValueError>([&] { last ? world().all_gather(ones({3})) : world().all_reduce(ones({3})); },
                           {which + ": all_gather of float32(3,)"});
  check_throws<ValueError>([&] { world().broadcast(ones({3}), last ? 1 : 0); },
                           {"broadcast of float32(3,) from rank 0", "broadcast of float32(3,) from rank 1"});
  check_throws<ValueError>([&] { last ? world().barrier() : static_cast<void>(world().exchange("text")); },
                           {which + ": barrier", "exchange"});
  check_all_is_well();
}

BOOST_AUTO_TEST_CASE(plans_that_differ) {
  if (alone()) {
    return;
  }
  const Variable w(Tensor(1.0), "w");
  const auto f = compile([&](const Tensor& x) {
    const Tensor y = world().rank() == 0 ? world().all_reduce(x) : world().all_gather(x);
    w.assign(w + sum(y));
    return y;
  });
  check_throws<ValueError>(
      [&] {
        f(Tensor{1.0, 2.0});
      },
      {"rank 0: all_reduce of float64(2,)", "all_gather of float64(2,)", "misuse.cpp"});
  BOOST_TEST(w.item() == 1.0);
  check_all_is_well();
}

BOOST_AUTO_TEST_CASE(another_thread) {
  if (alone()) {
    return;
  }
  std::string message;
  std::thread thread([&] {
    try {
      world().all_reduce(ones({3}));
    } catch (const ValueError& error) {
      message = error.what();
    }
  });
  thread.join();
  BOOST_TEST(message.find("[all_reduce] it runs on another thread") != std::string::npos, message);
  check_all_is_well();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
