#include "autograd/doctor/advice.hpp"

#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/doctor/report.hpp"

BOOST_AUTO_TEST_SUITE(doctor_advice)

namespace {

using namespace xgrad;
using doctor::Findings;
using runtime::CoreChoice;
using runtime::InstructionSet;

/// A machine with four cores and AVX-512 on which all is well.
Findings healthy() {
  Findings f;
  f.cpu.model = "A CPU";
  f.cpu.instructions = InstructionSet::avx512;
  f.cpu.caches = {48 << 10, 1 << 20, 32 << 20};
  f.cpu.present = f.cpu.allowed = f.cpu.cores = f.cpu.usable = 4;
  f.blas.library = "/lib/libopenblas.so.0";
  f.blas.config = "OpenBLAS 0.3.21 DYNAMIC_ARCH";
  f.blas.core = f.blas.original = "SkylakeX";
  f.blas.choice = CoreChoice::own;
  f.blas.threading = "pthread";
  f.instructions = "avx512";
  f.threads = 4;
  f.measured.gigahertz = 4;
  f.measured.float32 = {200, 700, 256};
  f.measured.float64 = {100, 350, 128};
  f.measured.bandwidth_one = 20;
  f.measured.bandwidth_all = 50;
  f.measured.loop_seconds = 1e-6;
  f.measured.wake_seconds = 50e-6;
  return f;
}

/// That there is one piece of advice, which contains \p part.
void check_advice(const Findings& f, const std::string& part) {
  const std::vector<std::string> all = doctor::advice(f);
  BOOST_REQUIRE(all.size() == 1U);
  BOOST_TEST(all[0].find(part) != std::string::npos, all[0] << " should contain: " << part);
}

Findings with_core(const char* core, CoreChoice choice, const char* wanted = "SkylakeX") {
  Findings f = healthy();
  f.blas.core = f.blas.original = core;
  f.blas.wanted = wanted;
  f.blas.choice = choice;
  return f;
}

BOOST_AUTO_TEST_CASE(a_healthy_machine_needs_none) {
  BOOST_TEST(doctor::advice(healthy()).empty());
  BOOST_TEST(doctor::report(healthy()).find("Nothing to improve.") != std::string::npos);
  Findings switched = healthy();
  switched.blas.original = "Haswell";
  switched.blas.choice = CoreChoice::switched;
  BOOST_TEST(doctor::advice(switched).empty());
  BOOST_TEST(doctor::report(switched).find("kernels before          Haswell") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(speed_is_compared_with_a_peak_that_is_known) {
  Findings f = healthy();
  BOOST_TEST(doctor::report(f).find("200 GFLOP/s on 1 thread, 78 % of its peak of 256; 700 GFLOP/s on 4, 68 %") !=
             std::string::npos);
  f.measured.float32.peak = 0;
  BOOST_TEST(doctor::report(f).find("200 GFLOP/s on 1 thread; 700 GFLOP/s on 4\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(older_kernels) {
  Findings f = with_core("Haswell", CoreChoice::environment);
  f.core_wish = "Haswell";
  check_advice(f,
               "OpenBLAS uses Haswell kernels although the CPU has AVX-512, because OPENBLAS_CORETYPE=Haswell is set: "
               "unset it; the products inside factorisations will be about 1.9 times as fast.");
  check_advice(with_core("Prescott", CoreChoice::kept),
               "because XGRAD_BLAS_CORE=keep is set: unset it; the products inside factorisations will "
               "be several times as fast");
  Findings without_fused = with_core("Prescott", CoreChoice::kept);
  without_fused.cpu.instructions = InstructionSet::avx2;
  without_fused.instructions = "baseline";
  without_fused.isa_wish = "baseline";
  BOOST_TEST(doctor::advice(without_fused)[0].find("unset it; products will be several times as fast") !=
             std::string::npos);
  check_advice(with_core("Haswell", CoreChoice::forced, "Haswell"), "because XGRAD_BLAS_CORE=Haswell is set");
  check_advice(with_core("Haswell", CoreChoice::fixed), "DYNAMIC_ARCH");
  check_advice(with_core("Haswell", CoreChoice::unknown), "install a newer OpenBLAS");
  check_advice(with_core("Haswell", CoreChoice::wrong), "failed a test product");
}

BOOST_AUTO_TEST_CASE(kernels_that_cannot_be) {
  check_advice(with_core("SkylakeX", CoreChoice::unknown, "Abacus"), "XGRAD_BLAS_CORE=Abacus names kernels that this");
  Findings f = with_core("Haswell", CoreChoice::unsupported);
  f.cpu.instructions = InstructionSet::avx2;
  f.instructions = "avx2";
  check_advice(f, "XGRAD_BLAS_CORE=SkylakeX asks for kernels that this CPU cannot run");
}

BOOST_AUTO_TEST_CASE(fewer_processors_than_there_are) {
  Findings affinity = healthy();
  affinity.cpu.allowed = affinity.cpu.cores = affinity.cpu.usable = affinity.threads = 2;
  check_advice(affinity, "may run on 2 of 4 processors");
  Findings quota = healthy();
  quota.cpu.quota = 1.5;
  quota.cpu.usable = quota.threads = 1;
  check_advice(quota, "grant this process 1.5 processors' worth of time although it may run on 4");
}

BOOST_AUTO_TEST_CASE(a_number_of_threads_that_does_not_fit) {
  Findings more = healthy();
  more.threads = 6;
  more.threads_wish = "6";
  check_advice(more, "6 threads for 4 processors (XGRAD_THREADS=6)");
  Findings hyper = healthy();
  hyper.cpu.cores = hyper.cpu.usable = 2;
  hyper.threads = 4;
  hyper.threads_wish = "4";
  check_advice(hyper, "4 threads on 2 cores (XGRAD_THREADS=4): hyper-threads share");
  Findings fewer = healthy();
  fewer.threads = 2;
  fewer.threads_wish = "2";
  check_advice(fewer, "2 of 4 possible threads (XGRAD_THREADS=2)");
}

BOOST_AUTO_TEST_CASE(several_ranks) {
  Findings f = healthy();
  BOOST_TEST(doctor::report(f).find("Ranks") == std::string::npos);
  f.launch = {"OpenMPI", 4, 2, 0, 4};
  BOOST_TEST(doctor::advice(f).empty());
  const std::string text = doctor::report(f);
  BOOST_TEST(text.find("started                 4 by OpenMPI, 2 of them on this machine; this is rank 0\n") !=
             std::string::npos);
  BOOST_TEST(text.find("slots                   4; more ranks take --oversubscribe\n") != std::string::npos);
  BOOST_TEST(text.find("binding                 none\n") != std::string::npos);
  BOOST_TEST(text.find("threads of each         2 in a World, which divides 4 processors; 4 without\n") !=
             std::string::npos);
  Findings bound = f;
  bound.cpu.allowed = bound.cpu.cores = bound.cpu.usable = bound.threads = 1;
  check_advice(bound,
               "mpirun bound this rank to 1 of 4 processors, and its threads stay there. Start it with --bind-to none");
  BOOST_TEST(doctor::report(bound).find("binding                 to 1 of 4 processors\n") != std::string::npos);
  Findings crowd = f;
  crowd.launch.here = 8;
  check_advice(crowd, "8 ranks on this machine take turns on 4 processors: start at most 4 here.");
  Findings wish = f;
  wish.threads_wish = "4";
  check_advice(wish, "2 ranks on this machine with XGRAD_THREADS=4 each are more threads than 4 processors: unset it");
}

BOOST_AUTO_TEST_CASE(a_busy_machine) {
  Findings busy = healthy();
  busy.measured.busy_elsewhere = 0.96;
  busy.measured.float32.all = 210;
  check_advice(busy, "Other processes kept 1.0 of 4 processors busy");
  Findings shared = healthy();
  shared.measured.float32.all = 210;
  check_advice(shared, "hardly faster than on one");
}

BOOST_AUTO_TEST_CASE(what_was_built_and_loaded) {
  Findings debug = healthy();
  debug.optimized = false;
  check_advice(debug, "--buildtype=release");
  Findings slow = healthy();
  slow.instructions = slow.isa_wish = "avx2";
  check_advice(slow, "XGRAD_ISA=avx2 is set: unset it");
  slow.isa_wish = "";
  check_advice(slow, "-Dinstruction_sets=all");
  Findings openmp = healthy();
  openmp.blas.threading = "openmp";
  check_advice(openmp, "OMP_WAIT_POLICY=passive");
  Findings other = healthy();
  other.blas.config = other.blas.core = other.blas.original = "unknown";
  check_advice(other, "does not say that it is OpenBLAS");
}

BOOST_AUTO_TEST_CASE(lines_are_aligned_and_not_too_long) {
  Findings f = with_core("Haswell", CoreChoice::kept);
  f.blas.threading = "openmp";
  const std::string text = doctor::report(f);
  for (std::size_t begin = 0, end = 0; begin < text.size(); begin = end + 1) {
    end = text.find('\n', begin);
    BOOST_TEST(end - begin <= 120U, text.substr(begin, end - begin));
  }
  BOOST_TEST(text.find("\n  model                   A CPU\n") != std::string::npos);
  BOOST_TEST(text.find("\n  caches                  L1 48 KiB, L2 1 MiB, L3 32 MiB\n") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
