#include "nn/labels.hpp"

#include <algorithm>
#include <string>

#include "autograd/graph/operation.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad::nn::detail {

namespace {

// Labels as they are, if all are classes. It is given all rows at once, whatever pieces a plan cuts its neighbours into.
struct CheckedLabels {
  static constexpr std::string_view name = "labels";
  static constexpr bool stops_gradient = true;
  static constexpr bool maps_leading_axes = true;
  std::string who;
  std::int64_t classes = 0;
  static constexpr auto attributes = fields("who", &CheckedLabels::who, "classes", &CheckedLabels::classes);

  Spec infer(Inputs in) const { return {in[0].shape(), DType::int64}; }
  void eval(ConstViews in, Views out) const {
    const auto* labels = in[0].as<std::int64_t>();
    const std::int64_t count = in[0].size();
    const auto is_class = [this](std::int64_t label) { return label >= 0 && label < classes; };
    const auto* bad = std::find_if_not(labels, labels + count, is_class);
    if (bad != labels + count) {
      raise<ValueError>(who, phrase("the label of row {} of {} is {}, outside [0, {}); labels count the classes from 0",
                                    bad - labels, count, *bad, classes));
    }
    std::copy_n(labels, count, out[0].as<std::int64_t>());
  }
};

}  // namespace

Tensor checked_labels(std::string_view who, const Tensor& labels, std::int64_t classes) {
  return apply_op(CheckedLabels{std::string(who), classes}, {cast(labels, DType::int64)});
}

Tensor as_labels(std::string_view who, const Tensor& scores, const Tensor& targets) {
  if (!is_real(targets.dtype())) {
    return targets;
  }
  if (targets.shape() != scores.shape()) {
    raise<DTypeError>(who, phrase("targets are {} of shape {}, scores of shape {}; give integer labels, or a "
                                  "probability for every score",
                                  to_string(targets.dtype()), to_string(targets.shape()), to_string(scores.shape())));
  }
  return argmax(targets, -1);
}

}  // namespace xgrad::nn::detail
