#include "autograd/runtime/cpu.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <set>
#include <sstream>
#include <string_view>
#include <thread>

#include <sched.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#endif

namespace xgrad::runtime {

namespace {

namespace fs = std::filesystem;

/// The first line of a file, empty where there is none.
std::string line_of(const fs::path& file) {
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  return line;
}

/// What follows `key   : ` in /proc/cpuinfo the first time.
std::string cpuinfo_entry(std::string_view key) {
  std::ifstream stream("/proc/cpuinfo");
  for (std::string line; std::getline(stream, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with(key) && colon != std::string::npos) {
      return line.substr(colon + 2);
    }
  }
  return "";
}

/// `48K` or `32M`.
std::int64_t bytes_from(const std::string& size) {
  char* unit = nullptr;
  const std::int64_t number = std::strtoll(size.c_str(), &unit, 10);
  return number << (*unit == 'K' ? 10 : *unit == 'M' ? 20 : 0);
}

CacheSizes cache_sizes() {
  CacheSizes sizes;
  const fs::path caches = "/sys/devices/system/cpu/cpu0/cache";
  for (int i = 0; fs::exists(caches / ("index" + std::to_string(i))); ++i) {
    const fs::path cache = caches / ("index" + std::to_string(i));
    const std::int64_t bytes = bytes_from(line_of(cache / "size"));
    const std::string level = line_of(cache / "level");
    if (line_of(cache / "type") == "Instruction") {
      continue;
    }
    (level == "1" ? sizes.l1 : level == "2" ? sizes.l2 : sizes.l3) = bytes;
  }
  return sizes;
}

std::vector<int> allowed_processors() {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) {
    std::vector<int> all(std::max(1U, std::thread::hardware_concurrency()));
    std::iota(all.begin(), all.end(), 0);
    return all;
  }
  std::vector<int> processors;
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (CPU_ISSET(static_cast<std::size_t>(i), &allowed)) {
      processors.push_back(i);
    }
  }
  return processors;
}

/// The quota of one group, 0 for none. Version 2 has `max 100000` or `150000 100000` in one file, version 1 has two, and
/// -1 for none.
double quota_of(const fs::path& group) {
  std::istringstream both(line_of(group / "cpu.max"));
  std::istringstream time(line_of(group / "cpu.cfs_quota_us"));
  std::istringstream period(line_of(group / "cpu.cfs_period_us"));
  double granted = 0;
  double of = 0;
  const bool limited = both >> granted >> of || (time >> granted && period >> of);
  return limited && granted > 0 && of > 0 ? granted / of : 0;
}

}  // namespace

const char* to_string(InstructionSet set) {
  switch (set) {
    case InstructionSet::baseline: return "baseline";
    case InstructionSet::avx2: return "avx2";
    case InstructionSet::avx512: return "avx512";
    case InstructionSet::avx512_bf16: return "avx512_bf16";
    case InstructionSet::amx: return "amx";
    case InstructionSet::neon: break;
  }
  return "neon";
}

namespace {

#if defined(__x86_64__)

constexpr int tile_data = 18;

/// Whether the CPU has tiles of bfloat16 (CPUID 7, EDX: AMX-BF16 and AMX-TILE), and Linux gives them to those who ask.
bool has_tiles() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  constexpr unsigned wanted = 1U << 22 | 1U << 24;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || (d & wanted) != wanted) {
    return false;
  }
  constexpr int get_supported = 0x1021;  // ARCH_GET_XCOMP_SUPP
  unsigned long features = 0;
  return syscall(SYS_arch_prctl, get_supported, &features) == 0 && (features >> tile_data & 1U) != 0;
}

#endif

}  // namespace

InstructionSet supported_instruction_set() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) {
    return InstructionSet::baseline;
  }
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    // AMD's CPUs add two products in the time of a fused multiply-add (Zen 4). Intel's that were measured, which have AMX,
    // take four times as long.
    const bool pairs_are_fast = has_bfloat16_pairs() && __builtin_cpu_is("amd");
    return has_tiles() ? InstructionSet::amx : pairs_are_fast ? InstructionSet::avx512_bf16 : InstructionSet::avx512;
  }
  return InstructionSet::avx2;
#elif defined(__aarch64__)
  return InstructionSet::neon;
#else
  return InstructionSet::baseline;
#endif
}

bool has_bfloat16_pairs() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

bool request_tiles() {
#if defined(__x86_64__)
  static const bool permitted = [] {
    constexpr int request_permission = 0x1023;  // ARCH_REQ_XCOMP_PERM
    return has_tiles() && syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
  }();
  return permitted;
#else
  return false;
#endif
}

double cpu_quota(const std::string& membership, const std::string& hierarchy) {
  double least = 0;
  std::ifstream groups(membership);
  for (std::string line; std::getline(groups, line);) {  // number:controllers:/path
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) {
      continue;
    }
    const fs::path root = fs::path(hierarchy) / line.substr(first + 1, second - first - 1);
    // Inside a container the path may be the one outside, of which only the root is to be seen: missing levels count
    // for nothing.
    for (fs::path path = fs::path(line.substr(second + 1)).relative_path();; path = path.parent_path()) {
      const double quota = quota_of(root / path);
      least = quota > 0 && (least == 0 || quota < least) ? quota : least;
      if (path.empty()) {
        break;
      }
    }
  }
  return least;
}

std::vector<int> one_of_each_core(const std::vector<int>& processors, const std::string& folder) {
  std::set<std::string> cores;
  std::vector<int> first;
  for (const int processor : processors) {
    const std::string name = "cpu" + std::to_string(processor);
    const std::string siblings = line_of(fs::path(folder) / name / "topology" / "thread_siblings_list");
    if (cores.insert(siblings.empty() ? name : siblings).second) {
      first.push_back(processor);
    }
  }
  return first;
}

int count_cores(const std::vector<int>& processors, const std::string& folder) {
  return static_cast<int>(one_of_each_core(processors, folder).size());
}

CpuInfo cpu_info() {
  CpuInfo info;
  info.model = cpuinfo_entry("model name");
  info.instructions = supported_instruction_set();
  info.caches = cache_sizes();
  info.megahertz = std::strtod(cpuinfo_entry("cpu MHz").c_str(), nullptr);
  info.present = std::max(1, static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)));
  const std::vector<int> processors = allowed_processors();
  info.allowed = static_cast<int>(processors.size());
  info.cores = count_cores(processors);
  info.quota = cpu_quota();
  info.usable = info.quota > 0 ? std::clamp(static_cast<int>(info.quota), 1, info.cores) : info.cores;
  return info;
}

}  // namespace xgrad::runtime
