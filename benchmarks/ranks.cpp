// What sums over ranks cost, beside MPI's own:  mpirun -n 2 --bind-to none build/release/benchmarks/ranks [REPETITIONS]
//
// The figures of docs/distributed.md. Both are called in turns; the least and the median of many calls.

#include <mpi.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include <autograd/autograd.hpp>
#include <autograd/runtime/workers.hpp>
#include <distributed/collectives.hpp>
#include <distributed/world.hpp>
#include <nn/nn.hpp>

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

// Steps on a batch that ranks divide, with one sum of all gradients.
void time_steps(const World& world, const char* name, const nn::Sequential& network, int repetitions) {
  constexpr std::int64_t batch = 512;
  nn::Sequential model = network;
  model.initialize(random::Key(0));
  nn::Adam adam(model.parameters());
  const std::int64_t own = batch / world.size();
  const Tensor x = random::uniform(random::Key(1), {own, 784});
  const Tensor y = cast(random::uniform(random::Key(2), {own}, 0, 10), DType::int64);
  evaluate({x, y});

  const auto step = compile([&](const Tensor& images, const Tensor& labels) {
    const Tensor loss = nn::cross_entropy(model(images), labels, {.reduction = nn::Reduction::sum});
    const nn::Variables weights = model.parameters();
    Tensors gradients = grad(loss, Tensors(weights.begin(), weights.end()));
    if (world.size() > 1) {
      Tensors parts;
      for (const Tensor& gradient : gradients) {
        parts.push_back(reshape(gradient, {-1}));
      }
      const Tensor all = world.all_reduce(concatenate(parts));
      std::int64_t begin = 0;
      for (Tensor& gradient : gradients) {
        const std::int64_t end = begin + gradient.size();
        gradient = reshape(all[range(begin, end)], gradient.shape());
        begin = end;
      }
    }
    for (Tensor& gradient : gradients) {
      gradient = gradient / batch;
    }
    adam.step(gradients);
    return loss;
  });
  Times times;
  step(x, y);  // traced and planned
  for (int i = 0; i < std::max(2, repetitions); ++i) {
    times.add(world, [&] { evaluate({step(x, y)}); });
  }
  if (world.is_root()) {
    std::printf("%s, batch %d, %d ranks of %d threads  least %.3f ms, median %.3f ms\n", name, static_cast<int>(batch),
                static_cast<int>(world.size()), runtime::num_threads(), times.least(), times.median());
  }
}

}  // namespace

int main(int argc, char** argv) {
  const World world(argc, argv);
  const int repetitions = argc > 1 ? std::atoi(argv[1]) : 300;
  compare_sums(world, repetitions);
  time_steps(world, "784-128-10", nn::Sequential(nn::Dense(784, 128), nn::ReLU(), nn::Dense(128, 10)), repetitions);
  time_steps(world, "784-512-256-10",
             nn::Sequential(nn::Dense(784, 512), nn::ReLU(), nn::Dense(512, 256), nn::ReLU(), nn::Dense(256, 10)),
             repetitions / 3);
  time_steps(world, "784-2048-2048-10",
             nn::Sequential(nn::Dense(784, 2048), nn::ReLU(), nn::Dense(2048, 2048), nn::ReLU(), nn::Dense(2048, 10)),
             repetitions / 20);
}
