#include <cstdio>

#include <autograd/runtime/launch.hpp>

#include "world.hpp"

void with_world(int, char**, const std::function<void(const std::shared_ptr<const xgrad::nn::Ranks>&)>& body) {
  if (!xgrad::runtime::find_launch().is_alone()) {
    std::fputs("this program was built without MPI: each process trains by itself\n", stderr);
  }
  body(nullptr);
}
