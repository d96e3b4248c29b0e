#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <source_location>
#include <span>
#include <string>

#include "datasets/dataset.hpp"

/// \file
/// Augmentation: training samples changed at random in ways that do not change what they show.
///
/// ```
/// Batches batches(data.train, {.batch_size = 64, .augment = {shift(2), horizontal_flip(), random_erasing()}});
/// ```

namespace xgrad::datasets {

/// One image of a batch, in memory of the batch's own: row-major planes of rows of elements.
struct Image {
  std::byte* data;       ///< first element; to be changed in place
  DType dtype;           ///< of the elements: uint8 images are augmented before they are widened and scaled
  std::int64_t planes;   ///< colour channels; 1 for grey levels
  std::int64_t rows;     ///< pixels from top to bottom
  std::int64_t columns;  ///< pixels from left to right
};

/// A random change to every image of a batch, or to a batch as a whole: a small value that Batches applies. What it does
/// is a pure function of the batch and of numbers that Batches draws for (seed, epoch, batch, place in the list).
///
/// One of your own:
/// ```
/// const Augmentation darker("darker", 1, [](const Image& image, std::span<const double> draws) { ... });
/// ```
class Augmentation {
 public:
  /// Changes one image; \p draws are numbers in [0, 1), drawn for this image. Called from several threads.
  using OfImage = std::function<void(const Image& image, std::span<const double> draws)>;
  /// Changes a batch, once its features are widened and scaled; \p key seeds what it draws.
  using OfBatch = std::function<void(Batch& batch, std::uint64_t key)>;

  /// \p change to each image on its own, with \p draws random numbers for each.
  /// \throws ValueError when \p draws is negative.
  Augmentation(std::string name, std::int64_t draws, OfImage change);
  /// \p change to whole batches, after all changes to single images.
  Augmentation(std::string name, OfBatch change);

  const std::string& name() const { return name_; }                    ///< for messages: `shift`
  bool of_images() const { return static_cast<bool>(change_image_); }  ///< or else of batches
  std::int64_t draws() const { return draws_; }                        ///< random numbers for each image
  /// Changes \p image. Only when of_images().
  void operator()(const Image& image, std::span<const double> draws) const { change_image_(image, draws); }
  /// Changes \p batch. Only when not of_images().
  void operator()(Batch& batch, std::uint64_t key) const { change_batch_(batch, key); }

 private:
  std::string name_;
  std::int64_t draws_ = 0;
  OfImage change_image_;
  OfBatch change_batch_;
};

/// Moves each image by up to \p pixels down or up and, independently, right or left; every move is equally likely. What
/// comes in from outside is 0. \throws ValueError for less than 0, or more than 2^31.
Augmentation shift(std::int64_t pixels, std::source_location where = std::source_location::current());

/// Mirrors each image, left to right, with the given probability. \throws ValueError when it is not in [0, 1].
Augmentation horizontal_flip(double probability = 0.5, std::source_location where = std::source_location::current());

/// What random_erasing erases.
struct ErasingOptions {
  double probability = 0.5;       ///< that an image loses a part, in [0, 1]
  double smallest_area = 0.02;    ///< of the rectangle, as a fraction of the image
  double largest_area = 1.0 / 3;  ///< the area is uniform between the two, in [0, 1]
  double aspect = 10.0 / 3;       ///< height / width is log-uniform in [1 / aspect, aspect]
};

/// Sets a rectangle at a random place of an image to 0 (Zhong et al., Random Erasing Data Augmentation, AAAI 2020).
/// Sides are rounded to whole pixels, and cut to the image where they would be longer.
/// \throws ValueError for a probability or areas not in [0, 1], areas in the wrong order or an aspect below 1.
Augmentation random_erasing(const ErasingOptions& options = {},
                            std::source_location where = std::source_location::current());

/// Blends samples and their targets in pairs: λ x + (1 - λ) x', λ y + (1 - λ) y', with a λ ~ Beta(α, α) for each sample
/// (Zhang et al., mixup: Beyond Empirical Risk Minimization, ICLR 2018). x' is the sample at the mirrored place of the
/// batch, a random one since batches are shuffled. Integer labels (b,) become probabilities (b, classes) of the
/// features' dtype; floating targets are blended as they are. Features must be floating once they are widened.
/// \param classes number of classes; may be left out for floating targets.
/// \throws ValueError unless α > 0, and for a negative number of classes; from the batch, for a label outside [0, classes).
/// \throws DTypeError, ShapeError from the batch, for features or targets that cannot be blended.
Augmentation mixup(double alpha, std::int64_t classes = 0,
                   std::source_location where = std::source_location::current());

}  // namespace xgrad::datasets
