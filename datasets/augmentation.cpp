#include "datasets/augmentation.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <string_view>
#include <utility>
#include <vector>

#include "autograd/kernels/elementary.hpp"
#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad::datasets {

namespace {

void require_probability(std::string_view op, double probability) {
  if (!(probability >= 0 && probability <= 1)) {
    raise<ValueError>(op, phrase("the probability is {}; give one in [0, 1]", probability));
  }
}

/// A whole number in [0, count), each equally likely; \p draw is in [0, 1).
std::int64_t pick(double draw, std::int64_t count) {
  return std::min(count - 1, static_cast<std::int64_t>(draw * static_cast<double>(count)));
}

// A plane in memory is one line of pixels: moving that line moves rows and columns at once. What then stands in the
// vacated rows and columns is of other rows, and is cleared.
void shift_plane(std::byte* plane, std::int64_t rows, std::int64_t columns, std::int64_t pixel, std::int64_t down,
                 std::int64_t right) {
  const std::int64_t row = columns * pixel;
  const std::int64_t move = down * row + right * pixel;
  const std::int64_t kept = std::max<std::int64_t>(0, rows * row - std::abs(move));
  if (kept > 0) {
    std::memmove(plane + std::max<std::int64_t>(0, move), plane + std::max<std::int64_t>(0, -move),
                 static_cast<std::size_t>(kept));
  }
  const auto clear = [](std::byte* from, std::int64_t bytes) { std::memset(from, 0, static_cast<std::size_t>(bytes)); };
  clear(down > 0 ? plane : plane + (rows + down) * row, std::abs(down) * row);
  for (std::int64_t r = 0; right != 0 && r < rows; ++r) {
    clear(plane + r * row + (right > 0 ? 0 : row + right * pixel), std::abs(right) * pixel);
  }
}

void shift_image(const Image& image, std::int64_t down, std::int64_t right) {
  const auto pixel = static_cast<std::int64_t>(size_of(image.dtype));
  down = std::clamp(down, -image.rows, image.rows);
  right = std::clamp(right, -image.columns, image.columns);
  for (std::int64_t p = 0; p < image.planes; ++p) {
    shift_plane(image.data + p * image.rows * image.columns * pixel, image.rows, image.columns, pixel, down, right);
  }
}

void flip_image(const Image& image) {
  dispatch(image.dtype, [&](auto zero) {
    auto* row = reinterpret_cast<decltype(zero)*>(image.data);
    for (std::int64_t r = 0; r < image.planes * image.rows; ++r, row += image.columns) {
      std::reverse(row, row + image.columns);
    }
  });
}

void erase_part(const Image& image, const ErasingOptions& options, std::span<const double> draws) {
  const double fraction = std::lerp(options.smallest_area, options.largest_area, draws[1]);
  const double area = fraction * static_cast<double>(image.rows * image.columns);
  const double ratio = kernels::elementary(kernels::Opcode::pow, options.aspect, 2 * draws[2] - 1);
  const std::int64_t height = std::min<std::int64_t>(image.rows, std::llround(std::sqrt(area * ratio)));
  const std::int64_t width = std::min<std::int64_t>(image.columns, std::llround(std::sqrt(area / ratio)));
  const std::int64_t top = pick(draws[3], image.rows - height + 1);
  const std::int64_t left = pick(draws[4], image.columns - width + 1);
  const auto pixel = static_cast<std::int64_t>(size_of(image.dtype));
  for (std::int64_t p = 0; p < image.planes; ++p) {
    for (std::int64_t r = top; r < top + height; ++r) {
      std::memset(image.data + ((p * image.rows + r) * image.columns + left) * pixel, 0,
                  static_cast<std::size_t>(width * pixel));
    }
  }
}

/// λ ~ Beta(α, α) for each of \p count samples: a / (a + b) for a, b ~ Gamma(α, 1).
std::vector<double> draw_weights(double alpha, std::int64_t count, std::uint64_t key) {
  std::mt19937_64 generator(key);
  std::gamma_distribution<double> gamma(alpha);
  std::vector<double> weights(static_cast<std::size_t>(count));
  for (double& weight : weights) {
    const double a = gamma(generator);
    const double b = gamma(generator);
    weight = a + b > 0 ? a / (a + b) : 0.5;  // both are 0 only where α is so small that they underflow
  }
  return weights;
}

template <class T>
void blend_rows(T* rows, std::int64_t count, std::int64_t row_size, const std::vector<double>& weights) {
  for (std::int64_t j = 0; j < count / 2; ++j) {
    const std::int64_t k = count - 1 - j;
    const T weight_j = static_cast<T>(weights[static_cast<std::size_t>(j)]);
    const T weight_k = static_cast<T>(weights[static_cast<std::size_t>(k)]);
    T* row_j = rows + j * row_size;
    T* row_k = rows + k * row_size;
    for (std::int64_t i = 0; i < row_size; ++i) {
      const T x = row_j[i];
      const T y = row_k[i];
      row_j[i] = weight_j * x + (1 - weight_j) * y;
      row_k[i] = weight_k * y + (1 - weight_k) * x;
    }
  }
}

void blend(Array& rows, const std::vector<double>& weights) {
  const std::int64_t count = rows.shape()[0];
  const std::int64_t row_size = count == 0 ? 0 : rows.size() / count;
  dispatch_floating(rows.dtype(),
                    [&](auto zero) { blend_rows(rows.data<decltype(zero)>(), count, row_size, weights); });
}

Array probabilities(const Array& labels, std::int64_t classes, DType dtype) {
  if (labels.dtype() != DType::int64 || labels.shape().ndim() != 1) {
    raise<ShapeError>("mixup", phrase("labels are {} {}; give integers (n,) or floating targets",
                                      to_string(labels.dtype()), to_string(labels.shape())));
  }
  Array result({labels.size(), classes}, dtype);
  std::memset(result.data(), 0, result.bytes());
  for (std::int64_t j = 0; j < labels.size(); ++j) {
    const std::int64_t label = labels.data<std::int64_t>()[j];
    if (label < 0 || label >= classes) {
      raise<ValueError>("mixup", phrase("label {} is outside [0, {}); give the number of classes, as in "
                                        "mixup(0.2, 10)",
                                        label, classes));
    }
    dispatch_floating(dtype, [&](auto zero) { result.data<decltype(zero)>()[j * classes + label] = 1; });
  }
  return result;
}

}  // namespace

