#include "nn/interrupt.hpp"

#include <atomic>
#include <csignal>
#include <mutex>

namespace xgrad::nn {

namespace {

// A signal handler may touch nothing else.
std::atomic<bool> pressed{false};
static_assert(std::atomic<bool>::is_always_lock_free);

std::mutex mutex;  // of what follows
int living = 0;
bool installed = false;
struct sigaction action_before;

void note(int) { pressed.store(true); }

}  // namespace

Interrupt::Interrupt() {
  const std::lock_guard lock(mutex);
  if (living++ > 0) {
    return;
  }
  pressed.store(false);
  installed = ::sigaction(SIGINT, nullptr, &action_before) == 0 && action_before.sa_handler != SIG_IGN;
  if (installed) {
    struct sigaction action = {};
    action.sa_handler = note;
    action.sa_flags = SA_RESTART | static_cast<int>(SA_RESETHAND);
    ::sigemptyset(&action.sa_mask);
    ::sigaction(SIGINT, &action, nullptr);
  }
}

Interrupt::~Interrupt() {
  const std::lock_guard lock(mutex);
  if (--living == 0 && installed) {
    ::sigaction(SIGINT, &action_before, nullptr);
  }
}

bool Interrupt::requested() const { return pressed.load(); }

}  // namespace xgrad::nn
