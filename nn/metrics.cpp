#include "nn/metrics.hpp"

#include <algorithm>
#include <limits>
#include <string_view>

#include "autograd/graph/operation.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
#include "nn/labels.hpp"

namespace xgrad::nn {

namespace {

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

void require_same_shape(std::string_view op, const Tensor& predictions, const Tensor& targets) {
  if (predictions.shape() != targets.shape()) {
    raise<ShapeError>(op, phrase("predictions of shape {} and targets of shape {} must be alike; reshape one",
                                 to_string(predictions.shape()), to_string(targets.shape())));
  }
}

// Whether a row is right: not, where there is NaN among its scores.
Tensor where_numbers(const Tensor& scores, const Tensor& right) {
  return is_real(scores.dtype()) ? logical_and(right, logical_not(any(isnan(scores), -1))) : right;
}

Tensor is_right(const Tensor& scores, const Tensor& targets) {
  const Tensor expected = detail::as_labels("accuracy", scores, targets);
  const Tensor predictions = argmax(scores, -1);
  if (predictions.shape() != expected.shape()) {
    raise<ShapeError>("accuracy", phrase("scores for {} samples, labels of shape {}; scores are (batch, classes), "
                                         "labels (batch,)",
                                         to_string(predictions.shape()), to_string(expected.shape())));
  }
  return where_numbers(scores, equal(predictions, expected));
}

Tensor is_among_largest(const Tensor& scores, const Tensor& targets, std::int64_t k) {
  Tensor labels = detail::as_labels("top_k_accuracy", scores, targets);
  if (scores.ndim() != 2 || labels.ndim() != 1 || labels.shape(0) != scores.shape(0)) {
    raise<ShapeError>("top_k_accuracy", phrase("scores of shape {} and labels of shape {}; scores are (batch, "
                                               "classes), labels (batch,)",
                                               to_string(scores.shape()), to_string(targets.shape())));
  }
  const std::int64_t classes = scores.shape(-1);
  labels = detail::checked_labels("top_k_accuracy", labels, classes);
  const Tensor is_label = one_hot(labels, classes, DType::boolean);
  const Tensor own = expand_dims(sum(where(is_label, scores, 0.0), -1), -1);
  const Tensor is_earlier = arange(static_cast<double>(classes), DType::int64) < expand_dims(labels, -1);
  const Tensor ahead = sum(logical_or(scores > own, logical_and(scores == own, is_earlier)), -1);
  return where_numbers(scores, ahead < k);
}

Array added(const std::string& name, const Array& a, const Array& b) {
  if (a.shape() != b.shape() || a.dtype() != b.dtype()) {
    raise<ValueError>(
        "metric", phrase("what two of its kind have saved as '{}' is {}{} and {}{}, which cannot be added "
                         "up; give the metric a function `void merge(const M& other)`",
                         name, to_string(a.dtype()), to_string(a.shape()), to_string(b.dtype()), to_string(b.shape())));
  }
  return (Tensor(a) + Tensor(b)).array();
}

}  // namespace

Saved detail::added(const Saved& a, const Saved& b) {
  Saved sum;
  const auto add = [&](const auto& ours, const auto& others, const auto& plus) {
    for (const auto& [name, value] : ours) {
      const auto other = others.find(name);
      sum.put(name, other == others.end() ? value : plus(name, value, other->second));
    }
    for (const auto& [name, value] : others) {
      if (!ours.contains(name)) {
        sum.put(name, value);
      }
    }
  };
  const auto plus = [](const std::string&, auto x, auto y) { return x + y; };
  add(a.numbers(), b.numbers(), plus);
  add(a.integers(), b.integers(), plus);
  add(a.arrays(), b.arrays(), nn::added);
  add(a.texts(), b.texts(), [](const std::string& name, const std::string& x, const std::string& y) {
    if (x != y) {
      raise<ValueError>("metric", phrase("what two of its kind have saved as '{}' is '{}' and '{}', which cannot be "
                                         "added up; give the metric a function `void merge(const M& other)`",
                                         name, x, y));
    }
    return x;
  });
  return sum;
}

void detail::raise_no_merge(const std::string& metric) {
  raise<ValueError>("metric",
                    phrase("'{}' has no save and load, and parts of what it counts cannot be brought together; "
                           "give it `void save(nn::Saved&) const` and `void load(const nn::Saved&)`",
                           metric));
}

double accuracy(const Operand& scores, const Operand& labels) {
  const SourceScope scope(scores);
  return located(scores.where(), [&] {
    const Tensor right = is_right(scores.tensor(), labels.tensor());
    return sum(right).item() / static_cast<double>(right.size());
  });
}

void Mean::update(const Operand& predictions, const Operand& targets) {
  const SourceScope scope(predictions);
  located(predictions.where(), [&] {
    const Tensor p = predictions.tensor();
    const Tensor values = function_(p, targets.tensor());
    const auto samples = static_cast<double>(p.ndim() == 0 ? 1 : p.shape(0));
    if (samples > 0) {
      sum_ += mean(cast(values, DType::float64)).item() * samples;
      samples_ += samples;
    }
  });
}

double Mean::value() const { return samples_ == 0 ? undefined : sum_ / samples_; }

void Mean::reset() {
  sum_ = 0;
  samples_ = 0;
}

void Mean::save(Saved& saved) const {
  saved.put("sum", sum_);
  saved.put("samples", samples_);
}

void Mean::load(const Saved& saved) {
  const double samples = saved.number("samples");
  saved.load("sum", sum_);
  samples_ = samples;
}

void Mean::merge(const Mean& other) {
  sum_ += other.sum_;
  samples_ += other.samples_;
}

Accuracy::Accuracy() : Mean("accuracy", is_right) {}

TopKAccuracy::TopKAccuracy(std::int64_t k, std::source_location where)
    : Mean(phrase("top_{}_accuracy", k),
           [k](const Tensor& scores, const Tensor& labels) { return is_among_largest(scores, labels, k); }) {
  located(where, [&] {
    if (k < 1) {
      raise<ValueError>("top_k_accuracy", phrase("k is {}; give 1 or more", k));
    }
  });
}

MeanSquaredError::MeanSquaredError()
    : Mean("mean_squared_error", [](const Tensor& p, const Tensor& t) {
        require_same_shape("mean_squared_error", p, t);
        return square(p - t);
      }) {}

MeanAbsoluteError::MeanAbsoluteError()
    : Mean("mean_absolute_error", [](const Tensor& p, const Tensor& t) {
        require_same_shape("mean_absolute_error", p, t);
        return abs(p - t);
      }) {}

void ResidualMetric::update(const Operand& predictions, const Operand& targets) {
  const SourceScope scope(predictions);
  const Tensor p = predictions.tensor();
  const Tensor t = targets.tensor();
  const Shape sample = located(predictions.where(), [&] {
    require_same_shape("regression metric", p, t);
    const Shape rest(p.shape().begin() + (p.ndim() == 0 ? 0 : 1), p.shape().end());
    if (samples_ > 0 && rest != sample_shape_) {
      raise<ShapeError>("regression metric", phrase("a sample has the shape {}, in earlier batches {}; call reset "
                                                    "in between",
                                                    to_string(rest), to_string(sample_shape_)));
    }
    return rest;
  });
  const Array predicted = cast(p, DType::float64).array();
  const Array expected = cast(t, DType::float64).array();
  sample_shape_ = sample;
  outputs_.resize(static_cast<std::size_t>(sample.element_count()));
  const double* y = expected.data<double>();
  const double* guess = predicted.data<double>();
  for (std::int64_t left = p.ndim() == 0 ? 1 : p.shape(0); left > 0; --left) {
    ++samples_;
    for (Output& output : outputs_) {
      output.target.add(*y, samples_);
      output.residual.add(*y++ - *guess++, samples_);
    }
  }
}

void ResidualMetric::reset() {
  outputs_.clear();
  samples_ = 0;
}

void ResidualMetric::save(Saved& saved) const {
  Array shape({static_cast<std::int64_t>(sample_shape_.ndim())}, DType::int64);
  std::copy(sample_shape_.begin(), sample_shape_.end(), shape.data<std::int64_t>());
  Array moments({static_cast<std::int64_t>(outputs_.size()), 4}, DType::float64);
  double* number = moments.data<double>();
  for (const auto& [target, residual] : outputs_) {
    for (const double each : {target.mean, target.squares, residual.mean, residual.squares}) {
      *number++ = each;
    }
  }
  saved.put("samples", samples_);
  saved.put("sample_shape", shape);
  saved.put("moments", moments);
}

void ResidualMetric::load(const Saved& saved) {
  const Array& shape = saved.array("sample_shape");
  const Array& moments = saved.array("moments");
  const double samples = saved.number("samples");
  if (shape.shape().ndim() != 1 || moments.shape().ndim() != 2 || moments.shape()[1] != 4) {
    raise<ValueError>("regression metric", "what was saved is not its own; give what save() put");
  }
  sample_shape_ = Shape(shape.data<std::int64_t>(), shape.data<std::int64_t>() + shape.size());
  outputs_.clear();
  const double* number = moments.data<double>();
  for (std::int64_t i = 0; i < moments.shape()[0]; ++i, number += 4) {
    outputs_.push_back({{number[0], number[1]}, {number[2], number[3]}});
  }
  samples_ = samples;
}

// Chan, Golub and LeVeque's formula for two sets.
void ResidualMetric::merge(const ResidualMetric& other) {
  if (other.samples_ == 0) {
    return;
  }
  if (samples_ == 0) {
    *this = other;
    return;
  }
  if (other.sample_shape_ != sample_shape_) {
    raise<ShapeError>("regression metric",
                      phrase("a sample has the shape {}, the other's {}; give one of the same data",
                             to_string(sample_shape_), to_string(other.sample_shape_)));
  }
  const double all = samples_ + other.samples_;
  const auto join = [&](Moments& a, const Moments& b) {
    const double between = b.mean - a.mean;
    a.squares += b.squares + between * between * (samples_ * other.samples_ / all);
    a.mean += between * (other.samples_ / all);
  };
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    join(outputs_[i].target, other.outputs_[i].target);
    join(outputs_[i].residual, other.outputs_[i].residual);
  }
  samples_ = all;
}

double ResidualMetric::mean_score(double (*unexplained)(const Moments& residual, double samples)) const {
  double sum = 0;
  for (const auto& [target, residual] : outputs_) {
    const double lost = unexplained(residual, samples_);
    sum += target.squares > 0 ? 1 - lost / target.squares : lost > 0 ? 0 : 1;
  }
  return sum / static_cast<double>(outputs_.size());
}

double R2::value() const {
  return samples() < 2 ? undefined : mean_score([](const Moments& residual, double samples) {
    return residual.squares + samples * residual.mean * residual.mean;
  });
}

double ExplainedVariance::value() const {
  return samples() < 1 ? undefined : mean_score([](const Moments& residual, double) { return residual.squares; });
}

}  // namespace xgrad::nn
