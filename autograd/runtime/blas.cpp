#include "autograd/runtime/blas.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <cblas.h>
#include <dlfcn.h>
#include <strings.h>
#include <unistd.h>

#include "autograd/runtime/phrase.hpp"

// What OpenBLAS has beyond CBLAS. Weak, because other libraries, and OpenBLAS built for one CPU only, lack some.
extern "C" {
char* openblas_get_config(void) __attribute__((weak));
char* openblas_get_corename(void) __attribute__((weak));
int openblas_get_parallel(void) __attribute__((weak));
void openblas_set_num_threads(int count) __attribute__((weak));
void gotoblas_dynamic_init(void) __attribute__((weak));
void gotoblas_dynamic_quit(void) __attribute__((weak));

// Of the OpenMP runtime, which is there where the variant of OpenBLAS on OpenMP is, or where the program has it.
void omp_set_num_threads(int count) __attribute__((weak));
int omp_get_max_threads(void) __attribute__((weak));
}

namespace xgrad::runtime {

namespace {

constexpr const char* core_variable = "OPENBLAS_CORETYPE";

constexpr const char* unknown_core = "unknown";

std::string text_of(char* (*function)(void)) { return function != nullptr ? function() : unknown_core; }

std::string threading() {
  switch (openblas_get_parallel != nullptr ? openblas_get_parallel() : 0) {
    case 1: return "pthread";
    case 2: return "openmp";
    default: return "serial";
  }
}

/// Whether two names of kernels are the same to OpenBLAS.
bool same_core(const std::string& a, const std::string& b) { return strcasecmp(a.c_str(), b.c_str()) == 0; }

bool is_one_of(const std::string& core, std::initializer_list<const char*> names) {
  return std::any_of(names.begin(), names.end(), [&core](const char* name) { return same_core(core, name); });
}

/// The instructions of x86-64 that OpenBLAS's kernels of this name are made of.
InstructionSet instruction_set_of(const std::string& core) {
  if (is_one_of(core, {"SkylakeX", "Cooperlake", "SapphireRapids"})) {
    return InstructionSet::avx512;
  }
  return is_one_of(core, {"Haswell", "Zen"}) ? InstructionSet::avx2 : InstructionSet::baseline;
}

/// The process's environment with another value of OpenBLAS's variable.
struct Environment {
  explicit Environment(const char* core) : setting(phrase("{}={}", core_variable, core)) {
    const std::string_view name = std::string_view(setting).substr(0, std::strlen(core_variable) + 1);
    for (char** each = environ; each != nullptr && *each != nullptr; ++each) {
      if (!std::string_view(*each).starts_with(name)) {
        settings.push_back(*each);
      }
    }
    settings.push_back(setting.data());
    settings.push_back(nullptr);
  }

