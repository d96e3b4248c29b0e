#pragma once

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>
#include <vector>

#include "autograd/graph/tensor.hpp"
#include "autograd/kernels/product_precision.hpp"
#include "datasets/batches.hpp"
#include "nn/callbacks.hpp"
#include "nn/history.hpp"
#include "nn/metrics.hpp"
#include "nn/module.hpp"
#include "nn/optimizers/optimizer.hpp"
#include "nn/ranks.hpp"

/// \file
/// The training loop.

namespace xgrad::nn {

namespace detail {
struct TrainerCore;
}

/// What training minimises: a number, of what the model gives and the targets of a batch. From a function of two tensors,
/// or one of `nn`'s losses with the options that it has by itself: `nn::cross_entropy`.
class Loss {
 public:
  /// Any function that takes predictions and targets.
  template <class F>
    requires(!std::same_as<std::remove_cvref_t<F>, Loss> &&
             std::is_invocable_r_v<Tensor, F&, const Tensor&, const Tensor&>)
  Loss(F&& function) : function_(std::forward<F>(function)) {}
  /// Anything else is an error that says what a loss is.
  template <class F>
    requires(!std::same_as<std::remove_cvref_t<F>, Loss> && std::is_class_v<std::remove_cvref_t<F>> &&
             !std::is_invocable_r_v<Tensor, F&, const Tensor&, const Tensor&>)
  Loss(F&&) {
    static_assert(std::is_invocable_r_v<Tensor, F&, const Tensor&, const Tensor&>,
                  "a loss takes predictions and targets: write `[](const Tensor& predictions, const Tensor& targets) { "
                  "return ...; }`, with a Tensor of one element as result, or give one of nn's, as nn::cross_entropy");
  }
  /// One of nn's losses; errors name \p where, which is filled in by itself.
  template <class Options>
  Loss(Tensor (*function)(const Operand&, const Operand&, Options),
       std::source_location where = std::source_location::current())
      : function_([=](const Tensor& predictions, const Tensor& targets) {
          return function(Operand(predictions, where), Operand(targets, where), std::remove_cvref_t<Options>());
        }) {}

  /// The loss. \throws Error what the function throws.
  Tensor operator()(const Tensor& predictions, const Tensor& targets) const { return function_(predictions, targets); }

