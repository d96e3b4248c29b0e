#include "distributed/connection.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <mutex>

#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad::distributed::detail {

namespace {

using Clock = std::chrono::steady_clock;

Connection* opened = nullptr;
bool unfinished = false;  // there is or was a Connection, and it has not come to its end

// How to wait for messages that move only while MPI is asked about them: at first without a pause, then leaving the core to
// whoever else wants it, such as the rank that is waited for; in the end asleep most of the time.
class Polling {
 public:
  // \param crowded: another rank may be waiting for this core.
  Polling(std::chrono::milliseconds timeout, bool crowded)
      : timeout_(timeout), spin_rounds_(crowded ? 1 : spin_rounds_of_own_core) {}

  // Waits a moment. False when the time is up.
  bool wait() {
    if (++rounds_ < spin_rounds_) {
      return true;
    }
    const auto now = Clock::now();
    if (rounds_ > spin_rounds_) {
      waited_ += std::min<Clock::duration>(now - last_, longest_moment);
    }
    last_ = now;
    if (waited_ < yield_time) {
      std::this_thread::yield();
    } else {
      std::this_thread::sleep_for(nap);
    }
    return waited_ < timeout_;
  }

 private:
  static constexpr std::int64_t spin_rounds_of_own_core =
      10000;  // a millisecond or two: as long as a part of a large sum takes
  static constexpr std::chrono::milliseconds yield_time{20};
  static constexpr std::chrono::microseconds nap{50};
  // Time in which this process did not run, because it was stopped, is not time that others let it wait.
  static constexpr std::chrono::seconds longest_moment{1};

  std::chrono::milliseconds timeout_;
  std::int64_t spin_rounds_;
  std::int64_t rounds_ = 0;
  Clock::time_point last_;
  Clock::duration waited_{0};
};

int as_int(std::size_t bytes) { return static_cast<int>(bytes); }  // no message is as long as 2 GiB

// A program that ends before its World does leaves the others without an answer.
void end_all_ranks() {
  int ended = 0;
  MPI_Finalized(&ended);
  if (!unfinished || ended != 0) {
    return;
  }
  int size = 1;
  int rank = 0;
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  if (size > 1) {
    Connection::abort(
        phrase("[world] rank {} of {} ended its program before the World of all ranks ended, by an "
               "exception or by exit; all ranks end with it. What it printed before says why",
               rank, size));
  }
}

}  // namespace

void Messages::send(int rank, Tag tag, const std::byte* data, std::size_t bytes) {
  if (bytes > 0) {
    ranks_.push_back(rank);
    MPI_Isend(data, as_int(bytes), MPI_BYTE, rank, static_cast<int>(tag), connection_.communicator_,
              &requests_.emplace_back());
  }
}

void Messages::receive(int rank, Tag tag, std::byte* data, std::size_t bytes) {
  if (bytes > 0) {
    ranks_.push_back(rank);
    MPI_Irecv(data, as_int(bytes), MPI_BYTE, rank, static_cast<int>(tag), connection_.communicator_,
              &requests_.emplace_back());
  }
}

void Messages::wait() {
  Polling polling(connection_.timeout_, connection_.crowded_);
  for (int all_done = 0;;) {
    MPI_Testall(static_cast<int>(requests_.size()), requests_.data(), &all_done, MPI_STATUSES_IGNORE);
    if (all_done != 0) {
      break;
    }
    if (!polling.wait()) {
      std::vector<int> missing;
      for (std::size_t i = 0; i < requests_.size(); ++i) {
        int done = 0;
        MPI_Request_get_status(requests_[i], &done, MPI_STATUS_IGNORE);
        if (done == 0 && std::find(missing.begin(), missing.end(), ranks_[i]) == missing.end()) {
          missing.push_back(ranks_[i]);
        }
      }
      if (!missing.empty()) {
        connection_.give_up(missing);
      }
      polling = Polling(connection_.timeout_, connection_.crowded_);
    }
  }
  requests_.clear();
  ranks_.clear();
}

Connection::Connection(int& argc, char**& argv, std::chrono::milliseconds timeout)
    : timeout_(timeout), thread_(std::this_thread::get_id()), exceptions_(std::uncaught_exceptions()) {
  if (opened != nullptr) {
    raise<ValueError>("world", "there is a World already; make one at the beginning of main, and pass it on");
  }
  int ended = 0;
  MPI_Finalized(&ended);
  if (ended != 0) {
    raise<ValueError>("world",
                      "MPI has ended, with the World before this one, and does not begin twice; keep one World for the "
                      "whole program");
  }
  int began = 0;
  MPI_Initialized(&began);
  int level = MPI_THREAD_SINGLE;
  if (began != 0) {
    MPI_Query_thread(&level);
  } else {
    MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &level);
    began_ = true;
  }
  if (level < MPI_THREAD_FUNNELED) {
    raise<ValueError>("world",
                      "MPI does not support programs with threads (MPI_THREAD_FUNNELED); begin it with "
                      "MPI_Init_thread, or leave that to World");
  }
  MPI_Comm_dup(MPI_COMM_WORLD, &communicator_);  // so that our messages and those of the program's own cannot meet
  MPI_Comm_rank(communicator_, &rank_);
  MPI_Comm_size(communicator_, &size_);
  calls_.resize(static_cast<std::size_t>(size_));
  incoming_.resize(static_cast<std::size_t>(size_) * slot_bytes);
  outgoing_.resize(static_cast<std::size_t>(size_) * slot_bytes);
  static std::once_flag once;
  std::call_once(once, [] { std::atexit(end_all_ranks); });
  opened = this;
  unfinished = true;
}

