#include "autograd/plan/schedule/packing.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <queue>
#include <set>
#include <utility>

namespace xgrad::plan {

namespace {

/// Up to this many requests are compared with each other.
constexpr std::size_t most_compared = 2000;

std::size_t pack_apart(std::vector<Request>& requests) {
  std::size_t total = 0;
  for (Request& request : requests) {
    request.offset = std::exchange(total, total + request.bytes);
  }
  return total;
}

// The largest first, each at the lowest place that is free.
std::size_t pack_by_size(std::vector<Request>& requests) {
  std::stable_sort(requests.begin(), requests.end(),
                   [](const Request& a, const Request& b) { return a.bytes > b.bytes; });
  const auto lower = [](const Request& a, const Request& b) { return a.offset < b.offset; };
  std::size_t total = 0;
  std::vector<Request> placed;  // by offset
  for (Request& request : requests) {
    for (const Request& other : placed) {
      if (request.last < other.first || other.last < request.first) {
        continue;
      }
      if (request.offset + request.bytes <= other.offset) {
        break;
      }
      request.offset = std::max(request.offset, other.offset + other.bytes);
    }
    placed.insert(std::upper_bound(placed.begin(), placed.end(), request, lower), request);
    total = std::max(total, request.offset + request.bytes);
  }
  return total;
}

/// Memory of which some is free.
class Holes {
 public:
  /// From the smallest hole that is large enough; else at the end, which moves.
  std::size_t take(std::size_t bytes) {
    const auto found = by_size_.lower_bound({bytes, 0});
    if (found == by_size_.end()) {
      return take_at_end(bytes);
    }
    const auto [size, offset] = *found;
    remove(offset, size);
    if (size > bytes) {
      add(offset + bytes, size - bytes);
    }
    return offset;
  }

  void give_back(std::size_t offset, std::size_t bytes) {
    const auto next = by_offset_.lower_bound(offset);
    if (next != by_offset_.begin()) {
      if (const auto [before, size] = *std::prev(next); before + size == offset) {
        remove(before, size);
        offset = before;
        bytes += size;
      }
    }
    if (next != by_offset_.end() && next->first == offset + bytes) {
      const auto [after, size] = *next;
      remove(after, size);
      bytes += size;
    }
    add(offset, bytes);
  }

  std::size_t end() const { return end_; }

 private:
  std::size_t take_at_end(std::size_t bytes) {
    std::size_t offset = end_;
    if (!by_offset_.empty()) {
      if (const auto [last, size] = *by_offset_.rbegin(); last + size == end_) {
        remove(last, size);
        offset = last;
      }
    }
    end_ = offset + bytes;
    return offset;
  }
  void add(std::size_t offset, std::size_t size) {
    by_offset_.emplace(offset, size);
    by_size_.emplace(size, offset);
  }
  void remove(std::size_t offset, std::size_t size) {
    by_offset_.erase(offset);
    by_size_.erase({size, offset});
  }

  std::map<std::size_t, std::size_t> by_offset_;
  std::set<std::pair<std::size_t, std::size_t>> by_size_;
  std::size_t end_ = 0;
};

// The earliest first, each where others have ended: a little looser, but n log n.
std::size_t pack_by_time(std::vector<Request>& requests) {
  std::stable_sort(requests.begin(), requests.end(), [](const Request& a, const Request& b) {
    return a.first != b.first ? a.first < b.first : a.bytes > b.bytes;
  });
  const auto later = [](const Request* a, const Request* b) { return a->last > b->last; };
  std::priority_queue<const Request*, std::vector<const Request*>, decltype(later)> alive(later);
  Holes holes;
  for (Request& request : requests) {
    while (!alive.empty() && alive.top()->last < request.first) {
      holes.give_back(alive.top()->offset, alive.top()->bytes);
      alive.pop();
    }
    if (request.bytes > 0) {
      request.offset = holes.take(request.bytes);
      alive.push(&request);
    }
  }
  return holes.end();
}

}  // namespace

std::size_t pack(std::vector<Request>& requests, bool reuse) {
  if (!reuse) {
    return pack_apart(requests);
  }
  return requests.size() <= most_compared ? pack_by_size(requests) : pack_by_time(requests);
}

}  // namespace xgrad::plan
