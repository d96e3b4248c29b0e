#pragma once

#include <cstdint>
#include <filesystem>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nn/history.hpp"

/// \file
/// RunRecord, all that is to be told of a run. It goes into JSON and comes out of it: logs, checkpoints and reports share
/// one schema, `xgrad-run`.

namespace xgrad::nn {

/// What a run is made on.
struct Machine {
  std::string cpu;              ///< as the system names it
  std::int64_t processors = 0;  ///< that the process may use
  std::int64_t threads = 0;     ///< that kernels use
  std::string kernels;          ///< the instruction set that xgrad runs: `avx2`
  std::string blas;             ///< OpenBLAS's own description, and the kernels it runs
};

/// The machine that this program runs on.
Machine this_machine();

/// A parameter, epoch by epoch: one number each, NaN where it is not known.
struct WeightCourse {
  std::string name;             ///< its path in the model: `0.weight`
  std::vector<double> norms;    ///< ‖w‖, the root of the sum of squares, after the epoch
  std::vector<double> updates;  ///< ‖Δw‖ / ‖w‖ of the epoch's last step
};

/// A layer's units, epoch by epoch.
struct UnitCourse {
  std::string layer;         ///< path and type: `1 ReLU`
  std::vector<double> dead;  ///< share of units that give the same number for every sample of the probe
};

/// A wrong prediction.
struct Mistake {
  std::int64_t sample = 0;      ///< its position in the data
  std::int64_t label = 0;       ///< the class that it is of
  std::int64_t prediction = 0;  ///< the class that it was taken for
  double confidence = 0;        ///< the probability that the model gave that class
  std::string png;              ///< the sample as a picture, a PNG file in base64; empty where samples are no images
};

/// Samples of one range of confidence.
struct CalibrationBin {
  std::int64_t count = 0;  ///< of samples
  double confidence = 0;   ///< mean probability of the predicted class
  double accuracy = 0;     ///< share of right predictions
};

/// How a classifier does on some data.
struct Classification {
  std::string data;                  ///< which data: `validation`
  std::vector<std::string> classes;  ///< their names
  std::vector<std::int64_t> counts;  ///< (label, prediction), as ConfusionMatrix::count
  std::vector<CalibrationBin> bins;  ///< of equal widths from confidence 0 to 1; empty where there are no scores
  double calibration_error = 0;      ///< Σ count/n |accuracy - confidence| over the bins
  std::vector<Mistake> mistakes;     ///< the most confident ones, worst first
};

/// A layer as summary() lists it.
struct LayerRow {
  std::string path;                ///< `0`
  std::string type;                ///< `Dense`
  std::string output;              ///< its shape: `(64, 128)`
  std::int64_t parameters = 0;     ///< elements of its variables
  std::int64_t multiply_adds = 0;  ///< of its matrix products
};

/// The layers of a model, for an input.
struct Network {
  std::string input;             ///< its shape
  std::vector<LayerRow> layers;  ///< in order
  std::int64_t trainable = 0;    ///< elements of parameters
};

/// What a kernel of the training step takes.
struct KernelCost {
  std::string layer;     ///< path and type of the layer that it belongs to, `loss`, or `other`
  std::string name;      ///< the operations: `add+relu`
  std::string computes;  ///< the product with its sizes, or the formula
  double seconds = 0;    ///< per step, added up over the threads
  double share = 0;      ///< of the time of all kernels
  double gflops = 0;     ///< 10^9 floating-point operations per second of it
  double gigabytes = 0;  ///< 10^9 bytes read and written per second of it
};

/// Where the time of a training step goes.
struct StepCost {
  double seconds = 0;               ///< of a step
  std::int64_t repetitions = 0;     ///< that were measured
  std::int64_t threads = 0;         ///< on how many
  std::int64_t bytes = 0;           ///< memory of a step beside arguments and variables
  std::vector<KernelCost> kernels;  ///< in the order of the plan
  std::string memory_map;           ///< which value is where, and when, as Plan::memory_map says
};

/// A run: what it is, how it went, and what was looked at on the way. What is empty is left out of the report.
struct RunRecord {
  /// Of the JSON schema.
  static constexpr int version = 1;
  /// Options and what they are.
  using Options = std::vector<std::pair<std::string, std::string>>;

  std::string title;                  ///< what the run is called
  std::string command;                ///< the command line, as a shell takes it
  Machine machine;                    ///< what it runs on
  Options options;                    ///< those that are not the default
  std::string seed;                   ///< of the random numbers; empty where it is not known
  std::string monitor;                ///< the score that says which epoch is best; empty: see best_epoch()
  bool maximize = false;              ///< whether a larger one is better
  std::int64_t planned_epochs = 0;    ///< how many there were to be; 0 where it is not known
  std::int64_t samples = 0;           ///< that an epoch trains on; 0 where it is not known
  bool running = false;               ///< whether it goes on
  std::string stopped;                ///< why it ended before the last epoch
  std::vector<Scores> epochs;         ///< as in History
  std::vector<WeightCourse> weights;  ///< of parameters
  std::vector<UnitCourse> units;      ///< of layers that can have dead units
  Classification classification;      ///< of the model as it is in the end
  Network network;                    ///< its layers
  StepCost step;                      ///< and its training step

  /// The score that says which epoch is best: monitor, or `validation_loss` where any epoch has one, or `loss`.
  std::string best_by() const;
  /// The position in epochs of the best one, the first of equals; -1 where that score was never finite.
  std::int64_t best_epoch() const;
  /// All that is known, as one object of JSON; NaN and infinities are null.
  std::string json() const;
  /// Takes it back from what json() gave. \throws ValueError for another text, and for a later version.
  static RunRecord from_json(std::string_view text);
};

/// A record with the machine and the command line of this program, to which a training loop of your own adds the rest.
RunRecord this_run(std::string title = "");

/// Reads what a program has written of its runs: a log of callbacks::json_log (also by earlier versions, and of a run that
/// goes on), a checkpoint of callbacks::checkpoint or one with a `record` in it, RunRecord::json, or a report, which may
/// hold several.
/// \throws FileError for a file that is none of these, is damaged, or is of a later version.
std::vector<RunRecord> read_runs(const std::filesystem::path& path,
                                 std::source_location where = std::source_location::current());

namespace detail {

/// RunRecord::json without what grows with the epochs: for the first line of a log, and for checkpoints.
std::string head_json(const RunRecord& run);
/// All runs as the JSON that stands in a report. It has no `<`.
std::string page_json(const std::vector<RunRecord>& runs);
/// What page_json gave.
std::vector<RunRecord> runs_of_page(std::string_view json);
/// A text between quotes, as JSON has it.
std::string json_text(std::string_view text);

}  // namespace detail

}  // namespace xgrad::nn
