#include "autograd/runtime/blas.hpp"

#include <cmath>
#include <cstdlib>
#include <mutex>
#include <string_view>
#include <vector>

#include <cblas.h>
#include <dlfcn.h>

#include "autograd/runtime/cpu.hpp"

// What OpenBLAS has beyond CBLAS. Weak, because other libraries, and OpenBLAS built for one CPU only, lack some.
extern "C" {
char* openblas_get_config(void) __attribute__((weak));
char* openblas_get_corename(void) __attribute__((weak));
int openblas_get_parallel(void) __attribute__((weak));
void openblas_set_num_threads(int count) __attribute__((weak));
void gotoblas_dynamic_init(void) __attribute__((weak));
void gotoblas_dynamic_quit(void) __attribute__((weak));
}

namespace xgrad::runtime {

namespace {

constexpr const char* core_variable = "OPENBLAS_CORETYPE";

std::string text_of(char* (*function)(void)) { return function != nullptr ? function() : "unknown"; }

std::string threading() {
  switch (openblas_get_parallel != nullptr ? openblas_get_parallel() : 0) {
    case 1: return "pthread";
    case 2: return "openmp";
    default: return "serial";
  }
}

bool is_avx512_core(std::string_view core) {
  return core == "SkylakeX" || core == "Cooperlake" || core == "SapphireRapids";
}

bool is_avx2_core(std::string_view core) { return core == "Haswell" || core == "Zen"; }

/// The kernels to ask for, or nothing where OpenBLAS's choice is right.
std::string better_core(const std::string& chosen) {
  const char* wish = std::getenv("XGRAD_BLAS_CORE");
  if (wish != nullptr && *wish != '\0') {
    return std::string_view(wish) == "keep" ? "" : wish;
  }
  if (std::getenv(core_variable) != nullptr) {
    return "";
  }
  switch (supported_instruction_set()) {
    case InstructionSet::avx512: return is_avx512_core(chosen) ? "" : "SkylakeX";
    case InstructionSet::avx2: return is_avx512_core(chosen) || is_avx2_core(chosen) ? "" : "Haswell";
    case InstructionSet::baseline: break;
  }
  return "";
}

/// OpenBLAS chooses its kernels by this variable when it starts, and starts again on request.
void choose_core(const char* core) {
  const char* current = std::getenv(core_variable);
  const std::string before = current != nullptr ? current : "";
  setenv(core_variable, core, 1);
  gotoblas_dynamic_quit();
  gotoblas_dynamic_init();
  if (current != nullptr) {
    setenv(core_variable, before.c_str(), 1);
  } else {
    unsetenv(core_variable);
  }
}

/// Multiplies small integers, whose products are exact in every order of summation.
template <class T, class Gemm>
bool product_is_right(int m, int n, int k, Gemm gemm) {
  const auto at = [](int i, int j) { return static_cast<T>((7 * i + 3 * j) % 11 - 5); };
  const auto size = [](int rows, int columns) {
    return static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
  };
  std::vector<T> a(size(m, k)), b(size(k, n)), c(size(m, n));
  for (int i = 0; i < m; ++i) {
    for (int p = 0; p < k; ++p) {
      a[size(i, k) + static_cast<std::size_t>(p)] = at(i, p);
    }
  }
  for (int p = 0; p < k; ++p) {
    for (int j = 0; j < n; ++j) {
      b[size(p, n) + static_cast<std::size_t>(j)] = at(p, j + 1);
    }
  }
  gemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, T{1}, a.data(), k, b.data(), n, T{0}, c.data(), n);
  for (int i = 0; i < m; ++i) {
    for (int j = 0; j < n; ++j) {
      T expected = 0;
      for (int p = 0; p < k; ++p) {
        expected += at(i, p) * at(p, j + 1);
      }
      if (c[size(i, n) + static_cast<std::size_t>(j)] != expected) {
        return false;
      }
    }
  }
  return true;
}

/// Sizes on both sides of OpenBLAS's threshold for small products, none a multiple of a vector.
bool products_are_right() {
  return product_is_right<float>(37, 29, 61, cblas_sgemm) && product_is_right<double>(37, 29, 61, cblas_dgemm) &&
         product_is_right<float>(101, 103, 129, cblas_sgemm) && product_is_right<double>(101, 103, 129, cblas_dgemm);
}

/// The variant of OpenBLAS on OpenMP asks that runtime how many threads the calling thread may start. Whether it is the
/// one in use is known only when the program runs; null when it is not.
struct OpenMP {
  void (*set_num_threads)(int) = nullptr;
  int (*get_max_threads)() = nullptr;
};

const OpenMP& openmp() {
  static const OpenMP functions = [] {
    OpenMP found;
    if (threading() == "openmp") {
      found.set_num_threads = reinterpret_cast<void (*)(int)>(dlsym(RTLD_DEFAULT, "omp_set_num_threads"));
      found.get_max_threads = reinterpret_cast<int (*)()>(dlsym(RTLD_DEFAULT, "omp_get_max_threads"));
    }
    return found.get_max_threads != nullptr ? found : OpenMP{};
  }();
  return functions;
}

/// From then on BLAS keeps to the calling thread. It stops threads of its own, so it happens before anybody computes.
void stop_blas_threads() {
  static std::once_flag once;
  std::call_once(once, [] {
    if (openblas_set_num_threads != nullptr) {
      openblas_set_num_threads(1);
    }
  });
}

BlasStatus prepare() {
  const SerialBlas serial;
  stop_blas_threads();
  BlasStatus status;
  status.original = text_of(openblas_get_corename);
  const std::string wanted = better_core(status.original);
  const bool can_switch = gotoblas_dynamic_init != nullptr && gotoblas_dynamic_quit != nullptr;
  if (can_switch && !wanted.empty() && wanted != status.original) {
    choose_core(wanted.c_str());
    if (!products_are_right()) {
      choose_core(status.original.c_str());
    }
    if (openblas_set_num_threads != nullptr) {
      openblas_set_num_threads(1);
    }
  }
  status.config = text_of(openblas_get_config);
  status.core = text_of(openblas_get_corename);
  status.threading = threading();
  status.unpacked_small_products = is_avx512_core(status.core);
  return status;
}

}  // namespace

const BlasStatus& prepare_blas() {
  static const BlasStatus status = prepare();
  return status;
}

void make_blas_serial_on_this_thread() {
  stop_blas_threads();
  if (openmp().set_num_threads != nullptr) {
    openmp().set_num_threads(1);
  }
}

SerialBlas::SerialBlas() {
  if (openmp().set_num_threads != nullptr) {
    threads_before_ = openmp().get_max_threads();
    openmp().set_num_threads(1);
  }
}

SerialBlas::~SerialBlas() {
  if (threads_before_ != 0) {
    openmp().set_num_threads(threads_before_);
  }
}

}  // namespace xgrad::runtime
