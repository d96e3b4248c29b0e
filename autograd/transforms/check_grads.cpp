#include "autograd/transforms/check_grads.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "autograd/graph/operation.hpp"
#include "autograd/graph/walks.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/ops/random.hpp"
#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
#include "autograd/transforms/grad.hpp"
#include "autograd/transforms/vmap.hpp"

namespace xgrad {

namespace {

using Function = std::function<Tensor(const Tensors&)>;

Tensor inner_product(const Tensor& a, const Tensor& b) { return sum(a * b); }

std::string text(const Tensor& tensor) {
  std::ostringstream out;
  out << tensor;
  return out.str();
}

bool has_forward_mode(const Tensor& output) {
  for (const Node* node : topological_order(std::span(&output, 1)).nodes) {
    const OperationTraits& traits = node->operation().traits();
    if (!node->inputs().empty() && !traits.stops_gradient && !traits.can_jvp()) {
      return false;
    }
  }
  return true;
}

class Check {
 public:
  explicit Check(const CheckGradsOptions& options) : options_(options), key_(options.seed) {}

  void run(const Function& f, const Tensors& inputs, int order) {
    const Tensor y = f(inputs);
    const Tensor c = direction(y);
    const auto weighted = [&f, c](const Tensors& x) { return inner_product(c, f(x)); };
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      compare(weighted, inputs, i, order);
    }
    if (order < options_.order) {
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        const auto gradient = [&weighted, i](const Tensors& x) {
          const detail::FreshAliases fresh(std::vector<Operand>(x.begin(), x.end()));
          return grad(weighted(fresh.tensors()), fresh.tensors()[i], Unreached::zeros);
        };
        run(gradient, inputs, order + 1);
      }
    }
  }

 private:
  Tensor direction(const Tensor& like) {
    key_ = key_.fold(1);
    return random::normal(key_, like.shape(), 0, 1, DType::float64);
  }

  void compare(const Function& weighted, const Tensors& inputs, std::size_t i, int order) {
    const Tensor& x = inputs[i];
    const Tensor d = direction(x);
    Tensors fresh = inputs;
    fresh[i] = alias(x);
    const Tensor gradient = grad(weighted(fresh), fresh[i], Unreached::zeros);
    const double analytic = inner_product(gradient, d).item();
    // The sum of the magnitudes is what rounding and cancellation are relative to.
    const double scale = std::max(1.0, sum(abs(gradient * d)).item());
    compare_modes(weighted(fresh), fresh[i], d, analytic, scale, order);

    const double size = x.size() == 0 ? 1 : std::max(1.0, amax(abs(x)).item());
    const double h = options_.step * size;
    const auto along = [&](double t) {
      Tensors moved = inputs;
      moved[i] = (x + t * d).detach();
      return weighted(moved).item();
    };
    const double near = along(h) - along(-h);
    const double far = along(2 * h) - along(-2 * h);
    const double numeric = (8 * near - far) / (12 * h);

    if (!(std::abs(analytic - numeric) <= options_.tolerance * scale)) {
      // Second differences over h and 2h: as 1 to 4 where the function is smooth, as 1 to 2 at a kink, 1 to 1 at a jump.
      const double here = along(0);
      const double bend = along(h) - 2 * here + along(-h);
      const double wide_bend = along(2 * h) - 2 * here + along(-2 * h);
      const double rounding = 1e-13 * std::max(1.0, std::abs(here));
      const bool kink = std::abs(bend) > rounding && std::abs(wide_bend - 4 * bend) > 0.25 * std::abs(wide_bend);
      raise<GradientError>(
          "check_grads",
          phrase("derivative {} of order {} is wrong: the chain rule gives {:.12g}, differences give {:.12g}; {}\n"
                 "  input {}: {}\n  direction: {}",
                 i, order, analytic, numeric,
                 kink        ? "the function seems to have a kink or jump here: move the input away from it"
                 : order > 1 ? "order 1 agrees, so look at the derivative of what the vjp rule returns"
                             : "look at the vjp rule of an op that this input passes through",
                 i, text(x), text(d)));
    }
  }

