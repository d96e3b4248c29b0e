#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "nn/rank_talk.hpp"

/// \file
/// Internal: what ranks compare.

namespace xgrad::nn::detail {

/// Values by names, so that it can be said what differs.
using Facts = std::map<std::string, std::string>;

/// What stands for the elements of \p array.
std::string hash_text_of(const Array& array);

/// As one message to other ranks.
std::string packed(const Facts& facts);
/// What packed() has made of them. \throws Error for bytes that are no such message.
Facts unpacked_facts(const std::string& bytes);

/// Lines for what differs from the first of \p all, the facts of ranks: `NAME on rank 1: A, on rank 0: B`. Empty where
/// nothing does.
std::string differences_of_ranks(const std::vector<Facts>& all);

/// Compares the facts of all ranks, at \p what. \throws ValueError as from \p op, on all ranks: \p advice, and what differs.
void require_equal_facts(RankTalk& talk, std::string_view op, const std::string& what, const Facts& own,
                         const std::string& advice);

}  // namespace xgrad::nn::detail
