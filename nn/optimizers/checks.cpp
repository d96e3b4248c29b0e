#include "nn/optimizers/checks.hpp"

#include <cmath>
#include <map>
#include <string>

#include "autograd/graph/operation.hpp"
#include "autograd/runtime/phrase.hpp"
#include "autograd/transforms/grad.hpp"

namespace xgrad::nn::detail {

namespace {

// A number that may have been assigned to. Not `total`: so plans write variables only after it.
struct CheckedNumber {
  static constexpr std::string_view name = "checked_number";
  std::string who;
  std::string what;
  bool is_decay = false;
  static constexpr auto attributes =
      fields("who", &CheckedNumber::who, "what", &CheckedNumber::what, "is_decay", &CheckedNumber::is_decay);

  Spec infer(Inputs in) const { return {in[0].shape(), in[0].dtype()}; }
  void eval(ConstViews in, Views out) const {
    const double number = *in[0].as<double>();
    if (!(number >= 0 && std::isfinite(number) && (number < 1 || !is_decay))) {  // words are found for errors alone
      is_decay ? require_decay(who, what, number) : require_not_negative(who, what, number);
    }
    *out[0].as<double>() = number;
  }
};

}  // namespace

Tensor checked_not_negative(std::string_view who, std::string_view what, const Tensor& number) {
  return apply_op(CheckedNumber{std::string(who), std::string(what)}, {number});
}

Tensor checked_decay(std::string_view who, std::string_view what, const Tensor& number) {
  return apply_op(CheckedNumber{std::string(who), std::string(what), true}, {number});
}

std::string parameter_name(std::size_t position, const Variable& parameter) {
  return phrase("{}{}{}", position, parameter.name().empty() ? "" : ".", parameter.name());
}

void require_trainable(std::string_view who, const Variables& parameters) {
  if (parameters.empty()) {
    raise<ValueError>(who, "the list of parameters is empty; give at least one to train");
  }
  std::map<const void*, std::size_t> positions;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Variable& parameter = parameters[i];
    if (!is_floating(parameter.dtype())) {
      raise<DTypeError>(who, phrase("parameter '{}' is {}; only floating ones can be trained",
                                    parameter_name(i, parameter), to_string(parameter.dtype())));
    }
    const auto [place, is_new] = positions.emplace(parameter.id(), i);
    if (!is_new) {
      raise<ValueError>(who, phrase("parameters {} and {} are the same variable, '{}'; give each once", place->second,
                                    i, parameter.name()));
    }
  }
}

Tensors gradients_of(const Tensor& loss, const Variables& parameters, const std::source_location& where) {
  try {
    return grad(loss, Tensors(parameters.begin(), parameters.end()), Unreached::error, where);
  } catch (GradientError& error) {
    const Tensors all(parameters.begin(), parameters.end());
    for (std::size_t i = 0; i < all.size(); ++i) {
      try {
        grad(loss, {all[i]}, Unreached::error, where);
      } catch (const GradientError&) {
        error.add_note(phrase("for parameter '{}'", parameter_name(i, parameters[i])));
        break;
      }
    }
    throw;
  }
}

void require_gradients(std::string_view who, const Tensors& gradients, const Variables& parameters) {
  if (gradients.size() != parameters.size()) {
    raise<ValueError>(who,
                      phrase("{} gradients for {} parameters; give one for each", gradients.size(), parameters.size()));
  }
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    const Spec given{gradients[i].shape(), gradients[i].dtype()};
    const Spec expected{parameters[i].shape(), parameters[i].dtype()};
    const auto message = [&] {
      return phrase("the gradient of parameter '{}' is {}, the parameter {}; they must be alike",
                    parameter_name(i, parameters[i]), to_string(given), to_string(expected));
    };
    if (given.shape != expected.shape) {
      raise<ShapeError>(who, message());
    }
    if (given.dtype != expected.dtype) {
      raise<DTypeError>(who, message());
    }
  }
}

}  // namespace xgrad::nn::detail
