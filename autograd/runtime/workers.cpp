#include "autograd/runtime/workers.hpp"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <mutex>
#include <new>
#include <thread>
#include <utility>
#include <vector>

#include <pthread.h>
#include <sched.h>

#include "autograd/runtime/blas.hpp"
#include "autograd/runtime/cpu.hpp"
#include "autograd/runtime/error.hpp"
#include "autograd/runtime/fork.hpp"
#include "autograd/runtime/job.hpp"
#include "autograd/runtime/job_recorder.hpp"
#include "autograd/runtime/phrase.hpp"
#include "autograd/runtime/pool.hpp"
#include "autograd/runtime/waiting.hpp"

namespace xgrad::runtime {

namespace {

thread_local bool inside_piece = false;
thread_local int own_number = 0;  // of a worker: 1 or more

/// The threads besides the caller's. One job runs at a time.
class Workers {
 public:
  /// \param most threads that take part. \return false when another thread's job is running: nothing is done.
  bool try_run(std::int64_t pieces, Body body, void* context, std::size_t threads, std::size_t most) {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock || closed_.load(std::memory_order_relaxed)) {
      return false;
    }
    resize(threads - 1);
    Job job;
    job.body = body;
    job.context = context;
    job.pieces = pieces;
    job.unit = (pieces + Mark::most - 1) / Mark::most;
    job.shares = static_cast<std::int64_t>(std::min(threads_.size() + 1, most));
    job.mode = floating_mode();
    callers_core_.store(sched_getcpu(), std::memory_order_relaxed);
    board_.post(job);
    if (sleeping_.load() > 0) {
      wake();
    }
    const std::int64_t missing = job.units() - work(job, 0);
    for (Patience patience; missing > done_by_workers(job);) {
      patience.wait();
    }
    failure_.rethrow();
    return true;
  }

  /// Ends the threads; the next job starts as many as it wants.
  void stop() {
    const std::lock_guard lock(mutex_);
    resize(0);
  }

  /// From now on every thread works alone. The program ends, perhaps called to by a piece, by a worker, or by a signal
  /// that came while a job was running: then the threads end with the process, and nobody waits for them.
  void close() {
    closed_.store(true);
    if (own_number == 0 && !inside_piece && mutex_.try_lock()) {
      resize(0);
      mutex_.unlock();
    }
  }

  void lock() { mutex_.lock(); }
  void unlock() { mutex_.unlock(); }

  /// In a process that was forked: the threads exist in its parent alone, and can be neither joined nor detached.
  void forget_threads() {
    new (&threads_) std::vector<std::thread>;
    wanted_ = 0;
    sleeping_.store(0);
  }

 private:
  void resize(std::size_t count) {
    if (wanted_ == count) {
      return;
    }
    std::vector<Share> shares(count + 1);  // memory may run out: nothing has changed yet
    end_threads();
    shares_.swap(shares);
    wanted_ = count;
    const std::uint64_t ticket = board_.ticket();
    try {
      threads_.reserve(count);
      while (threads_.size() < count) {
        const auto self = static_cast<std::int64_t>(threads_.size()) + 1;
        threads_.emplace_back([this, self, ticket] { live(self, ticket); });
      }
    } catch (const std::exception&) {
      // Neither threads nor memory: the work gets done by those there are.
    }
  }

  void end_threads() {
    stopping_.store(true);
    wake();
    for (std::thread& thread : threads_) {
      thread.join();
    }
    threads_.clear();
    stopping_.store(false);
  }

  void wake() {
    alarm_.fetch_add(1);
    alarm_.notify_all();
  }

  /// Runs units of one's own share, then what others have not begun. \return how many.
  std::int64_t work(const Job& job, std::int64_t self) {
    inside_piece = true;
    std::int64_t count = 0;
    for (std::int64_t k = 0; k < job.shares; ++k) {
      const std::int64_t owner = (self + k) % job.shares;
      Share& share = shares_[static_cast<std::size_t>(owner)];
      for (std::int64_t unit = share.claim(job, owner); unit >= 0; unit = share.claim(job, owner)) {
        run(job, unit);
        ++count;
        if (self != 0) {
          shares_[static_cast<std::size_t>(self)].done.store(Mark::make(job.ticket, count), std::memory_order_release);
        }
      }
    }
    inside_piece = false;
    return count;
  }

