#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>

#include "autograd/graph/spec.hpp"

/// \file
/// What a rank says to the others before anything else, so that all of them know that they do the same. Not installed.

namespace xgrad::distributed::detail {

/// What ranks do together.
enum class Kind : std::uint8_t {
  all_reduce,
  reduce,
  reduce_scatter,
  all_gather,
  broadcast,
  barrier,
  exchange,
  gather,
  end
};

/// What one rank is about to do. It goes to the others as it is: all of them run one program on machines of one kind.
struct Call {
  static constexpr std::size_t most_sizes = 8;

  Kind kind = Kind::barrier;
  DType dtype = DType::uint8;
  std::uint16_t axes = 0;
  std::int32_t root = 0;                         ///< where there is one
  std::uint64_t number = 0;                      ///< how many collectives came before
  std::int64_t count = 0;                        ///< of elements that this rank gives
  std::int64_t text_bytes = 0;                   ///< of exchange and gather, where ranks may differ
  std::array<std::int64_t, most_sizes> sizes{};  ///< of the axes; what does not fit is in the count alone

  Call() = default;
  explicit Call(Kind of) : kind(of) {}
  Call(Kind of, const Spec& spec, std::int64_t from = 0);

  std::size_t element_bytes() const { return size_of(dtype); }
  std::size_t bytes() const { return static_cast<std::size_t>(count) * element_bytes(); }
  /// Whether both ranks do the same, up to what may differ.
  bool fits(const Call& other) const;
};
static_assert(std::is_trivially_copyable_v<Call>);

/// `all_reduce`.
std::string name_of(Kind kind);
/// `all_reduce of float32(10,)`.
std::string to_string(const Call& call);
/// `ranks 0 and 2: all_reduce of float32(10,); rank 1: barrier`, when \p calls are those of all ranks.
std::string list_calls(std::span<const Call> calls);

}  // namespace xgrad::distributed::detail
