// A training loop of one's own on several processes:  mpirun -n 4 build/release/examples/distributed_loop
//
// Every batch is eight shards. A rank computes the gradients of its shards, one by one, adds them up in a binary tree, and
// all_reduce goes on with the same tree between ranks. So the weights have the same bits on 1, 2, 4 and 8 ranks.

#include <bit>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include <autograd/autograd.hpp>
#include <datasets/datasets.hpp>
#include <distributed/world.hpp>
#include <nn/nn.hpp>

#include "flags.hpp"

using namespace xgrad;
using distributed::World;

namespace {

constexpr std::int64_t shards = 8;  // of a batch, on any number of ranks
constexpr std::int64_t batch_size = 512;
constexpr std::int64_t shard_size = batch_size / shards;

// The loss and all gradients as one vector, so that one message brings them.
Tensor join(const Tensor& loss, const Tensors& gradients) {
  Tensors parts = {reshape(loss, {1})};
  for (const Tensor& gradient : gradients) {
    parts.push_back(reshape(gradient, {-1}));
  }
  return concatenate(parts);
}

// The gradients again.
Tensors take_apart(const Tensor& joined, const nn::Variables& parameters) {
  Tensors gradients;
  std::int64_t begin = 1;
  for (const Variable& parameter : parameters) {
    const Shape shape = parameter.shape();
    gradients.push_back(reshape(joined[range(begin, begin + shape.element_count())], shape));
    begin += shape.element_count();
  }
  return gradients;
}

// Neighbours first, then pairs of neighbours: the order in which all_reduce adds what ranks give.
Tensor tree_sum(Tensors terms) {
  for (; terms.size() > 1; terms.resize(terms.size() / 2)) {
    for (std::size_t i = 0; i + 1 < terms.size(); i += 2) {
      terms[i / 2] = terms[i] + terms[i + 1];
    }
  }
  return terms[0];
}

std::uint64_t hash_of(const nn::Variables& parameters) {
  std::uint64_t hash = 14695981039346656037U;  // FNV-1a
  for (const Variable& parameter : parameters) {
    const Array weights = parameter.read().array();
    for (std::int64_t i = 0; i < weights.size(); ++i) {
      hash = (hash ^ std::bit_cast<std::uint32_t>(weights.data<float>()[i])) * 1099511628211U;
    }
  }
  return hash;
}

// The same model on every rank: initialised by the same key, and updated by the same sums.
struct Training {
  nn::Sequential model{nn::Dense(datasets::FashionMnist::image_size, 64), nn::ReLU(),
                       nn::Dense(64, datasets::FashionMnist::class_count)};
  nn::Adam adam{model.parameters(), {.learning_rate = 2e-3}};

  Training() { model.initialize(random::Key(0)); }
};

double train(const World& world, const datasets::FashionMnist& data, int epochs) {
  Training training;
  const nn::Variables parameters = training.model.parameters();
  const auto of_shard = compile([&](const Tensor& images, const Tensor& labels) {
    const Tensor loss = nn::cross_entropy(training.model(images), labels, {.reduction = nn::Reduction::sum});
    return join(loss, grad(loss, Tensors(parameters.begin(), parameters.end())));
  });
  const auto update = compile([&](const Tensor& joined) {
    const Tensor mean = world.all_reduce(joined) / batch_size;
    training.adam.step(take_apart(mean, parameters));
    return mean[0];
  });

  const datasets::Batches batches(data.train, {.batch_size = batch_size, .drop_last = true});
  const std::int64_t own = shards / world.size();
  double last = 0;
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    double loss_sum = 0;
    for (const auto& [images, labels] : batches.epoch(epoch)) {
      Tensors terms;
      for (std::int64_t i = own * world.rank(); i < own * (world.rank() + 1); ++i) {
        const Slice rows = range(i * shard_size, (i + 1) * shard_size);
        terms.push_back(of_shard(Tensor(images)[rows], Tensor(labels)[rows]));
      }
      loss_sum += update(tree_sum(terms)).item();
    }
    last = loss_sum / static_cast<double>(batches.count());
    if (world.is_root()) {
      std::printf("epoch %d/%d  loss %.4f\n", epoch, epochs, last);
    }
  }
  const std::string weights = std::to_string(hash_of(parameters));
  for (const std::string& other : world.exchange(weights)) {
    if (other != weights) {
      raise<ValueError>("distributed_loop", "the weights differ from rank to rank; say so to the authors of xgrad");
    }
  }
  if (world.is_root()) {
    std::printf("ranks=%d weights=%s\n", static_cast<int>(world.size()), weights.c_str());
  }
  return last;
}

}  // namespace

int main(int argc, char** argv) {
  std::string folder;
  int epochs = 5;
  Flags flags("Trains a classifier of Fashion-MNIST images on all processes that mpirun starts.");
  flags.add("--data", folder, "Folder of the four IDX files [XGRAD_DATA, or the Debian package's]");
  flags.add("--epochs", epochs, "Passes over the training images").range(1, 1000);
  if (const auto code = flags.parse(argc, argv)) {
    return *code;
  }
  try {
    const World world(argc, argv);
    if (shards % world.size() != 0 || std::popcount(static_cast<std::uint64_t>(world.size())) != 1) {
      raise<ValueError>("distributed_loop", std::to_string(world.size()) + " ranks; start 1, 2, 4 or 8");
    }
    const double loss = train(world, datasets::FashionMnist::load(folder), epochs);
    return loss < 0.8 ? 0 : 1;  // after one epoch already
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
