#pragma once

#include <string>

/// \file
/// Which BLAS is loaded and how it is set up.

namespace xgrad::runtime {

/// What prepare_blas found and did.
struct BlasStatus {
  std::string config;                    ///< OpenBLAS's own description
  std::string core;                      ///< the kernels it uses now, such as `SkylakeX`
  std::string original;                  ///< the kernels it had chosen itself
  std::string threading;                 ///< `pthread`, `openmp` or `serial`
  bool unpacked_small_products = false;  ///< whether these kernels multiply without packing where m n k <= 10^6
};

/// Makes BLAS single-threaded (kernels cut products themselves) and, where it fell back to older kernels than the CPU
/// supports, switches it to those of its instruction set, checked by a test product. Happens once, before the first
/// product; respects OPENBLAS_CORETYPE and XGRAD_BLAS_CORE=keep. Thread-safe.
const BlasStatus& prepare_blas();

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
