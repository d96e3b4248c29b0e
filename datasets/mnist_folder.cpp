#include "datasets/mnist_folder.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <system_error>

#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
#include "datasets/idx.hpp"
#include "datasets/input_file.hpp"

namespace xgrad::datasets {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view mnist_op = "MnistFolder::load";
constexpr std::string_view fetch_or_name = "fetch the data set again or give its folder";

struct FileNames {
  std::string_view images;
  std::string_view labels;
};
constexpr FileNames train_names = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte"};
constexpr FileNames test_names = {"t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};

std::optional<fs::path> find_file(const fs::path& folder, std::string_view name) {
  for (std::string_view suffix : {"", ".gz"}) {
    fs::path path = folder / phrase("{}{}", name, suffix);
    std::error_code ignored;
    if (fs::exists(path, ignored)) {
      return path;
    }
  }
  return std::nullopt;
}

Array read_bytes(const fs::path& path, std::size_t ndim, std::string_view expected) {
  Array array = read_idx(path);
  if (array.dtype() != DType::uint8 || array.shape().ndim() != ndim) {
    raise_file_error(mnist_op, path, expected, phrase("{} {}", to_string(array.dtype()), to_string(array.shape())),
                     fetch_or_name);
  }
  return array;
}

Dataset read_part(const fs::path& folder, const FileNames& names, std::int64_t classes) {
  const fs::path images_path = find_file(folder, names.images).value();
  const fs::path labels_path = find_file(folder, names.labels).value();
  const Array images = read_bytes(images_path, 3, "uint8 images of shape (n, rows, columns)");
  const Array labels = read_bytes(labels_path, 1, "uint8 labels of shape (n,)");
  if (labels.size() != images.shape()[0]) {
    raise_file_error(mnist_op, labels_path,
                     phrase("{} labels, one for each image of {}", images.shape()[0], images_path.string()),
                     phrase("{}", labels.size()), fetch_or_name);
  }
  const std::uint8_t* first = labels.data<std::uint8_t>();
  const std::uint8_t* last = first + labels.size();
  const std::uint8_t* outside = std::find_if(first, last, [classes](std::uint8_t label) { return label >= classes; });
  if (outside != last) {
    raise_file_error(mnist_op, labels_path, phrase("labels below {}, the number of classes", classes),
                     phrase("{} at position {}", *outside, outside - first),
                     "fetch the data set again or give its number of classes");
  }
  return {images, labels};
}

}  // namespace

std::string MnistFolder::missing_from(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) {
    return "no folder";
  }
  for (std::string_view name : {train_names.images, train_names.labels, test_names.images, test_names.labels}) {
    if (!find_file(folder, name)) {
      return phrase("no file {} or {}.gz", name, name);
    }
  }
  return {};
}

MnistFolder MnistFolder::load(const fs::path& folder, std::int64_t classes) {
  if (classes < 1 || classes > 256) {
    raise<ValueError>(mnist_op, phrase("the number of classes is {}; labels are bytes: give 1 to 256", classes));
  }
  if (const std::string missing = missing_from(folder); !missing.empty()) {
    raise_file_error(mnist_op, folder, "a folder with the four IDX files of a data set like MNIST", missing,
                     fetch_or_name);
  }
  MnistFolder data{{read_part(folder, train_names, classes), read_part(folder, test_names, classes)}};
  const Shape& train_shape = data.train.features().shape();
  const Shape& test_shape = data.test.features().shape();
  if (train_shape[1] != test_shape[1] || train_shape[2] != test_shape[2]) {
    raise_file_error(mnist_op, find_file(folder, test_names.images).value(),
                     phrase("images of {} x {} as in the training set", train_shape[1], train_shape[2]),
                     phrase("{} x {}", test_shape[1], test_shape[2]), fetch_or_name);
  }
  return data;
}

}  // namespace xgrad::datasets
