#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "autograd/graph/operation.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"
#include "nn/confusion_matrix.hpp"
#include "nn/report/png.hpp"
#include "nn/report/report.hpp"

namespace xgrad::nn {

namespace {

constexpr std::int64_t calibration_bins = 10;
constexpr std::int64_t longest_side = 96;  // of a picture, in pixels

// A sample's features as an image: (rows, columns), (1, rows, columns) or (3, rows, columns).
struct ImageShape {
  std::int64_t channels = 0, rows = 0, columns = 0;

  explicit ImageShape(const Array& features) {
    const Shape& shape = features.shape();
    const std::size_t n = shape.ndim();
    const bool has_channels = n == 4 && (shape[1] == 1 || shape[1] == 3);
    if ((n == 3 || has_channels) && shape[n - 1] > 1 && shape[n - 2] > 1) {
      *this = ImageShape(n == 3 ? 1 : shape[1], shape[n - 2], shape[n - 1]);
    }
  }
  ImageShape(std::int64_t c, std::int64_t h, std::int64_t w) : channels(c), rows(h), columns(w) {}
};

// The elements of sample number \p sample, as doubles.
std::vector<double> sample_of(const Array& features, std::int64_t sample) {
  const auto take = [&]<class T>(const T* all) {
    const std::int64_t size = features.size() / features.shape()[0];
    return std::vector<double>(all + sample * size, all + (sample + 1) * size);
  };
  return dispatch(features.dtype(), [&](auto zero) { return take(features.data<decltype(zero)>()); });
}

// Grey levels as they are; other numbers from their least, black, to their largest, white.
std::vector<std::uint8_t> levels_of(const std::vector<double>& numbers, bool are_bytes) {
  double least = 0;
  double largest = 255;
  if (!are_bytes) {
    const auto [low, high] = std::minmax_element(numbers.begin(), numbers.end());
    least = *low;
    largest = *high > *low ? *high : *low + 1;
  }
  std::vector<std::uint8_t> levels;
  for (const double number : numbers) {
    const double level = 255 * (number - least) / (largest - least);
    levels.push_back(std::isfinite(level) ? static_cast<std::uint8_t>(std::clamp(std::round(level), 0.0, 255.0)) : 0);
  }
  return levels;
}

// The picture of a sample, of large ones every so many pixels; empty where samples are no images.
std::string picture_of(const Array& features, std::int64_t sample) {
  const ImageShape image(features);
  const std::vector<double> numbers = image.channels > 0 ? sample_of(features, sample) : std::vector<double>();
  if (numbers.empty()) {
    return "";
  }
  const std::vector<std::uint8_t> levels = levels_of(numbers, features.dtype() == DType::uint8);
  const std::int64_t every = (std::max(image.rows, image.columns) + longest_side - 1) / longest_side;
  std::vector<std::uint8_t> pixels;
  for (std::int64_t row = 0; row < image.rows; row += every) {
    for (std::int64_t column = 0; column < image.columns; column += every) {
      for (std::int64_t channel = 0; channel < image.channels; ++channel) {
        const std::int64_t at = (channel * image.rows + row) * image.columns + column;
        pixels.push_back(levels[static_cast<std::size_t>(at)]);
      }
    }
  }
  const auto size = [&](std::int64_t side) { return static_cast<std::uint32_t>((side + every - 1) / every); };
  return detail::base64(
      detail::png_file(pixels, size(image.rows), size(image.columns), static_cast<std::uint32_t>(image.channels)));
}

bool are_probabilities(std::span<const double> row) {
  constexpr double rounding = 1e-3;
  double sum = 0;
  for (const double p : row) {
    if (!(p >= 0)) {
      return false;
    }
    sum += p;
  }
  return std::abs(sum - 1) < rounding;
}

// e^x / Σ e^x, in the limit for infinities: those above all others share 1. Rows of -∞ alone have none.
void make_softmax(std::span<double> row, std::int64_t number) {
  const double largest = *std::max_element(row.begin(), row.end());
  const bool is_infinite = std::isinf(largest);
  if (is_infinite && largest < 0) {
    raise<ValueError>("classify",
                      phrase("the scores of row {} are all -inf, which gives no probabilities; look at what "
                             "the model gives",
                             number));
  }
  double sum = 0;
  for (double& x : row) {
    x = is_infinite ? (x == largest ? 1 : 0) : std::exp(x - largest);
    sum += x;
  }
  for (double& x : row) {
    x /= sum;
  }
}

// Rows that are no probabilities already become some.
void make_probabilities(std::vector<double>& scores, std::int64_t classes) {
  std::vector<std::span<double>> rows;
  for (auto row = scores.begin(); row != scores.end(); row += classes) {
    rows.emplace_back(row, row + classes);
  }
  if (std::all_of(rows.begin(), rows.end(), are_probabilities)) {
    return;
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    make_softmax(rows[i], static_cast<std::int64_t>(i));
  }
}

// What a row of probabilities says.
struct Verdict {
  std::int64_t prediction;
  double confidence;
};

std::vector<Verdict> verdicts_of(const std::vector<double>& probabilities, std::int64_t classes) {
  std::vector<Verdict> verdicts;
  for (auto row = probabilities.begin(); row != probabilities.end(); row += classes) {
    const auto largest = std::max_element(row, row + classes);
    verdicts.push_back({largest - row, *largest});
  }
  return verdicts;
}

// Guo et al., On calibration of modern neural networks, 2017.
void calibrate(const std::vector<Verdict>& verdicts, const std::int64_t* labels, Classification& result) {
  result.bins.resize(calibration_bins);
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    const auto at = static_cast<std::int64_t>(verdicts[i].confidence * static_cast<double>(calibration_bins));
    CalibrationBin& bin = result.bins[static_cast<std::size_t>(std::clamp<std::int64_t>(at, 0, calibration_bins - 1))];
    ++bin.count;
    bin.confidence += verdicts[i].confidence;
    bin.accuracy += verdicts[i].prediction == labels[i] ? 1 : 0;
  }
  for (CalibrationBin& bin : result.bins) {
    const double count = std::max(static_cast<double>(bin.count), 1.0);
    bin.confidence /= count;
    bin.accuracy /= count;
    result.calibration_error +=
        static_cast<double>(bin.count) / static_cast<double>(verdicts.size()) * std::abs(bin.accuracy - bin.confidence);
  }
}

void find_mistakes(const std::vector<Verdict>& verdicts, const std::int64_t* labels, const Array& features,
                   std::int64_t most, Classification& result) {
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    if (verdicts[i].prediction != labels[i]) {
      result.mistakes.push_back({.sample = static_cast<std::int64_t>(i),
                                 .label = labels[i],
                                 .prediction = verdicts[i].prediction,
                                 .confidence = verdicts[i].confidence,
                                 .png = {}});
    }
  }
  std::stable_sort(result.mistakes.begin(), result.mistakes.end(),
                   [](const Mistake& a, const Mistake& b) { return a.confidence > b.confidence; });
  result.mistakes.resize(std::min(result.mistakes.size(), static_cast<std::size_t>(std::max<std::int64_t>(most, 0))));
  for (Mistake& mistake : result.mistakes) {
    mistake.png = picture_of(features, mistake.sample);
  }
}