Connection::~Connection() {
  opened = nullptr;
  if (std::uncaught_exceptions() > exceptions_ && size_ > 1) {
    std::fprintf(stderr, "[world] rank %d of %d leaves the others by an exception: all ranks end with its program\n",
                 rank_, size_);
    return;
  }
  try {
    leave();
  } catch (const std::exception& error) {
    abort(error.what());
  }
}

void Connection::leave() {
  meet(Call(Kind::end));
  unfinished = false;
  MPI_Comm_free(&communicator_);
  if (began_) {
    MPI_Finalize();
  }
}

Connection& Connection::open(std::string_view op) {
  if (opened == nullptr) {
    raise<ValueError>(op, "there is no World any more; keep it until the last collective has run");
  }
  if (opened->thread_ != std::this_thread::get_id()) {
    raise<ValueError>(op,
                      "it runs on another thread than the one that made the World, and MPI takes calls of that one "
                      "alone; run it there");
  }
  return *opened;
}

void Connection::hear(std::span<const std::span<const std::byte>> to) {
  Messages messages(*this);
  for (int other = 0; other < size_; ++other) {
    if (other != rank_) {
      messages.receive(other, Tag::call, slot(incoming_, other), slot_bytes);
    }
  }
  const Call& own = call_of(rank_);
  for (int i = 1; i < size_; ++i) {
    const int other = (rank_ + i) % size_;  // not all to rank 0 at first
    const bool alike = to.size() <= 1;
    std::byte* message = slot(outgoing_, alike ? 0 : other);
    const std::span<const std::byte> with =
        to.empty() ? std::span<const std::byte>() : to[alike ? 0 : static_cast<std::size_t>(other)];
    if (!alike || i == 1) {
      std::memcpy(message, &own, sizeof(Call));
      if (!with.empty()) {
        std::memcpy(message + sizeof(Call), with.data(), with.size());
      }
    }
    messages.send(other, Tag::call, message, sizeof(Call) + with.size());
  }
}

void Connection::meet(Call call, std::span<const std::span<const std::byte>> to) {
  call.number = done_;
  calls_[static_cast<std::size_t>(rank_)] = call;
  hear(to);
  ++done_;
  bool fits = true;
  for (int other = 0; other < size_; ++other) {
    if (other != rank_) {
      std::memcpy(&calls_[static_cast<std::size_t>(other)], slot(incoming_, other), sizeof(Call));
      fits = fits && call.fits(call_of(other));
    }
  }
  if (!fits) {
    raise<ValueError>(call.kind == Kind::end ? "world" : name_of(call.kind),
                      phrase("the ranks do not do the same. {}. All have to call the same ones in the same order, with "
                             "equal shapes and dtypes",
                             list_calls(calls_)));
  }
}

std::byte* Connection::scratch(std::size_t bytes) {
  if (scratch_.size() < bytes) {
    scratch_.resize(bytes);
  }
  return scratch_.data();
}

void Connection::abort(const std::string& reason) {
  std::fprintf(stderr, "%s\n", reason.c_str());
  std::fflush(nullptr);
  MPI_Abort(MPI_COMM_WORLD, 1);
  std::abort();
}

void Connection::give_up(const std::vector<int>& missing) const {
  std::string names = missing.size() == 1 ? "rank" : "ranks";
  for (std::size_t i = 0; i < missing.size(); ++i) {
    names += phrase("{} {}", i == 0 ? "" : ",", missing[i]);
  }
  const Call& call = call_of(rank_);
  const std::string text = phrase("[world] rank {} has waited {:g} s for {}, in {}, after {} collectives", rank_,
                                  static_cast<double>(timeout_.count()) / 1000, names, to_string(call), call.number);
  if (call.kind == Kind::end) {
    std::fprintf(stderr, "%s; it goes on waiting\n", text.c_str());
  } else {
    abort(text +
          ": it hangs, has ended, or is far behind. All ranks end. Look there; or give it longer, by "
          "World(argc, argv, {.timeout = std::chrono::minutes(10)})");
  }
}

}  // namespace xgrad::distributed::detail
