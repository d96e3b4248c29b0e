#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

#include "autograd/graph/tensor.hpp"
#include "nn/confusion_matrix.hpp"
#include "nn/saved.hpp"

/// \file
/// Metrics: how good a model is, over as many batches as there are.
///
/// All of them have the same four functions, those of MetricLike. Numbers are summed in double precision; a metric holds
/// sums, never samples.

namespace xgrad::nn {

/// The fraction of rows of \p scores (batch, classes) whose largest entry stands at the label; NaN for no rows. Of equal
/// entries the first is the largest; a row with NaN in it is never right.
/// \param labels (batch,), of any integer dtype; or probabilities (batch, classes), of which the largest is at the label.
/// \throws ShapeError when the shapes do not belong together. \throws DTypeError for other floating labels.
double accuracy(const Operand& scores, const Operand& labels);

/// What a metric is: it takes batches, says a number for all of them together, forgets them, and has a name. It may have
/// `void save(Saved&) const` and `void load(const Saved&)` as well, for checkpoints in the middle of an epoch, and for
/// several ranks or shards, each of which counts a part of the batches. Those parts are then brought together by its
/// `void merge(const M& other)`; without that function, all numbers and arrays that it saves are added up.
template <class M>
concept MetricLike = std::copy_constructible<M> &&
                     requires(M& metric, const M& asked, const Tensor& predictions, const Tensor& targets) {
                       metric.update(predictions, targets);
                       metric.reset();
                       { asked.value() } -> std::convertible_to<double>;
                       { asked.name() } -> std::convertible_to<std::string>;
                     };

namespace detail {

/// All numbers and arrays of \p a and \p b added up. Throws ValueError where they do not belong together.
Saved added(const Saved& a, const Saved& b);
[[noreturn]] void raise_no_merge(const std::string& metric);

}  // namespace detail

/// Any metric, as a handle: copies share what it has counted. `std::vector<Metric>{Accuracy(), F1(10)}`.
class Metric {
 public:
  /// Holds any metric, so that metrics convert to it.
  // What a Metric is must not be asked while asking whether it can be copied: hence the order of the constraints.
  template <class M>
    requires(!std::same_as<M, Metric> && MetricLike<M>)
  Metric(M metric) : metric_(std::make_shared<Held<M>>(std::move(metric))) {}

  /// Adds a batch. \param predictions what the model gives. \param targets what it should give.
  /// \throws what the metric throws.
  void update(const Operand& predictions, const Operand& targets) { metric_->update(predictions, targets); }
  double value() const { return metric_->value(); }     ///< of all batches since the last reset
  void reset() { metric_->reset(); }                    ///< forgets all batches
  std::string name() const { return metric_->name(); }  ///< such as `accuracy`

  /// Whether it has save and load, so that a checkpoint in the middle of an epoch keeps what it has counted.
  bool keeps_itself() const { return metric_->keeps_itself(); }
  void save(Saved& saved) const { metric_->save(saved); }  ///< puts in what it has counted, if it can
  void load(const Saved& saved) { metric_->load(saved); }  ///< takes that back, or forgets all batches

  Metric clone() const { return Metric(metric_->clone()); }  ///< one that counts by itself, from what this has counted
  /// Adds what another one of its kind has counted, and saved. \throws ValueError when that cannot be.
  void merge(const Saved& saved) { metric_->merge(saved); }

 private:
  struct Concept {
    virtual ~Concept() = default;
    virtual void update(const Operand& predictions, const Operand& targets) = 0;
    virtual double value() const = 0;
    virtual void reset() = 0;
    virtual std::string name() const = 0;
    virtual bool keeps_itself() const = 0;
    virtual void save(Saved& saved) const = 0;
    virtual void load(const Saved& saved) = 0;
    virtual std::shared_ptr<Concept> clone() const = 0;
    virtual void merge(const Saved& saved) = 0;
  };

  explicit Metric(std::shared_ptr<Concept> metric) : metric_(std::move(metric)) {}

  template <class M>
  struct Held final : Concept {
    explicit Held(M m) : metric(std::move(m)) {}
    void update(const Operand& predictions, const Operand& targets) override {
      if constexpr (requires { metric.update(predictions, targets); }) {
        metric.update(predictions, targets);  // keeps the place of the user's call, for messages
      } else {
        metric.update(predictions.tensor(), targets.tensor());
      }
    }
    double value() const override { return metric.value(); }
    void reset() override { metric.reset(); }
    std::string name() const override { return std::string(metric.name()); }
    bool keeps_itself() const override { return KeepsItself<M>; }
    void save([[maybe_unused]] Saved& saved) const override {
      if constexpr (KeepsItself<M>) {
        metric.save(saved);
      }
    }
    void load([[maybe_unused]] const Saved& saved) override {
      if constexpr (KeepsItself<M>) {
        metric.load(saved);
      } else {
        metric.reset();
      }
    }
    std::shared_ptr<Concept> clone() const override { return std::make_shared<Held>(metric); }
    void merge([[maybe_unused]] const Saved& saved) override {
      if constexpr (KeepsItself<M> && requires(const M& other) { metric.merge(other); }) {
        M other(metric);
        other.load(saved);
        metric.merge(other);
      } else if constexpr (KeepsItself<M>) {
        Saved own;
        metric.save(own);
        metric.load(detail::added(own, saved));
      } else {
        detail::raise_no_merge(name());
      }
    }
    M metric;
  };

