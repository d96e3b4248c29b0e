#include <cstdlib>

#include <distributed/world.hpp>

#include "world.hpp"

using namespace xgrad;

void with_world(int argc, char** argv, const std::function<void(const std::shared_ptr<const nn::Ranks>&)>& body) {
  const bool is_launched = std::getenv("OMPI_COMM_WORLD_SIZE") != nullptr || std::getenv("PMI_SIZE") != nullptr;
  if (!is_launched) {
    return body(nullptr);
  }
  const distributed::World world(argc, argv);
  body(world);
}
