#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

/// \file
/// How one thread's calls of parallel_for are measured: on fewer threads than there are, and piece by piece.

namespace xgrad::runtime {

class JobRecorder;

namespace detail {

struct OwnJobs {
  int most_threads = std::numeric_limits<int>::max();
  JobRecorder* recorder = nullptr;
};
/// Of the jobs that the calling thread posts.
extern constinit thread_local OwnJobs own_jobs;

}  // namespace detail

/// While it lives, no more than \p most threads take part in what the calling one computes.
class ThreadLimit {
 public:
  explicit ThreadLimit(int most);
  ThreadLimit(const ThreadLimit&) = delete;
  ThreadLimit& operator=(const ThreadLimit&) = delete;
  ~ThreadLimit();

 private:
  int before_;
};

/// While it lives, the calling thread runs all pieces by itself, and notes how long each took: those that several threads
/// would share out. What a piece calls is a part of it.
class JobRecorder {
 public:
  /// \param threads that would share the pieces out. \param expected about how many stamps there will be.
  explicit JobRecorder(int threads, std::size_t expected = 0);
  JobRecorder(const JobRecorder&) = delete;
  JobRecorder& operator=(const JobRecorder&) = delete;
  ~JobRecorder();

  /// Nanoseconds on the clock that the stamps are of.
  static std::int64_t now() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }

  int threads() const { return threads_; }
  std::size_t stamp_count() const { return stamps_.size(); }
  std::size_t job_count() const { return first_.size(); }
  /// When job number \p job began, and when each of its pieces ended, in their order.
  std::span<const std::int64_t> stamps(std::size_t job) const;

  void begin_job(std::int64_t pieces);
  void end_piece() { stamps_.push_back(now()); }

 private:
  ThreadLimit alone_{1};
  int threads_;
  JobRecorder* before_;
  std::vector<std::size_t> first_;  // stamp of each job
  std::vector<std::int64_t> stamps_;
};

}  // namespace xgrad::runtime
