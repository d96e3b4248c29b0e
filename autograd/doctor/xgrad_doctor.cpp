// Says what xgrad found on this machine, how fast it is, and what would make it faster.

#include <cstdio>
#include <cstdlib>
#include <string>

#include <CLI/CLI.hpp>

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
#ifndef __OPTIMIZE__
  found.optimized = false;
#endif
  found.measured = doctor::measure(found.cpu, effort);
  return found;
}

}  // namespace

int main(int argc, char** argv) {
  bool quick = false;
  CLI::App app("Says what xgrad found on this machine, how fast it is, and what would make it faster.", "xgrad-doctor");
  app.add_flag("--quick", quick, "Measure for about a second, and roughly");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "%s; --help lists the options\n", error.what());
    return 2;
  }
  try {
    std::fputs(doctor::report(examine(quick)).c_str(), stdout);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
