#pragma once

/// \file
/// Everything in xgrad::datasets: IDX files, MNIST-style folders, Fashion-MNIST, batches.

/// \namespace xgrad::datasets
/// Files of images and labels, and mini-batches of them.

#include "datasets/batches.hpp"
#include "datasets/fashion_mnist.hpp"
#include "datasets/idx.hpp"
#include "datasets/labelled_images.hpp"
#include "datasets/mnist_folder.hpp"
