#include "nn/optimizers/gradients.hpp"

#include <cmath>
#include <functional>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "autograd/graph/operation.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/ops/require_finite.hpp"
#include "autograd/runtime/phrase.hpp"
#include "nn/optimizers/checks.hpp"
#include "nn/optimizers/number.hpp"

namespace xgrad::nn {

Tensors clip_by_value(const Tensors& gradients, double limit, std::source_location where) {
  const SourceScope scope(where);
  return located(where, [&] {
    detail::require_positive("clip_by_value", "the limit", limit);
    Tensors clipped;
    for (const Tensor& gradient : gradients) {
      clipped.push_back(clip(gradient, -limit, limit));
    }
    return clipped;
  });
}

namespace {

// √Σ g² of one gradient, in float64. Squares of float32 numbers fit into it; of float64 ones they are taken in units of
// the largest.
Tensor norm_of(const Tensor& gradient) {
  if (gradient.size() == 0) {
    return Tensor(0.0);
  }
  if (gradient.dtype() != DType::float64) {
    return sqrt(sum(square(cast(gradient, DType::float64))));
  }
  const Tensor largest = stop_gradient(amax(abs(gradient)));
  const Tensor unit = where(largest == 0.0, 1.0, largest);
  return unit * sqrt(sum(square(gradient / unit)));
}

// The same for a float32 gradient, from the sum of its squares in float32 if that lost nothing: which takes half the time.
// It has no derivative.
struct QuickNorm {
  static constexpr std::string_view name = "gradient_norm";
  static constexpr bool stops_gradient = true;

  Spec infer(Inputs) const { return {{}, DType::float64}; }
  void eval(ConstViews in, Views out) const {
    constexpr float least = 1e-20F;  // of smaller ones, squares that count may have vanished
    double squares = *in[0].as<float>();
    if (!(squares >= least && std::isfinite(squares))) {
      const auto* gradient = in[1].as<float>();
      squares =
          std::transform_reduce(gradient, gradient + in[1].size(), 0.0, std::plus<>(), [](double x) { return x * x; });
    }
    *out[0].as<double>() = std::sqrt(squares);
  }
};

Tensor quick_norm_of(const Tensor& gradient) {
  const bool is_quick = gradient.dtype() == DType::float32 && gradient.size() > 0;
  return is_quick ? apply_op(QuickNorm(), {sum(square(gradient)), gradient}) : norm_of(gradient);
}

Tensors norms_of(const Tensors& gradients) {
  Tensors norms;
  for (const Tensor& gradient : gradients) {
    norms.push_back(norm_of(gradient));
  }
  return norms;
}

// √Σ n²
Tensor joined_norms(const Tensors& norms) {
  Tensor all = norms.front();
  for (std::size_t i = 1; i < norms.size(); ++i) {
    all = hypot(all, norms[i]);
  }
  return all;
}

Tensors scaled(const Tensors& gradients, const Tensor& norm, double max_norm) {
  detail::Number factor(minimum(max_norm / (norm + 1e-6), 1.0));
  Tensors result;
  for (const Tensor& gradient : gradients) {
    result.push_back(gradient * factor.in(gradient.dtype()));
  }
  return result;
}

// x, when these norms of the gradients are finite.
Tensor when_finite(const Tensor& x, xgrad::detail::RequireFinite require, const Tensors& norms,
                   const Variables& parameters) {
  Tensors inputs = {x};
  for (std::size_t i = 0; i < norms.size(); ++i) {
    require.names.push_back(
        phrase("the gradient of parameter '{}' has a norm that", detail::parameter_name(i, parameters[i])));
    inputs.push_back(norms[i]);
  }
  return apply_op(require, inputs);
}

Tensors quick_norms_of(const Tensors& gradients) {
  Tensors norms;
  for (const Tensor& gradient : gradients) {
    norms.push_back(quick_norm_of(gradient));
  }
  return norms;
}

}  // namespace

Tensor global_norm(const Tensors& gradients, std::source_location where) {
  const SourceScope scope(where);
  return located(where, [&] {
    if (gradients.empty()) {
      raise<ValueError>("global_norm", "the list of gradients is empty; give at least one");
    }
    return joined_norms(norms_of(gradients));
  });
}

Tensors clip_by_global_norm(const Tensors& gradients, double max_norm, std::source_location where) {
  const SourceScope scope(where);
  return located(where, [&] {
    detail::require_positive("clip_by_global_norm", "the norm", max_norm);
    return scaled(gradients, global_norm(gradients, where), max_norm);
  });
}

detail::Clipped detail::clipped(const Tensors& gradients, const Clipping& clipping, const Variables& parameters,
                                const std::source_location& where) {
  Clipped result{clipping.value ? clip_by_value(gradients, *clipping.value, where) : gradients, {}};
  const NotFinite not_finite = clipping.not_finite.value_or(clipping.norm ? NotFinite::error : NotFinite::pass);
  if (!clipping.norm && not_finite == NotFinite::pass) {
    return result;
  }
  const SourceScope scope(where);
  return located(where, [&] {
    if (clipping.norm) {
      require_positive("clip_by_global_norm", "the norm", *clipping.norm);
    }
    require_gradients("optimizer", result.gradients, parameters);
    const Tensors norms = quick_norms_of(result.gradients);
    Tensor norm = joined_norms(norms);
    if (not_finite == NotFinite::error) {
      norm = when_finite(norm,
                         {.op = "optimizer",
                          .names = {},
                          .advice = ", and no variable was changed by this step; lower the learning rate, or skip such "
                                    "steps by Clipping::not_finite",
                          .plain = true},
                         norms, parameters);
    }
    if (not_finite != NotFinite::pass) {
      result.finite = isfinite(norm);
    }
    if (clipping.norm) {
      result.gradients = scaled(result.gradients, norm, *clipping.norm);
    }
    return result;
  });
}

Tensor detail::when_gradients_are_finite(const Tensor& x, const Tensors& gradients, const Variables& parameters,
                                         const std::source_location& where) {
  const SourceScope scope(where);
  return located(where, [&] {
    require_gradients("optimizer", gradients, parameters);
    return when_finite(x, {.op = "gradient", .names = {}, .advice = ""}, quick_norms_of(gradients), parameters);
  });
}

GradientAccumulator::GradientAccumulator(const Variables& parameters, std::source_location where)
    : parameters_(parameters), count_(Tensor(0.0), "count") {
  located(where, [&] { detail::require_trainable("gradient_accumulator", parameters); });
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const std::string& name = parameters[i].name();
    sums_.emplace_back(zeros_like(parameters[i]), phrase("{}.{}{}gradient", i, name, name.empty() ? "" : "."));
  }
}

