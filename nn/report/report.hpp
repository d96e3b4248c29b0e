#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

#include "autograd/plan/plan.hpp"
#include "datasets/dataset.hpp"
#include "nn/callbacks.hpp"
#include "nn/module.hpp"
#include "nn/report/run_record.hpp"

/// \file
/// The training report: a page that shows how a run went.

namespace xgrad::nn {

/// \name Reports of loops of your own
/// \{

/// Writes the report of a run: one HTML file that needs no network, no script and no other file. It appears complete or not
/// at all. While the run is `running`, the page loads itself anew every few seconds.
///
///     nn::RunRecord run = nn::this_run("my model");
///     for (int epoch = 1; epoch <= 10; ++epoch) {
///       ...
///       run.epochs.push_back(scores);      // an nn::Scores: `loss`, `validation_loss`, ...
///       nn::write_report("report.html", run);
///     }
/// \throws FileError when it cannot be written.
void write_report(const std::filesystem::path& path, const RunRecord& run,
                  std::source_location where = std::source_location::current());
/// The same for several runs on one page: their curves overlaid, and of their options what differs.
/// \throws ValueError for no runs.
void write_report(const std::filesystem::path& path, const std::vector<RunRecord>& runs,
                  std::source_location where = std::source_location::current());
/// The page itself.
std::string report_page(const std::vector<RunRecord>& runs);

/// What a classification is made of, beside the model.
struct ClassificationOptions {
  std::string data = "validation";            ///< what the data are called in the report
  std::vector<std::string> class_names = {};  ///< else their numbers
  std::int64_t mistakes = 24;                 ///< how many of the most confident ones are shown
};

/// How a classifier does. \param scores floating (n, classes): logits, or probabilities, whose rows sum up to 1. Logits may
/// be infinite: classes of +∞ share the whole probability.
/// \param data its targets are integer classes (n,); where features are (n, rows, columns), (n, 1, rows, columns) or
/// (n, 3, rows, columns), the mistakes are shown as pictures.
/// \throws ShapeError, DTypeError for scores and labels that do not belong together. \throws ValueError for a class out of
/// range, for NaN, and for a row of -∞ alone.
Classification classify(const Operand& scores, const datasets::Dataset& data,
                        const ClassificationOptions& options = {});

/// The layers of \p model for an input like \p input, as summary() has them.
Network describe_network(const Module& model, const Shape& input, std::optional<DType> dtype = {});

/// What the step costs that \p plan takes: runs it a few times on \p inputs, and puts all variables that it assigns back to
/// what they were. Kernels are told apart by the layers of \p model whose variables they read or assign.
StepCost measure_step(const Plan& plan, const std::vector<Tensor>& inputs, const Module& model);

/// Looks at the weights around the last step of each epoch, and adds to a record:
///
///     nn::LayerProbe probe(model, train.features());
///     probe.before_step();               // copies the parameters
///     step(images, labels);
///     probe.after_epoch(run);            // after run.epochs got the epoch's scores
class LayerProbe {
 public:
  /// \param samples features (n, ...) as the model takes them, which are shown to it to find dead units.
  LayerProbe(Module model, const Tensor& samples);

  /// Copies the parameters, to be compared with what the step makes of them.
  void before_step();
  /// Adds norms, updates and shares of dead units for the last of run.epochs.
  void after_epoch(RunRecord& run);

 private:
  Module model_;
  Tensor samples_;
  std::vector<std::vector<double>> before_;
};

/// \}

namespace callbacks {

/// Options of report. What is left out, it finds out by itself.
struct ReportOptions {
  std::string title = "";                      ///< of the page; else the name of the file
  std::vector<std::string> class_names = {};   ///< of the targets' classes
  std::optional<datasets::Dataset> data = {};  ///< to be classified, in place of fit's validation data
  std::string monitor = "";          ///< which score says which epoch is best; else `validation_loss`, or `loss`
  bool maximize = false;             ///< whether a larger one is better, as of an accuracy
  RunRecord::Options options = {};   ///< of the program, to be shown with those of the Trainer
  std::int64_t probe_samples = 256;  ///< how many samples the probe for dead units looks at; 0: none
  bool measure_step = true;          ///< whether the training step is timed once, after the first epoch
};

/// Writes the report of a fit to \p path, anew after every epoch: how it went, what became of the weights, which classes
/// were taken for which, the network, and where the time went. Nothing that it does changes what is trained. What it looks
/// at takes a few milliseconds after an epoch, and the time of predicting the validation data once more. Behind
/// early_stopping it shows the weights that the model has in the end.
/// \throws FileError from fit, when it cannot be written at the start; later a line on standard error says so.
Callback report(const std::filesystem::path& path, const ReportOptions& options = {},
                std::source_location where = std::source_location::current());

}  // namespace callbacks

}  // namespace xgrad::nn