 private:
  std::function<Tensor(const Tensor&, const Tensor&)> function_;
};

/// What a Trainer requires to be finite before it changes a variable.
enum class Check : std::uint8_t {
  loss,       ///< the loss of each batch
  gradients,  ///< the gradients of each update, too: one sum of squares of each
};

/// Options of a Trainer.
struct TrainerOptions {
  /// What is computed of every batch, in training and in evaluation.
  std::vector<Metric> metrics = {};
  /// Limits to the gradients of an update.
  Clipping clipping = {};
  /// How many batches make one update, by the mean of their gradients over samples, as one larger batch would; the last
  /// update of an epoch may have fewer.
  std::int64_t accumulate = 1;
  /// How data become batches. Evaluation and prediction neither shuffle nor augment. The seed is that of dropout, too.
  datasets::BatchOptions batches = {};
  /// Processes that train together, each on its part of every batch: a distributed::World. Null: this one alone. All run the
  /// same program on the same data; fit, evaluate, save, load and find_learning_rate are called by all of them.
  std::shared_ptr<const Ranks> world = {};
  /// Into how many shards each batch is cut, whatever the number of ranks: a power of two, and a multiple of them, who are
  /// a power of two, too. Each shard is a batch of its own (for batch normalisation, dropout and augmentation), and
  /// gradients are added up in one order. So weights, history and checkpoints are the same, bit for bit, for any number of
  /// ranks. 0: none, each rank has one part of the batch.
  std::int64_t shards = 0;
  /// Whether batch normalisation takes its mean and variance over the batch of all ranks. Not with shards.
  bool synchronize_batch_norm = false;
  /// What has to be finite. Where it is not, the error says where the number was born, and nothing has been changed.
  /// Clipping::not_finite, where it is given, has the last word on gradients.
  Check check = Check::loss;
  /// How exactly products take their factors, in training, evaluation and prediction; CompileOptions::products says more.
  /// Weights, moments, activations and gradients stay float32, and losses need no scaling.
  ProductPrecision products = ProductPrecision::float32;
};

/// How training shows how far it is, on standard output. Bars fit the width of the terminal, also a narrow one, and go when
/// what they are of is done; there are no colours. What is no terminal, such as a file, gets lines alone.
enum class Progress {
  automatic,  ///< bar on a terminal that can show one, else lines
  bar,        ///< a bar with time left and scores, and a line per epoch
  lines,      ///< a line per epoch
  quiet       ///< nothing
};

/// Options of Trainer::fit.
struct FitOptions {
  std::int64_t epochs = 10;                          ///< passes over the data
  std::optional<datasets::Dataset> validation = {};  ///< evaluated after every epoch: `{{features, targets}}`
  double validation_fraction = 0;                    ///< or that part of the data, chosen at random, not trained on
  std::vector<Callback> callbacks = {};              ///< called in this order
  Progress progress = Progress::automatic;           ///< what is printed
  /// A checkpoint to go on from; of several that are numbered, the newest that is whole. Only `epochs` may differ from
  /// when it was made, among all that the results depend on.
  std::optional<std::filesystem::path> resume = {};
};

/// Options of Trainer::find_learning_rate.
struct LearningRateOptions {
  double min = 1e-7;                        ///< the rate at the first step
  double max = 10;                          ///< and at the last
  std::int64_t steps = 100;                 ///< how many there are at most
  bool print = true;                        ///< whether a line with the suggestion goes to standard output
  Progress progress = Progress::automatic;  ///< whether a bar is shown meanwhile; there are no lines
};

/// Options of Trainer::evaluate and Trainer::predict.
struct EvaluationOptions {
  Progress progress = Progress::automatic;  ///< whether a bar is shown meanwhile; there are no lines
};

/// What Trainer::find_learning_rate saw.
struct LearningRates {
  double suggestion = 0;       ///< where the loss falls fastest; NaN when it never falls
  std::vector<double> rates;   ///< one per step
  std::vector<double> losses;  ///< of those steps, smoothed
};

/// A model, an optimiser and a loss, and the loop that brings them together:
/// ```
/// nn::Trainer trainer(model, nn::Adam(model.parameters()), nn::cross_entropy, {.metrics = {nn::Accuracy()}});
/// const nn::History history = trainer.fit(train, {.epochs = 20, .validation_fraction = 0.1,
///                                                 .callbacks = {nn::callbacks::early_stopping()}});
/// std::cout << trainer.evaluate(test)["accuracy"];
/// ```
/// A step is compiled: forward in training mode, loss, gradient and update are one plan. The model and the optimiser are
/// shared, not copied, and a Trainer is itself a handle. What it computes follows from the weights, the data and the seed
/// in the options alone; a second fit goes on where the first one ended.
class Trainer {
 public:
  /// \param model any layer. \param optimizer of its parameters. \param loss see Loss.
  /// \throws ValueError for two metrics of one name, or one that is called like another score; for less than one batch
  ///         per update; for numbers of shards and ranks that do not go together, and with several of either for a metric
  ///         without `save` and `load`.
  template <std::derived_from<Optimizer> O>
  Trainer(Module model, O optimizer, Loss loss, TrainerOptions options = {},
          std::source_location where = std::source_location::current())
      : Trainer(std::move(model), std::shared_ptr<Optimizer>(std::make_shared<O>(std::move(optimizer))),
                std::move(loss), std::move(options), where) {}
  /// The same, for an optimiser whose kind is not known: a std::shared_ptr, or a std::unique_ptr that is moved.
  Trainer(Module model, std::shared_ptr<Optimizer> optimizer, Loss loss, TrainerOptions options = {},
          std::source_location where = std::source_location::current());

