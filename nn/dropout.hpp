#pragma once

#include <source_location>

#include "autograd/formula/formula.hpp"
#include "nn/layer.hpp"

/// \file
/// Dropout.

namespace xgrad::nn {

/// In training each element is 0 with probability `rate` and x / (1 - rate) otherwise, so that the mean stays; in
/// inference x itself (Srivastava et al., 2014). The elements that are kept depend on the key of the mode and the
/// position alone.
class Dropout : public Layer<Dropout> {
 public:
  /// \throws ValueError when \p rate is not in [0, 1].
  explicit Dropout(double rate = 0.5, std::source_location where = std::source_location::current());

  /// \throws ValueError in training without a key.
  Tensor operator()(const Operand& x, const Mode& mode = {}) const;

  double rate() const { return rate_; }  ///< of elements that become 0

  static constexpr auto members = fields();  ///< nothing to train

 private:
  double rate_;
  Formula drop_;
};

}  // namespace xgrad::nn
