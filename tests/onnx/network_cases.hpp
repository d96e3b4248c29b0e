#pragma once

#include <filesystem>

/// \file
/// Networks and steps of training, as cases for other programs.

namespace xgrad::testing {

/// A trained classifier of Fashion-MNIST with all test images (where the data set is), a residual network with
/// normalisation, embeddings, recurrent layers, a gradient, and a step of Adam to be run ten times, into folders of \p folder.
void write_networks(const std::filesystem::path& folder);

}  // namespace xgrad::testing
