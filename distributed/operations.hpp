#pragma once

#include <cstdint>

#include "autograd/graph/tensor.hpp"

/// \file
/// Collectives as operations of the graph. They happen in program order, on the thread that made the World, and their
/// derivatives are such operations again. What is differentiated is the sum over ranks of what each returns. Not installed.

namespace xgrad::distributed::detail {

/// What World's functions of these names give, on \p ranks ranks.
/// \throws DTypeError, ShapeError, ValueError what they throw.
Tensor all_reduce(const Tensor& x, std::int64_t ranks);
Tensor reduce_scatter(const Tensor& x, std::int64_t ranks);
Tensor all_gather(const Tensor& x, std::int64_t ranks);
Tensor broadcast(const Tensor& x, std::int64_t root, std::int64_t ranks);

}  // namespace xgrad::distributed::detail
