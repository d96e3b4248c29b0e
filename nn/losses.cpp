#include "nn/losses.hpp"

#include <limits>
#include <type_traits>

#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"
#include "nn/loss_parts.hpp"

namespace xgrad::nn {

Tensor detail::reduce(const Tensor& losses, Reduction reduction) {
  switch (reduction) {
    case Reduction::mean: return mean(losses);
    case Reduction::sum: return sum(losses);
    case Reduction::none: break;
  }
  return losses;
}

namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

void require_alike(std::string_view loss, const Tensor& prediction, const Tensor& target) {
  if (prediction.shape() != target.shape()) {
    raise<ShapeError>(loss, phrase("predictions of shape {} and targets of shape {} must be alike; reshape one",
                                   to_string(prediction.shape()), to_string(target.shape())));
  }
  if (is_real(target.dtype()) && prediction.dtype() != target.dtype()) {
    raise<DTypeError>(loss, phrase("predictions are {}, targets {}; cast one", to_string(prediction.dtype()),
                                   to_string(target.dtype())));
  }
}

/// A loss of each element of a prediction and its target. Its parameters are operands, not captured, so that the
/// formula is traced only once.
template <class F, class... Parameters>
Tensor elementwise_loss(std::string_view loss, const Operand& prediction, const Operand& target, Reduction reduction,
                        const F& formula, Parameters... parameters) {
  static_assert(std::is_empty_v<F>);
  const SourceScope scope(prediction);
  const NameScope name(loss);
  const Tensor p = prediction.tensor();
  const Tensor t = target.tensor();
  return located(prediction.where(), [&] {
    require_alike(loss, p, t);
    return detail::reduce(map(formula, p, t, parameters...), reduction);
  });
}

}  // namespace

Tensor mse(const Operand& prediction, const Operand& target, Reduction reduction) {
  return elementwise_loss("mse", prediction, target, reduction, [](Scalar p, Scalar t) { return square(p - t); });
}

Tensor mae(const Operand& prediction, const Operand& target, Reduction reduction) {
  return elementwise_loss("mae", prediction, target, reduction, [](Scalar p, Scalar t) { return abs(p - t); });
}

Tensor huber(const Operand& prediction, const Operand& target, double delta, Reduction reduction) {
  if (!(delta > 0)) {
    located(prediction.where(), [&] { raise<ValueError>("huber", phrase("delta is above 0, got {}", delta)); });
  }
  return elementwise_loss(
      "huber", prediction, target, reduction,
      [](Scalar p, Scalar t, Scalar limit) {
        const Scalar difference = p - t;
        const Scalar distance = abs(difference);
        return where(distance < limit, 0.5 * square(difference), limit * (distance - 0.5 * limit));
      },
      delta);
}

Tensor smooth_l1(const Operand& prediction, const Operand& target, double beta, Reduction reduction) {
  if (!(beta >= 0)) {
    located(prediction.where(), [&] { raise<ValueError>("smooth_l1", phrase("beta is 0 or more, got {}", beta)); });
  }
  if (beta == 0) {
    return mae(prediction, target, reduction);
  }
  return elementwise_loss(
      "smooth_l1", prediction, target, reduction,
      [](Scalar p, Scalar t, Scalar limit) {
        const Scalar difference = p - t;
        const Scalar distance = abs(difference);
        return where(distance < limit, square(difference) / (2 * limit), distance - 0.5 * limit);
      },
      beta);
}

Tensor hinge(const Operand& scores, const Operand& targets, Reduction reduction) {
  return elementwise_loss("hinge", scores, targets, reduction, [](Scalar s, Scalar t) { return relu(1 - t * s); });
}

Tensor kl_divergence(const Operand& log_probabilities, const Operand& targets, const KlDivergenceOptions& options) {
  if (options.log_target) {
    return elementwise_loss("kl_divergence", log_probabilities, targets, options.reduction, [](Scalar z, Scalar log_t) {
      return where(log_t == -infinite, 0, exp(log_t) * (log_t - z));
    });
  }
  // 0 · ∞ is 0 here; elsewhere t z keeps its derivatives at t = 0.
  return elementwise_loss("kl_divergence", log_probabilities, targets, options.reduction, [](Scalar z, Scalar t) {
    return where(t == 0, 0, t * log(t)) - where(logical_and(t == 0, z == -infinite), 0, t * z);
  });
}

