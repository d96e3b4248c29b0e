#include "nn/dropout.hpp"

#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad::nn {

namespace {

/// Of x and a uniform number in [0, 1).
Formula drop(double rate) {
  if (!(rate >= 0 && rate <= 1)) {
    raise<ValueError>("dropout", phrase("the rate is in [0, 1], got {}", rate));
  }
  const double scale = rate < 1 ? 1 / (1 - rate) : 0;
  return Formula([=](Scalar x, Scalar u) { return where(u < rate, 0, scale * x); }, "dropout");
}

}  // namespace

Dropout::Dropout(double rate, std::source_location where)
    : rate_(rate), drop_(located(where, [&] { return drop(rate); })) {}

Tensor Dropout::operator()(const Operand& x, const Mode& mode) const {
  const SourceScope scope(x);
  const Tensor input = x.tensor();
  if (!mode.training() || rate_ == 0) {
    return input;
  }
  return located(x.where(), [&] {
    return map(drop_, {input, random::uniform(mode.key("dropout"), input.shape(), 0, 1, input.dtype())});
  });
}

}  // namespace xgrad::nn
