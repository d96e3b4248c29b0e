#include "autograd/runtime/job_recorder.hpp"

#include <algorithm>
#include <utility>

namespace xgrad::runtime {

constinit thread_local detail::OwnJobs detail::own_jobs;

ThreadLimit::ThreadLimit(int most)
    : before_(std::exchange(detail::own_jobs.most_threads, std::min(most, detail::own_jobs.most_threads))) {}

ThreadLimit::~ThreadLimit() { detail::own_jobs.most_threads = before_; }

JobRecorder::JobRecorder(int threads, std::size_t expected)
    : threads_(threads), before_(std::exchange(detail::own_jobs.recorder, this)) {
  first_.reserve(expected);
  stamps_.reserve(expected);
}

JobRecorder::~JobRecorder() { detail::own_jobs.recorder = before_; }

std::span<const std::int64_t> JobRecorder::stamps(std::size_t job) const {
  const std::size_t end = job + 1 < first_.size() ? first_[job + 1] : stamps_.size();
  return std::span(stamps_).subspan(first_[job], end - first_[job]);
}

void JobRecorder::begin_job(std::int64_t pieces) {
  first_.push_back(stamps_.size());
  const std::size_t wanted = stamps_.size() + static_cast<std::size_t>(pieces) + 1;
  if (stamps_.capacity() < wanted) {  // now, not while pieces are measured
    stamps_.reserve(2 * wanted);
  }
  stamps_.push_back(now());
}

}  // namespace xgrad::runtime
