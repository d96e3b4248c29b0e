#pragma once

#include <cstdint>
#include <string>

#include "autograd/runtime/cpu.hpp"

/// \file
/// Which BLAS is loaded and how it is set up.

namespace xgrad::runtime {

/// Who chose the kernels of BLAS.
enum class CoreChoice : std::uint8_t {
  own,          ///< BLAS itself, and nothing better is known for this CPU
  switched,     ///< prepare_blas, because BLAS had fallen back to older kernels than the CPU supports
  forced,       ///< the user, by XGRAD_BLAS_CORE=NAME
  kept,         ///< BLAS itself, because of XGRAD_BLAS_CORE=keep
  environment,  ///< the user, by OPENBLAS_CORETYPE=NAME
  fixed,        ///< nobody: this BLAS cannot change its kernels while the program runs
  unknown,      ///< BLAS itself, because it does not have the wanted kernels
  unsupported,  ///< BLAS itself, because the CPU lacks the instructions of the wanted kernels
  wrong,        ///< BLAS itself, because the wanted kernels failed the test product
};

/// A few words for each: why these kernels run.
const char* to_string(CoreChoice choice);

/// What prepare_blas found and did.
struct BlasStatus {
  std::string library;                    ///< the file that it was loaded from, links resolved
  std::string config;                     ///< OpenBLAS's own description, which begins with its version
  std::string core;                       ///< the kernels it uses now, such as `SkylakeX`
  std::string original;                   ///< the kernels it had chosen itself
  std::string wanted;                     ///< the kernels to ask for instead: by the user, or better ones; or empty
  CoreChoice choice = CoreChoice::fixed;  ///< who chose \ref core
  std::string threading;                  ///< `pthread`, `openmp` or `serial`
  bool unpacked_small_products = false;   ///< whether these kernels multiply without packing where m n k <= 10^6
};

/// Makes BLAS single-threaded (kernels cut products themselves) and, where it fell back to older kernels than the CPU
/// supports, switches it to those of its instruction set, checked by a test product. Happens once, before the first
/// product; respects OPENBLAS_CORETYPE and XGRAD_BLAS_CORE (`keep`, or the name of kernels). Thread-safe, but a program
/// that also calls BLAS itself from other threads should call this before it starts them.
const BlasStatus& prepare_blas();

/// The kernels that OpenBLAS should run where it has chosen \p original on a CPU with \p supported instructions, or an
/// empty text where its choice is right: `SkylakeX` for AVX-512, `Haswell` for AVX2.
std::string better_core(const std::string& original, InstructionSet supported);

/// Makes BLAS single-threaded on the calling thread for good; workers call it once (OpenMP keeps this per thread).
void make_blas_serial_on_this_thread();

/// While it lives, BLAS is single-threaded on the calling thread, which may be the user's: OpenMP loops of the program
/// find their number of threads unchanged afterwards.
class SerialBlas {
 public:
  SerialBlas();
  SerialBlas(const SerialBlas&) = delete;
  SerialBlas& operator=(const SerialBlas&) = delete;
  ~SerialBlas();

 private:
  int threads_before_ = 0;  // 0 where OpenMP is not involved
};

}  // namespace xgrad::runtime
