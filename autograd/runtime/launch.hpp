#pragma once

#include <functional>
#include <string>

/// \file
/// How this process was started: alone, or as one of several that mpirun starts.

namespace xgrad::runtime {

/// What the programs that start ranks tell them by the environment.
struct Launch {
  std::string launcher = {};  ///< `OpenMPI`, `MPICH` or `Slurm`; empty where the process was started alone
  int ranks = 1;              ///< that were started together
  int here = 1;               ///< those on this machine
  int rank = 0;               ///< which one this process is
  int slots = 0;  ///< for how many ranks there is room, as far as the launcher knows; 0 where it does not tell

  bool is_alone() const { return launcher.empty(); }  ///< whether no launcher has started this process
};

/// What mpirun of OpenMPI, mpiexec of MPICH (and those that are made of it), and srun tell this process. What it was compiled
/// with does not matter. Of srun, one task alone is none: that is also how one gets a shell on a machine. Nor is the script of
/// a Slurm batch job a rank, though it is told to be task 0.
Launch find_launch();

/// The same of another environment, which gives the value of a variable, empty where there is none.
Launch find_launch(const std::function<std::string(const char* name)>& environment);

}  // namespace xgrad::runtime
