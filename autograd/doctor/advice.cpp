#include "autograd/doctor/advice.hpp"

#include "autograd/runtime/phrase.hpp"

namespace xgrad::doctor {

namespace {

using runtime::CoreChoice;
using runtime::InstructionSet;

using Advice = std::vector<std::string>;

const char* name_of(InstructionSet set) { return set >= InstructionSet::avx512 ? "AVX-512" : "AVX2"; }

void on_build(const Findings& f, Advice& advice) {
  if (!f.optimized) {
    advice.push_back("xgrad was built without optimisation: configure the build with --buildtype=release.");
  }
}

/// How much faster OpenBLAS multiplies with the kernels of the CPU's own instruction set than with those of \p core: 1.9 from
/// AVX2 to AVX-512 on an AMD Zen 5 with OpenBLAS 0.3.21, 5 to 9 from SSE.
const char* gain_over(const std::string& core) {
  return runtime::better_core(core, InstructionSet::avx2).empty() ? "about 1.9 times" : "several times";
}

/// Why better kernels are not in use, and what to do about it.
std::string remedy(const Findings& f) {
  switch (f.blas.choice) {
    case CoreChoice::environment: return phrase("because OPENBLAS_CORETYPE={} is set: unset it", f.core_wish);
    case CoreChoice::forced: return phrase("because XGRAD_BLAS_CORE={} is set: unset it", f.blas.wanted);
    case CoreChoice::kept: return "because XGRAD_BLAS_CORE=keep is set: unset it";
    case CoreChoice::fixed:
      return "because this library has kernels for one CPU only: install OpenBLAS built with DYNAMIC_ARCH";
    case CoreChoice::unknown: return "because this version has no better ones: install a newer OpenBLAS";
    default: return "because the better ones failed a test product: install a newer OpenBLAS";
  }
}

void on_kernels(const Findings& f, Advice& advice) {
  const runtime::BlasStatus& blas = f.blas;
  const std::string better = runtime::better_core(blas.core, f.cpu.instructions);
  if (blas.choice == CoreChoice::unsupported) {
    advice.push_back(
        phrase("XGRAD_BLAS_CORE={} asks for kernels that this CPU cannot run; OpenBLAS keeps its {} "
               "kernels. Unset it.",
               blas.wanted, blas.core));
  } else if (blas.choice == CoreChoice::unknown && blas.wanted != better) {
    advice.push_back(
        phrase("XGRAD_BLAS_CORE={} names kernels that this OpenBLAS does not have; it keeps its {} "
               "kernels. Unset it.",
               blas.wanted, blas.core));
  } else if (!better.empty()) {
    advice.push_back(phrase("OpenBLAS uses {} kernels although the CPU has {}, {}; {} will be {} as fast.", blas.core,
                            name_of(f.cpu.instructions), remedy(f),
                            f.instructions == "baseline" ? "products" : "the products inside factorisations",
                            gain_over(blas.core)));
  }
}

void on_blas(const Findings& f, Advice& advice) {
  if (f.blas.config.find("OpenBLAS") == std::string::npos) {
    advice.push_back(
        phrase("{} does not say that it is OpenBLAS: xgrad can neither choose its kernels nor keep it "
               "to one thread. Install libopenblas.",
               f.blas.library));
  } else if (f.blas.threading == "openmp") {
    advice.push_back(
        "This is the OpenMP variant of OpenBLAS. xgrad runs it on its own threads, as fast as the others; "
        "but where your program calls BLAS itself, OpenMP's threads spin beside xgrad's: set "
        "OMP_WAIT_POLICY=passive there, or install the pthread variant.");
  }
}

void on_instructions(const Findings& f, Advice& advice) {
  if (f.instructions == runtime::to_string(f.cpu.instructions)) {
    return;
  }
  if (f.isa_wish.empty()) {
    advice.push_back(phrase(
        "xgrad's own kernels use {} although the CPU has {}, as the library was built for another machine alone: "
        "configure its build with -Dinstruction_sets=all.",
        f.instructions, runtime::to_string(f.cpu.instructions)));
  } else {
    advice.push_back(
        phrase("xgrad's own kernels use {} although the CPU has {}, because XGRAD_ISA={} is set: "
               "unset it.",
               f.instructions, runtime::to_string(f.cpu.instructions), f.isa_wish));
  }
}

void on_ranks(const Findings& f, Advice& advice) {
  const runtime::CpuInfo& cpu = f.cpu;
  const int here = f.launch.here;
  if (f.launch.is_alone()) {
    return;
  }
  if (cpu.allowed < cpu.present) {
    advice.push_back(
        phrase("mpirun bound this rank to {} of {} processors, and its threads stay there. Start it with "
               "--bind-to none; or with --map-by slot:PE=N where each rank is to have N processors of its own.",
               cpu.allowed, cpu.present));
    return;
  }
  if (here > cpu.usable) {
    advice.push_back(phrase("{} ranks on this machine take turns on {} processors: start at most {} here.", here,
                            cpu.usable, cpu.usable));
  }
  if (!f.threads_wish.empty() && here > 1 && f.threads * here > cpu.usable) {
    advice.push_back(
        phrase("{} ranks on this machine with XGRAD_THREADS={} each are more threads than {} processors: "
               "unset it, a World divides the processors among its ranks.",
               here, f.threads_wish, cpu.usable));
  }
}

void on_processors(const Findings& f, Advice& advice) {
  const runtime::CpuInfo& cpu = f.cpu;
  if (cpu.allowed < cpu.present && f.launch.is_alone()) {
    advice.push_back(
        phrase("This process may run on {} of {} processors: its affinity says so (taskset, numactl, "
               "a container's cpuset). Widen it to use the rest.",
               cpu.allowed, cpu.present));
  }
  if (cpu.quota > 0 && cpu.quota < cpu.allowed) {
    advice.push_back(
        phrase("Control groups grant this process {:.3g} processors' worth of time although it may run "
               "on {}: raise the limit of the container or service (cpu.max) to use the rest.",
               cpu.quota, cpu.allowed));
  }
  if (f.threads > cpu.usable) {
    advice.push_back(
        f.threads <= cpu.allowed && cpu.usable == cpu.cores
            ? phrase("xgrad has {} threads on {} cores (XGRAD_THREADS={}): hyper-threads share what a core multiplies "
                     "with, and its caches. Unset it.",
                     f.threads, cpu.cores, f.threads_wish)
            : phrase("xgrad has {} threads for {} processors (XGRAD_THREADS={}): threads that wait for each "
                     "other's turn are slower than fewer threads. Unset it.",
                     f.threads, cpu.usable, f.threads_wish));
  } else if (f.threads < cpu.usable) {
    advice.push_back(phrase("xgrad has {} of {} possible threads (XGRAD_THREADS={}): unset it to use all.", f.threads,
                            cpu.usable, f.threads_wish));
  }
}

void on_measurements(const Findings& f, Advice& advice) {
  const Measurements& m = f.measured;
  constexpr double noticeable = 0.2;
  constexpr double worth_a_thread = 1.2;
  if (m.busy_elsewhere > noticeable) {
    advice.push_back(
        phrase("Other processes kept {:.1f} of {} processors busy during the measurement: stop them, or "
               "give xgrad fewer threads (XGRAD_THREADS).",
               m.busy_elsewhere, f.cpu.allowed));
  } else if (f.threads > 1 && m.float32.all < worth_a_thread * m.float32.one) {
    advice.push_back(
        phrase("Products on {} threads are hardly faster than on one: the processors may be the two "
               "halves of one core, or a host shares them with others. Compare XGRAD_THREADS=1.",
               f.threads));
  }
}

}  // namespace

std::vector<std::string> advice(const Findings& findings) {
  Advice all;
  on_build(findings, all);
  on_kernels(findings, all);
  on_instructions(findings, all);
  on_ranks(findings, all);
  on_processors(findings, all);
  on_measurements(findings, all);
  on_blas(findings, all);
  return all;
}

}  // namespace xgrad::doctor