std::vector<NamedVariable> GradientAccumulator::named_variables() const {
  Variables all = sums_;
  all.push_back(count_);
  return detail::with_names(all);
}

void GradientAccumulator::load_state(const State& state, std::source_location where) const {
  detail::load_state(named_variables(), state, where);
}

void GradientAccumulator::add(const Tensor& loss, double weight, std::source_location where) {
  located(where, [&] { detail::require_positive("gradient_accumulator", "the weight", weight); });
  add_gradients(detail::gradients_of(loss, parameters_, where), weight, where);
}

void GradientAccumulator::add_gradients(const Tensors& gradients, double weight, std::source_location where) {
  located(where, [&] {
    detail::require_positive("gradient_accumulator", "the weight", weight);
    detail::require_gradients("gradient_accumulator", gradients, parameters_);
  });
  const SourceScope scope(where);
  std::vector<Assignment> updates{{count_, count_ + weight}};
  for (std::size_t i = 0; i < sums_.size(); ++i) {
    updates.emplace_back(sums_[i], sums_[i] + (weight == 1 ? gradients[i] : weight * gradients[i]));
  }
  assign(std::move(updates));
}

void GradientAccumulator::add_gradients(const Tensors& gradients, const Tensor& weight, std::source_location where) {
  const SourceScope scope(where);
  located(where, [&] {
    detail::require_gradients("gradient_accumulator", gradients, parameters_);
    detail::Number factor(weight);
    std::vector<Assignment> updates{{count_, count_ + weight}};
    for (std::size_t i = 0; i < sums_.size(); ++i) {
      updates.emplace_back(sums_[i], sums_[i] + factor.in(sums_[i].dtype()) * gradients[i]);
    }
    assign(std::move(updates));
  });
}

void GradientAccumulator::reset() {
  std::vector<Assignment> updates{{count_, zeros_like(count_)}};
  for (const Variable& sum : sums_) {
    updates.emplace_back(sum, zeros_like(sum));
  }
  assign(updates);
}

Tensors GradientAccumulator::sum() const { return Tensors(sums_.begin(), sums_.end()); }

Tensors GradientAccumulator::mean() const {
  detail::Number count(count_);
  Tensors means;
  for (const Variable& sum : sums_) {
    means.push_back(sum / count.in(sum.dtype()));
  }
  return means;
}

}  // namespace xgrad::nn
