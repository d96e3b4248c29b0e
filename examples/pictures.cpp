// Draws three graphs, in Graphviz's DOT language: a small one, the training step of a network folded by layers, and the plan
// that it becomes. `script/figures` makes the pictures of docs/pictures.md of them.

#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <string>

#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include "flags.hpp"

using namespace xgrad;

namespace {

// Σ exp(x) x, and its gradient.
std::string small_graph() {
  const Tensor x = xt::xarray<float>{1, 2, 3};
  const Tensor y = sum(exp(x) * x);
  return to_dot(Tensors{y, grad(y, x)});
}

struct Pictures {
  std::string step;  // of training, folded
  std::string plan;
};

Pictures training_step() {
  const nn::Sequential model(nn::Dense(784, 128), nn::ReLU(), nn::Dense(128, 10));
  nn::SGD sgd(model.parameters(), {.learning_rate = 0.1, .momentum = 0.9});
  const auto step = compile([&](const Tensor& images, const Tensor& labels) {
    const Tensor loss = nn::cross_entropy(model(images), labels);
    sgd.minimize(loss);
    return loss;
  });
  const Tensor images = zeros({64, 784}), labels = zeros({64}, DType::int64);
  return {to_dot(step.trace(images, labels), {.fold = Fold::by_layer}), to_dot(step.plan(images, labels))};
}

void write(const std::filesystem::path& path, const std::string& dot) {
  std::ofstream file(path);
  file << dot << std::flush;
  if (!file) {
    throw FileError("[pictures] cannot write " + path.string());
  }
  std::printf("%s: %zu bytes\n", path.c_str(), dot.size());
}

}  // namespace

int main(int argc, char** argv) {
  std::string folder = ".";
  Flags flags("Draws graphs: FOLDER/graph.dot, step.dot and plan.dot.");
  flags.add("folder", folder, "Where to write them");
  if (const auto code = flags.parse(argc, argv)) {
    return *code;
  }
  try {
    const Pictures pictures = training_step();
    std::filesystem::create_directories(folder);
    write(std::filesystem::path(folder) / "graph.dot", small_graph());
    write(std::filesystem::path(folder) / "step.dot", pictures.step);
    write(std::filesystem::path(folder) / "plan.dot", pictures.plan);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
