#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string_view>

#include "datasets/mnist_folder.hpp"

/// \file
/// Fashion-MNIST.

namespace xgrad::datasets {

/// 60,000 training and 10,000 test images of clothes, 28 x 28 grey levels, in ten classes (Xiao, Rasul and Vollgraf,
/// Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms, 2017).
struct FashionMnist : MnistFolder {
  static constexpr std::int64_t image_rows = 28;                          ///< pixels from top to bottom
  static constexpr std::int64_t image_columns = 28;                       ///< pixels from left to right
  static constexpr std::int64_t image_size = image_rows * image_columns;  ///< elements of a flattened image
  static constexpr std::int64_t class_count = 10;                         ///< labels are 0 to 9
  /// What the labels stand for.
  static constexpr std::array<std::string_view, class_count> class_names = {
      "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"};

  /// Where Debian's package dataset-fashion-mnist puts the files.
  static constexpr std::string_view system_folder = "/usr/share/datasets/fashion-mnist";

  /// Reads the data set from find(folder).
  /// \throws FileError as find and MnistFolder::load do, or for images that are not 28 x 28.
  static FashionMnist load(const std::filesystem::path& folder = {});

  /// The folder with the four files: \p folder when given; else the one that the environment variable XGRAD_DATA
  /// names, when set; else \p fallback. A folder that was asked for and is wrong is an error: nothing else is tried.
  /// \throws FileError naming the place that is wrong, or all three when the data set is in none.
  static std::filesystem::path find(const std::filesystem::path& folder = {},
                                    const std::filesystem::path& fallback = system_folder);
};

}  // namespace xgrad::datasets
