#pragma once

#include <cstdint>
#include <optional>

#include "autograd/graph/tensor.hpp"

/// \file
/// Losses. They are differentiable to any order in all floating operands, and stable for large ones. A mean over
/// nothing is NaN.

namespace xgrad::nn {

/// What becomes of the losses of the elements of a batch.
enum class Reduction {
  mean,  ///< their mean: a loss that does not grow with the batch
  sum,   ///< their sum
  none   ///< they stay as they are
};

/// \name Classification
/// \{

/// Options of cross_entropy.
struct CrossEntropyOptions {
  Reduction reduction = Reduction::mean;           ///< with class weights, a mean over labels is weighted by them
  double label_smoothing = 0;                      ///< ε: how much of the probability is spread over all classes
  Tensor class_weights = {};                       ///< w, (classes,); undefined for 1
  std::optional<std::int64_t> ignored_label = {};  ///< rows of this label count for nothing
};

/// Cross-entropy of p = softmax(logits) and a target. For each row, with C classes,
///
///     labels y:         -(1 - ε) w_y log p_y - ε/C Σ w_c log p_c
///     probabilities q:  -Σ w_c ((1 - ε) q_c + ε/C) log p_c
///
/// (label smoothing: Szegedy et al., 2016). The mean is over rows; over labels it is Σ losses / Σ w_y, without ignored
/// rows. As in PyTorch.
/// \param logits (.., classes), floating; infinite ones stand for impossible classes.
/// \param target labels (..), of any integer dtype, each in [0, classes); or probabilities (.., classes), floating.
/// \return one loss, or (..) without reduction.
/// \throws ShapeError when the shapes do not belong together.
/// \throws DTypeError for labels that are not integers.
/// \throws ValueError for options out of range and, when the loss is computed, for a label out of range.
Tensor cross_entropy(const Operand& logits, const Operand& target, const CrossEntropyOptions& options = {});

/// Options of nll.
struct NllOptions {
  Reduction reduction = Reduction::mean;           ///< with class weights, a mean is weighted by them
  Tensor class_weights = {};                       ///< w, (classes,); undefined for 1
  std::optional<std::int64_t> ignored_label = {};  ///< rows of this label count for nothing
};

/// Negative log-likelihood of labels y: -w_y log p_y for each row; the mean is Σ losses / Σ w_y. cross_entropy is the
/// same from logits.
/// \param log_probabilities (.., classes), as log_softmax gives them.
/// \param labels (..), of any integer dtype, each in [0, classes).
/// \throws Error as cross_entropy does.
Tensor nll(const Operand& log_probabilities, const Operand& labels, const NllOptions& options = {});

/// Options of binary_cross_entropy_with_logits.
struct BinaryCrossEntropyOptions {
  Reduction reduction = Reduction::mean;  ///< of the elements
  Tensor positive_weight = {};            ///< w, which broadcasts to the logits; undefined for 1
};

/// Cross-entropy of independent yes-or-no questions with p = sigmoid(logits): -w t log p - (1 - t) log(1 - p).
/// \param targets t, the probabilities of yes, of the shape of \p logits.
/// \throws ShapeError when the shapes differ.
Tensor binary_cross_entropy_with_logits(const Operand& logits, const Operand& targets,
                                        const BinaryCrossEntropyOptions& options = {});

/// Options of kl_divergence.
struct KlDivergenceOptions {
  Reduction reduction = Reduction::mean;  ///< of the elements, of which a distribution has several: see kl_divergence
  bool log_target = false;                ///< whether the targets are logarithms too
};

/// Elements t (log t - z) of the divergence of distributions t from e^z (Kullback and Leibler, 1951); 0 where t is 0.
/// The divergence itself is their sum, so for a mean over a batch divide the sum by its size.
/// \param log_probabilities z. \param targets t, or log t, of the same shape.
/// \throws ShapeError when the shapes differ.
Tensor kl_divergence(const Operand& log_probabilities, const Operand& targets, const KlDivergenceOptions& options = {});

/// max(0, 1 - t · score), for targets t of -1 and 1.
/// \throws ShapeError when the shapes differ.
Tensor hinge(const Operand& scores, const Operand& targets, Reduction reduction = Reduction::mean);
/// \}

/// \name Regression
/// Prediction p and target t have the same shape: broadcasting here is nearly always a mistake.
/// \throws ShapeError when the shapes differ.
/// \{

/// (p - t)²
Tensor mse(const Operand& prediction, const Operand& target, Reduction reduction = Reduction::mean);
/// |p - t|; derivative 0 where they are equal.
Tensor mae(const Operand& prediction, const Operand& target, Reduction reduction = Reduction::mean);
/// (p - t)² / 2 up to |p - t| = delta, then on along the tangent: delta (|p - t| - delta / 2) (Huber, 1964).
/// \throws ValueError unless \p delta is above 0.
Tensor huber(const Operand& prediction, const Operand& target, double delta = 1, Reduction reduction = Reduction::mean);
/// huber / beta, which is mae from |p - t| = beta on, less beta / 2 (Girshick, Fast R-CNN, 2015); mae for beta = 0.
/// \throws ValueError for a negative \p beta.
Tensor smooth_l1(const Operand& prediction, const Operand& target, double beta = 1,
                 Reduction reduction = Reduction::mean);
/// \}

/// \name Similarity
/// \{

/// ⟨a, b⟩ / (max(|a|, epsilon) · max(|b|, epsilon)) along an axis, which the result lacks.
/// \throws ShapeError when the shapes differ.
Tensor cosine_similarity(const Operand& a, const Operand& b, std::int64_t axis = -1, double epsilon = 1e-8);

/// Options of cosine_embedding.
struct CosineEmbeddingOptions {
  Reduction reduction = Reduction::mean;  ///< of the pairs
  double margin = 0;                      ///< the similarity that costs nothing where there should be none
};

/// For rows a, b with targets of 1, which should be alike: 1 - s; of -1: max(0, s - margin); s is cosine_similarity.
/// \param a (.., features). \param b of the same shape. \param targets (..).
/// \throws ShapeError when the shapes do not belong together.
Tensor cosine_embedding(const Operand& a, const Operand& b, const Operand& targets,
                        const CosineEmbeddingOptions& options = {});
/// \}

}  // namespace xgrad::nn
