#include "datasets/permutation.hpp"

#include <numeric>
#include <utility>

#include "autograd/kernels/kernels.hpp"

namespace xgrad::datasets {

Array ascending(std::int64_t count) {
  Array order({count}, DType::int64);
  std::int64_t* positions = order.data<std::int64_t>();
  std::iota(positions, positions + count, std::int64_t{0});
  return order;
}

// Fisher and Yates, in Durstenfeld's form.
Array permutation(std::int64_t count, std::uint64_t key) {
  Array order = ascending(count);
  Array uniform({count}, DType::float64);
  kernels::random_uniform(DType::float64, key, uniform.data(), count);
  std::int64_t* positions = order.data<std::int64_t>();
  const double* draws = uniform.data<double>();
  for (std::int64_t i = count - 1; i > 0; --i) {
    // A draw is at most 1 - 2^-53, so the product stays below i + 1 after rounding too.
    const auto other = static_cast<std::int64_t>(draws[i] * static_cast<double>(i + 1));
    std::swap(positions[i], positions[other]);
  }
  return order;
}

}  // namespace xgrad::datasets
