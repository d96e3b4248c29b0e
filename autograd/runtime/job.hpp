#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <utility>

#include "autograd/runtime/floating_mode.hpp"
#include "autograd/runtime/pool.hpp"

/// \file
/// How the workers share out the pieces of a parallel_for without a lock.

namespace xgrad::runtime {

using Body = void (*)(void* context, std::int64_t piece);

/// One parallel_for. Pieces are claimed in units of \p unit, so that a position fits in the bits of a claim.
struct Job {
  std::uint64_t ticket = 0;
  Body body = nullptr;
  void* context = nullptr;
  std::int64_t pieces = 0;
  std::int64_t unit = 1;
  std::int64_t shares = 1;
  FloatingMode mode = 0;  // of the thread that called parallel_for

  std::int64_t units() const { return (pieces + unit - 1) / unit; }
  std::int64_t begin_of(std::int64_t share) const { return units() * share / shares; }
};

/// A position in a job, told apart from positions in other jobs: 48 bits of ticket and 16 of position.
struct Mark {
  static constexpr int bits = 16;
  static constexpr std::int64_t most = (std::int64_t{1} << bits) - 1;

  static std::uint64_t make(std::uint64_t ticket, std::int64_t position) {
    return ticket << bits | static_cast<std::uint64_t>(position);
  }
  static std::uint64_t ticket(std::uint64_t mark) { return mark >> bits; }
  static std::int64_t position(std::uint64_t mark) { return static_cast<std::int64_t>(mark & std::uint64_t{most}); }
};

/// What one thread owns of every job: a range of units, the same in every job of the same size so that data stays in its
/// core's cache. Only the mark tells to which job the numbers belong: nobody needs to set them up for the next one.
struct alignas(alignment) Share {
  std::atomic<std::uint64_t> claimed{0};  ///< the next unit
  std::atomic<std::uint64_t> done{0};     ///< units that the owner ran, of its own share and of others

  /// \return the claimed unit, or -1 when all are taken or the job is over.
  std::int64_t claim(const Job& job, std::int64_t self) {
    std::uint64_t mark = claimed.load(std::memory_order_acquire);
    while (Mark::ticket(mark) <= job.ticket) {
      const std::int64_t unit = Mark::ticket(mark) == job.ticket ? Mark::position(mark) : job.begin_of(self);
      if (unit >= job.begin_of(self + 1)) {
        return -1;
      }
      if (claimed.compare_exchange_weak(mark, Mark::make(job.ticket, unit + 1), std::memory_order_acq_rel)) {
        return unit;
      }
    }
    return -1;
  }
};

/// The exception of the lowest-numbered failing piece.
class Failure {
 public:
  void add(std::int64_t piece) {
    const std::lock_guard lock(mutex_);
    if (!exception_ || piece < piece_) {
      exception_ = std::current_exception();
      piece_ = piece;
    }
  }

  void rethrow() {
    if (exception_) {
      std::rethrow_exception(std::exchange(exception_, nullptr));
    }
  }

 private:
  std::mutex mutex_;
  std::exception_ptr exception_;
  std::int64_t piece_ = 0;
};

/// The job as the caller posts it for the workers, in the cache line that they watch. A line takes a quarter of a
/// microsecond from core to core, so it is the only one they need before they begin.
///
/// The ticket is odd while the rest is being written; who reads the same even ticket before and after the rest has read
/// one job. It may be over by then: no unit of it can be claimed any more, so its context is not touched.
class alignas(alignment) Board {
 public:
  std::uint64_t ticket() const { return ticket_.load(); }

  void post(Job& job) {
    const std::uint64_t before = ticket_.load(std::memory_order_relaxed);
    job.ticket = before + 2;
    ticket_.store(before + 1, std::memory_order_relaxed);
    body_.store(job.body, std::memory_order_release);
    context_.store(job.context, std::memory_order_release);
    pieces_.store(job.pieces, std::memory_order_release);
    unit_.store(job.unit, std::memory_order_release);
    shares_.store(job.shares, std::memory_order_release);
    mode_.store(job.mode, std::memory_order_release);
    ticket_.store(job.ticket);
  }

  /// \return false when another job is being written meanwhile.
  bool read(std::uint64_t ticket, Job& job) const {
    job = {ticket,
           body_.load(std::memory_order_acquire),
           context_.load(std::memory_order_acquire),
           pieces_.load(std::memory_order_acquire),
           unit_.load(std::memory_order_acquire),
           shares_.load(std::memory_order_acquire),
           mode_.load(std::memory_order_acquire)};
    return ticket_.load(std::memory_order_relaxed) == ticket;
  }

 private:
  std::atomic<std::uint64_t> ticket_{0};
  std::atomic<Body> body_{nullptr};
  std::atomic<void*> context_{nullptr};
  std::atomic<std::int64_t> pieces_{0};
  std::atomic<std::int64_t> unit_{1};
  std::atomic<std::int64_t> shares_{1};
  std::atomic<FloatingMode> mode_{0};
};

}  // namespace xgrad::runtime
