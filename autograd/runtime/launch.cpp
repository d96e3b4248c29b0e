#include "autograd/runtime/launch.hpp"

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace xgrad::runtime {

namespace {

/// The variables of a launcher.
struct LauncherNames {
  const char* launcher;
  int fewest;  // ranks that it starts
  const char* ranks;
  const char* here;
  const char* rank;
  const char* slots;
};

// Launchers that run inside of others come first: mpirun in a Slurm job. Slurm tells SLURM_PROCID=0 and SLURM_NTASKS to the
// script of a batch job, too; but the size of the step to the tasks of srun alone. PMIX_RANK, which servers of several kinds
// set, comes with no number of ranks; all that set it here set one of these, too.
constexpr LauncherNames launchers[] = {
    {"OpenMPI", 1, "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_SIZE", "OMPI_COMM_WORLD_RANK", "OMPI_UNIVERSE_SIZE"},
    {"MPICH", 1, "PMI_SIZE", "MPI_LOCALNRANKS", "PMI_RANK", ""},
    {"Slurm", 2, "SLURM_STEP_NUM_TASKS", "", "SLURM_PROCID", ""},
};

// Tasks on machine number \p machine of a list such as `4(x2),3`, which is 4, 4 and 3; 0 where there is no such machine.
int tasks_on(std::string_view list, int machine) {
  while (!list.empty()) {
    const std::string part(list.substr(0, list.find(',')));
    const std::size_t times = part.find("(x");
    const int machines = times == std::string::npos ? 1 : std::max(1, std::atoi(part.c_str() + times + 2));
    if (machine < machines) {
      return std::atoi(part.c_str());
    }
    machine -= machines;
    list.remove_prefix(std::min(list.size(), part.size() + 1));
  }
  return 0;
}

}  // namespace

Launch find_launch(const std::function<std::string(const char* name)>& environment) {
  const auto number = [&](const char* name, int otherwise) {
    const std::string text = *name == '\0' ? std::string() : environment(name);
    return text.empty() ? otherwise : std::max(0, std::atoi(text.c_str()));
  };
  for (const LauncherNames& names : launchers) {
    const int ranks = number(names.ranks, 0);
    if (ranks < names.fewest) {
      continue;
    }
    int here = number(names.here, ranks);
    if (names.launcher == std::string_view("Slurm")) {
      const int tasks = tasks_on(environment("SLURM_STEP_TASKS_PER_NODE"), number("SLURM_NODEID", 0));
      here = tasks > 0 ? tasks : ranks;
    }
    return {names.launcher, ranks, std::max(1, here), number(names.rank, 0), number(names.slots, 0)};
  }
  return {};
}

Launch find_launch() {
  return find_launch([](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  });
}

}  // namespace xgrad::runtime
