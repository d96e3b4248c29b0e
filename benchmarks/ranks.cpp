// What sums over ranks cost, beside MPI's own:  mpirun -n 2 --bind-to none build/release/benchmarks/ranks [REPETITIONS]
//
// Figures of docs/distributed.md; those of training are by ranked_steps. Both are called in turns; the least and the
// median of many calls.

#include <mpi.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include <autograd/autograd.hpp>
#include <distributed/collectives.hpp>
#include <distributed/world.hpp>

using namespace xgrad;
using distributed::World;
using distributed::detail::Call;
using distributed::detail::Connection;

namespace {

using Clock = std::chrono::steady_clock;

/// Milliseconds of many calls.
struct Times {
  std::vector<double> each;

  template <class F>
  void add(const World& world, const F& f) {
    world.barrier();
    const auto start = Clock::now();
    f();
    each.push_back(std::chrono::duration<double, std::milli>(Clock::now() - start).count());
  }
  double least() const { return *std::min_element(each.begin(), each.end()); }
  double median() const {
    std::vector<double> sorted = each;
    std::sort(sorted.begin(), sorted.end());
    return sorted[sorted.size() / 2];
  }
};

void compare_sums(const World& world, int repetitions) {
  for (const std::int64_t count : {1, 1000, 16'000, 101'770, 535'818, 5'800'000}) {
    const std::vector<float> in(static_cast<std::size_t>(count), 1.0F);
    std::vector<float> out(in.size());
    const Call call(distributed::detail::Kind::all_reduce, Spec{{count}, DType::float32});
    Times ours;
    Times theirs;
    for (int i = 0; i < std::max(2, count > 1'000'000 ? repetitions / 10 : repetitions); ++i) {
      theirs.add(world, [&] {
        MPI_Allreduce(in.data(), out.data(), static_cast<int>(count), MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
      });
      ours.add(world, [&] {
        distributed::detail::all_reduce(Connection::open("ranks"), call, reinterpret_cast<const std::byte*>(in.data()),
                                        reinterpret_cast<std::byte*>(out.data()));
      });
    }
    if (world.is_root()) {
      std::printf("%8ld floats  least %8.4f ms, MPI %8.4f, ratio %.2f   median %8.4f ms, MPI %8.4f, ratio %.2f\n",
                  static_cast<long>(count), ours.least(), theirs.least(), ours.least() / theirs.least(), ours.median(),
                  theirs.median(), ours.median() / theirs.median());
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const World world(argc, argv);
  const int repetitions = argc > 1 ? std::atoi(argv[1]) : 300;
  compare_sums(world, repetitions);
}