  void run(const Job& job, std::int64_t unit) {
    for (std::int64_t piece = unit * job.unit; piece < std::min(job.pieces, (unit + 1) * job.unit); ++piece) {
      try {
        job.body(job.context, piece);
      } catch (...) {
        failure_.add(piece);
      }
    }
  }

  std::int64_t done_by_workers(const Job& job) const {
    std::int64_t count = 0;
    for (std::int64_t i = 1; i < job.shares; ++i) {
      const std::uint64_t mark = shares_[static_cast<std::size_t>(i)].done.load(std::memory_order_acquire);
      count += Mark::ticket(mark) == job.ticket ? Mark::position(mark) : 0;
    }
    return count;
  }

  void live(std::int64_t self, std::uint64_t ticket) {
    make_blas_serial_on_this_thread();
    own_number = static_cast<int>(self);
    Job job;
    while (!stopping_.load()) {
      ticket = wait_for_ticket_after(ticket);
      if (!stopping_.load() && board_.read(ticket, job) && self < job.shares) {
        const FloatingModeScope scope(job.mode);
        work(job, self);
      }
    }
  }

  std::uint64_t wait_for_ticket_after(std::uint64_t seen) {
    Patience patience;
    while (!stopping_.load(std::memory_order_relaxed)) {
      const std::uint64_t now = board_.ticket();
      if (now != seen && now % 2 == 0) {
        return now;
      }
      if (!patience.wait()) {
        sleep(seen);
        patience = Patience();
      } else if (patience.yields() && sched_getcpu() == callers_core_.load(std::memory_order_relaxed)) {
        step_aside();
      }
    }
    return seen;
  }

  /// A worker on the caller's core only takes its time, and two threads that yield to each other look too busy to the
  /// system to be moved apart. One that wakes up is given an idle core when there is any; meanwhile the caller does the
  /// work alone.
  static void step_aside() { std::this_thread::sleep_for(std::chrono::milliseconds(1)); }

  /// The worker says that it sleeps before it looks at the board once more, the caller posts before it looks whether
  /// anybody sleeps: one of them sees the other.
  void sleep(std::uint64_t seen) {
    sleeping_.fetch_add(1);
    const std::uint32_t alarm = alarm_.load();
    if (board_.ticket() == seen && !stopping_.load()) {
      alarm_.wait(alarm);
    }
    sleeping_.fetch_sub(1);
  }

  std::mutex mutex_;  // held while a job runs
  std::atomic<bool> closed_{false};
  std::size_t wanted_ = 0;  // threads_ are fewer where the system gives no more
  std::vector<std::thread> threads_;
  std::vector<Share> shares_;
  Failure failure_;
  Board board_;
  std::atomic<int> callers_core_{-1};
  alignas(alignment) std::atomic<int> sleeping_{0};
  std::atomic<bool> stopping_{false};
  alignas(alignment) std::atomic<std::uint32_t> alarm_{0};
};

/// Never destroyed, for static variables of the program may still compute; its threads end when the program does.
Workers& workers() {
  alignas(Workers) static std::byte storage[sizeof(Workers)];
  static Workers* const instance = new (storage) Workers;
  static const struct AtExit {
    ~AtExit() { instance->close(); }
  } at_exit;
  return *instance;
}

// More only stand in each other's way, and a slip of the keyboard would stop the machine.
int most_threads() { return std::max(64, 4 * static_cast<int>(std::thread::hardware_concurrency())); }

int initial_thread_count() {
  if (const char* wanted = std::getenv("XGRAD_THREADS"); wanted != nullptr && *wanted != '\0') {
    int count = 0;
    const char* end = wanted + std::strlen(wanted);
    const auto [rest, error] = std::from_chars(wanted, end, count);
    const bool too_large = error == std::errc::result_out_of_range && *wanted != '-';
    if (rest != end || (!too_large && (error != std::errc{} || count < 1))) {
      raise<ValueError>("num_threads", phrase("the environment variable XGRAD_THREADS is `{}`; set it to a number "
                                              "of threads, 1 or more, or unset it",
                                              wanted));
    }
    if (too_large || count > most_threads()) {
      std::fprintf(stderr, "xgrad: the environment variable XGRAD_THREADS is %s; %d threads are used, the most here\n",
                   wanted, most_threads());
      return most_threads();
    }
    return count;
  }
  return cpu_info().usable;
}

int granted_processors() {
  const CpuInfo info = cpu_info();
  return info.quota > 0 ? std::clamp(static_cast<int>(info.quota), 1, info.allowed) : std::max(1, info.allowed);
}

std::atomic<int>& thread_count() {
  static std::atomic<int> count{initial_thread_count()};
  return count;
}

void run_serially(std::int64_t pieces, Body body, void* context) {
  JobRecorder* const recorder = std::exchange(detail::own_jobs.recorder, nullptr);  // of this job, not of its pieces'
  if (recorder != nullptr) {
    recorder->begin_job(pieces);
  }
  std::exception_ptr failure;
  for (std::int64_t piece = 0; piece < pieces; ++piece) {
    try {
      body(context, piece);
    } catch (...) {
      if (!failure) {
        failure = std::current_exception();
      }
    }
    if (recorder != nullptr) {
      recorder->end_piece();
    }
  }
  detail::own_jobs.recorder = recorder;
  if (failure) {
    std::rethrow_exception(failure);
  }
}

// Without a destructor, so that a thread that computes while it ends, or in a static variable's destructor when the
// program does, finds either its memory or none. (And the C library ends the program where it has no memory to note a
// thread's destructors down.)
struct Scratch {
  void* memory;
  std::size_t bytes;
};
constinit thread_local Scratch scratch{nullptr, 0};

void free_scratch() {
  std::free(std::exchange(scratch.memory, nullptr));
  scratch.bytes = 0;
}

/// What the system calls free_scratch by when a thread ends whose value of it is not null.
pthread_key_t make_key() {
  pthread_key_t key{};
  if (pthread_key_create(&key, [](void*) { free_scratch(); }) != 0) {
    throw std::bad_alloc();
  }
  return key;
}

}  // namespace