std::vector<std::string> names_for(const std::vector<std::string>& given, std::int64_t classes) {
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < classes; ++i) {
    const auto at = static_cast<std::size_t>(i);
    names.push_back(at < given.size() ? given[at] : std::to_string(i));
  }
  return names;
}

}  // namespace

Classification classify(const Operand& scores, const datasets::Dataset& data, const ClassificationOptions& options) {
  return located(scores.where(), [&] {
    const Tensor& given = scores.tensor();
    if (given.ndim() != 2 || given.shape()[0] != data.size() || given.shape()[1] < 1) {
      raise<ShapeError>("classify", phrase("the scores are of shape {} for {} samples; give (samples, classes)",
                                           to_string(given.shape()), data.size()));
    }
    const std::int64_t classes = given.shape()[1];
    ConfusionMatrix matrix(classes);
    matrix.update(given, data.targets());
    Classification result;
    result.data = options.data;
    result.classes = names_for(options.class_names, classes);
    for (std::int64_t label = 0; label < classes; ++label) {
      for (std::int64_t prediction = 0; prediction < classes; ++prediction) {
        result.counts.push_back(matrix.count(label, prediction));
      }
    }
    const Array numbers = cast(given, DType::float64).array();
    std::vector<double> probabilities(numbers.data<double>(), numbers.data<double>() + numbers.size());
    make_probabilities(probabilities, classes);
    const std::vector<Verdict> verdicts = verdicts_of(probabilities, classes);
    const Array labels = cast(Tensor(data.targets()), DType::int64).array();
    calibrate(verdicts, labels.data<std::int64_t>(), result);
    find_mistakes(verdicts, labels.data<std::int64_t>(), data.features(), options.mistakes, result);
    return result;
  });
}

}  // namespace xgrad::nn
