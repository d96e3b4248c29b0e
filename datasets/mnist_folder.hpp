#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "datasets/dataset.hpp"

/// \file
/// Data sets laid out like MNIST: four IDX files in a folder.

namespace xgrad::datasets {

/// The training and test images of a folder that holds `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`,
/// `t10k-images-idx3-ubyte` and `t10k-labels-idx1-ubyte`, each plain or with `.gz` at the end (plain is preferred):
/// MNIST, Fashion-MNIST, Kuzushiji-MNIST. Features are uint8 images (n, rows, columns), targets uint8 labels (n,);
/// Split::train is from the `train` files, Split::test from the `t10k` files.
struct MnistFolder : Split {
  /// Reads the four files.
  /// \param classes every label must be below it.
  /// \throws FileError naming the file when one is missing, is not what read_idx takes, holds no uint8 images (n, rows,
  ///         columns) or labels (n,), when there is not one label per image, a label is not below \p classes, or the
  ///         test images are of another size than the training images.
  /// \throws ValueError when \p classes is not in [1, 256].
  static MnistFolder load(const std::filesystem::path& folder, std::int64_t classes = 10);

  /// What keeps \p folder from being loaded: `no folder`, `no file train-images-idx3-ubyte or ...`; empty when all four
  /// files are there. Their content is not looked at.
  static std::string missing_from(const std::filesystem::path& folder);
};

}  // namespace xgrad::datasets
