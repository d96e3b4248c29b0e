#include "nn/interrupt.hpp"

#include <atomic>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <mutex>

namespace xgrad::nn {

namespace {

// `timeout -s INT` sends the signal to the process and to its group, and shells do alike: that is one Ctrl-C.
constexpr std::int64_t one_press_ns = 500'000'000;

// A signal handler may touch these, and what does not change while it is installed.
std::atomic<bool> pressed{false};
std::atomic<std::int64_t> pressed_at{0};  // in nanoseconds
std::atomic<int> living{0};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<std::int64_t>::is_always_lock_free &&
              std::atomic<int>::is_always_lock_free);
struct sigaction action_before;

std::mutex installing;  // of the handler

std::int64_t now_ns() {
  timespec now = {};
  ::clock_gettime(CLOCK_MONOTONIC, &now);  // which a signal handler may call
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

void note(int) {
  const std::int64_t now = now_ns();
  if (pressed.load() && now - pressed_at.load() < one_press_ns) {
    return;
  }
  if (living.load() > 0 && !pressed.load()) {
    pressed_at.store(now);
    pressed.store(true);
    return;
  }
  if (living.load() > 0) {
    ::signal(SIGINT, SIG_DFL);
  } else {
    ::sigaction(SIGINT, &action_before, nullptr);
  }
  ::raise(SIGINT);  // which happens when this function returns
}

}  // namespace

Interrupt::Interrupt() {
  const std::lock_guard lock(installing);
  if (living.fetch_add(1) > 0) {
    return;
  }
  pressed.store(false);
  struct sigaction present = {};
  if (::sigaction(SIGINT, nullptr, &present) != 0 || present.sa_handler == SIG_IGN || present.sa_handler == note) {
    return;  // ignored, or still installed
  }
  action_before = present;
  struct sigaction action = {};
  action.sa_handler = note;
  action.sa_flags = SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGINT, &action, nullptr);
}

// Where Ctrl-C was just pressed, its second signal may be still to come: the handler stays and takes care of it, and gives
// the next one back to who had it before.
Interrupt::~Interrupt() {
  const std::lock_guard lock(installing);
  if (living.fetch_sub(1) > 1) {
    return;
  }
  struct sigaction present = {};
  const bool is_ours = ::sigaction(SIGINT, nullptr, &present) == 0 && present.sa_handler == note;
  if (is_ours && !pressed.load()) {
    ::sigaction(SIGINT, &action_before, nullptr);
  }
}

bool Interrupt::requested() const { return pressed.load(); }

}  // namespace xgrad::nn