  /// Trains on \p data, a Dataset or `{features, targets}` from xtensor arrays.
  ///
  /// While it runs, Ctrl-C (SIGINT) ends training after the batch at hand: the weights stay as they are then, and what
  /// there is of the history is returned. A second Ctrl-C, half a second later or more, ends the program.
  ///
  /// A loss that is NaN or infinite is an error: it names the epoch, the batch, the operation that made it so with its line
  /// and the numbers that went in, the sample, and the likely cause; no variable has been changed by that step. Gradients
  /// are looked at with Check::gradients, when they are clipped by their norm, or as Clipping::not_finite says; otherwise
  /// the next loss tells when they overflow.
  ///
  /// With FitOptions::resume it goes on where the checkpoint was taken, in the middle of an epoch, too, and ends in the same
  /// bits as a run that was never interrupted, whatever the number of threads before and after: weights, statistics,
  /// optimiser, scores and history (but for seconds).
  /// \throws FileError when there is no checkpoint that is whole.
  /// \throws ValueError for a checkpoint of another model, optimiser, option or data, with all that differs.
  /// \throws ValueError for no samples, less than one epoch, a fraction outside [0, 1), two sets of validation data, a
  ///         batch size below 1, and a loss that is not finite.
  /// \throws ShapeError when the loss is not one number.
  /// \throws ValueError when a callback of a fit of this Trainer calls it.
  /// \throws ValueError when ranks are not alike, or their callbacks do not assign the same, with all that differs. Each
  ///         step compares it; what a compiled function of a callback writes into a weight in place, the end of the epoch.
  /// \throws RankError on all other ranks when one of them throws.
  /// \throws Error what the model, the loss, the metrics and the callbacks throw, with the epoch and the batch.
  History fit(const datasets::Dataset& data, const FitOptions& options = {},
              std::source_location where = std::source_location::current());

  /// Writes a checkpoint: model, optimiser, metrics, and where training stands. From a callback, fit can go on from there
  /// just behind that callback; between two calls of fit, with the second. The file is as write_saved says.
  /// \throws FileError when it cannot be written, or somebody else is writing it.
  void save(const std::filesystem::path& path, std::source_location where = std::source_location::current()) const;
  /// Takes model, optimiser and the number of steps and epochs from a checkpoint, to evaluate, to predict, or to train in
  /// another way from there: options and data may differ. FitOptions::resume goes on in the same way. All or nothing.
  /// \throws FileError when there is no checkpoint that is whole.
  /// \throws ValueError for one of another model or optimiser, with all that differs.
  void load(const std::filesystem::path& path, std::source_location where = std::source_location::current());

  /// The loss and the metrics over \p data, in inference. From a callback, call it after an epoch: within one, it resets
  /// what the metrics have counted so far. \throws ValueError when ranks have other data. \throws Error as fit does.
  Scores evaluate(const datasets::Dataset& data, const EvaluationOptions& options = {},
                  std::source_location where = std::source_location::current());

  /// What the model gives for \p features (n, ...), in inference, batch by batch: (n, ...). On this rank alone.
  /// \throws ValueError for no samples. \throws Error what the model throws.
  Tensor predict(const Operand& features, const EvaluationOptions& options = {});

  /// The learning rate range test (Smith, Cyclical learning rates for training neural networks, 2017): takes steps with
  /// rates that grow from \p options.min to \p options.max in equal ratios, until the loss is four times its least or not
  /// finite. Afterwards weights, optimiser and random numbers are as before, so a callback of fit may call it. Suggests the rate at which the smoothed loss
  /// falls fastest per factor of the rate.
  /// \throws ValueError for rates not 0 < min < max, less than 20 steps, and as fit does.
  LearningRates find_learning_rate(const datasets::Dataset& data, const LearningRateOptions& options = {},
                                   std::source_location where = std::source_location::current());

 private:
  std::shared_ptr<detail::TrainerCore> core_;
};

}  // namespace xgrad::nn
