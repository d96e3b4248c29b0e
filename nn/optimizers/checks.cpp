#include "nn/optimizers/checks.hpp"

#include <map>

#include "autograd/runtime/phrase.hpp"

namespace xgrad::nn::detail {

void require_trainable(std::string_view who, const Variables& parameters) {
  if (parameters.empty()) {
    raise<ValueError>(who, "the list of parameters is empty; give at least one to train");
  }
  std::map<const void*, std::size_t> positions;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Variable& parameter = parameters[i];
    if (!is_floating(parameter.dtype())) {
      raise<DTypeError>(who, phrase("parameter {}, '{}', is {}; only floating ones can be trained", i, parameter.name(),
                                    to_string(parameter.dtype())));
    }
    const auto [place, is_new] = positions.emplace(parameter.id(), i);
    if (!is_new) {
      raise<ValueError>(who, phrase("parameters {} and {} are the same variable, '{}'; give each once", place->second,
                                    i, parameter.name()));
    }
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
      return phrase("the gradient of parameter '{}' is {}, the parameter {}; they must be alike", parameters[i].name(),
                    to_string(given), to_string(expected));
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
