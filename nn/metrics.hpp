#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/tensor.hpp"

/// \file
/// How good a classifier is.

namespace xgrad::nn {

/// The fraction of rows of \p scores (batch, classes) whose largest entry stands at the label; NaN for no rows.
/// \param labels (batch,), of any integer dtype.
/// \throws ShapeError when the shapes do not belong together.
double accuracy(const Operand& scores, const Operand& labels);

/// Counts of (label, prediction) pairs, summed over batches, and what follows from them.
class ConfusionMatrix {
 public:
  /// \throws ValueError for less than one class.
  explicit ConfusionMatrix(std::int64_t classes);

  /// Adds a batch. \param predictions (batch,) classes, as argmax gives them. \param labels (batch,).
  /// \throws ShapeError when the shapes differ.
  /// \throws ValueError for a class out of range: then nothing is counted.
  void add(const Operand& predictions, const Operand& labels);

  std::int64_t classes() const { return classes_; }  ///< rows and columns of the matrix
  /// How often \p label was taken for \p prediction.
  std::int64_t count(std::int64_t label, std::int64_t prediction) const;
  std::int64_t total() const;                      ///< samples counted
  std::int64_t support(std::int64_t label) const;  ///< samples of a class

  double accuracy() const;                     ///< right predictions / all
  double precision(std::int64_t label) const;  ///< right predictions of a class / its predictions; 0 without any
  double recall(std::int64_t label) const;     ///< right predictions of a class / its samples; 0 without any
  double f1(std::int64_t label) const;         ///< harmonic mean of precision and recall

  /// A table of precision, recall, F1 and support per class. \param names of the classes, or none for their numbers.
  std::string report(std::span<const std::string_view> names = {}) const;
  /// The counts: a row per label, a column per prediction.
  std::string table(std::span<const std::string_view> names = {}) const;

 private:
  std::vector<std::string> row_names(std::span<const std::string_view> names) const;

  std::int64_t classes_;
  std::vector<std::int64_t> counts_;
};

}  // namespace xgrad::nn