  std::shared_ptr<Concept> metric_;
};

/// The mean over samples of a number that a function gives for each: most metrics, and yours:
/// ```
/// nn::Mean loss("loss", [](const Tensor& z, const Tensor& y) { return nn::cross_entropy(z, y); });
/// nn::Mean right("binary_accuracy", [](const Tensor& z, const Tensor& y) { return (z > 0) == (y > 0.5); });
/// ```
class Mean {
 public:
  /// Gives a tensor of any shape and dtype, whose mean is the number of the batch: one element per sample, several, or
  /// a mean over the batch already.
  using Function = std::function<Tensor(const Tensor& predictions, const Tensor& targets)>;

  /// \p function of predictions and targets, averaged under the name \p name.
  Mean(std::string name, Function function) : name_(std::move(name)), function_(std::move(function)) {}

  /// Adds a batch: its mean counts as often as it has samples, the size of the first axis of \p predictions (one, when
  /// they are a single number). Empty batches do not count. \throws what the function throws.
  void update(const Operand& predictions, const Operand& targets);
  double value() const;                              ///< the mean; NaN without samples
  void reset();                                      ///< forgets all batches
  const std::string& name() const { return name_; }  ///< as it was given
  void save(Saved& saved) const;                     ///< puts in what it has counted
  void load(const Saved& saved);                     ///< takes that back. \throws ValueError for what is not its own.
  void merge(const Mean& other);                     ///< adds what another has counted

 private:
  std::string name_;
  Function function_;
  double sum_ = 0;
  double samples_ = 0;
};

/// The fraction of samples whose largest score stands at the label, as accuracy() says. Targets are integers (batch,), or,
/// as mixup makes them, probabilities (batch, classes): then the most probable class is the label.
struct Accuracy : Mean {
  /// Scores are (batch, classes). \throws ShapeError, DTypeError, from update, as accuracy() does.
  Accuracy();
};

/// The fraction of samples whose label is among the \p k largest scores: fewer than k scores are larger than its own, or
/// equal and of an earlier class. (So for k = 1 it is the accuracy, and a model that finds all classes alike is right for k
/// of them.) A row with NaN in it is never right.
struct TopKAccuracy : Mean {
  /// Scores are (batch, classes), labels as Accuracy takes them. \throws ValueError for k below 1, and from update for a
  /// label out of range. \throws ShapeError, from update, when the shapes do not belong together.
  explicit TopKAccuracy(std::int64_t k = 5, std::source_location where = std::source_location::current());
};

/// The mean of (prediction - target)².
struct MeanSquaredError : Mean {
  /// Both have the same shape. \throws ShapeError, from update, when they have not.
  MeanSquaredError();
};

/// The mean of |prediction - target|.
struct MeanAbsoluteError : Mean {
  /// Both have the same shape. \throws ShapeError, from update, when they have not.
  MeanAbsoluteError();
};

/// What R2 and ExplainedVariance have in common: mean and sum of squared deviations of targets y and residuals
/// e = y - prediction, for each element of a sample, updated batch by batch without cancellation (Chan, Golub and
/// LeVeque, Updating Formulae and a Pairwise Algorithm for Computing Sample Variances, 1979).
class ResidualMetric {
 public:
  /// Adds a batch. \param predictions (batch, ...). \param targets of the same shape.
  /// \throws ShapeError when the shapes differ, from each other or beyond the batch from those of earlier batches.
  void update(const Operand& predictions, const Operand& targets);
  void reset();                   ///< forgets all batches
  void save(Saved& saved) const;  ///< puts in what it has counted
  void load(const Saved& saved);  ///< takes that back. \throws ValueError for what is not its own.
  /// Adds what another has counted. \throws ShapeError when its samples are of another shape.
  void merge(const ResidualMetric& other);

 protected:
  /// Mean, and sum of squared deviations from it.
  struct Moments {
    double mean = 0;     ///< of the numbers so far
    double squares = 0;  ///< Σ (x - mean)²
    /// Takes \p x in as number \p count.
    void add(double x, double count) {
      const double before = x - mean;
      mean += before / count;
      squares += before * (x - mean);
    }
  };
  /// One element of a sample.
  struct Output {
    Moments target;    ///< of y
    Moments residual;  ///< of y - prediction
  };

  /// The mean over outputs of 1 - unexplained / Σ (y - ȳ)²; where all y are equal, 1 if nothing is unexplained, else 0.
  double mean_score(double (*unexplained)(const Moments& residual, double samples)) const;
  double samples() const { return samples_; }  ///< counted so far

 private:
  Shape sample_shape_;
  std::vector<Output> outputs_;
  double samples_ = 0;
};

/// The coefficient of determination R² = 1 - Σ (y - p)² / Σ (y - ȳ)²: 1 is perfect, 0 as good as always saying the mean
/// ȳ, and it can be negative. Of several outputs it is the mean.
class R2 : public ResidualMetric {
 public:
  double value() const;  ///< where all y are equal: 1 if all predictions are right, else 0; NaN for < 2 samples
  std::string name() const { return "r2"; }  ///< `r2`
};

/// 1 - Var(y - p) / Var(y): R² that forgives a constant error. Of several outputs it is the mean.
class ExplainedVariance : public ResidualMetric {
 public:
  double value() const;  ///< where all y are equal: 1 if all errors are, else 0; NaN without samples
  std::string name() const { return "explained_variance"; }  ///< `explained_variance`
};

}  // namespace xgrad::nn
