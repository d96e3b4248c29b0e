#include "autograd/runtime/cpu.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <boost/test/unit_test.hpp>

#include "tests/datasets/temporary_folder.hpp"

BOOST_AUTO_TEST_SUITE(runtime_cpu)

namespace {

using namespace xgrad;
using testing::TemporaryFolder;
using testing::write_bytes;

/// Control groups as files.
struct Groups : TemporaryFolder {
  void write(const std::string& file, const std::string& text) const {
    std::filesystem::create_directories((folder / file).parent_path());
    write_bytes(folder / file, text + "\n");
  }
  double quota(const std::string& membership) const {
    write("membership", membership);
    return runtime::cpu_quota(folder / "membership", folder);
  }
};

/// Whether the system lists the flag of the first processor.
bool has_flag(const std::string& name) {
  std::ifstream file("/proc/cpuinfo");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const std::size_t begin = text.find("flags\t");
  const std::string flags = begin == std::string::npos ? "" : text.substr(begin, text.find('\n', begin) - begin) + ' ';
  return flags.find(' ' + name + ' ') != std::string::npos;
}

BOOST_AUTO_TEST_CASE(this_machine) {
  const runtime::CpuInfo info = runtime::cpu_info();
  BOOST_TEST(info.present >= 1);
  BOOST_TEST(info.allowed >= 1);
  BOOST_TEST(info.usable >= 1);
  BOOST_TEST(info.cores >= 1);
  BOOST_TEST(info.cores <= info.allowed);
  BOOST_TEST(info.usable <= info.cores);
  BOOST_TEST((info.instructions == runtime::supported_instruction_set()));
  if (info.instructions != runtime::InstructionSet::neon) {  // an emulator may show the file of the machine below
    BOOST_TEST(runtime::has_bfloat16_pairs() == has_flag("avx512_bf16"));
  }
  BOOST_TEST(info.caches.l1 <= info.caches.l2);
  BOOST_TEST((info.quota == 0 || info.usable <= info.quota || info.usable == 1));
}

/// Processors 0 and 4 are hyper-threads of a core, as are 1 and 5; 2 and 3 have cores of their own.
BOOST_FIXTURE_TEST_CASE(hyper_threads_count_once, Groups) {
  const auto describe = [this](int processor, const std::string& siblings) {
    write("cpu" + std::to_string(processor) + "/topology/thread_siblings_list", siblings);
  };
  for (const int i : {0, 4}) {
    describe(i, "0,4");
  }
  for (const int i : {1, 5}) {
    describe(i, "1,5");
  }
  describe(2, "2");
  describe(3, "3");
  BOOST_TEST(runtime::count_cores({0, 1, 2, 3, 4, 5}, folder) == 4);
  BOOST_TEST(runtime::count_cores({0, 4}, folder) == 1);
  BOOST_TEST(runtime::one_of_each_core({4, 0, 1, 2, 3}, folder) == (std::vector<int>{4, 1, 2, 3}),
             boost::test_tools::per_element());
  BOOST_TEST(runtime::count_cores({4}, folder) == 1);
  BOOST_TEST(runtime::count_cores({1, 4}, folder) == 2);
  BOOST_TEST(runtime::count_cores({2, 3}, folder) == 2);
  BOOST_TEST(runtime::count_cores({6, 7, 8}, folder) == 3);  // of which nothing is told
}

BOOST_FIXTURE_TEST_CASE(without_a_limit, Groups) {
  BOOST_TEST(runtime::cpu_quota((folder / "nowhere").string(), folder.string()) == 0);
  write("user/cpu.max", "max 100000");
  BOOST_TEST(quota("0::/user") == 0);
  write("cpu/docker/cpu.cfs_quota_us", "-1");
  write("cpu/docker/cpu.cfs_period_us", "100000");
  BOOST_TEST(quota("3:cpu:/docker\n0::/") == 0);
  BOOST_TEST(quota("nonsense\n\n1:") == 0);
}

BOOST_FIXTURE_TEST_CASE(version_2_takes_the_least_of_all_levels, Groups) {
  write("pod/cpu.max", "150000 100000");
  write("pod/app/cpu.max", "400000 100000");
  BOOST_TEST(quota("0::/pod") == 1.5);
  BOOST_TEST(quota("0::/pod/app") == 1.5);
  write("pod/app/cpu.max", "50000 100000");
  BOOST_TEST(quota("0::/pod/app") == 0.5);
  BOOST_TEST(quota("0::/pod/app/missing") == 0.5);
}

BOOST_FIXTURE_TEST_CASE(version_1_has_a_folder_per_controller, Groups) {
  write("cpu,cpuacct/job/cpu.cfs_quota_us", "250000");
  write("cpu,cpuacct/job/cpu.cfs_period_us", "100000");
  BOOST_TEST(quota("5:memory:/job\n4:cpu,cpuacct:/job\n") == 2.5);
}

BOOST_FIXTURE_TEST_CASE(inside_a_container_the_root_is_its_own_group, Groups) {
  write("cpu.max", "200000 100000");
  BOOST_TEST(quota("0::/system.slice/docker-0123.scope") == 2);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
