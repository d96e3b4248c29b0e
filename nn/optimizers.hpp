#pragma once

/// \file
/// All optimisers.

#include "nn/optimizers/adam.hpp"
#include "nn/optimizers/adaptive.hpp"
#include "nn/optimizers/gradients.hpp"
#include "nn/optimizers/lbfgs.hpp"
#include "nn/optimizers/optimizer.hpp"
#include "nn/optimizers/sgd.hpp"
