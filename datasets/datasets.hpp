#pragma once

/// \file
/// Everything in xgrad::datasets.

/// \namespace xgrad::datasets
/// Samples and targets: read from files, divided, normalised, augmented, and cut into mini-batches.

#include "autograd/array/xtensor.hpp"
#include "datasets/augmentation.hpp"
#include "datasets/batches.hpp"
#include "datasets/csv.hpp"
#include "datasets/csv_writer.hpp"
#include "datasets/dataset.hpp"
#include "datasets/fashion_mnist.hpp"
#include "datasets/idx.hpp"
#include "datasets/mnist_folder.hpp"
#include "datasets/normalizer.hpp"
#include "datasets/npy.hpp"
#include "datasets/pgm.hpp"
#include "datasets/schema.hpp"
