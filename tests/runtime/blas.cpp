#include "autograd/runtime/blas.hpp"

#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

// There where OpenBLAS runs on OpenMP.
extern "C" {
void omp_set_num_threads(int count) __attribute__((weak));
int omp_get_max_threads(void) __attribute__((weak));
}

BOOST_AUTO_TEST_SUITE(runtime_blas)

namespace {

using namespace xgrad;

BOOST_AUTO_TEST_CASE(it_says_what_it_uses) {
  const runtime::BlasStatus& status = runtime::prepare_blas();
  BOOST_TEST(!status.core.empty());
  BOOST_TEST(!status.original.empty());
  BOOST_TEST(!status.config.empty());
  BOOST_TEST((status.threading == "pthread" || status.threading == "openmp" || status.threading == "serial"));
}

BOOST_AUTO_TEST_CASE(the_library_is_a_file) {
  const runtime::BlasStatus& status = runtime::prepare_blas();
  BOOST_TEST(std::filesystem::is_regular_file(status.library), status.library);
  BOOST_TEST(status.library.find("blas") != std::string::npos, status.library);
}

BOOST_AUTO_TEST_CASE(better_kernels_are_those_of_the_best_instruction_set) {
  using enum runtime::InstructionSet;
  BOOST_TEST(runtime::better_core("Haswell", avx512) == "SkylakeX");
  BOOST_TEST(runtime::better_core("Zen", avx512) == "SkylakeX");
  BOOST_TEST(runtime::better_core("Prescott", avx512) == "SkylakeX");
  BOOST_TEST(runtime::better_core("Prescott", avx2) == "Haswell");
  BOOST_TEST(runtime::better_core("Sandybridge", avx2) == "Haswell");
  for (const char* right : {"SkylakeX", "skylakex", "Cooperlake", "SapphireRapids", "unknown"}) {
    BOOST_TEST(runtime::better_core(right, avx512) == "", right);
  }
  BOOST_TEST(runtime::better_core("Zen", avx2) == "");
  BOOST_TEST(runtime::better_core("SkylakeX", avx2) == "");
  BOOST_TEST(runtime::better_core("Prescott", baseline) == "");
}

/// What must hold of every status, whatever the environment of the test run says.
BOOST_AUTO_TEST_CASE(a_wish_of_the_users_is_respected) {
  using enum runtime::CoreChoice;
  const runtime::BlasStatus& status = runtime::prepare_blas();
  const bool is_users = status.choice == forced || status.choice == switched;
  BOOST_TEST(status.core == (is_users ? status.wanted : status.original));
  const char* wish = std::getenv("XGRAD_BLAS_CORE");
  if (wish != nullptr && wish == std::string("keep")) {
    BOOST_TEST((status.choice == kept));
  } else if (wish == nullptr && std::getenv("OPENBLAS_CORETYPE") != nullptr) {
    BOOST_TEST((status.choice == environment));
  } else if (wish == nullptr) {
    BOOST_TEST((status.choice == own) == status.wanted.empty());
  }
}

BOOST_AUTO_TEST_CASE(an_openmp_program_keeps_its_threads) {
  if (omp_get_max_threads == nullptr || runtime::prepare_blas().threading != "openmp") {
    return;
  }
  const int before = omp_get_max_threads();
  omp_set_num_threads(7);
  {
    const runtime::SerialBlas serial;
    BOOST_TEST(omp_get_max_threads() == 1);
  }
  BOOST_TEST(omp_get_max_threads() == 7);
  omp_set_num_threads(before);
}

BOOST_AUTO_TEST_CASE(workers_call_an_openmp_blas_on_one_thread) {
  if (omp_get_max_threads == nullptr || runtime::prepare_blas().threading != "openmp") {
    return;
  }
  std::thread([] {
    runtime::make_blas_serial_on_this_thread();
    BOOST_TEST(omp_get_max_threads() == 1);
  }).join();
}

BOOST_AUTO_TEST_CASE(the_environment_stays_as_it_was) {
  const char* before = std::getenv("OPENBLAS_CORETYPE");
  const std::string text = before != nullptr ? before : "";
  runtime::prepare_blas();
  const char* after = std::getenv("OPENBLAS_CORETYPE");
  BOOST_TEST((before == nullptr) == (after == nullptr));
  BOOST_TEST((after == nullptr || after == text));
}

BOOST_AUTO_TEST_CASE(once_for_all_threads) {
  std::vector<const runtime::BlasStatus*> seen(4);
  std::vector<std::thread> threads;
  for (auto& each : seen) {
    threads.emplace_back([&each] {
      runtime::make_blas_serial_on_this_thread();
      each = &runtime::prepare_blas();
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (const auto* each : seen) {
    BOOST_TEST(each == &runtime::prepare_blas());
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
