#pragma once

#include <filesystem>
#include <string>

#include "datasets/dataset.hpp"

/// \file
/// Normalisation: features brought to a common scale.

namespace xgrad::datasets {

/// (x - offset) / scale, with an offset and a scale for each feature, fitted to training data and then applied to all
/// data that the model is to see:
/// ```
/// const auto normalizer = Normalizer::mean_std(train.features());
/// const Dataset scaled_train = normalizer(train), scaled_test = normalizer(test);
/// ```
/// Features are the elements of one sample, whatever its axes. Works for floating targets as well, with inverse() for
/// what a model predicts.
class Normalizer {
 public:
  /// To mean 0 and standard deviation 1: offset = mean, scale = √(mean of squared deviations).
  /// \param samples (n, ...), n at least 1, of any dtype.
  /// \param per_feature false takes one mean and one deviation over all elements, as is usual for images.
  /// A feature that is constant gets scale 1. \throws ShapeError for no samples or no elements.
  static Normalizer mean_std(const Array& samples, bool per_feature = true);
  /// To [0, 1]: offset = smallest, scale = largest - smallest. Parameters and errors as above.
  static Normalizer min_max(const Array& samples, bool per_feature = true);

  /// (x - offset) / scale of \p samples (n, ...): float64 for float64, otherwise float32.
  /// \throws ShapeError when a sample has not the elements of those fitted to.
  Array operator()(const Array& samples) const;
  /// \p data with its features normalised. \throws ShapeError as above.
  Dataset operator()(const Dataset& data) const { return data.with_features((*this)(data.features())); }
  /// x · scale + offset: what was before. \throws ShapeError, and dtypes, as above.
  Array inverse(const Array& samples) const;

  const Array& offset() const { return offset_; }  ///< float64, of one sample's shape; () when not per feature
  const Array& scale() const { return scale_; }    ///< float64, of the same shape

  /// Writes offset and scale as one NPY file, float64 (2, ...). \throws FileError when it cannot be written.
  void save(const std::filesystem::path& path) const;
  /// Reads what save wrote. \throws FileError when it is not that.
  static Normalizer load(const std::filesystem::path& path);

 private:
  Normalizer(const Array& offset, const Array& scale) : offset_(offset), scale_(scale) {}

  Array offset_;
  Array scale_;
};

/// One line per feature: its number, offset and scale.
std::string to_string(const Normalizer& normalizer);

}  // namespace xgrad::datasets
