#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "autograd/graph/variable.hpp"

/// \file
/// Where the time of a plan goes.

namespace xgrad {

/// What a kernel of a plan took, over all repetitions and threads.
struct KernelTime {
  std::string name;           ///< the operations that it computes: `matmul`, `add+relu`
  std::string source;         ///< with the line of the user's that made the last of them: `matmul at train.cpp:12`
  std::int64_t calls = 0;     ///< how many pieces ran
  double seconds = 0;         ///< per repetition, added up over the threads
  double share = 0;           ///< of the time of all kernels
  double gflops = 0;          ///< 10^9 floating-point operations per second of it
  double gigabytes = 0;       ///< 10^9 bytes read and written per second of it
  std::string computes = {};  ///< the product with its sizes, the formula of a map
  std::vector<std::uint32_t> reads = {};      ///< the kernels whose results it reads
  std::vector<std::uint32_t> arguments = {};  ///< which arguments of the function it reads
  std::vector<Variable> variables = {};       ///< those that it reads or assigns, each once
};

/// One piece of a kernel on one thread.
struct KernelEvent {
  std::uint32_t kernel;   ///< position in Profile::kernels
  int thread;             ///< 0 is the caller's
  std::int64_t begin_ns;  ///< since the start of the first repetition
  std::int64_t end_ns;    ///< since the start of the first repetition
};

/// Measurements of some runs of a plan. Made by Plan::profile.
struct Profile {
  std::vector<KernelTime> kernels;  ///< in the order of the plan
  std::vector<KernelEvent> events;  ///< of the last repetition
  double seconds = 0;               ///< of one repetition, from start to end
  int repetitions = 0;              ///< how many were measured
  int threads = 0;                  ///< on how many threads

  /// Writes the last repetition in Chrome's trace-event format, which chrome://tracing and Perfetto show.
  /// \throws FileError when \p path cannot be written.
  void write_chrome_trace(const std::string& path) const;
};

/// A table, the kernel that took most in front.
std::string to_string(const Profile& profile);
/// Prints the table.
std::ostream& operator<<(std::ostream& out, const Profile& profile);

}  // namespace xgrad
