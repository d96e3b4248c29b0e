// Writes the task of the comparison as NPY files, for programs in other languages, and prints the kernels that xgrad
// lets BLAS use:  export_task --hidden 512,256 --epochs 3 --folder FOLDER

#include <cstdio>
#include <filesystem>

#include <autograd/autograd.hpp>
#include <autograd/runtime/blas.hpp>

#include "benchmarks/model.hpp"
#include "examples/flags.hpp"

using namespace xgrad;

namespace {

void write(const std::filesystem::path& folder, const benchmarks::Settings& settings) {
  const auto data = datasets::FashionMnist::load(settings.data);
  datasets::write_npy(folder / "images.npy", data.train.features());
  datasets::write_npy(folder / "labels.npy", data.train.targets());
  const datasets::Batches batches = benchmarks::make_batches(settings);
  for (int epoch = 0; epoch < settings.epochs; ++epoch) {
    datasets::write_npy(folder / ("order" + std::to_string(epoch) + ".npy"), batches.epoch(epoch).order());
  }
  const nn::Variables parameters = benchmarks::make_model(settings.hidden).parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    datasets::write_npy(folder / ("parameter" + std::to_string(i) + ".npy"), parameters[i].read().array());
  }
}

}  // namespace

int main(int argc, char** argv) {
  benchmarks::Settings settings;
  std::string folder;
  Flags flags("Writes the task of the comparison as NPY files");
  flags.add("--hidden", settings.hidden, "Sizes of the hidden layers");
  flags.add("--epochs", settings.epochs, "How many orders of the images to write");
  flags.add("--data", settings.data, "Folder of the four IDX files");
  flags.add("--folder", folder, "Where to write; nothing is written without");
  if (const auto code = flags.parse(argc, argv)) {
    return *code;
  }
  try {
    if (!folder.empty()) {
      write(folder, settings);
    }
    std::printf("kernels %s\n", runtime::prepare_blas().core.c_str());
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
