#pragma once

#include <cstdint>

#include "autograd/graph/tensor.hpp"
#include "distributed/world.hpp"
#include "tests/testing.hpp"

/// \file
/// The ranks that run the tests together. Each test case runs on all of them.

namespace xgrad::testing {

/// Of all test cases.
const distributed::World& world();

/// Random numbers that differ from rank to rank, and that every rank knows of all others.
Tensor of_rank(std::int64_t rank, const Shape& shape, unsigned seed = 1);

/// of_rank of all ranks.
Tensors of_all_ranks(const Shape& shape, unsigned seed = 1);

/// The sum in the order that is promised: neighbours, pairs of neighbours, and so on.
Tensor tree_sum(Tensors terms);

}  // namespace xgrad::testing
