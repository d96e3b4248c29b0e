#include "autograd/runtime/blas.hpp"

#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/runtime/cpu.hpp"

namespace {

using namespace xgrad;

BOOST_AUTO_TEST_SUITE(runtime_blas)

BOOST_AUTO_TEST_CASE(it_says_what_it_uses) {
  const runtime::BlasStatus& status = runtime::prepare_blas();
  BOOST_TEST(!status.core.empty());
  BOOST_TEST(!status.original.empty());
  BOOST_TEST(!status.config.empty());
  BOOST_TEST((status.threading == "pthread" || status.threading == "openmp" || status.threading == "serial"));
}

BOOST_AUTO_TEST_CASE(a_wish_of_the_users_is_respected) {
  const runtime::BlasStatus& status = runtime::prepare_blas();
  const char* wish = std::getenv("XGRAD_BLAS_CORE");
  const bool keep = wish != nullptr && wish == std::string("keep");
  if (keep || (wish == nullptr && std::getenv("OPENBLAS_CORETYPE") != nullptr)) {
    BOOST_TEST(status.core == status.original);
  } else if (wish == nullptr && status.original == "Haswell" &&
             runtime::supported_instruction_set() == runtime::InstructionSet::avx512) {
    BOOST_TEST(status.core == "SkylakeX");
  }
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
