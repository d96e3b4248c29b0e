#pragma once

#include <cstdint>
#include <string>

/// \file
/// What is done with the attributes of any operation. Not installed.

namespace xgrad {

class AnyOperation;

namespace detail {

/// The key and all attributes, as one number that is the same in every process. Opaque attributes count as far as they can
/// be printed.
std::uint64_t hash_of_attributes(const AnyOperation& operation);

/// Whether all attributes can be compared.
bool is_comparable(const AnyOperation& operation);

/// Whether two operations of one type have equal attributes. Numbers are equal when their bits are: -0 is not 0.
bool same_attributes(const AnyOperation& a, const AnyOperation& b);

}  // namespace detail

}  // namespace xgrad
