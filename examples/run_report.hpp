#pragma once

#include <cstdint>
#include <string>

#include <autograd/autograd.hpp>
#include <datasets/datasets.hpp>
#include <nn/nn.hpp>

/// \file
/// How the training program keeps account of a run, and makes a page of it: what callbacks::report does where there is a
/// Trainer.

/// The record of a run, and its report where one is wanted.
class RunReport {
 public:
  /// \param path of the page; empty: there is none. \param record what is known of the run already.
  RunReport(std::string path, xgrad::nn::RunRecord record, const xgrad::nn::Sequential& model,
            const xgrad::datasets::FashionMnist& data);

  /// Before each step; the weights are looked at around the last one of an epoch.
  void before_step(bool is_last);
  /// Whether nobody has taken the time of a step yet, although it belongs to the page.
  bool wants_step() const { return !path_.empty() && record_.step.kernels.empty(); }
  /// Takes the time of the step that \p plan makes with this batch.
  void take_time(const xgrad::Plan& plan, const xgrad::datasets::Batch& batch);
  /// After each epoch: writes the page.
  void end_epoch(const xgrad::nn::Scores& scores);
  /// After the last one, or where there is none left: writes the page for good.
  void finish();

  const xgrad::nn::RunRecord& record() const { return record_; }

 private:
  void write();

  std::string path_;
  xgrad::nn::RunRecord record_;
  xgrad::nn::Sequential model_;
  xgrad::datasets::Dataset test_;
  xgrad::nn::LayerProbe probe_;
};
