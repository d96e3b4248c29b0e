#include "distributed/collectives.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "distributed/rank_sum.hpp"

namespace xgrad::distributed::detail {

namespace {

using Bytes = std::span<const std::byte>;

// A message: long enough that its cost does not count, short enough to be in the cache when it is added.
constexpr std::size_t part_bytes = 524288;

/// Bytes from `begin` to `end`.
struct Stretch {
  std::size_t begin = 0;
  std::size_t end = 0;

  std::size_t size() const { return end - begin; }
  // Message number `i` of those that it goes in.
  Stretch part(std::size_t i) const {
    return {std::min(begin + i * part_bytes, end), std::min(begin + (i + 1) * part_bytes, end)};
  }
};

std::size_t parts_of(std::size_t bytes) { return (bytes + part_bytes - 1) / part_bytes; }

/// Where memory is divided among ranks, as equally as whole cache lines, or other units, allow.
class Division {
 public:
  Division(std::size_t bytes, int ranks, std::size_t unit = 64)
      : bytes_(bytes), ranks_(static_cast<std::size_t>(ranks)), unit_(unit) {}
  Stretch of(int rank) const {
    const auto r = static_cast<std::size_t>(rank);
    return {boundary(r), boundary(r + 1)};
  }
  // Messages of the last stretch. No other one takes more: a message is of whole units.
  std::size_t parts() const { return parts_of(bytes_ - boundary(ranks_ - 1)); }

 private:
  std::size_t boundary(std::size_t i) const { return i == ranks_ ? bytes_ : bytes_ / ranks_ * i / unit_ * unit_; }

  std::size_t bytes_;
  std::size_t ranks_;
  std::size_t unit_;
};

/// Calls f for all ranks but this one; each rank begins with its neighbour, so that not all turn to the same.
template <class F>
void for_others(const Connection& connection, F&& f) {
  for (int i = 1; i < connection.size(); ++i) {
    f((connection.rank() + i) % connection.size());
  }
}

void send(Messages& messages, int rank, Tag tag, const std::byte* memory, Stretch stretch) {
  messages.send(rank, tag, memory + stretch.begin, stretch.size());
}
void receive(Messages& messages, int rank, Tag tag, std::byte* memory, Stretch stretch) {
  messages.receive(rank, tag, memory + stretch.begin, stretch.size());
}

void copy(const std::byte* from, std::size_t bytes, std::byte* to) { std::copy_n(from, bytes, to); }

/// What came with the calls of all ranks, and what this one has itself.
std::vector<const std::byte*> all_with_calls(const Connection& connection, const std::byte* own) {
  std::vector<const std::byte*> all;
  for (int rank = 0; rank < connection.size(); ++rank) {
    all.push_back(rank == connection.rank() ? own : connection.with_call_of(rank));
  }
  return all;
}

/// Sums the stretch of this rank, message by message, while the next ones are on their way.
class PipelinedSum {
 public:
  /// \param sum where the stretch of this rank goes.
  PipelinedSum(Connection& connection, DType dtype, const Division& division, const std::byte* in, std::byte* sum)
      : connection_(connection),
        dtype_(dtype),
        division_(division),
        own_(division.of(connection.rank())),
        in_(in),
        sum_(sum),
        buffers_(connection.scratch(2 * static_cast<std::size_t>(connection.size()) * part_bytes)) {}

  /// Calls done(i) when message i of the sum is there.
  template <class F>
  void run(F&& done) {
    const std::size_t parts = division_.parts();
    post(0);
    for (std::size_t i = 0; i < parts; ++i) {
      if (i + 1 < parts) {
        post(i + 1);
      }
      messages_[i % 2].wait();
      add_up(i);
      done(i);
    }
  }

 private:
  std::byte* buffer(int rank, std::size_t part) const {
    return buffers_ + (2 * static_cast<std::size_t>(rank) + part % 2) * part_bytes;
  }

  void post(std::size_t i) {
    Messages& messages = messages_[i % 2];
    for_others(connection_, [&](int other) {
      messages.receive(other, Tag::sum, buffer(other, i), own_.part(i).size());
      send(messages, other, Tag::sum, in_, division_.of(other).part(i));
    });
  }

