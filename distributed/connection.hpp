#pragma once

#include <mpi.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "distributed/call.hpp"

/// \file
/// The other ranks, and how messages go to them and come from them. Not installed.
///
/// Only messages between two ranks are used, none of MPI's collectives: so the order of sums is ours, and a rank that waits
/// knows for whom. Who waits asks again and again, as that is what moves messages in MPI; between, it leaves its core to
/// others. Nothing here lasts longer than the timeout without saying so.

namespace xgrad::distributed::detail {

/// What is said to other ranks, apart from each other.
enum class Tag : std::uint8_t { call, sum, result, text };

class Connection;

/// Messages on their way. They use the memory that they were given until wait() returns.
class Messages {
 public:
  explicit Messages(Connection& connection) : connection_(connection) {}
  Messages(const Messages&) = delete;
  Messages& operator=(const Messages&) = delete;
  ~Messages() { wait(); }

  /// \p bytes of \p data to \p rank. Nothing happens where there are none.
  void send(int rank, Tag tag, const std::byte* data, std::size_t bytes);
  /// The same, from \p rank, which may send less than \p bytes.
  void receive(int rank, Tag tag, std::byte* data, std::size_t bytes);
  /// Returns when all have arrived. Ends all ranks when none does for the time that is given to them.
  void wait();

 private:
  Connection& connection_;
  std::vector<MPI_Request> requests_;
  std::vector<int> ranks_;  // the other one of each
};

/// All ranks, from when MPI begins until it ends.
class Connection {
 public:
  /// How many bytes go with a Call: no more messages follow then.
  static constexpr std::size_t small = 16384;

  /// \throws ValueError when there is or was another, or MPI does not take calls from programs with threads.
  Connection(int& argc, char**& argv, std::chrono::milliseconds timeout);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  /// Waits for the others to end, too; then MPI ends, if it began here. While an exception goes through, nothing of the
  /// kind: then the end of the program ends all ranks.
  ~Connection();

  /// The one that is open. \throws ValueError `[op]` when there is none, or the calling thread is not the one that opened it.
  static Connection& open(std::string_view op);

  int rank() const { return rank_; }
  int size() const { return size_; }
  /// Tells that there are more ranks on the machine than processors: who waits then leaves its core at once.
  void set_crowded(bool crowded) { crowded_ = crowded; }

  /// Tells all others what this rank is going to do, and hears it of them. \p to is what goes with it, at most `small`
  /// bytes: one part for all, or one for each rank.
  /// \throws ValueError on every rank when they do not all do the same.
  void meet(Call call, std::span<const std::span<const std::byte>> to = {});
  const Call& call_of(int rank) const { return calls_[static_cast<std::size_t>(rank)]; }  ///< as meet() heard it
  /// What came with it.
  const std::byte* with_call_of(int rank) const { return slot(incoming_, rank) + sizeof(Call); }

  /// Memory for whoever is at work, valid until the next call.
  std::byte* scratch(std::size_t bytes);

  /// Prints \p reason and ends all ranks.
  [[noreturn]] static void abort(const std::string& reason);

 private:
  friend class Messages;
  static constexpr std::size_t slot_bytes = sizeof(Call) + small;

  static std::byte* slot(const std::vector<std::byte>& slots, int rank) {
    return const_cast<std::byte*>(slots.data()) + static_cast<std::size_t>(rank) * slot_bytes;
  }
  void hear(std::span<const std::span<const std::byte>> to);
  void leave();
  // Ends all ranks; but waits on at the end, where one of them may still be writing files.
  void give_up(const std::vector<int>& missing) const;

  std::chrono::milliseconds timeout_;
  std::thread::id thread_;
  int exceptions_;  // that were going through when this was made
  bool began_ = false;
  bool crowded_ = false;
  int rank_ = 0;
  int size_ = 1;
  MPI_Comm communicator_ = MPI_COMM_NULL;
  std::uint64_t done_ = 0;  // collectives
  std::vector<Call> calls_;
  std::vector<std::byte> incoming_;
  std::vector<std::byte> outgoing_;
  std::vector<std::byte> scratch_;
};

}  // namespace xgrad::distributed::detail
