#include "distributed/call.hpp"

#include <algorithm>
#include <vector>

#include "autograd/runtime/phrase.hpp"

namespace xgrad::distributed::detail {

Call::Call(Kind of, const Spec& spec, std::int64_t from)
    : kind(of),
      dtype(spec.dtype),
      axes(static_cast<std::uint16_t>(spec.shape.ndim())),
      root(static_cast<std::int32_t>(from)),
      count(spec.shape.element_count()) {
  for (std::size_t i = 0; i < std::min(spec.shape.ndim(), most_sizes); ++i) {
    sizes[i] = spec.shape[i];
  }
}

bool Call::fits(const Call& other) const {
  return kind == other.kind && dtype == other.dtype && axes == other.axes && root == other.root &&
         number == other.number && count == other.count && sizes == other.sizes;
}

std::string name_of(Kind kind) {
  switch (kind) {
    case Kind::all_reduce: return "all_reduce";
    case Kind::reduce: return "reduce";
    case Kind::reduce_scatter: return "reduce_scatter";
    case Kind::all_gather: return "all_gather";
    case Kind::broadcast: return "broadcast";
    case Kind::barrier: return "barrier";
    case Kind::exchange: return "exchange";
    case Kind::gather: return "gather";
    case Kind::end: break;
  }
  return "the end of its World";
}

std::string to_string(const Call& call) {
  if (call.kind >= Kind::barrier) {
    return name_of(call.kind);
  }
  Shape shape;
  for (std::size_t i = 0; i < std::min<std::size_t>(call.axes, Call::most_sizes); ++i) {
    shape.push_back(call.sizes[i]);
  }
  const bool has_root = call.kind == Kind::broadcast || call.kind == Kind::reduce;
  return phrase("{} of {}{}", name_of(call.kind), xgrad::to_string(Spec{shape, call.dtype}),
                has_root ? phrase(" {} rank {}", call.kind == Kind::broadcast ? "from" : "to", call.root) : "");
}

std::string list_calls(std::span<const Call> calls) {
  std::string text;
  std::vector<bool> listed(calls.size());
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (listed[i]) {
      continue;
    }
    std::vector<std::size_t> ranks;
    for (std::size_t k = i; k < calls.size(); ++k) {
      if (calls[k].fits(calls[i])) {
        listed[k] = true;
        ranks.push_back(k);
      }
    }
    text += phrase("{}{}", text.empty() ? "" : "; ", ranks.size() == 1 ? "rank" : "ranks");
    for (std::size_t k = 0; k < ranks.size(); ++k) {
      text += phrase("{} {}", k == 0 ? "" : k + 1 == ranks.size() ? " and" : ",", ranks[k]);
    }
    text += phrase(": {} (collective {})", to_string(calls[i]), calls[i].number + 1);
  }
  return text;
}

}  // namespace xgrad::distributed::detail
