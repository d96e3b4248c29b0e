#include "autograd/runtime/launch.hpp"

#include <algorithm>
#include <cstdlib>

namespace xgrad::doctor {

namespace {

/// The variables of a launcher.
struct Names {
  const char* launcher;
  const char* ranks;
  const char* here;
  const char* rank;
  const char* slots;
};

constexpr Names launchers[] = {
    {"OpenMPI", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_SIZE", "OMPI_COMM_WORLD_RANK", "OMPI_UNIVERSE_SIZE"},
    {"MPICH", "PMI_SIZE", "MPI_LOCALNRANKS", "PMI_RANK", ""},
};

}  // namespace

Launch find_launch(const std::function<std::string(const char* name)>& environment) {
  const auto number = [&](const char* name, int otherwise) {
    const std::string text = environment(name);
    return text.empty() ? otherwise : std::max(0, std::atoi(text.c_str()));
  };
  for (const Names& names : launchers) {
    if (const int ranks = number(names.ranks, 0); ranks > 0) {
      return {names.launcher, ranks, std::max(1, number(names.here, ranks)), number(names.rank, 0),
              number(names.slots, 0)};
    }
  }
  return {};
}

}  // namespace xgrad::doctor
