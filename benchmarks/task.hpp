#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

/// \file
/// What every program of the comparison trains: the same network from the same weights on the same batches.
/// 784 inputs, 10 classes, ReLU, cross-entropy; Adam at 1e-3, SGD at 0.05 with momentum 0.9; only whole batches.

namespace benchmarks {

inline constexpr int image_size = 784;
inline constexpr int class_count = 10;
inline constexpr float grey_scale = 1.0F / 255;

/// The numbers of both optimisers.
struct Rates {
  static constexpr double adam = 1e-3;
  static constexpr double beta1 = 0.9;
  static constexpr double beta2 = 0.999;
  static constexpr double epsilon = 1e-8;
  static constexpr double sgd = 0.05;
  static constexpr double momentum = 0.9;
};

struct Settings {
  std::vector<int> hidden = {128};
  int batch_size = 32;
  std::string optimizer = "adam";
  std::string mode;
  int epochs = 3;
  int steps = 0;  ///< per epoch; 0 for as many as there are
  std::string products = "float32";
  int threads = 1;
  std::string data;
};

/// Initial weights: (inputs, outputs), row-major.
struct Weights {
  int inputs;
  int outputs;
  std::vector<float> weight;
  std::vector<float> bias;
};

struct Task {
  std::vector<std::uint8_t> images;  ///< (samples, 784)
  std::vector<std::int64_t> labels;
  std::vector<Weights> layers;
  int steps;                                               ///< per epoch
  std::function<std::vector<std::int64_t>(int)> order_of;  ///< the samples in the order of an epoch
};

/// \throws xgrad::Error when the data set cannot be read.
Task make_task(const Settings& settings);

/// Prints the line of an epoch.
void report(int epoch, double seconds, double samples, double mean_loss);

/// Reads the settings from the command line and calls \p run with them.
/// \param modes the program's modes, the default in front.
/// \return the program's exit code.
int run_program(int argc, char** argv, const char* description, const std::vector<std::string>& modes,
                const std::function<void(const Settings&)>& run);

}  // namespace benchmarks
