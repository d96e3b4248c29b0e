#include "datasets/gather.hpp"

#include <algorithm>
#include <vector>

#include "autograd/kernels/byte_rows.hpp"
#include "autograd/kernels/kernels.hpp"
#include "autograd/kernels/pieces.hpp"
#include "datasets/permutation.hpp"

namespace xgrad::datasets {

namespace {

constexpr const char* gather_op = "Batches";
constexpr float grey_scale = 1.0f / 255.0f;

std::int64_t row_size(const Array& rows) { return Shape(rows.shape().begin() + 1, rows.shape().end()).element_count(); }

Shape batch_shape(const Array& rows, std::size_t count) {
  Shape shape = rows.shape();
  shape[0] = static_cast<std::int64_t>(count);
  return shape;
}

void take(const char* who, const Array& rows, std::span<const std::int64_t> positions, void* out) {
  kernels::take(who, size_of(rows.dtype()), rows.data(), 1, rows.shape()[0], row_size(rows), positions.data(),
                static_cast<std::int64_t>(positions.size()), out);
}

/// The changes to images, each with the numbers it draws for a batch.
class ImageChanges {
 public:
  ImageChanges(const Array& rows, std::span<const Augmentation> all, std::int64_t images, std::uint64_t key)
      : dtype_(rows.dtype()) {
    const Shape& shape = rows.shape();
    planes_ = shape.ndim() == 4 ? shape[1] : 1;
    rows_ = shape[shape.ndim() - 2];
    columns_ = shape.back();
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (all[i].of_images()) {
        Array draws({images, all[i].draws()}, DType::float64);
        kernels::random_uniform(DType::float64, kernels::random_fold(key, i), draws.data(), draws.size());
        changes_.push_back({&all[i], draws});
      }
    }
  }

  void apply(std::byte* images, std::int64_t first, std::int64_t last) const {
    const std::size_t bytes = static_cast<std::size_t>(planes_ * rows_ * columns_) * size_of(dtype_);
    for (std::int64_t j = first; j < last; ++j, images += bytes) {
      for (const auto& [change, draws] : changes_) {
        const std::int64_t count = change->draws();
        const double* numbers = draws.data<double>() + j * count;
        (*change)(Image{images, dtype_, planes_, rows_, columns_}, {numbers, static_cast<std::size_t>(count)});
      }
    }
  }

 private:
  struct Change {
    const Augmentation* augmentation;
    Array draws;  // (images, draws for each)
  };

  DType dtype_;
  std::int64_t planes_;
  std::int64_t rows_;
  std::int64_t columns_;
  std::vector<Change> changes_;
};

}  // namespace

Array gather_features(const Array& rows, std::span<const std::int64_t> positions) {
  const bool bytes = rows.dtype() == DType::uint8;
  Array batch(batch_shape(rows, positions.size()), bytes ? DType::float32 : rows.dtype());
  if (bytes) {
    kernels::gather_rows(rows.data<std::uint8_t>(), row_size(rows), positions.data(),
                         static_cast<std::int64_t>(positions.size()), grey_scale, batch.data<float>());
  } else {
    take(gather_op, rows, positions, batch.data());
  }
  return batch;
}

Array gather_augmented(const Array& rows, std::span<const std::int64_t> positions,
                       std::span<const Augmentation> changes, std::uint64_t key) {
  const auto count = static_cast<std::int64_t>(positions.size());
  const bool bytes = rows.dtype() == DType::uint8;
  const ImageChanges image_changes(rows, changes, count, key);
  const std::int64_t size = row_size(rows);
  const auto row_bytes = size * static_cast<std::int64_t>(size_of(rows.dtype()));
  Array batch(batch_shape(rows, positions.size()), bytes ? DType::float32 : rows.dtype());
  const std::int64_t grain = kernels::divide_up(kernels::piece_bytes, std::max<std::int64_t>(1, size * 4));
  kernels::for_each_piece(count, grain, [&](std::int64_t first, std::int64_t last) {
    // A piece of images stays in the L1 cache while it is changed.
    const std::span<const std::int64_t> here =
        positions.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(last - first));
    if (!bytes) {
      std::byte* images = static_cast<std::byte*>(batch.data()) + first * row_bytes;
      take(gather_op, rows, here, images);
      image_changes.apply(images, first, last);
      return;
    }
    Array images(batch_shape(rows, here.size()), DType::uint8);
    take(gather_op, rows, here, images.data());
    image_changes.apply(static_cast<std::byte*>(images.data()), first, last);
    const Array order = ascending(last - first);
    kernels::gather_rows(images.data<std::uint8_t>(), size, order.data<std::int64_t>(), last - first, grey_scale,
                         batch.data<float>() + first * size);
  });
  return batch;
}

Array take_rows(const char* who, const Array& rows, std::span<const std::int64_t> positions) {
  Array taken(batch_shape(rows, positions.size()), rows.dtype());
  take(who, rows, positions, taken.data());
  return taken;
}

Array cast(const Array& array, DType dtype) {
  if (array.dtype() == dtype) {
    return array;
  }
  Array result(array.shape(), dtype);
  kernels::cast(array.dtype(), array.data(), dtype, result.data(), array.size());
  return result;
}

}  // namespace xgrad::datasets
