#include "datasets/fashion_mnist.hpp"

#include <cstdlib>
#include <string>

#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
#include "datasets/input_file.hpp"

namespace xgrad::datasets {

namespace {

constexpr std::string_view fashion_mnist_op = "FashionMnist::load";

std::filesystem::path require_files(const std::filesystem::path& folder, std::string_view origin) {
  if (const std::string missing = MnistFolder::missing_from(folder); !missing.empty()) {
    raise_file_error(fashion_mnist_op, folder, phrase("the files of Fashion-MNIST in this folder, {}", origin), missing,
                     "correct it, or leave it out to search elsewhere");
  }
  return folder;
}

}  // namespace

std::filesystem::path FashionMnist::find(const std::filesystem::path& folder, const std::filesystem::path& fallback) {
  if (!folder.empty()) {
    return require_files(folder, "given as the argument");
  }
  if (const char* variable = std::getenv("XGRAD_DATA"); variable != nullptr && *variable != '\0') {
    return require_files(variable, "given by the environment variable XGRAD_DATA");
  }
  if (const std::string missing = missing_from(fallback); !missing.empty()) {
    raise<FileError>(fashion_mnist_op,
                     phrase("Fashion-MNIST was not found: no folder was given as the argument, the environment "
                            "variable XGRAD_DATA is not set, and {} has {}; install the Debian package "
                            "dataset-fashion-mnist or give the folder in one of the two other ways",
                            fallback.string(), missing));
  }
  return fallback;
}

FashionMnist FashionMnist::load(const std::filesystem::path& folder) {
  const std::filesystem::path found = find(folder);
  FashionMnist data{MnistFolder::load(found, class_count)};
  // The test images have the same size: MnistFolder::load has checked it.
  if (const Shape& shape = data.train.features().shape(); shape[1] != image_rows || shape[2] != image_columns) {
    raise_file_error(fashion_mnist_op, found, phrase("images of {} x {}", image_rows, image_columns),
                     phrase("{} x {}", shape[1], shape[2]), "load other data sets by MnistFolder::load");
  }
  return data;
}

}  // namespace xgrad::datasets
