#pragma once

#include <cstdint>
#include <string>
#include <vector>

/// \file
/// What this CPU can do, and how much of it this process may use.

namespace xgrad::runtime {

/// The instruction sets that code exists for. Those of one architecture include each other in this order, but that AVX-512 BF16
/// may be missing where AMX is.
enum class InstructionSet : std::uint8_t {
  baseline,     ///< what every CPU of this architecture has
  avx2,         ///< x86-64 with AVX2 and FMA
  avx512,       ///< x86-64 with AVX-512 F, CD, BW, DQ and VL
  avx512_bf16,  ///< with AVX-512 BF16 as well, where it is faster than fused multiply-adds
  amx,          ///< with AMX for bfloat16, which the system has to permit
  neon,         ///< aarch64, where every CPU has it, and fused multiply-adds
};

/// `baseline`, `avx2`, `avx512`, `avx512_bf16`, `amx` or `neon`.
const char* to_string(InstructionSet set);

/// The best one that the CPU and the operating system support.
InstructionSet supported_instruction_set();

/// Whether the CPU and the operating system have AVX-512 BF16, be it fast or not.
bool has_bfloat16_pairs();

/// Asks the system, once, to let all threads of this process use AMX. From then on it refuses alternate stacks for signals that
/// are too small for the registers of AMX, and it refuses this while there is one.
/// \return whether they may.
bool request_tiles();

/// Sizes of the caches that a core sees, in bytes, shared ones in full; 0 where the system does not tell.
struct CacheSizes {
  std::int64_t l1 = 0;  ///< of data
  std::int64_t l2 = 0;  ///< second level
  std::int64_t l3 = 0;  ///< third level
};

/// The machine as this process sees it.
struct CpuInfo {
  std::string model;            ///< as the system names it; empty where it does not
  InstructionSet instructions;  ///< the same as supported_instruction_set
  CacheSizes caches;            ///< of the first core
  double megahertz = 0;         ///< as the system reports it, which is often not what it runs at; 0 where it does not
  int present = 1;              ///< processors that are switched on
  int allowed = 1;              ///< those that the affinity of the calling thread allows
  int cores = 1;                ///< of which those are: hyper-threads share one, with its units and caches
  double quota = 0;             ///< processors' worth of time that control groups grant; 0 for no limit
  int usable = 1;               ///< threads that have a core of their own: \ref cores, or the whole part of \ref quota
};

/// Asks the system, at each call.
CpuInfo cpu_info();

/// Processors' worth of time that the control groups (version 1 or 2) of a process grant it, the least of all levels,
/// or 0 for no limit.
/// \param membership the file that lists the groups of the process, as in cgroups(7).
/// \param hierarchy where they are mounted.
double cpu_quota(const std::string& membership = "/proc/self/cgroup", const std::string& hierarchy = "/sys/fs/cgroup");

/// Of each core that has some of \p processors, the first of them. One whose core the system does not tell has one of its own.
/// \param folder where the system describes processors, as in sysfs-devices-system-cpu.
std::vector<int> one_of_each_core(const std::vector<int>& processors,
                                  const std::string& folder = "/sys/devices/system/cpu");

/// How many cores \p processors are of, as above.
int count_cores(const std::vector<int>& processors, const std::string& folder = "/sys/devices/system/cpu");

}  // namespace xgrad::runtime
