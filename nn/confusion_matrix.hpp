#pragma once

#include <cstdint>
#include <iosfwd>
#include <source_location>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/graph/tensor.hpp"

/// \file
/// Which classes are taken for which: the confusion matrix, precision, recall and F1.

namespace xgrad::nn {

class Saved;

/// Counts of (label, prediction) pairs, summed over batches, and what follows from them.
class ConfusionMatrix {
 public:
  /// \throws ValueError for less than one class.
  explicit ConfusionMatrix(std::int64_t classes, std::source_location where = std::source_location::current());

  /// Adds a batch. \param predictions integer classes (batch,), or floating scores (batch, classes), of which the largest
  /// one stands at the predicted class. \param labels (batch,), of any integer dtype; or, as mixup makes them, probabilities
  /// (batch, classes), of which the largest is at the label.
  /// \throws ShapeError when the shapes do not belong together. \throws DTypeError for other floating labels.
  /// \throws ValueError for a class out of range, and for NaN among the scores: then nothing is counted.
  void update(const Operand& predictions, const Operand& labels);
  /// Back to no samples.
  void reset();
  void save(Saved& saved) const;  ///< puts in the counts
  void load(const Saved& saved);  ///< takes them back. \throws ValueError for another number of classes.
  /// Adds the counts of another. \throws ValueError for another number of classes.
  void merge(const ConfusionMatrix& other);

  std::int64_t classes() const { return classes_; }  ///< rows and columns of the matrix
  /// How often \p label was taken for \p prediction.
  std::int64_t count(std::int64_t label, std::int64_t prediction) const;
  std::int64_t total() const;                             ///< samples counted
  std::int64_t support(std::int64_t label) const;         ///< samples of a class
  std::int64_t predicted(std::int64_t prediction) const;  ///< samples taken for a class

  double accuracy() const;                     ///< right predictions / all; 0 without any
  double precision(std::int64_t label) const;  ///< right predictions of a class / its predictions; 0 without any
  double recall(std::int64_t label) const;     ///< right predictions of a class / its samples; 0 without any
  double f1(std::int64_t label) const;         ///< harmonic mean of precision and recall; 0 when both are

  /// A table of precision, recall, F1 and support per class. \param names of the classes, or none for their numbers.
  std::string report(std::span<const std::string_view> names = {}) const;
  /// The counts: a row per label, a column per prediction.
  std::string table(std::span<const std::string_view> names = {}) const;

 private:
  std::vector<std::string> row_names(std::span<const std::string_view> names) const;

  std::int64_t classes_;
  std::vector<std::int64_t> counts_;
};

/// Writes ConfusionMatrix::table.
std::ostream& operator<<(std::ostream& out, const ConfusionMatrix& matrix);

/// How one number is made of those of the classes.
enum class Average : std::uint8_t {
  macro,     ///< the mean over the classes that occur, as labels or as predictions
  weighted,  ///< the mean over all classes, weighted by their samples
  micro      ///< from the counts of all classes together: for single labels this is the accuracy
};

/// What Precision, Recall and F1 have in common: a number per class of a confusion matrix, averaged or of one class.
/// Classes without a prediction (precision) or without a sample (recall) count as 0; so does a matrix without samples.
class ClassMetric {
 public:
  /// Counts a batch: as ConfusionMatrix::update.
  void update(const Operand& predictions, const Operand& labels) { matrix_.update(predictions, labels); }
  double value() const;                                                   ///< of all batches since the last reset
  double value(std::int64_t label) const { return per_class(label); }     ///< of one class
  void reset() { matrix_.reset(); }                                       ///< forgets all batches
  void save(Saved& saved) const { matrix_.save(saved); }                  ///< puts in what it has counted
  void load(const Saved& saved) { matrix_.load(saved); }                  ///< takes that back
  void merge(const ClassMetric& other) { matrix_.merge(other.matrix_); }  ///< adds what another has counted
  const std::string& name() const { return name_; }                       ///< such as `f1_macro` or `recall_of_2`
  const ConfusionMatrix& matrix() const { return matrix_; }               ///< what is counted

 protected:
  /// The number of one class.
  using PerClass = double (ConfusionMatrix::*)(std::int64_t) const;
  /// \throws ValueError for less than one class.
  ClassMetric(std::string_view name, PerClass number, std::int64_t classes, Average average,
              const std::source_location& where);
  /// \throws ValueError also for a label that is not in [0, classes).
  ClassMetric(std::string_view name, PerClass number, std::int64_t classes, std::int64_t label,
              const std::source_location& where);

 private:
  double per_class(std::int64_t label) const { return (matrix_.*number_)(label); }

  std::string name_;
  PerClass number_;
  ConfusionMatrix matrix_;
  Average average_ = Average::macro;
  std::int64_t label_ = -1;  // -1: averaged
};

/// Right predictions of a class / all its predictions: tp / (tp + fp).
struct Precision : ClassMetric {
  /// The average over \p classes. \throws ValueError for less than one.
  explicit Precision(std::int64_t classes, Average average = Average::macro,
                     std::source_location where = std::source_location::current());
  /// That of one class, \p label. \throws ValueError when it is not in [0, classes).
  static Precision of_class(std::int64_t classes, std::int64_t label,
                            std::source_location where = std::source_location::current());

 private:
  using ClassMetric::ClassMetric;
};

/// Right predictions of a class / all its samples: tp / (tp + fn).
struct Recall : ClassMetric {
  /// The average over \p classes. \throws ValueError for less than one.
  explicit Recall(std::int64_t classes, Average average = Average::macro,
                  std::source_location where = std::source_location::current());
  /// That of one class, \p label. \throws ValueError when it is not in [0, classes).
  static Recall of_class(std::int64_t classes, std::int64_t label,
                         std::source_location where = std::source_location::current());

 private:
  using ClassMetric::ClassMetric;
};

/// The harmonic mean of precision and recall: 2 tp / (2 tp + fp + fn).
struct F1 : ClassMetric {
  /// The average over \p classes. \throws ValueError for less than one.
  explicit F1(std::int64_t classes, Average average = Average::macro,
              std::source_location where = std::source_location::current());
  /// That of one class, \p label. \throws ValueError when it is not in [0, classes).
  static F1 of_class(std::int64_t classes, std::int64_t label,
                     std::source_location where = std::source_location::current());

 private:
  using ClassMetric::ClassMetric;
};

}  // namespace xgrad::nn
