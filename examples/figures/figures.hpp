#pragma once

#include <cstdint>
#include <vector>

#include <autograd/autograd.hpp>
#include <datasets/datasets.hpp>

#include "svg.hpp"

/// \file
/// The figures of docs/nn.md, each as panels. All numbers come from the library: derivatives from grad, curves from runs.

namespace figures {

/// How long runs are.
struct Settings {
  std::int64_t images;  ///< that networks are trained on
  int epochs;           ///< passes over them
};

std::vector<svg::Panel> activations();     ///< activations and their derivatives
std::vector<svg::Panel> losses();          ///< losses by error and by margin
std::vector<svg::Panel> schedules();       ///< learning rates by step
std::vector<svg::Panel> initialization();  ///< distributions of weights; size of activations by depth
std::vector<svg::Panel> paths();           ///< of optimisers on functions of two variables

/// The training loss of one network under different optimisers, each with the best of a few learning rates.
std::vector<svg::Panel> optimizers(const xgrad::datasets::FashionMnist& data, const Settings& settings);
/// What learning rates do to the training loss; what regularisation does to the losses on training and validation images.
std::vector<svg::Panel> training_curves(const xgrad::datasets::FashionMnist& data, const Settings& settings);

/// The points (x[i], y[i]) of tensors of one axis.
std::vector<svg::Point> points(const xgrad::Tensor& x, const xgrad::Tensor& y);

}  // namespace figures