  std::string setting;
  std::vector<char*> settings;
};

/// OpenBLAS chooses its kernels by this variable when it starts, and starts again on request. For that time it sees another
/// environment: setenv would move the one that other threads may be reading, who may read this one, too, so it stays.
void choose_core(const char* core) {
  static auto* const all = new std::vector<std::unique_ptr<Environment>>;
  all->push_back(std::make_unique<Environment>(core));
  char** const before = std::exchange(environ, all->back()->settings.data());
  gotoblas_dynamic_quit();
  gotoblas_dynamic_init();
  environ = before;
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

/// The variant of OpenBLAS on OpenMP asks that runtime how many threads the calling thread may start.
bool on_openmp() {
  static const bool yes = threading() == "openmp" && omp_set_num_threads != nullptr && omp_get_max_threads != nullptr;
  return yes;
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

/// Asks for \p wanted kernels; what they are good for decides who has chosen in the end.
CoreChoice try_core(const BlasStatus& status, CoreChoice when_it_works) {
  if (gotoblas_dynamic_init == nullptr || gotoblas_dynamic_quit == nullptr) {
    return CoreChoice::fixed;
  }
  if (instruction_set_of(status.wanted) > supported_instruction_set()) {
    return CoreChoice::unsupported;
  }
  if (same_core(status.wanted, status.original)) {
    return when_it_works;
  }
  choose_core(status.wanted.c_str());
  const bool known = same_core(text_of(openblas_get_corename), status.wanted);
  if (known && products_are_right()) {
    return when_it_works;
  }
  choose_core(status.original.c_str());
  return known ? CoreChoice::wrong : CoreChoice::unknown;
}

CoreChoice choose(BlasStatus& status) {
  const char* wish = std::getenv("XGRAD_BLAS_CORE");
  const std::string_view wanted = wish != nullptr ? wish : "";
  if (!wanted.empty() && wanted != "keep") {
    status.wanted = wanted;
    return try_core(status, CoreChoice::forced);
  }
  status.wanted = better_core(status.original, supported_instruction_set());
  if (!wanted.empty()) {
    return CoreChoice::kept;
  }
  if (std::getenv(core_variable) != nullptr) {
    return CoreChoice::environment;
  }
  return status.wanted.empty() ? CoreChoice::own : try_core(status, CoreChoice::switched);
}

std::string library_file() {
  Dl_info found;
  if (dladdr(reinterpret_cast<const void*>(&cblas_sgemm), &found) == 0 || found.dli_fname == nullptr) {
    return "unknown";
  }
  std::error_code failure;
  const std::filesystem::path resolved = std::filesystem::canonical(found.dli_fname, failure);
  return failure ? found.dli_fname : resolved.string();
}

BlasStatus prepare() {
  const SerialBlas serial;
  stop_blas_threads();
  BlasStatus status;
  status.library = library_file();
  status.threading = threading();
  status.original = text_of(openblas_get_corename);
  status.choice = choose(status);
  if (openblas_set_num_threads != nullptr) {
    openblas_set_num_threads(1);  // a restart may have forgotten it
  }
  status.config = text_of(openblas_get_config);
  status.core = text_of(openblas_get_corename);
  status.unpacked_small_products = instruction_set_of(status.core) == InstructionSet::avx512;
  return status;
}

}  // namespace

const char* to_string(CoreChoice choice) {
  switch (choice) {
    case CoreChoice::own: return "its own choice";
    case CoreChoice::switched: return "switched: it had fallen back to older ones than the CPU supports";
    case CoreChoice::forced: return "as XGRAD_BLAS_CORE says";
    case CoreChoice::kept: return "its own choice, kept by XGRAD_BLAS_CORE=keep";
    case CoreChoice::environment: return "as OPENBLAS_CORETYPE says";
    case CoreChoice::fixed: return "this library cannot change them";
    case CoreChoice::unknown: return "its own choice, for it does not know the wanted ones";
    case CoreChoice::unsupported: return "its own choice, for the CPU lacks instructions of the wanted ones";
    case CoreChoice::wrong: break;
  }
  return "its own choice, for the wanted ones failed a test product";
}

std::string better_core(const std::string& original, InstructionSet supported) {
  const InstructionSet best =
      std::min(supported, InstructionSet::avx512);  // what multiplies bfloat16 is not for its numbers
  const bool may_fall_back = best > InstructionSet::baseline && supported != InstructionSet::neon;
  if (!may_fall_back || original == unknown_core || instruction_set_of(original) >= best) {
    return "";
  }
  return best == InstructionSet::avx512 ? "SkylakeX" : "Haswell";
}

const BlasStatus& prepare_blas() {
  static const BlasStatus status = prepare();
  return status;
}

void make_blas_serial_on_this_thread() {
  stop_blas_threads();
  if (on_openmp()) {
    omp_set_num_threads(1);
  }
}

SerialBlas::SerialBlas() {
  if (on_openmp()) {
    threads_before_ = omp_get_max_threads();
    omp_set_num_threads(1);
  }
}

SerialBlas::~SerialBlas() {
  if (threads_before_ != 0) {
    omp_set_num_threads(threads_before_);
  }
}

}  // namespace xgrad::runtime
