#include <algorithm>
#include <array>
#include <cstdint>

#include "autograd/ops/ops.hpp"
#include "autograd/ops/random.hpp"
#include "autograd/runtime/phrase.hpp"
#include "onnx/import/axes.hpp"
#include "onnx/import/call.hpp"
#include "onnx/import/operators.hpp"

/// \file
/// Normalisation and dropout.

namespace xgrad::onnx::loading {

namespace {

/// All axes from \p first on.
Axes axes_from(std::int64_t first, std::size_t ndim) {
  Ints axes;
  for (auto axis = first; axis < static_cast<std::int64_t>(ndim); ++axis) {
    axes.push_back(axis);
  }
  return Axes(axes);
}

/// One element per channel, in the place of axis 1 of a tensor of \p ndim axes.
Tensor along_channels(const Tensor& per_channel, const Tensor& x) {
  Shape shape{per_channel.size()};
  for (std::size_t axis = 2; axis < x.ndim(); ++axis) {
    shape.push_back(1);
  }
  return reshape(cast(per_channel, x.dtype()), shape);
}

/// What elements are normalised by; the axes that they are taken over are kept.
struct Moments {
  Tensor mean, variance;
};

Moments moments_of(const Tensor& x, const Axes& axes) { return {mean(x, axes, true), variance(x, axes, true)}; }

/// (x - mean) / √(variance + epsilon)
Tensor standardized(const Tensor& x, const Moments& by, double epsilon) {
  const auto formula = [=](Scalar a, Scalar m, Scalar v) { return (a - m) / sqrt(v + epsilon); };
  return map(Formula(formula, "standardize"), {x, by.mean, by.variance});
}

bool trains(const Call& call) {
  if (!call.training_as_in_file()) {
    return call.mode().training();
  }
  constexpr std::int64_t first_with_attribute = 14;
  return call.opset() >= first_with_attribute ? call.flag("training_mode", false) : call.wants(1);
}

/// kept · running + (1 - kept) · batch
Tensor moved(const Tensor& running, const Tensor& batch, double kept) {
  return running * kept + cast(reshape(batch, running.shape()), running.dtype()) * (1 - kept);
}

/// The statistics of the model go on as those of nn::BatchNorm do, and PyTorch's: with the unbiased variance.
void update_statistics(const Call& call, const Moments& batch, std::int64_t count, double kept) {
  const Variable* mean = call.value(3).statistic;
  const Variable* variance = call.value(4).statistic;
  if (mean == nullptr || variance == nullptr) {
    return;
  }
  const double unbiased = static_cast<double>(count) / static_cast<double>(count - 1);
  assign({{*mean, moved(*mean, batch.mean, kept)}, {*variance, moved(*variance, batch.variance * unbiased, kept)}});
}

Tensors batch_normalization(const Call& call) {
  const Tensor& x = call[0];
  if (x.ndim() < 2) {
    call.refuse(phrase("it takes samples of channels, got shape {}", to_string(x.shape())));
  }
  const double epsilon = call.number("epsilon", 1e-5);
  const double momentum = call.number("momentum", 0.9);
  const Tensor scale = along_channels(call[1], x);
  const Tensor shift = along_channels(call[2], x);
  if (!trains(call)) {
    const Moments running{along_channels(call[3], x), along_channels(call[4], x)};
    return {standardized(x, running, epsilon) * scale + shift};
  }
  Ints axes = all_axes(x.ndim());
  axes.erase(1);
  const Moments batch = moments_of(x, Axes(axes));
  const std::int64_t count = x.shape()[1] == 0 ? 0 : x.size() / x.shape()[1];
  if (!call.training_as_in_file()) {
    if (count < 2) {
      call.refuse(phrase("in training each channel needs two elements or more, an input of shape {} has {}",
                         to_string(x.shape()), count));
    }
    update_statistics(call, batch, count, momentum);
  }
  const Tensor y = standardized(x, batch, epsilon) * scale + shift;
  return {y, moved(call[3], batch.mean, momentum), moved(call[4], batch.variance, momentum)};
}

std::string spatial_objection(const GraphNode& node) {
  const auto spatial = node.attributes.find("spatial");
  return spatial != node.attributes.end() && spatial->second.integer == 0 ? "with statistics of every position" : "";
}

Tensors layer_normalization(const Call& call) {
  const Tensor& x = call[0];
  const std::int64_t axis = checked_axis(call, call.integer("axis", -1), x.ndim());
  const double epsilon = call.number("epsilon", 1e-5);
  const Moments moments = moments_of(x, axes_from(axis, x.ndim()));
  Tensor y = standardized(x, moments, epsilon) * call[1];
  if (call.has(2)) {
    y = y + call[2];
  }
  return {y, moments.mean, rsqrt(moments.variance + epsilon)};
}

Tensors instance_normalization(const Call& call) {
  const Tensor& x = call[0];
  if (x.ndim() < 3) {
    call.refuse(phrase("it takes samples of channels of some size, got shape {}", to_string(x.shape())));
  }
  const Moments moments = moments_of(x, axes_from(2, x.ndim()));
  const Tensor y = standardized(x, moments, call.number("epsilon", 1e-5));
  return {y * along_channels(call[1], x) + along_channels(call[2], x)};
}

/// Before opset 21 scale and shift are those of groups, from then on those of channels.
Tensors group_normalization(const Call& call) {
  const Tensor& x = call[0];
  const std::int64_t groups = call.integer("num_groups", 0);
  if (x.ndim() < 2 || groups < 1 || x.shape()[1] % groups != 0) {
    call.refuse(phrase("{} groups for an input of shape {}", groups, to_string(x.shape())));
  }
  const Tensor grouped = reshape(x, {x.shape()[0], groups, -1});
  const Moments moments = moments_of(grouped, 2);
  const Tensor y = reshape(standardized(grouped, moments, call.number("epsilon", 1e-5)), x.shape());
  const std::int64_t each = x.shape()[1] / groups;
  const auto spread = [&](const Tensor& t) { return along_channels(t.size() == groups ? repeat(t, each, 0) : t, x); };
  return {y * spread(call[1]) + spread(call[2])};
}

/// (x - mean) / (√variance + epsilon), as the specification has it as a function.
Tensors mean_variance_normalization(const Call& call) {
  const Tensor& x = call[0];
  const std::vector<std::int64_t> given = call.integers("axes");
  const std::vector<std::int64_t> axes = call.says("axes") ? given : std::vector<std::int64_t>{0, 2, 3};
  const Moments moments = moments_of(x, Axes(checked_axes(call, axes, x.ndim())));
  constexpr double epsilon = 1e-9;
  return {map([](Scalar a, Scalar m, Scalar v, Scalar least) { return (a - m) / (sqrt(v) + least); }, x, moments.mean,
              moments.variance, epsilon)};
}

/// x / (bias + alpha / size · Σ x²)^beta, the sum over channels nearby (Krizhevsky et al., 2012).
Tensors local_response_normalization(const Call& call) {
  const Tensor& x = call[0];
  const std::int64_t size = call.integer("size", 0);
  if (x.ndim() < 2 || size < 1) {
    call.refuse(
        phrase("it takes samples of channels and a size of 1 or more, got {} and {}", to_string(x.shape()), size));
  }
  // Channels that there are not add nothing.
  const std::int64_t channels = x.shape()[1];
  const std::int64_t lower = std::min((size - 1) / 2, channels);
  const std::int64_t upper = std::min(size / 2, channels);
  Ints before, behind;
  for (std::size_t axis = 0; axis < x.ndim(); ++axis) {
    before.push_back(axis == 1 ? lower : 0);
    behind.push_back(axis == 1 ? upper : 0);
  }
  const Tensor squares = pad(square(x), before, behind);
  Tensor total = zeros_like(x);
  for (std::int64_t i = 0; i <= lower + upper; ++i) {
    total = total + squares[{all(), range(i, i + channels)}];
  }
  const double alpha = call.number("alpha", 1e-4) / static_cast<double>(size);
  return {x / pow(call.number("bias", 1) + alpha * total, call.number("beta", 0.75))};
}

/// Whether elements are dropped in this call.
bool drops(const Call& call) {
  if (!call.training_as_in_file()) {
    return call.mode().training();
  }
  return call.has(2) && call.number(2) != 0;
}

Tensors dropout(const Call& call) {
  const Tensor& x = call[0];
  constexpr std::int64_t first_with_input = 12;
  constexpr std::int64_t first_with_boolean_mask = 10;
  const double rate = call.opset() < first_with_input ? call.number("ratio", 0.5) : call.has(1) ? call.number(1) : 0.5;
  if (!(rate >= 0 && rate <= 1)) {
    call.refuse(phrase("the ratio is in [0, 1], got {}", rate));
  }
  const DType mask_type = call.opset() < first_with_boolean_mask ? x.dtype() : DType::boolean;
  if (rate == 0 || !drops(call)) {
    return {x, ones(x.shape(), mask_type)};
  }
  const random::Key key = call.mode().fold(call.node().number).key(call.node().type);
  const Tensor kept = random::uniform(key, x.shape(), 0, 1, x.dtype()) >= rate;
  const double scale = rate < 1 ? 1 / (1 - rate) : 0;
  return {where(kept, x * scale, 0.0), cast(kept, mask_type)};
}

/// Of images and their like, one number per channel.
template <Tensor (*pool)(const Operand&, const Axes&, bool)>
Tensors global_pool(const Call& call) {
  return {pool(call[0], axes_from(2, call[0].ndim()), true)};
}

Tensors global_lp_pool(const Call& call) {
  const auto p = static_cast<double>(call.integer("p", 2));
  const Axes axes = axes_from(2, call[0].ndim());
  return {p == 2 ? norm(call[0], axes, true) : pow(sum(pow(xgrad::abs(call[0]), p), axes, true), 1 / p)};
}

constexpr std::array normalization_table = {
    Operator{"BatchNormalization", {5, 5}, batch_normalization, 7, 8, spatial_objection, Operator::Known::never},
    Operator{"BatchNormalization", {5, 5}, batch_normalization, 9, any_opset, nullptr, Operator::Known::never},
    Operator{"Dropout", {1, 1}, dropout, 7, 11, nullptr, Operator::Known::never},
    Operator{"Dropout", {1, 3}, dropout, 12, any_opset, nullptr, Operator::Known::never},
    Operator{"GlobalAveragePool", {1, 1}, global_pool<xgrad::mean>, 1},
    Operator{"GlobalLpPool", {1, 1}, global_lp_pool, 2},
    Operator{"GlobalMaxPool", {1, 1}, global_pool<xgrad::amax>, 1},
    Operator{"GroupNormalization", {3, 3}, group_normalization, 18},
    Operator{"InstanceNormalization", {3, 3}, instance_normalization, 6},
    Operator{"LRN", {1, 1}, local_response_normalization, 1},
    Operator{"LayerNormalization", {2, 3}, layer_normalization, 17},
    Operator{"MeanVarianceNormalization", {1, 1}, mean_variance_normalization, 9},
};

}  // namespace

std::span<const Operator> normalization_operators() { return normalization_table; }

}  // namespace xgrad::onnx::loading
