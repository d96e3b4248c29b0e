#include "nn/monitored.hpp"

#include "autograd/graph/operation.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad::nn::callbacks {

void require_score(std::string_view callback, const TrainingState& training, const std::string& monitor,
                   const std::source_location& where) {
  if (training.scores.contains(monitor)) {
    return;
  }
  std::string names;
  for (const auto& [name, value] : training.scores) {
    names += (names.empty() ? "" : ", ") + name;
  }
  located(where, [&] {
    raise<ValueError>(callback,
                      phrase("training has no score called '{}'; {}; there are: {}", monitor,
                             monitor.starts_with("validation_") && !training.scores.contains("validation_loss")
                                 ? "give .validation or .validation_fraction in the options of fit"
                                 : "watch another by .monitor",
                             names));
  });
}

}  // namespace xgrad::nn::callbacks