Tensor binary_cross_entropy_with_logits(const Operand& logits, const Operand& targets,
                                        const BinaryCrossEntropyOptions& options) {
  constexpr std::string_view name = "binary_cross_entropy_with_logits";
  if (!options.positive_weight.defined()) {
    // t softplus(-z) + (1 - t) softplus(z), written so that nothing cancels: each side of 0 has its own form, and both
    // have the same derivatives there. At infinite logits that are right, 0 · ∞ is 0.
    return elementwise_loss(name, logits, targets, options.reduction, [](Scalar z, Scalar t) {
      const Scalar yes = where(logical_and(t == 1, z == infinite), 0, (1 - t) * z);
      const Scalar no = where(logical_and(t == 0, z == -infinite), 0, t * z);
      return softplus(where(z > 0, -z, z)) + where(z > 0, yes, -no);
    });
  }
  const SourceScope scope(logits);
  const Tensor z = logits.tensor();
  const Tensor t = targets.tensor();
  return located(logits.where(), [&] {
    require_alike(name, z, t);
    // -w t log p - (1 - t) log(1 - p), with log p = -softplus(-z) and log(1 - p) = -softplus(z)
    const auto weighted = [](Scalar a, Scalar b, Scalar w) {
      return where(logical_and(w * b == 0, a == -infinite), 0, w * b * softplus(-a)) +
             where(logical_and(b == 1, a == infinite), 0, (1 - b) * softplus(a));
    };
    const Tensor losses = map(weighted, z, t, cast(options.positive_weight, z.dtype()));
    if (losses.shape() != z.shape()) {
      raise<ShapeError>(name, phrase("positive_weight of shape {} does not broadcast to logits of shape {}",
                                     to_string(options.positive_weight.shape()), to_string(z.shape())));
    }
    return detail::reduce(losses, options.reduction);
  });
}

Tensor cosine_similarity(const Operand& a, const Operand& b, std::int64_t axis, double epsilon) {
  const SourceScope scope(a);
  const Tensor x = a.tensor();
  const Tensor y = b.tensor();
  return located(a.where(), [&] {
    require_alike("cosine_similarity", x, y);
    const auto quotient = [](Scalar xy, Scalar xx, Scalar yy, Scalar floor) {
      const auto length = [&](Scalar squared) { return sqrt(where(squared < floor, floor, squared)); };
      return xy / (length(xx) * length(yy));
    };
    const Tensor rounded =
        map(quotient, sum(x * y, axis), sum(square(x), axis), sum(square(y), axis), epsilon * epsilon);
    // What rounding adds beyond ±1 is taken away as a constant, so that derivatives stay as they are.
    const auto limited = [](Scalar s, Scalar constant) {
      return s - where(constant > 1, constant - 1, where(constant < -1, constant + 1, 0));
    };
    return map(limited, rounded, stop_gradient(rounded));
  });
}

Tensor cosine_embedding(const Operand& a, const Operand& b, const Operand& targets,
                        const CosineEmbeddingOptions& options) {
  const SourceScope scope(a);
  const Tensor t = targets.tensor();
  return located(a.where(), [&] {
    const Tensor similarity = cosine_similarity(a, b);
    if (similarity.shape() != t.shape()) {
      raise<ShapeError>("cosine_embedding",
                        phrase("pairs of shape {} need targets of shape {}, got {}", to_string(a.tensor().shape()),
                               to_string(similarity.shape()), to_string(t.shape())));
    }
    const auto loss = [](Scalar s, Scalar target, Scalar margin) { return where(target > 0, 1 - s, relu(s - margin)); };
    return detail::reduce(map(loss, similarity, t, options.margin), options.reduction);
  });
}

}  // namespace xgrad::nn
