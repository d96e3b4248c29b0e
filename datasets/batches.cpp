#include "datasets/batches.hpp"

#include <algorithm>
#include <numeric>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "autograd/error.hpp"
#include "autograd/kernels/kernels.hpp"

namespace xgrad::datasets {

namespace {

constexpr std::string_view op = "Batches";

// Keeps the order apart from other random numbers that a program draws from the same seed.
constexpr std::uint64_t shuffle_stream = 0x73687566666c65;  // "shuffle"

void check(const LabelledImages& data, const BatchOptions& options) {
  if (options.batch_size < 1) {
    raise<ValueError>(op, fmt::format("the batch size is {}; give 1 or more", options.batch_size));
  }
  if (!data.images || data.images.dtype() != DType::uint8 || data.images.shape().ndim() < 1) {
    raise<ValueError>(op,
                      fmt::format("images are {} {}{}; give uint8 (n, rows, columns)", to_string(data.images.dtype()),
                                  to_string(data.images.shape()), data.images ? "" : " without memory"));
  }
  if (!data.labels || (data.labels.dtype() != DType::uint8 && !is_integer(data.labels.dtype())) ||
      data.labels.shape().ndim() != 1) {
    raise<ValueError>(op,
                      fmt::format("labels are {} {}{}; give uint8, int32 or int64 (n,)", to_string(data.labels.dtype()),
                                  to_string(data.labels.shape()), data.labels ? "" : " without memory"));
  }
  if (data.labels.size() != data.size()) {
    raise<ValueError>(op, fmt::format("there are {} images and {} labels; give one label for each image", data.size(),
                                      data.labels.size()));
  }
}

Array flattened(const Array& images) {
  const Shape& shape = images.shape();
  const std::int64_t features = Shape(shape.begin() + 1, shape.end()).element_count();
  return images.reshaped({shape[0], features});
}

Array widened(const Array& labels) {
  Array result(labels.shape(), DType::int64);
  kernels::cast(labels.dtype(), labels.data(), DType::int64, result.data(), labels.size());
  return result;
}

Array ascending(std::int64_t count) {
  Array order({count}, DType::int64);
  std::int64_t* positions = order.data<std::int64_t>();
  std::iota(positions, positions + count, std::int64_t{0});
  return order;
}

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

}  // namespace

Epoch::Epoch(Array images, Array labels, Array order, std::int64_t batch_size, std::int64_t count)
    : images_(std::move(images)),
      labels_(std::move(labels)),
      order_(std::move(order)),
      batch_size_(batch_size),
      count_(count) {}

Batch Epoch::operator[](std::int64_t index) const {
  if (index < 0 || index >= count_) {
    raise<ValueError>("Epoch", fmt::format("batch {} of {}; give one in [0, {})", index, count_, count_));
  }
  const std::int64_t first = index * batch_size_;
  const std::int64_t size = std::min(batch_size_, order_.size() - first);
  const std::int64_t features = images_.shape()[1];
  const std::int64_t* positions = order_.data<std::int64_t>() + first;

  Batch batch = {Array({size, features}, DType::float32), Array({size}, DType::int64)};
  kernels::gather_rows(images_.data<std::uint8_t>(), features, positions, size, 1.0f / 255.0f,
                       batch.images.data<float>());
  const std::int64_t* labels = labels_.data<std::int64_t>();
  std::transform(positions, positions + size, batch.labels.data<std::int64_t>(),
                 [labels](std::int64_t position) { return labels[position]; });
  return batch;
}

Batches::Batches(const LabelledImages& data, const BatchOptions& options) : options_(options) {
  check(data, options);
  images_ = flattened(data.images);
  labels_ = widened(data.labels);
}

std::int64_t Batches::count() const {
  const std::int64_t full = samples() / options_.batch_size;
  const bool partial = samples() % options_.batch_size != 0;
  return full + (partial && !options_.drop_last ? 1 : 0);
}

Epoch Batches::epoch(std::int64_t number) const {
  const std::uint64_t key =
      kernels::random_fold(kernels::random_fold(options_.seed, shuffle_stream), static_cast<std::uint64_t>(number));
  Array order = options_.shuffle ? permutation(samples(), key) : ascending(samples());
  return Epoch(images_, labels_, std::move(order), options_.batch_size, count());
}

}  // namespace xgrad::datasets
