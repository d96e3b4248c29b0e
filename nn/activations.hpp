#pragma once

#include <cstdint>

#include "autograd/ops/ops.hpp"
#include "nn/layer.hpp"

/// \file
/// Activations as layers; the functions themselves are ops.

namespace xgrad::nn {

/// max(x, 0)
struct ReLU : Layer<ReLU> {
  Tensor operator()(const Operand& x) const { return relu(x); }  ///< elementwise
};

/// x for x > 0, else negative_slope · x
struct LeakyReLU : Layer<LeakyReLU> {
  explicit LeakyReLU(double slope = 0.01) : negative_slope(slope) {}                   ///< with this slope below 0
  double negative_slope;                                                               ///< below 0
  static constexpr auto members = fields();                                            ///< nothing to train
  Tensor operator()(const Operand& x) const { return leaky_relu(x, negative_slope); }  ///< elementwise
};

/// x for x > 0, else alpha · (eˣ - 1) (Clevert et al., 2015)
struct ELU : Layer<ELU> {
  explicit ELU(double limit = 1) : alpha(limit) {}                     ///< which goes to -limit far below 0
  double alpha;                                                        ///< minus the limit far below 0
  static constexpr auto members = fields();                            ///< nothing to train
  Tensor operator()(const Operand& x) const { return elu(x, alpha); }  ///< elementwise
};

/// Scaled elu that keeps mean 0 and variance 1 (Klambauer et al., 2017); for weights of init::lecun_normal.
struct SELU : Layer<SELU> {
  Tensor operator()(const Operand& x) const { return selu(x); }  ///< elementwise
};

/// x for x > 0, else alpha · (e^(x / alpha) - 1) (Barron, 2017)
struct CELU : Layer<CELU> {
  explicit CELU(double limit = 1) : alpha(limit) {}                     ///< which goes to -limit far below 0
  double alpha;                                                         ///< minus the limit far below 0
  static constexpr auto members = fields();                             ///< nothing to train
  Tensor operator()(const Operand& x) const { return celu(x, alpha); }  ///< elementwise
};

/// x / (1 + |x|) (Bergstra et al., 2009)
struct Softsign : Layer<Softsign> {
  Tensor operator()(const Operand& x) const { return softsign(x); }  ///< elementwise
};

/// x / 6 + 1 / 2, limited to [0, 1]
struct HardSigmoid : Layer<HardSigmoid> {
  Tensor operator()(const Operand& x) const { return hard_sigmoid(x); }  ///< elementwise
};

/// x · hard_sigmoid(x) (Howard et al., 2019)
struct HardSwish : Layer<HardSwish> {
  Tensor operator()(const Operand& x) const { return hard_swish(x); }  ///< elementwise
};

/// x - bias for x > lambda, x + bias for x < -lambda, else 0
struct Shrink : Layer<Shrink> {
  /// 0 within this width, and beyond it nearer to 0 by the bias
  explicit Shrink(double width = 0.5, double nearer_by = 0) : lambda(width), bias(nearer_by) {}
  double lambda;                                                                 ///< up to which all becomes 0
  double bias;                                                                   ///< what the others lose
  static constexpr auto members = fields();                                      ///< nothing to train
  Tensor operator()(const Operand& x) const { return shrink(x, lambda, bias); }  ///< elementwise
};

/// x · Φ(x) (Hendrycks and Gimpel, 2016)
struct GELU : Layer<GELU> {
  explicit GELU(bool approximate = false) : tanh_approximation(approximate) {}       ///< exact unless told
  bool tanh_approximation;                                                           ///< by tanh in place of Φ
  static constexpr auto members = fields();                                          ///< nothing to train
  Tensor operator()(const Operand& x) const { return gelu(x, tanh_approximation); }  ///< elementwise
};

/// x · sigmoid(x) (Elfwing et al., 2017)
struct SiLU : Layer<SiLU> {
  Tensor operator()(const Operand& x) const { return silu(x); }  ///< elementwise
};

/// x · tanh(softplus(x)) (Misra, 2019)
struct Mish : Layer<Mish> {
  Tensor operator()(const Operand& x) const { return mish(x); }  ///< elementwise
};

/// tanh(x)
struct Tanh : Layer<Tanh> {
  Tensor operator()(const Operand& x) const { return tanh(x); }  ///< elementwise
};

/// 1 / (1 + e⁻ˣ)
struct Sigmoid : Layer<Sigmoid> {
  Tensor operator()(const Operand& x) const { return sigmoid(x); }  ///< elementwise
};

/// log sigmoid(x)
struct LogSigmoid : Layer<LogSigmoid> {
  Tensor operator()(const Operand& x) const { return log_sigmoid(x); }  ///< elementwise
};

/// log(1 + eˣ)
struct Softplus : Layer<Softplus> {
  Tensor operator()(const Operand& x) const { return softplus(x); }  ///< elementwise
};

/// eˣ / Σ eˣ along an axis. Train with cross_entropy on the logits in front of it.
struct Softmax : Layer<Softmax> {
  explicit Softmax(std::int64_t along = -1) : axis(along) {}              ///< along this axis
  std::int64_t axis;                                                      ///< along which the results add up to 1
  static constexpr auto members = fields();                               ///< nothing to train
  Tensor operator()(const Operand& x) const { return softmax(x, axis); }  ///< of the shape of \p x
};

/// log softmax(x) along an axis: what nll takes.
struct LogSoftmax : Layer<LogSoftmax> {
  explicit LogSoftmax(std::int64_t along = -1) : axis(along) {}  ///< along this axis
  std::int64_t axis;                                             ///< along which the exponentials add up to 1
  static constexpr auto members = fields();                      ///< nothing to train
  Tensor operator()(const Operand& x) const { return log_softmax(x, axis); }  ///< of the shape of \p x
};

}  // namespace xgrad::nn
