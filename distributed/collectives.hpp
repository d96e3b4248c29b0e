#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "distributed/connection.hpp"

/// \file
/// What ranks do together, on memory. Every one is a round in which all tell all others what they do, together with the
/// elements where those are few; and more messages where they are many. Not installed.
///
/// All throw what Connection::meet throws, and write nothing then.

namespace xgrad::distributed::detail {

/// \p out = the sum of \p in over all ranks, in the order of sum_of_ranks. Of a large one each rank adds up a part, and gives
/// it to the others.
void all_reduce(Connection& connection, const Call& call, const std::byte* in, std::byte* out);

/// The same on rank call.root alone; zeros on the others.
void reduce(Connection& connection, const Call& call, const std::byte* in, std::byte* out);

/// The same, of which each rank gets the part of its number.
void reduce_scatter(Connection& connection, const Call& call, const std::byte* in, std::byte* out);

/// \p out = what all ranks have in \p in, one after the other.
void all_gather(Connection& connection, const Call& call, const std::byte* in, std::byte* out);

/// \p out = what rank call.root has in \p in.
void broadcast(Connection& connection, const Call& call, const std::byte* in, std::byte* out);

/// What all ranks say, in their order.
std::vector<std::string> exchange(Connection& connection, const std::string& own);

/// The same, for rank 0 alone; others get no texts.
std::vector<std::string> gather(Connection& connection, const std::string& own);

}  // namespace xgrad::distributed::detail
