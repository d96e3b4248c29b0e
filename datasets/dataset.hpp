#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <source_location>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "autograd/array/array.hpp"

/// \file
/// Dataset: samples and what a model is to say of them.

namespace xgrad::datasets {

/// What a Dataset is made from: an Array, what converts to one, such as a Tensor, or any xtensor container or expression.
template <class A>
concept ArrayLike = std::convertible_to<A, Array> || xgrad::detail::XtensorExpression<A>;

/// Features (n, ...) and targets (n, ...): row i of the one belongs to row i of the other. Images with class labels,
/// columns of a table with a quantity to be predicted: of any shape and dtype. A cheap handle: copies share memory.
class Dataset {
 public:
  /// No samples: features (0, 0) and targets (0,).
  Dataset();
  /// Shares the memory of Arrays and Tensors. What comes from xtensor is evaluated and copied, or adopted without a copy when it is
  /// a row-major `xt::xarray` given as an rvalue.
  /// \throws ShapeError for a single number, or unequal numbers of rows.
  /// \throws ValueError for a default-constructed Array.
  template <ArrayLike F, ArrayLike T>
  Dataset(F&& features, T&& targets, std::source_location where = std::source_location::current())
      : features_(as_array(std::forward<F>(features))), targets_(as_array(std::forward<T>(targets))) {
    check(where);
  }

  const Array& features() const { return features_; }         ///< what a model is given
  const Array& targets() const { return targets_; }           ///< what it is to say: class labels or quantities
  std::int64_t size() const { return features_.shape()[0]; }  ///< number of samples

  /// A number for shapes, dtypes and all elements, the same in every process: data that differ have the same one with a
  /// probability of 2^-64.
  std::uint64_t content_hash() const;

  /// What the features are called, as read_csv found it; empty when nobody said. Kept by take, split, fold and Normalizer.
  const std::vector<std::string>& feature_names() const;
  /// The same data with names for their features, the elements of one sample.
  /// \throws ValueError when there are more or fewer names than features.
  Dataset named(std::vector<std::string> names, std::source_location where = std::source_location::current()) const;
  /// The same data with other features, under the names of these. \throws ShapeError for another number of rows.
  Dataset with_features(const Array& features, std::source_location where = std::source_location::current()) const;

  /// The samples at \p positions, in that order, copied. \throws ValueError for a position outside [0, size()).
  Dataset take(std::span<const std::int64_t> positions) const;

 private:
  template <ArrayLike A>
  static Array as_array(A&& a) {
    if constexpr (std::convertible_to<A, Array>) {
      return std::forward<A>(a);
    } else {
      return to_array(std::forward<A>(a));
    }
  }

  void check(const std::source_location& where) const;

  Array features_;
  Array targets_;
  std::shared_ptr<const std::vector<std::string>> names_;
};

/// Some samples, as a training step takes them.
struct Batch {
  Array features;  ///< (b, ...)
  Array targets;   ///< (b, ...)
};

/// A data set in two parts.
struct Split {
  Dataset train;  ///< to fit a model to
  Dataset test;   ///< to see how well it does
};

/// How split divides a data set.
struct SplitOptions {
  double fraction = 0.2;    ///< of the samples that become Split::test, in (0, 1)
  std::uint64_t seed = 0;   ///< of the choice
  bool stratified = false;  ///< every class gives its share, to within one sample; targets are then integers (n,)
};

/// Divides \p data at random: round(n · fraction) samples for testing, the others for training, each part in the order
/// of the data set. The choice is a pure function of the seed, of n and, when stratified, of the targets.
/// \throws ValueError for a fraction outside (0, 1). \throws DTypeError for stratified targets that are not integers.
/// \throws ShapeError for stratified targets not of shape (n,).
Split split(const Dataset& data, const SplitOptions& options = {},
            std::source_location where = std::source_location::current());

/// How fold divides a data set.
struct FoldOptions {
  std::int64_t folds = 5;   ///< k: every sample is tested in exactly one of them
  std::uint64_t seed = 0;   ///< of the division
  bool stratified = false;  ///< as SplitOptions::stratified
};

/// Number \p index of the k folds of cross-validation: its samples for testing, those of all others for training.
/// The sizes of the folds differ by one sample at most, and so do, when stratified, those of each class in them.
/// ```
/// for (std::int64_t i = 0; i < 5; ++i) {
///   const auto [train, validation] = datasets::fold(data, i, {.folds = 5});
/// ```
/// \throws ValueError when k is not in [2, n] or \p index not in [0, k). \throws DTypeError, ShapeError as split.
Split fold(const Dataset& data, std::int64_t index, const FoldOptions& options = {},
           std::source_location where = std::source_location::current());

}  // namespace xgrad::datasets
