#pragma once

namespace xgrad::bits {

/// Prints `training_NAME float32 hash` for several optimisers: the hash is of the weights, the running statistics and the
/// optimiser's state after a few compiled steps.
void print_training();

}  // namespace xgrad::bits
