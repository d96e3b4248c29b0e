#include "datasets/normalizer.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string_view>

#include "autograd/kernels/kernels.hpp"
#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
#include "datasets/input_file.hpp"
#include "datasets/npy.hpp"

namespace xgrad::datasets {

namespace {

constexpr std::string_view normalizer_op = "Normalizer";

struct Table {
  std::int64_t rows;      // numbers to take a statistic of
  std::int64_t features;  // statistics
  Shape shape;            // of the statistics
};

Table table_of(const Array& samples, bool per_feature) {
  if (!samples || samples.shape().empty() || samples.size() == 0) {
    raise<ShapeError>(normalizer_op,
                      phrase("samples of shape {}; give (n, ...) with one sample and one element or more",
                             to_string(samples.shape())));
  }
  const Shape& shape = samples.shape();
  if (!per_feature) {
    return {samples.size(), 1, {}};
  }
  return {shape[0], samples.size() / shape[0], Shape(shape.begin() + 1, shape.end())};
}

Array filled(const Shape& shape, double value) {
  Array result(shape, DType::float64);
  std::fill_n(result.data<double>(), result.size(), value);
  return result;
}

/// Calls f(feature, x) for every element, row by row.
template <class F>
void for_each_element(const Array& samples, const Table& table, const F& f) {
  dispatch(samples.dtype(), [&](auto zero) {
    const auto* x = samples.data<decltype(zero)>();
    for (std::int64_t row = 0; row < table.rows; ++row) {
      for (std::int64_t feature = 0; feature < table.features; ++feature) {
        f(feature, static_cast<double>(*x++));
      }
    }
  });
}

// Of a constant feature nothing is left after the offset: any scale would do that is not 0.
void replace_zeros(Array& scale) { std::replace(scale.data<double>(), scale.data<double>() + scale.size(), 0.0, 1.0); }

/// f(x, offset, scale) of every element.
template <class F>
Array transformed(const Array& samples, const Array& offset, const Array& scale, const F& f) {
  const bool shared = offset.shape().empty();
  const Table table = samples.shape().empty() || samples.size() == 0 ? Table{} : table_of(samples, !shared);
  const bool empty = table.rows == 0;
  if (!shared &&
      (samples.shape().empty() || Shape(samples.shape().begin() + 1, samples.shape().end()) != offset.shape())) {
    raise<ShapeError>(normalizer_op, phrase("samples of shape {} do not have the {} of those fitted to",
                                            to_string(samples.shape()), to_string(offset.shape())));
  }
  const DType dtype = samples.dtype() == DType::float64 ? DType::float64 : DType::float32;
  Array result(samples.shape(), dtype);
  const double* offsets = offset.data<double>();
  const double* scales = scale.data<double>();
  if (!empty) {
    dispatch_floating(dtype, [&](auto zero) {
      using T = decltype(zero);
      T* out = result.data<T>();
      for_each_element(samples, table, [&](std::int64_t feature, double x) {
        *out++ = static_cast<T>(f(x, offsets[feature], scales[feature]));
      });
    });
  }
  return result;
}

}  // namespace

Normalizer Normalizer::mean_std(const Array& samples, bool per_feature) {
  const Table table = table_of(samples, per_feature);
  const auto count = static_cast<double>(table.rows);
  Array mean = filled(table.shape, 0);
  Array range = filled(table.shape, 0);
  Array deviation = filled(table.shape, 0);
  double* means = mean.data<double>();
  double* ranges = range.data<double>();
  double* deviations = deviation.data<double>();
  // All of it relative to the first sample, which is exact for a constant, and squares in units of the range, as those of
  // large or small numbers overflow or vanish.
  Array first = filled(table.shape, 0);
  double* origins = first.data<double>();
  for_each_element(samples, {1, table.features, table.shape}, [&](std::int64_t i, double x) { origins[i] = x; });
  for_each_element(samples, table, [&](std::int64_t i, double x) {
    means[i] += x - origins[i];
    ranges[i] = std::max(ranges[i], std::abs(x - origins[i]));
  });
  std::for_each(means, means + table.features, [count](double& m) { m /= count; });
  replace_zeros(range);
  // The mean first: the difference of two large sums of squares would lose digits.
  for_each_element(samples, table, [&](std::int64_t i, double x) {
    const double distance = (x - origins[i] - means[i]) / ranges[i];
    deviations[i] += distance * distance;
  });
  for (std::int64_t i = 0; i < table.features; ++i) {
    deviations[i] = std::sqrt(deviations[i] / count) * ranges[i];
    means[i] += origins[i];
  }
  replace_zeros(deviation);
  return {mean, deviation};
}

Normalizer Normalizer::min_max(const Array& samples, bool per_feature) {
  const Table table = table_of(samples, per_feature);
  Array smallest = filled(table.shape, HUGE_VAL);
  Array largest = filled(table.shape, -HUGE_VAL);
  double* low = smallest.data<double>();
  double* high = largest.data<double>();
  for_each_element(samples, table, [&](std::int64_t feature, double x) {
    low[feature] = std::min(low[feature], x);
    high[feature] = std::max(high[feature], x);
  });
  std::transform(high, high + table.features, low, high, [](double most, double least) { return most - least; });
  replace_zeros(largest);
  return {smallest, largest};
}

Array Normalizer::operator()(const Array& samples) const {
  return transformed(samples, offset_, scale_,
                     [](double x, double offset, double scale) { return (x - offset) / scale; });
}

Array Normalizer::inverse(const Array& samples) const {
  return transformed(samples, offset_, scale_,
                     [](double x, double offset, double scale) { return x * scale + offset; });
}

void Normalizer::save(const std::filesystem::path& path) const {
  Shape shape = offset_.shape();
  shape.insert(0, 2);
  Array both(shape, DType::float64);
  std::memcpy(both.data<double>(), offset_.data(), offset_.bytes());
  std::memcpy(both.data<double>() + offset_.size(), scale_.data(), scale_.bytes());
  write_npy(path, both);
}

Normalizer Normalizer::load(const std::filesystem::path& path) {
  const Array both = read_npy(path);
  const Shape& shape = both.shape();
  if (both.dtype() != DType::float64 || shape.empty() || shape[0] != 2) {
    raise_file_error("Normalizer::load", path, "float64 of shape (2, ...), offset and scale",
                     phrase("{} {}", to_string(both.dtype()), to_string(shape)),
                     "give a file that Normalizer::save wrote");
  }
  const Shape part(shape.begin() + 1, shape.end());
  Array offset(part, DType::float64);
  Array scale(part, DType::float64);
  std::memcpy(offset.data(), both.data<double>(), offset.bytes());
  std::memcpy(scale.data(), both.data<double>() + offset.size(), scale.bytes());
  return {offset, scale};
}

std::string to_string(const Normalizer& normalizer) {
  std::string text = phrase("{:>7}{:>14}{:>14}\n", "feature", "offset", "scale");
  const double* offset = normalizer.offset().data<double>();
  const double* scale = normalizer.scale().data<double>();
  for (std::int64_t i = 0; i < normalizer.offset().size(); ++i) {
    text += phrase("{:>7}{:>14.6g}{:>14.6g}\n", i, offset[i], scale[i]);
  }
  return text;
}

}  // namespace xgrad::datasets