  void add_up(std::size_t i) {
    const Stretch part = own_.part(i);
    terms_.clear();
    for (int rank = 0; rank < connection_.size(); ++rank) {
      terms_.push_back(rank == connection_.rank() ? in_ + part.begin : buffer(rank, i));
    }
    sum_of_ranks(dtype_, terms_, sum_ + (part.begin - own_.begin),
                 static_cast<std::int64_t>(part.size() / size_of(dtype_)));
  }

  Connection& connection_;
  DType dtype_;
  Division division_;
  Stretch own_;
  const std::byte* in_;
  std::byte* sum_;
  std::byte* buffers_;  // two for each rank
  std::vector<const std::byte*> terms_;
  std::array<Messages, 2> messages_{Messages(connection_), Messages(connection_)};
};

}  // namespace

void all_reduce(Connection& connection, const Call& call, const std::byte* in, std::byte* out) {
  if (call.bytes() <= Connection::small) {
    const Bytes all(in, call.bytes());
    connection.meet(call, {&all, 1});
    return sum_of_ranks(call.dtype, all_with_calls(connection, in), out, call.count);
  }
  connection.meet(call);
  const Division division(call.bytes(), connection.size());
  const Stretch own = division.of(connection.rank());
  std::array<Messages, 2> results{Messages(connection), Messages(connection)};
  PipelinedSum(connection, call.dtype, division, in, out + own.begin).run([&](std::size_t i) {
    results[i % 2].wait();  // those of two parts ago
    for_others(connection, [&](int other) {
      receive(results[i % 2], other, Tag::result, out, division.of(other).part(i));
      send(results[i % 2], other, Tag::result, out, own.part(i));
    });
  });
}

void reduce(Connection& connection, const Call& call, const std::byte* in, std::byte* out) {
  const bool is_root = connection.rank() == call.root;
  if (call.bytes() <= Connection::small) {
    std::vector<Bytes> to(static_cast<std::size_t>(connection.size()));
    to[static_cast<std::size_t>(call.root)] = {in, call.bytes()};
    connection.meet(call, to);
    if (is_root) {
      sum_of_ranks(call.dtype, all_with_calls(connection, in), out, call.count);
    }
  } else {
    connection.meet(call);
    const Division division(call.bytes(), connection.size());
    const Stretch own = division.of(connection.rank());
    std::array<Messages, 2> results{Messages(connection), Messages(connection)};
    PipelinedSum(connection, call.dtype, division, in, out + own.begin).run([&](std::size_t i) {
      results[i % 2].wait();
      if (is_root) {
        for_others(connection,
                   [&](int other) { receive(results[i % 2], other, Tag::result, out, division.of(other).part(i)); });
      } else {
        send(results[i % 2], call.root, Tag::result, out, own.part(i));
      }
    });
  }
  if (!is_root) {
    std::fill_n(out, call.bytes(), std::byte{0});
  }
}

void reduce_scatter(Connection& connection, const Call& call, const std::byte* in, std::byte* out) {
  const std::size_t each = call.bytes() / static_cast<std::size_t>(connection.size());
  const auto of_rank = [&](int rank) { return in + static_cast<std::size_t>(rank) * each; };
  if (each <= Connection::small) {
    std::vector<Bytes> to;
    for (int rank = 0; rank < connection.size(); ++rank) {
      to.emplace_back(of_rank(rank), each);
    }
    connection.meet(call, to);
    const std::int64_t count = call.count / connection.size();
    return sum_of_ranks(call.dtype, all_with_calls(connection, of_rank(connection.rank())), out, count);
  }
  connection.meet(call);
  PipelinedSum(connection, call.dtype, Division(call.bytes(), connection.size(), each), in, out).run([](std::size_t) {
  });
}

void all_gather(Connection& connection, const Call& call, const std::byte* in, std::byte* out) {
  const std::size_t each = call.bytes();
  const auto of_rank = [&](int rank) { return out + static_cast<std::size_t>(rank) * each; };
  if (each <= Connection::small) {
    const Bytes all(in, each);
    connection.meet(call, {&all, 1});
    for_others(connection, [&](int other) { copy(connection.with_call_of(other), each, of_rank(other)); });
  } else {
    connection.meet(call);
    std::array<Messages, 2> results{Messages(connection), Messages(connection)};
    for (std::size_t i = 0; i < parts_of(each); ++i) {
      const Stretch part = Stretch{0, each}.part(i);
      results[i % 2].wait();
      for_others(connection, [&](int other) {
        receive(results[i % 2], other, Tag::result, of_rank(other), part);
        send(results[i % 2], other, Tag::result, in, part);
      });
    }
  }
  copy(in, each, of_rank(connection.rank()));
}

namespace {

// The root gives each rank a stretch, which that one gives to all others, while the next one comes.
void broadcast_in_parts(Connection& connection, const Call& call, const std::byte* in, std::byte* out) {
  const bool is_root = connection.rank() == call.root;
  const Division division(call.bytes(), connection.size());
  std::array<Messages, 2> results{Messages(connection), Messages(connection)};
  for (std::size_t i = 0; i < division.parts(); ++i) {
    const auto part_of = [&](int rank) { return division.of(rank).part(i); };
    results[i % 2].wait();
    if (is_root) {
      for_others(connection, [&](int other) {
        send(results[i % 2], other, Tag::sum, in, part_of(other));
        send(results[i % 2], other, Tag::result, in, part_of(call.root));
      });
      continue;
    }
    for_others(connection, [&](int other) { receive(results[i % 2], other, Tag::result, out, part_of(other)); });
    Messages own(connection);
    receive(own, call.root, Tag::sum, out, part_of(connection.rank()));
    own.wait();
    for_others(connection, [&](int other) {
      if (other != call.root) {
        send(results[i % 2], other, Tag::result, out, part_of(connection.rank()));
      }
    });
  }
}

}  // namespace

void broadcast(Connection& connection, const Call& call, const std::byte* in, std::byte* out) {
  const bool is_root = connection.rank() == call.root;
  if (call.bytes() <= Connection::small) {
    const Bytes all(in, is_root ? call.bytes() : 0);
    connection.meet(call, {&all, 1});
    if (!is_root) {
      copy(connection.with_call_of(call.root), call.bytes(), out);
    }
  } else {
    connection.meet(call);
    broadcast_in_parts(connection, call, in, out);
  }
  if (is_root) {
    copy(in, call.bytes(), out);
  }
}

namespace {

// The texts of all ranks, for those that hear(rank) them; short ones go with the call, to everybody.
template <class F>
std::vector<std::string> texts_of_ranks(Connection& connection, Kind kind, const std::string& own, const F& hears) {
  constexpr std::size_t longest = 1 << 30;  // MPI counts the bytes of a message in 31 bits
  Call call(kind);
  call.text_bytes = static_cast<std::int64_t>(own.size());
  const Bytes text = std::as_bytes(std::span(own));
  const bool goes_along = text.size() <= Connection::small;
  const Bytes with = goes_along ? text : Bytes();
  connection.meet(call, {&with, 1});
  std::vector<std::string> texts;
  if (hears(connection.rank())) {
    for (int rank = 0; rank < connection.size(); ++rank) {
      texts.emplace_back(static_cast<std::size_t>(connection.call_of(rank).text_bytes), '\0');
    }
    texts[static_cast<std::size_t>(connection.rank())] = own;
  }
  Messages messages(connection);
  for_others(connection, [&](int other) {
    if (!texts.empty()) {
      std::string& theirs = texts[static_cast<std::size_t>(other)];
      auto* memory = reinterpret_cast<std::byte*>(theirs.data());
      if (theirs.size() <= Connection::small) {
        std::copy_n(connection.with_call_of(other), theirs.size(), memory);
      } else {
        for (std::size_t begin = 0; begin < theirs.size(); begin += longest) {
          messages.receive(other, Tag::text, memory + begin, std::min(longest, theirs.size() - begin));
        }
      }
    }
    for (std::size_t begin = 0; hears(other) && !goes_along && begin < text.size(); begin += longest) {
      messages.send(other, Tag::text, text.data() + begin, std::min(longest, text.size() - begin));
    }
  });
  messages.wait();
  return texts;
}

}  // namespace

std::vector<std::string> exchange(Connection& connection, const std::string& own) {
  return texts_of_ranks(connection, Kind::exchange, own, [](int) { return true; });
}

std::vector<std::string> gather(Connection& connection, const std::string& own) {
  return texts_of_ranks(connection, Kind::gather, own, [](int rank) { return rank == 0; });
}

}  // namespace xgrad::distributed::detail
