#include <limits>

#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"
#include "nn/labels.hpp"
#include "nn/loss_parts.hpp"
#include "nn/losses.hpp"

/// \file
/// Losses of classes: logits or log-probabilities (.., classes) against labels (..).

namespace xgrad::nn {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// w x, but 0 where a class of weight 0 is impossible.
Scalar weighted(Scalar w, Scalar x) { return where(logical_and(w == 0, abs(x) == infinity), 0, w * x); }

/// Labels, and how much the row of each counts.
struct Labels {
  Tensor hot;      // (.., classes), boolean: is the label
  Tensor weight;   // (..), w_y, 0 for ignored rows; undefined when all count 1
  Tensor counted;  // (..), boolean: not ignored; undefined when all count
};

Shape rows_of(std::string_view loss, const Tensor& scores) {
  Shape rows = scores.shape();
  if (rows.empty() || rows.back() == 0) {
    raise<ShapeError>(
        loss, phrase("the first operand has shape (.., classes) with one class or more, got {}", to_string(rows)));
  }
  rows.erase(rows.ndim() - 1);
  return rows;
}

void require_row_labels(std::string_view loss, const Tensor& scores, const Tensor& labels) {
  const Shape rows = rows_of(loss, scores);
  if (is_real(labels.dtype()) && labels.shape() == rows) {
    raise<DTypeError>(loss, phrase("labels are integers, got {}; cast them, as in cast(labels, DType::int64)",
                                   to_string(labels.dtype())));
  }
  if (labels.shape() != rows) {
    raise<ShapeError>(loss, phrase("logits of shape {} need labels of shape {}, got {}; logits are "
                                   "(batch, classes), labels (batch,)",
                                   to_string(scores.shape()), to_string(rows), to_string(labels.shape())));
  }
}

/// The weights in the dtype of the scores; undefined when there are none.
Tensor checked_weights(std::string_view loss, const Tensor& weights, const Tensor& scores) {
  if (!weights.defined()) {
    return weights;
  }
  const Shape expected{scores.shape().back()};
  if (weights.shape() != expected) {
    raise<ShapeError>(loss, phrase("class_weights have shape {}, one for each class, got {}", to_string(expected),
                                   to_string(weights.shape())));
  }
  return cast(weights, scores.dtype());
}

Labels read_labels(std::string_view loss, const Tensor& labels, const Tensor& scores, const Tensor& class_weights,
                   const std::optional<std::int64_t>& ignored) {
  Labels result;
  Tensor y = labels;
  if (ignored) {
    y = cast(labels, DType::int64);
    result.counted = y != *ignored;
    y = where(result.counted, y, 0);  // any class will do
  }
  y = detail::checked_labels(loss, y, scores.shape().back());
  result.hot = one_hot(y, scores.shape().back(), DType::boolean);
  if (class_weights.defined()) {
    const Tensor weight = take(class_weights, y);
    result.weight = ignored ? where(result.counted, weight, 0.0) : weight;
  } else if (ignored) {
    result.weight = cast(result.counted, scores.dtype());
  }
  return result;
}

/// The element at the label of each row. Selected, not multiplied: -inf at other classes must not turn into NaN.
Tensor at_label(const Labels& labels, const Tensor& scores) {
  return sum(map([](Scalar is_label, Scalar a) { return where(is_label, a, 0); }, labels.hot, scores), -1);
}

Tensor reduce_rows(const Tensor& losses, const Labels& labels, Reduction reduction) {
  // As ignored rows may hold anything, they are cut out rather than multiplied by 0.
  const Tensor counted = labels.counted.defined() ? where(labels.counted, losses, 0.0) : losses;
  if (reduction == Reduction::mean && labels.weight.defined()) {
    return sum(counted) / sum(labels.weight);
  }
  return detail::reduce(counted, reduction);
}

/// -log p_y of each row, and what it was computed from.
struct LogLikelihood {
  Tensor loss;     // (..)
  Tensor shifted;  // (.., classes): logits less a number per row
  Tensor total;    // (..): logsumexp of shifted
};

/// log Σⱼ exp(zⱼ) - z_y, where all logits of a row are first shifted by z_y, or the difference of two large numbers
/// would lose the digits of a small loss. Derivatives do not depend on the shift.
LogLikelihood log_likelihood(const Tensor& z, const Labels& labels) {
  const Tensor label_logit = at_label(labels, z);
  const Tensor shift = stop_gradient(label_logit);
  // The label itself may be impossible: then nothing is shifted, and the loss is infinite. A difference that is too large
  // for the dtype becomes the largest number there is, or its derivatives would be NaN; the loss is infinite as well.
  const double most = dispatch_floating(
      z.dtype(), [](auto zero) { return static_cast<double>(std::numeric_limits<decltype(zero)>::max()); });
  const auto shifted_by = [](Scalar a, Scalar constant, Scalar s, Scalar limit) {
    const Scalar overflows = logical_and(constant <= limit, constant - s > limit);
    return where(s == -infinity, a, a - where(overflows, constant - limit, s));
  };
  const Tensor shifted = map(shifted_by, z, stop_gradient(z), expand_dims(shift, -1), most);
  const Tensor total = logsumexp(shifted, -1);
  const auto difference = [](Scalar l, Scalar a, Scalar s, Scalar limit) {
    return where(s == -infinity, l - a, l - (a - s) + where(l >= limit, infinity, 0));
  };
  return {map(difference, total, label_logit, shift, most), shifted, total};
}

/// What label smoothing leaves of the target's probabilities, and what it gives each class.
struct Smoothing {
  Smoothing(const CrossEntropyOptions& options, const Tensor& z)
      : kept(1 - options.label_smoothing), share(options.label_smoothing / static_cast<double>(z.shape().back())) {}
  double kept, share;
};

/// Cross-entropy with labels.
Tensor label_cross_entropy(const Tensor& z, const Tensor& y, const CrossEntropyOptions& options) {
  const Tensor weights = checked_weights("cross_entropy", options.class_weights, z);
  const Labels labels = read_labels("cross_entropy", y, z, weights, options.ignored_label);
  const auto [loss, shifted, total] = log_likelihood(z, labels);
  const Tensor of_label =
      weights.defined() ? map([](Scalar w, Scalar l) { return weighted(w, l); }, labels.weight, loss) : loss;
  if (options.label_smoothing == 0) {
    return reduce_rows(of_label, labels, options.reduction);
  }
  const Tensor of_each_class =
      map([](Scalar l, Scalar a, Scalar w) { return weighted(w, l - a); }, expand_dims(total, -1), shifted,
          weights.defined() ? Operand(weights) : Operand(1.0));
  const Smoothing smoothing(options, z);
  const auto smoothed = [](Scalar label, Scalar all, Scalar kept, Scalar share) { return kept * label + share * all; };
  return reduce_rows(map(smoothed, of_label, sum(of_each_class, -1), smoothing.kept, smoothing.share), labels,
                     options.reduction);
}

/// Cross-entropy with a probability of each class.
Tensor probability_cross_entropy(const Tensor& z, const Tensor& q, const CrossEntropyOptions& options) {
  if (options.ignored_label) {
    raise<ValueError>("cross_entropy", "ignored_label goes with labels, the target has probabilities");
  }
  const Tensor weights = checked_weights("cross_entropy", options.class_weights, z);
  const auto term = [](Scalar probability, Scalar log_p, Scalar weight, Scalar kept, Scalar share) {
    const Scalar target = kept * probability + share;
    return where(logical_and(target == 0, log_p == -infinity), 0, -weight * target * log_p);
  };
  const Smoothing smoothing(options, z);
  const Tensor terms = map(term, q, log_softmax(z, -1), weights.defined() ? Operand(weights) : Operand(1.0),
                           smoothing.kept, smoothing.share);
  return detail::reduce(sum(terms, -1), options.reduction);
}

}  // namespace

