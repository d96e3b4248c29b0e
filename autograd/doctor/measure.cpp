#include "autograd/doctor/measure.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <sched.h>

#include "autograd/kernels/choose.hpp"
#include "autograd/kernels/kernels.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/ops/random.hpp"
#include "autograd/runtime/meeting.hpp"
#include "autograd/runtime/workers.hpp"

namespace xgrad::doctor {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// The shortest time of one call of \p work among those that fit in \p seconds: what others do disturbs it least.
template <class F>
double shortest(double seconds, const F& work) {
  double best = std::numeric_limits<double>::infinity();
  const auto begin = Clock::now();
  do {
    const auto start = Clock::now();
    work();
    best = std::min(best, seconds_since(start));
  } while (seconds_since(begin) < seconds);
  return best;
}

/// Additions that wait for each other take a cycle each.
double gigahertz(const runtime::CpuInfo& cpu, double seconds) {
#if defined(__x86_64__) || defined(__aarch64__)
  constexpr int rounds = 100'000;
  constexpr int additions = 8;
  std::uint64_t sum = 0;
  const std::uint64_t one = 1;
  const double time = shortest(seconds, [&] {
    for (int i = 0; i < rounds; ++i) {
#if defined(__x86_64__)
      asm volatile(
          "add %1, %0\n\tadd %1, %0\n\tadd %1, %0\n\tadd %1, %0\n\t"
          "add %1, %0\n\tadd %1, %0\n\tadd %1, %0\n\tadd %1, %0"
          : "+r"(sum)
          : "r"(one));
#else
      asm volatile(
          "add %0, %0, %1\n\tadd %0, %0, %1\n\tadd %0, %0, %1\n\tadd %0, %0, %1\n\t"
          "add %0, %0, %1\n\tadd %0, %0, %1\n\tadd %0, %0, %1\n\tadd %0, %0, %1"
          : "+r"(sum)
          : "r"(one));
#endif
    }
  });
  static_cast<void>(cpu);
  return rounds * additions / time * 1e-9;
#else
  static_cast<void>(seconds);
  return cpu.megahertz * 1e-3;
#endif
}

double peak_gigaflops(DType dtype, const Effort& effort) {
  if (std::string_view(kernels::instruction_set()) == "baseline") {
    return 0;  // BLAS multiplies, by instructions of its own choice
  }
  constexpr std::int64_t repetitions = 100'000;  // a fraction of a millisecond
  double operations = 0;
  const double time = shortest(effort.seconds / 4, [&] { operations = kernels::multiply_and_add(dtype, repetitions); });
  return operations / time * 1e-9;
}

double product_gigaflops(DType dtype, const Effort& effort, ProductPrecision precision = ProductPrecision::float32) {
  const std::int64_t n = effort.product_side;
  const Array a = random::uniform(random::Key(1), {n, n}, -1, 1, dtype).array();
  const Array b = random::uniform(random::Key(2), {n, n}, -1, 1, dtype).array();
  const Array c({n, n}, dtype);
  const double time = shortest(effort.seconds, [&] {
    kernels::matmul(dtype, false, false, n, n, n, a.data(), b.data(), c.buffer()->data(), false, precision);
  });
  return 2 * static_cast<double>(n * n * n) / time * 1e-9;
}

double relu_gigabytes(const Effort& effort) {
  const Tensor x = ones({effort.array_bytes / 4});
  x.array();
  const double time = shortest(effort.seconds, [&] { relu(x).array(); });
  return 2 * static_cast<double>(effort.array_bytes) / time * 1e-9;
}

/// The median over some rounds: the shortest would be one in which the worker had not fallen asleep yet.
double wake_time() {
  std::vector<double> times(9);
  for (double& time : times) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    const auto start = Clock::now();
    runtime::meet(runtime::num_threads());
    time = seconds_since(start);
  }
  std::nth_element(times.begin(), times.begin() + 4, times.end());
  return times[4];
}

/// Time that the processors this process may use have spent, in all and not idle, in ticks since the system started.
struct Ticks {
  double all = 0;
  double busy = 0;
};

Ticks ticks_so_far() {
  cpu_set_t allowed;
  const bool known = sched_getaffinity(0, sizeof(allowed), &allowed) == 0;
  Ticks ticks;
  std::ifstream stat("/proc/stat");
  for (std::string line; std::getline(stat, line);) {
    std::istringstream words(line);
    std::string name;
    words >> name;
    if (!name.starts_with("cpu") || name == "cpu" ||
        (known && !CPU_ISSET(static_cast<std::size_t>(std::stoi(name.substr(3))), &allowed))) {
      continue;
    }
    constexpr int idle = 3, iowait = 4, steal = 7;  // user nice system idle iowait irq softirq steal
    double value = 0;
    for (int i = 0; i <= steal && words >> value; ++i) {
      ticks.all += value;
      ticks.busy += i == idle || i == iowait ? 0 : value;
    }
  }
  return ticks;
}

/// What others use while this process sleeps.
double busy_elsewhere(const runtime::CpuInfo& cpu) {
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // until the workers sleep as well
  const Ticks before = ticks_so_far();
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  const Ticks after = ticks_so_far();
  const double passed = after.all - before.all;
  return passed > 0 ? (after.busy - before.busy) / passed * cpu.allowed : 0;
}

}  // namespace

Measurements measure(const runtime::CpuInfo& cpu, const Effort& effort) {
  const int threads = runtime::num_threads();
  Measurements m;
  m.busy_elsewhere = busy_elsewhere(cpu);
  m.gigahertz = gigahertz(cpu, effort.seconds / 4);
  m.float32.peak = peak_gigaflops(DType::float32, effort);
  m.float64.peak = peak_gigaflops(DType::float64, effort);
  m.bfloat16_by = kernels::rounded_products().instructions;
  const auto measure_rounded = [&](double ProductSpeed::*speed) {
    m.bfloat16_3x.*speed = product_gigaflops(DType::float32, effort, ProductPrecision::bfloat16_3x);
    m.bfloat16.*speed = product_gigaflops(DType::float32, effort, ProductPrecision::bfloat16);
  };
  runtime::set_num_threads(1);
  m.float32.one = product_gigaflops(DType::float32, effort);
  m.float64.one = product_gigaflops(DType::float64, effort);
  measure_rounded(&ProductSpeed::one);
  m.bandwidth_one = relu_gigabytes(effort);
  runtime::set_num_threads(threads);
  m.float32.all = product_gigaflops(DType::float32, effort);
  m.float64.all = product_gigaflops(DType::float64, effort);
  measure_rounded(&ProductSpeed::all);
  m.bandwidth_all = relu_gigabytes(effort);
  if (threads > 1) {
    m.loop_seconds = runtime::meeting_seconds(threads, effort.seconds);
    m.wake_seconds = wake_time();
  }
  return m;
}

}  // namespace xgrad::doctor
