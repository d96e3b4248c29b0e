#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "flags.hpp"

/// \file
/// What can be said on the command line of fashion_mnist.

/// Its options, as they are by default.
struct Settings {
  std::vector<int> hidden = {128};
  int epochs = 0;  ///< 0: ten, or those of the recipe
  int batch_size = 64;
  std::string optimizer = "adam";
  double learning_rate = 0;  ///< 0: the optimiser's own default
  double momentum = 0.9;
  std::string activation = "relu";
  std::uint64_t seed = 0;
  std::string products = "float32";
  int threads = 0;  ///< 0: all processors
  std::string data;
  std::string checkpoint;  ///< empty: none
  std::string report;      // empty: none
  std::string recipe;      // empty: the network and settings above
  int ensemble = 1;
  bool validate = false;
  int shards = 0;  ///< 0: batches are not cut
  bool hash = false;
};

/// Adds them, and which of them go together.
void add_options(Flags& flags, Settings& s);