Tensor cross_entropy(const Operand& logits, const Operand& target, const CrossEntropyOptions& options) {
  const SourceScope scope(logits);
  const NameScope name("cross_entropy");
  const Tensor z = logits.tensor();
  const Tensor y = target.tensor();
  return located(logits.where(), [&] {
    if (!(options.label_smoothing >= 0 && options.label_smoothing <= 1)) {
      raise<ValueError>("cross_entropy", phrase("label_smoothing is in [0, 1], got {}", options.label_smoothing));
    }
    if (is_real(y.dtype()) && y.shape() == z.shape()) {
      rows_of("cross_entropy", z);
      return probability_cross_entropy(z, y, options);
    }
    require_row_labels("cross_entropy", z, y);
    return label_cross_entropy(z, y, options);
  });
}

Tensor nll(const Operand& log_probabilities, const Operand& labels, const NllOptions& options) {
  const SourceScope scope(log_probabilities);
  const NameScope name("nll");
  const Tensor z = log_probabilities.tensor();
  const Tensor y = labels.tensor();
  return located(log_probabilities.where(), [&] {
    require_row_labels("nll", z, y);
    const Tensor weights = checked_weights("nll", options.class_weights, z);
    const Labels read = read_labels("nll", y, z, weights, options.ignored_label);
    const Tensor log_p = at_label(read, z);
    return reduce_rows(
        weights.defined() ? map([](Scalar l, Scalar w) { return -weighted(w, l); }, log_p, read.weight) : -log_p, read,
        options.reduction);
  });
}

}  // namespace xgrad::nn
