#include "autograd/runtime/launch.hpp"

#include <map>
#include <string>

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(runtime_launch)

namespace runtime_launch {

using xgrad::runtime::find_launch;
using xgrad::runtime::Launch;

Launch launch_of(const std::map<std::string, std::string>& variables) {
  return find_launch([&](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::string() : found->second;
  });
}

void check_launch(const Launch& found, const Launch& expected) {
  BOOST_TEST(found.launcher == expected.launcher);
  BOOST_TEST(found.is_alone() == expected.launcher.empty());
  BOOST_TEST(found.ranks == expected.ranks);
  BOOST_TEST(found.here == expected.here);
  BOOST_TEST(found.rank == expected.rank);
  BOOST_TEST(found.slots == expected.slots);
}

}  // namespace runtime_launch

using namespace runtime_launch;

BOOST_AUTO_TEST_CASE(launchers_tell_ranks_by_the_environment) {
  check_launch(launch_of({}), {});
  check_launch(launch_of({{"OMPI_COMM_WORLD_SIZE", "8"},
                          {"OMPI_COMM_WORLD_LOCAL_SIZE", "4"},
                          {"OMPI_COMM_WORLD_RANK", "5"},
                          {"OMPI_UNIVERSE_SIZE", "16"},
                          {"PMIX_RANK", "5"}}),
               {"OpenMPI", 8, 4, 5, 16});
  check_launch(launch_of({{"PMI_SIZE", "2"}, {"PMI_RANK", "1"}}), {"MPICH", 2, 2, 1, 0});
  check_launch(launch_of({{"PMI_SIZE", "6"}, {"PMI_RANK", "4"}, {"MPI_LOCALNRANKS", "3"}}), {"MPICH", 6, 3, 4, 0});
  check_launch(launch_of({{"OMPI_COMM_WORLD_SIZE", "1"}, {"OMPI_COMM_WORLD_RANK", "0"}}), {"OpenMPI", 1, 1, 0, 0});
}

BOOST_AUTO_TEST_CASE(tasks_of_srun_are_ranks) {
  const std::map<std::string, std::string> task = {
      {"SLURM_JOB_ID", "7"},          {"SLURM_STEP_ID", "0"},
      {"SLURM_STEP_NUM_TASKS", "11"}, {"SLURM_STEP_TASKS_PER_NODE", "4(x2),3"},
      {"SLURM_NTASKS", "11"},         {"PMIX_RANK", "9"}};
  const auto on = [&](const char* node, const char* rank) {
    std::map<std::string, std::string> all = task;
    all["SLURM_NODEID"] = node;
    all["SLURM_PROCID"] = rank;
    return launch_of(all);
  };
  check_launch(on("0", "0"), {"Slurm", 11, 4, 0, 0});
  check_launch(on("1", "7"), {"Slurm", 11, 4, 7, 0});
  check_launch(on("2", "9"), {"Slurm", 11, 3, 9, 0});
  check_launch(on("3", "9"), {"Slurm", 11, 11, 9, 0});  // the list does not know it
  check_launch(launch_of({{"SLURM_STEP_NUM_TASKS", "2"}, {"SLURM_PROCID", "1"}}), {"Slurm", 2, 2, 1, 0});
}

BOOST_AUTO_TEST_CASE(what_is_no_rank_is_alone) {
  // The script of a batch job that has asked for four tasks, before it calls srun.
  check_launch(launch_of({{"SLURM_JOB_ID", "7"},
                          {"SLURM_NTASKS", "4"},
                          {"SLURM_NPROCS", "4"},
                          {"SLURM_TASKS_PER_NODE", "4"},
                          {"SLURM_PROCID", "0"},
                          {"SLURM_LOCALID", "0"},
                          {"SLURM_NODEID", "0"}}),
               {});
  // A shell that srun has started, and mpirun inside of such a step.
  check_launch(launch_of({{"SLURM_STEP_NUM_TASKS", "1"}, {"SLURM_PROCID", "0"}}), {});
  check_launch(launch_of({{"SLURM_STEP_NUM_TASKS", "1"},
                          {"SLURM_PROCID", "0"},
                          {"OMPI_COMM_WORLD_SIZE", "4"},
                          {"OMPI_COMM_WORLD_RANK", "3"}}),
               {"OpenMPI", 4, 4, 3, 0});
  check_launch(launch_of({{"PMIX_RANK", "0"}}), {});
  check_launch(launch_of({{"OMPI_COMM_WORLD_SIZE", "none"}, {"PMI_SIZE", "-3"}}), {});
}

BOOST_AUTO_TEST_SUITE_END()
