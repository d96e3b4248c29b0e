#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <thread>

#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "autograd/autograd.hpp"
#include "autograd/runtime/workers.hpp"

/// \file
/// A program that ends, or forks, at a bad moment:  process CASE. It ends with code 0 when all went well; when it does not
/// end, the test does.

namespace {

using namespace xgrad;

/// Long enough for all threads, and for scratch memory in kernels.
double compute(double x = 0.5) {
  const Tensor numbers = full({300'000}, x, DType::float64);
  return sum(where(sin(numbers) > cos(numbers), exp(numbers), tanh(numbers * 2) + sqrt(numbers))).item();
}

const int threads_at_first = runtime::num_threads();
const double expected = [] {
  runtime::set_num_threads(3);
  return compute();
}();

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "%s\n", what);
  std::_Exit(1);
}

void require(bool holds, const char* what) {
  if (!holds) {
    fail(what);
  }
}

/// Pieces on all threads until one of them ends the process.
void run_pieces(const std::function<void(std::int64_t)>& piece) {
  for (int i = 0; i < 10'000; ++i) {
    runtime::parallel_for(64, [&](std::int64_t k) {
      std::this_thread::sleep_for(std::chrono::microseconds(50));
      piece(k);
    });
  }
  fail("nothing ended the process");
}

struct ComputesAtTheEnd {
  ~ComputesAtTheEnd() {
    if (wanted) {
      require(compute() == expected, "a static variable's destructor computed something else");
    }
  }
  bool wanted = false;
};
ComputesAtTheEnd at_the_end;

void compute_when_the_program_ends() {
  at_the_end.wanted = true;
  std::atexit([] { require(compute() == expected, "a function of std::atexit computed something else"); });
}

void compute_when_a_thread_ends() {
  struct Last {
    ~Last() { require(compute() == expected, "a thread_local variable's destructor computed something else"); }
  };
  std::thread([] {
    thread_local const Last last;
    static_cast<void>(&last);
    compute();
  }).join();
}

void exit_in_a_piece() {
  run_pieces([](std::int64_t k) {
    if (k == 40 && runtime::thread_number() == 0) {
      std::exit(0);
    }
  });
}

void exit_in_a_worker() {
  run_pieces([](std::int64_t) {
    if (runtime::thread_number() != 0) {
      std::exit(0);
    }
  });
}

void exit_in_a_signal() {
  std::signal(SIGALRM, [](int) { std::exit(0); });
  const itimerval after_50_ms{{0, 0}, {0, 50'000}};
  setitimer(ITIMER_REAL, &after_50_ms, nullptr);
  run_pieces([](std::int64_t) {});
}

/// Forks while another thread computes; a child computes itself, on threads of its own, and ends in the ordinary way.
void fork_while_others_compute() {
  std::atomic<bool> stop = false;
  std::thread other([&] {
    for (int i = 0; !stop; ++i) {
      compute(0.001 * (i % 500));
    }
  });
  for (int i = 0; i < 60; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(20);
      std::exit(compute() == expected && compute(0.25) == compute(0.25) ? 0 : 1);
    }
    int status = 0;
    require(waitpid(child, &status, 0) == child && status == 0, "a child did not end well");
  }
  stop = true;
  other.join();
  require(compute() == expected, "the parent computed something else");
}

/// What one thread computes does not mind that another changes the number of threads.
void change_the_number_of_threads() {
  const auto step = compile([](const Tensor& x) { return sum(exp(sin(matmul(x, x))) * tanh(x)); });
  const Tensor x = sin(reshape(arange(40'000), {200, 200})).detach();
  const float right = step(x).item<float>();
  std::atomic<bool> stop = false;
  std::thread other([&] {
    for (int i = 0; !stop; ++i) {
      runtime::set_num_threads(1 + i * 7 % 12);
    }
  });
  for (int i = 0; i < 3'000; ++i) {
    require(step(x).item<float>() == right, "another number of threads gave another result");
  }
  stop = true;
  other.join();
}

/// With XGRAD_THREADS far beyond.
void too_many_threads() {
  const int most = std::max(64, 4 * static_cast<int>(std::thread::hardware_concurrency()));
  require(threads_at_first == most, "XGRAD_THREADS was not brought down");
  runtime::set_num_threads(most);
  try {
    runtime::set_num_threads(most + 1);
  } catch (const ValueError&) {
    return;
  }
  fail("more threads than there may be were accepted");
}

}  // namespace

int main(int, char** arguments) {
  const std::map<std::string, void (*)()> cases = {
      {"compute_when_the_program_ends", compute_when_the_program_ends},
      {"compute_when_a_thread_ends", compute_when_a_thread_ends},
      {"exit_in_a_piece", exit_in_a_piece},
      {"exit_in_a_worker", exit_in_a_worker},
      {"exit_in_a_signal", exit_in_a_signal},
      {"fork_while_others_compute", fork_while_others_compute},
      {"change_the_number_of_threads", change_the_number_of_threads},
      {"too_many_threads", too_many_threads},
  };
  cases.at(arguments[1])();
}
