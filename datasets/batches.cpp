#include "datasets/batches.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "autograd/kernels/kernels.hpp"
#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
#include "datasets/gather.hpp"
#include "datasets/permutation.hpp"

namespace xgrad::datasets {

namespace {

constexpr const char* batches_op = "Batches";

// Keep these apart from other random numbers that a program draws from the same seed.
constexpr std::uint64_t shuffle_stream = 0x73687566666c65;  // "shuffle"
constexpr std::uint64_t augment_stream = 0x6175676d656e74;  // "augment"

std::uint64_t key_of(std::uint64_t seed, std::uint64_t stream, std::int64_t epoch) {
  return kernels::random_fold(kernels::random_fold(seed, stream), static_cast<std::uint64_t>(epoch));
}

bool changes_images(const BatchOptions& options) {
  return std::any_of(options.augment.begin(), options.augment.end(), [](const auto& a) { return a.of_images(); });
}

void check(const Dataset& data, const BatchOptions& options) {
  if (options.batch_size < 1) {
    raise<ValueError>(batches_op, phrase("the batch size is {}; give 1 or more", options.batch_size));
  }
  if (!is_floating(options.dtype)) {
    raise<DTypeError>(batches_op, phrase("the dtype is {}; give float32 or float64", to_string(options.dtype)));
  }
  const std::size_t ndim = data.features().shape().ndim();
  if (changes_images(options) && ndim != 3 && ndim != 4) {
    raise<ShapeError>(batches_op, phrase("features of shape {} are no images; give (n, rows, columns) or (n, channels, "
                                         "rows, columns), or augment by mixup alone",
                                         to_string(data.features().shape())));
  }
}

Array flattened(const Array& rows) {
  const Shape& shape = rows.shape();
  return rows.reshaped({shape[0], Shape(shape.begin() + 1, shape.end()).element_count()});
}

Dataset prepared(const Dataset& data, DType floating) {
  const Array& features = data.features();
  const Array& targets = data.targets();
  return {is_real(features.dtype()) ? cast(features, floating) : features,
          cast(targets, is_real(targets.dtype()) ? floating : DType::int64)};
}

}  // namespace

Epoch::Epoch(Dataset data, BatchOptions options, std::int64_t number, std::int64_t count)
    : data_(std::move(data)),
      options_(std::move(options)),
      key_(key_of(options_.seed, augment_stream, number)),
      order_(options_.shuffle ? permutation(data_.size(), key_of(options_.seed, shuffle_stream, number))
                              : ascending(data_.size())),
      count_(count) {}

std::int64_t Epoch::samples(std::int64_t index) const {
  if (index < 0 || index >= count_) {
    raise<ValueError>("Epoch", phrase("batch {} of {}; give one in [0, {})", index, count_, count_));
  }
  return std::min(options_.batch_size, order_.size() - index * options_.batch_size);
}

Batch Epoch::operator[](std::int64_t index) const {
  const std::int64_t size = samples(index);
  return gather(index * options_.batch_size, size, kernels::random_fold(key_, static_cast<std::uint64_t>(index)));
}

Batch Epoch::part(std::int64_t index, std::int64_t part, std::int64_t parts) const {
  const std::int64_t size = samples(index);
  if (part < 0 || part >= parts) {
    raise<ValueError>("Epoch", phrase("part {} of {} of a batch; give one in [0, {})", part, parts, parts));
  }
  const std::int64_t each = (options_.batch_size + parts - 1) / parts;
  const std::int64_t first = std::min(size, part * each);
  const std::uint64_t key = kernels::random_fold(key_, static_cast<std::uint64_t>(index));
  return gather(index * options_.batch_size + first, std::min(each, size - first),
                kernels::random_fold(key, static_cast<std::uint64_t>(part)));
}

Batch Epoch::gather(std::int64_t first, std::int64_t size, std::uint64_t key) const {
  const std::span positions(order_.data<std::int64_t>() + first, static_cast<std::size_t>(size));
  const Array features = changes_images(options_) ? gather_augmented(data_.features(), positions, options_.augment, key)
                                                  : gather_features(data_.features(), positions);
  const bool widened = data_.features().dtype() == DType::uint8;
  Batch batch = {widened ? cast(features, options_.dtype) : features,
                 take_rows(batches_op, data_.targets(), positions)};
  if (options_.flatten) {
    batch.features = flattened(batch.features);
  }
  for (std::size_t i = 0; i < options_.augment.size() && size > 0; ++i) {
    if (!options_.augment[i].of_images()) {
      options_.augment[i](batch, kernels::random_fold(key, i));
    }
  }
  return batch;
}

Batches::Batches(const Dataset& data, const BatchOptions& options, std::source_location where) : options_(options) {
  located_at(where, [&] { check(data, options); });
  data_ = prepared(data, options.dtype);
}

std::int64_t Batches::count() const {
  const std::int64_t full = samples() / options_.batch_size;
  const bool partial = samples() % options_.batch_size != 0;
  return full + (partial && !options_.drop_last ? 1 : 0);
}

Epoch Batches::epoch(std::int64_t number) const { return Epoch(data_, options_, number, count()); }

}  // namespace xgrad::datasets
