#include <autograd/runtime/launch.hpp>
#include <distributed/world.hpp>

#include "world.hpp"

using namespace xgrad;

void with_world(int argc, char** argv, const std::function<void(const std::shared_ptr<const nn::Ranks>&)>& body) {
  if (runtime::find_launch().is_alone()) {
    return body(nullptr);
  }
  const distributed::World world(argc, argv);
  body(world);
}