bool detail::lock_workers() {
  if (inside_piece) {
    return false;
  }
  workers().lock();
  return true;
}

void detail::unlock_workers() { workers().unlock(); }
void detail::forget_workers() { workers().forget_threads(); }

namespace {

std::atomic<bool> threads_were_set{false};

}  // namespace

int num_threads() { return thread_count().load(std::memory_order_relaxed); }

void set_num_threads(int count) {
  if (count < 1 || count > most_threads()) {
    raise<ValueError>("set_num_threads",
                      phrase("the number of threads is {}; give 1 to {}, the most here", count, most_threads()));
  }
  if (inside_piece) {
    raise<ValueError>("set_num_threads", "called by a kernel while it runs; call it between computations");
  }
  threads_were_set.store(true, std::memory_order_relaxed);
  if (thread_count().exchange(count) > count) {
    workers().stop();
  }
}

bool num_threads_was_set() { return threads_were_set.load(std::memory_order_relaxed); }

int thread_number() { return own_number; }

int sharing_threads() {
  if (inside_piece) {
    return 1;
  }
  if (const JobRecorder* const recorder = detail::own_jobs.recorder; recorder != nullptr) {
    return recorder->threads();
  }
  static const int processors = granted_processors();
  return std::min({num_threads(), detail::own_jobs.most_threads, processors});
}

void parallel_for(std::int64_t pieces, void (*body)(void*, std::int64_t), void* context, int most_threads) {
  if (pieces == 1) {
    return body(context, 0);
  }
  if (pieces <= 0) {
    return;
  }
  const int threads = inside_piece ? 1 : num_threads();
  const int most = std::min(most_threads, detail::own_jobs.most_threads);
  if (threads == 1 || most == 1 ||
      !workers().try_run(pieces, body, context, static_cast<std::size_t>(threads), static_cast<std::size_t>(most))) {
    run_serially(pieces, body, context);
  }
}

void* thread_scratch(std::size_t bytes) {
  if (scratch.bytes < bytes) {
    static const pthread_key_t key = make_key();
    free_scratch();
    if (pthread_setspecific(key, &scratch) != 0) {
      throw std::bad_alloc();
    }
    const std::size_t rounded = aligned(bytes + bytes / 2);
    scratch.memory = std::aligned_alloc(alignment, rounded);
    if (scratch.memory == nullptr) {
      throw std::bad_alloc();
    }
    scratch.bytes = rounded;
  }
  return scratch.memory;
}

}  // namespace xgrad::runtime
