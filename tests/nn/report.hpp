#pragma once

#include <limits>
#include <string>
#include <string_view>

#include "nn/nn.hpp"
#include "nn/report/report.hpp"

/// \file
/// Runs to be reported, and what tests look for in pages.

namespace xgrad::testing {

inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

inline bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

inline std::size_t count_of(const std::string& text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

inline nn::Scores scores(double loss, double validation_loss) {
  nn::Scores all;
  all.set("loss", loss);
  all.set("validation_loss", validation_loss);
  return all;
}

/// With something in every member.
inline nn::RunRecord full_record() {
  nn::RunRecord run;
  run.title = "a run";
  run.command = "train --epochs 2";
  run.machine = {.cpu = "a CPU", .processors = 4, .threads = 2, .kernels = "avx2", .blas = "OpenBLAS"};
  run.options = {{"epochs", "2"}, {"optimizer", "Adam"}};
  run.seed = "18446744073709551615";
  run.monitor = "validation_loss";
  run.maximize = true;
  run.planned_epochs = 3;
  run.samples = 600;
  run.running = true;
  run.stopped = "somebody said so";
  run.epochs = {scores(0.1, 1 / 3.), scores(1e-300, not_a_number)};
  run.weights = {{"0.weight", {1.5, 2.5}, {not_a_number, 1e-3}}};
  run.units = {{"1 ReLU", {0.25, 0.5}}};
  run.classification = {.data = "test",
                        .classes = {"cat", "dog"},
                        .counts = {3, 1, 2, 4},
                        .bins = {{4, 0.6, 0.5}, {6, 0.9, 0.8}},
                        .calibration_error = 0.1,
                        .mistakes = {{7, 0, 1, 0.99, "aGVsbG8="}}};
  run.network = {"(6, 4)", {{"0", "Dense", "(6, 2)", 10, 48}}, 10};
  run.step = {1e-4, 20, 2, 1000, {{"0 Dense", "matmul", "(6, 4) x (4, 2)", 5e-5, 0.75, 1.5, 2.5}}, "offset"};
  return run;
}

}  // namespace xgrad::testing
