#include "distributed/threads.hpp"

#include <mpi.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <numeric>

#include "autograd/runtime/cpu.hpp"
#include "autograd/runtime/workers.hpp"

namespace xgrad::distributed::detail {

namespace {

// The processors that this process may run on, a bit each.
using Processors = std::array<std::uint64_t, sizeof(cpu_set_t) / sizeof(std::uint64_t)>;

Processors own_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof(set), &set);
  Processors processors{};
  std::memcpy(processors.data(), &set, sizeof(set));
  return processors;
}

std::int64_t count(const Processors& processors) {
  return std::accumulate(processors.begin(), processors.end(), std::int64_t{0},
                         [](std::int64_t sum, std::uint64_t bits) { return sum + std::popcount(bits); });
}

}  // namespace

bool divide_processors() {
  const Processors own = own_processors();
  std::int64_t own_count = count(own);
  Processors together{};
  std::int64_t sum = 0;
  int ranks = 1;
  MPI_Comm machine = MPI_COMM_NULL;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine);
  MPI_Comm_size(machine, &ranks);
  MPI_Allreduce(own.data(), together.data(), static_cast<int>(own.size()), MPI_UINT64_T, MPI_BOR, machine);
  MPI_Allreduce(&own_count, &sum, 1, MPI_INT64_T, MPI_SUM, machine);
  MPI_Comm_free(&machine);
  const char* wish = std::getenv("XGRAD_THREADS");
  const runtime::CpuInfo cpu = runtime::cpu_info();
  const bool chosen = (wish != nullptr && *wish != '\0') || runtime::num_threads_was_set();
  const bool shared = sum > count(together);
  if (shared && !chosen) {
    runtime::set_num_threads(std::max(1, cpu.usable / ranks));
  }
  return shared && ranks > (cpu.quota > 0 ? std::min(static_cast<int>(cpu.quota), cpu.allowed) : cpu.allowed);
}

}  // namespace xgrad::distributed::detail