Augmentation::Augmentation(std::string name, std::int64_t draws, OfImage change)
    : name_(std::move(name)), draws_(draws), change_image_(std::move(change)) {
  if (draws < 0) {
    raise<ValueError>("Augmentation", phrase("{} draws {} numbers; give 0 or more", name_, draws));
  }
}

Augmentation::Augmentation(std::string name, OfBatch change)
    : name_(std::move(name)), change_batch_(std::move(change)) {}

Augmentation shift(std::int64_t pixels, std::source_location where) {
  constexpr std::int64_t most = std::int64_t{1} << 31;  // no image is larger, and twice as much is a number still
  located_at(where, [&] {
    if (pixels < 0 || pixels > most) {
      raise<ValueError>("shift", phrase("the largest shift is {} pixels; give one in [0, {}]", pixels, most));
    }
  });
  return Augmentation("shift", 2, [pixels](const Image& image, std::span<const double> draws) {
    shift_image(image, pick(draws[0], 2 * pixels + 1) - pixels, pick(draws[1], 2 * pixels + 1) - pixels);
  });
}

Augmentation horizontal_flip(double probability, std::source_location where) {
  located_at(where, [&] { require_probability("horizontal_flip", probability); });
  return Augmentation("horizontal_flip", 1, [probability](const Image& image, std::span<const double> draws) {
    if (draws[0] < probability) {
      flip_image(image);
    }
  });
}

namespace {

void require_erasing(const ErasingOptions& options) {
  require_probability("random_erasing", options.probability);
  if (!(0 <= options.smallest_area && options.smallest_area <= options.largest_area && options.largest_area <= 1)) {
    raise<ValueError>("random_erasing", phrase("areas from {} to {}; give two fractions of the image, the smaller "
                                               "first",
                                               options.smallest_area, options.largest_area));
  }
  if (!(options.aspect >= 1 && std::isfinite(options.aspect))) {
    raise<ValueError>("random_erasing", phrase("the largest aspect is {}; give 1 or more", options.aspect));
  }
}

}  // namespace

Augmentation random_erasing(const ErasingOptions& options, std::source_location where) {
  located_at(where, [&] { require_erasing(options); });
  return Augmentation("random_erasing", 5, [options](const Image& image, std::span<const double> draws) {
    if (draws[0] < options.probability) {
      erase_part(image, options, draws);
    }
  });
}

Augmentation mixup(double alpha, std::int64_t classes, std::source_location where) {
  located_at(where, [&] {
    if (!(alpha > 0 && std::isfinite(alpha))) {
      raise<ValueError>("mixup", phrase("alpha is {}; give a positive number, such as 0.2", alpha));
    }
    if (classes < 0) {
      raise<ValueError>("mixup",
                        phrase("{} classes; give their number, or leave it out for floating targets", classes));
    }
  });
  return Augmentation("mixup", [alpha, classes](Batch& batch, std::uint64_t key) {
    if (!is_floating(batch.features.dtype())) {
      raise<DTypeError>("mixup",
                        phrase("features are {}; give uint8 or floating ones", to_string(batch.features.dtype())));
    }
    if (!is_floating(batch.targets.dtype())) {
      batch.targets = probabilities(batch.targets, classes, batch.features.dtype());
    }
    const std::vector<double> weights = draw_weights(alpha, batch.features.shape()[0], key);
    blend(batch.features, weights);
    blend(batch.targets, weights);
  });
}

}  // namespace xgrad::datasets
