// Says what xgrad found on this machine, how fast it is, and what would make it faster.

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "autograd/doctor/measure.hpp"
#include "autograd/doctor/report.hpp"
#include "autograd/kernels/kernels.hpp"
#include "autograd/runtime/error.hpp"
#include "autograd/runtime/workers.hpp"

using namespace xgrad;

namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

doctor::Findings examine(bool quick) {
  constexpr long mebi = 1024 * 1024;
  const doctor::Effort effort = quick ? doctor::Effort{0.03, 512, 16 * mebi} : doctor::Effort{0.5, 1536, 128 * mebi};
  doctor::Findings found;
  found.cpu = runtime::cpu_info();
  found.blas = runtime::prepare_blas();
  found.instructions = kernels::instruction_set();
  found.isa_wish = environment("XGRAD_ISA");
  found.core_wish = environment("OPENBLAS_CORETYPE");
  found.threads_wish = environment("XGRAD_THREADS");
  found.threads = runtime::num_threads();
  found.launch = runtime::find_launch();
#ifndef __OPTIMIZE__
  found.optimized = false;
#endif
  found.measured = doctor::measure(found.cpu, effort);
  return found;
}

constexpr const char* help =
    R"(Says what xgrad found on this machine, how fast it is, and what would make it faster.
Usage: xgrad-doctor [OPTIONS]

Options:
  -h,--help                   Print this help message and exit
  --quick                     Measure for about a second, and roughly

Started by mpirun, it says how ranks are placed: mpirun -n 2 xgrad-doctor
)";

}  // namespace

int main(int argc, char** argv) {
  bool quick = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "-h" || argument == "--help") {
      std::fputs(help, stdout);
      return 0;
    }
    if (argument != "--quick") {
      std::fprintf(stderr, "xgrad-doctor does not know %s; --help lists the options\n", argv[i]);
      return 2;
    }
    quick = true;
  }
  if (runtime::find_launch().rank > 0) {
    return 0;  // the first rank speaks for all, and measures while the others are still
  }
  try {
    std::fputs(doctor::report(examine(quick)).c_str(), stdout);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
