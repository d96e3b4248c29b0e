// A program on MPI, as a user's that has nothing but what is installed. Without mpirun it is one rank.
#include <cstdio>

#include <autograd/autograd.hpp>
#include <distributed/world.hpp>

int main(int argc, char** argv) {
  using namespace xgrad;
  const distributed::World world(argc, argv);
  const double sum = world.all_reduce(Tensor(1.5)).item();
  const bool right = world.size() == 1 && sum == 1.5;
  std::puts(right ? "one rank adds up" : "one rank does not add up");
  return right ? 0 : 1;
}
