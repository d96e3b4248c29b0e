#pragma once

#include <string>

#include "autograd/runtime/blas.hpp"
#include "autograd/runtime/cpu.hpp"
#include "autograd/runtime/launch.hpp"

/// \file
/// What xgrad-doctor knows about a machine before it says anything.

namespace xgrad::doctor {

/// GFLOP/s of square matrix products.
struct ProductSpeed {
  double one = 0;   ///< on one thread
  double all = 0;   ///< on all threads
  double peak = 0;  ///< of one core that multiplies and adds in registers alone; 0 where it is not known
};

/// What was measured.
struct Measurements {
  double gigahertz = 0;       ///< while nothing but additions ran
  ProductSpeed float32;       ///< of products in float32
  ProductSpeed float64;       ///< of products in float64
  ProductSpeed bfloat16_3x;   ///< of products of float32 by three of bfloat16 parts
  ProductSpeed bfloat16;      ///< of products of float32 rounded to bfloat16
  std::string bfloat16_by;    ///< the instructions that compute those two, where some were made for it
  double bandwidth_one = 0;   ///< GB/s read and written by relu on arrays beyond the caches, one thread
  double bandwidth_all = 0;   ///< the same on all threads
  double wake_seconds = 0;    ///< a loop over all threads whose workers sleep
  double loop_seconds = 0;    ///< the same while the workers are awake: a barrier
  double busy_elsewhere = 0;  ///< processors' worth of time that other processes took
};

/// The set-up and the measurements.
struct Findings {
  runtime::CpuInfo cpu;      ///< the machine
  runtime::BlasStatus blas;  ///< BLAS after it was prepared
  std::string instructions;  ///< the set that xgrad's kernels use
  std::string isa_wish;      ///< XGRAD_ISA, or empty
  std::string core_wish;     ///< OPENBLAS_CORETYPE, or empty
  std::string threads_wish;  ///< XGRAD_THREADS, or empty
  int threads = 1;           ///< that kernels use
  runtime::Launch launch;    ///< whether mpirun started this process
  bool optimized = true;     ///< whether the compiler was told to optimise
  Measurements measured;     ///< how fast it is
};

}  // namespace xgrad::doctor
