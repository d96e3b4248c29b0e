#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <autograd/kernels/product_precision.hpp>

/// \file
/// Training for accuracy instead of speed: networks and settings that were chosen on a validation split of the training
/// images. docs/accuracy.md says how.

/// A network and how it is trained.
struct Recipe {
  std::vector<std::int64_t> hidden;  ///< sizes of the hidden layers
  double input_dropout;              ///< of pixels
  double dropout;                    ///< behind every hidden layer
  double label_smoothing;            ///< ε of the cross-entropy
  double weight_decay;               ///< λ of AdamW
  double largest_rate;               ///< of the learning rates of one cycle
  int batch_size;                    ///< images per step
  int epochs;                        ///< of the one cycle
  bool augmented;                    ///< whether images are mirrored at random
};

/// The recipe of a name in recipe_names().
Recipe find_recipe(const std::string& name);
/// `best`, and `plain-best`, which trains on the images as they are.
std::vector<std::string> recipe_names();

/// What is done with a recipe.
struct RecipeRun {
  std::string data;        ///< folder of the images
  std::uint64_t seed = 0;  ///< of the first network; the next has the next seed
  int ensemble = 1;        ///< networks, whose probabilities are averaged
  bool validate = false;   ///< train on five sixths of the training images, measure on the others
  xgrad::ProductPrecision products = xgrad::ProductPrecision::float32;  ///< of training
};

/// Trains and measures; prints a line per epoch, one per network, and the result.
void train_by_recipe(const Recipe& recipe, const RecipeRun& run);
