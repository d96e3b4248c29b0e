#pragma once

#include <functional>
#include <string>

/// \file
/// How this process was started: alone, or as one of several that mpirun starts.

namespace xgrad::doctor {

/// What the programs that start ranks tell them by the environment.
struct Launch {
  std::string launcher;  ///< `OpenMPI`, or another; empty where the process was started alone
  int ranks = 1;         ///< that were started together
  int here = 1;          ///< those on this machine
  int rank = 0;          ///< which one this process is
  int slots = 0;         ///< for how many ranks there is room, as far as the launcher knows; 0 where it does not tell
};

/// \param environment gives the value of a variable, empty where there is none.
Launch find_launch(const std::function<std::string(const char* name)>& environment);

}  // namespace xgrad::doctor