  void compare_modes(const Tensor& value, const Tensor& input, const Tensor& d, double reverse, double scale,
                     int order) {
    if (!options_.forward || !has_forward_mode(value)) {
      return;
    }
    const double forward = jvp(value, {input}, {d}).item();
    if (!(std::abs(forward - reverse) <= 1e-9 * scale)) {
      raise<GradientError>("check_grads",
                           phrase("forward and reverse mode disagree at order {}: jvp gives {:.12g}, vjp "
                                  "gives {:.12g}; look at the jvp rule of an op that this input passes "
                                  "through\n  input: {}\n  direction: {}",
                                  order, forward, reverse, text(input), text(d)));
    }
  }

  CheckGradsOptions options_;
  random::Key key_;
};

void require(bool holds, std::string_view check, const std::string& details) {
  if (!holds) {
    raise<ValueError>("check_op", phrase("{}: {}", check, details));
  }
}

void require_equal(std::string_view check, const Tensor& given, const Tensor& expected) {
  require(given.shape() == expected.shape() && given.dtype() == expected.dtype(), check,
          phrase("the result is {}{}, expected {}{}", to_string(given.dtype()), to_string(given.shape()),
                 to_string(expected.dtype()), to_string(expected.shape())));
  require(allclose(given, expected, 1e-10, 1e-12, true), check,
          phrase("the values differ\n  given: {}\n  expected: {}", text(given), text(expected)));
}

void check_vmap(const Function& op, const Tensors& inputs) {
  constexpr std::int64_t samples = 3;
  Tensors batched;
  for (const Tensor& input : inputs) {
    batched.push_back(stack({input, input * 0.875, input * 1.125}));
  }
  const detail::MappedArguments mapped = detail::split_samples(batched, {});
  const Tensor at_once = detail::map_samples({op(mapped.for_one_sample)}, mapped, 0)[0];
  for (std::int64_t i = 0; i < samples; ++i) {
    Tensors sample;
    for (const Tensor& all_samples : batched) {
      sample.push_back(all_samples[i]);
    }
    require_equal("vmap differs from one call per sample", at_once[i], op(sample));
  }
}

void check_elementwise(const Function& op, const Tensors& inputs) {
  const Tensor whole = op(inputs);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    // The first slice alone broadcasts like a tensor in which it is repeated.
    if (inputs[i].ndim() == 0 || inputs[i].shape()[0] == 0) {
      continue;
    }
    Tensors narrow = inputs;
    Tensors repeated = inputs;
    narrow[i] = inputs[i][range(0, 1)];
    repeated[i] = broadcast_to(narrow[i], inputs[i].shape());
    const Tensor expected = op(repeated);
    require_equal("broadcasting", broadcast_to(op(narrow), expected.shape()), expected);
  }
  Tensors empty;
  for (const Tensor& input : inputs) {
    empty.push_back(zeros({0}, input.dtype()));
  }
  require(op(empty).size() == 0 && op(empty).array().size() == 0, "empty inputs", "the result is not empty");
}

}  // namespace

void check_grads(const Function& f, const Tensors& inputs, const CheckGradsOptions& options,
                 std::source_location where) {
  located(where, [&] {
    for (const Tensor& input : inputs) {
      if (input.dtype() != DType::float64) {
        raise<DTypeError>("check_grads",
                          phrase("differences need float64 inputs, got {}; cast them", to_string(input.dtype())));
      }
    }
    Check(options).run(f, inputs, 1);
  });
}

void check_op(const Function& op, const Tensors& inputs, const CheckOpOptions& options, std::source_location where) {
  located(where, [&] {
    const Tensor value = op(inputs);
    if (options.reference) {
      require_equal("values differ from the reference", value, options.reference(inputs));
    }
    if (options.elementwise) {
      check_elementwise(op, inputs);
    }
    if (options.vmap) {
      check_vmap(op, inputs);
    }
    check_grads(op, inputs, options.grads, where);
  });
}

}  // namespace xgrad
