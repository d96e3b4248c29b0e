#include "nn/metrics.hpp"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "autograd/error.hpp"
#include "autograd/operation.hpp"
#include "autograd/ops.hpp"

namespace xgrad::nn {

namespace {

double ratio(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

void require_classes(const Array& predictions, const Array& labels, std::int64_t classes) {
  if (predictions.shape() != labels.shape()) {
    raise<ShapeError>("confusion_matrix", fmt::format("predictions of shape {} and labels of shape {} must be alike",
                                                      to_string(predictions.shape()), to_string(labels.shape())));
  }
  const auto in_range = [classes](std::int64_t c) { return c >= 0 && c < classes; };
  for (const Array* a : {&predictions, &labels}) {
    const auto* begin = a->data<std::int64_t>();
    const auto* bad = std::find_if_not(begin, begin + a->size(), in_range);
    if (bad != begin + a->size()) {
      raise<ValueError>("confusion_matrix", fmt::format("class {} is outside [0, {})", *bad, classes));
    }
  }
}

}  // namespace

double accuracy(const Operand& scores, const Operand& labels) {
  const SourceScope scope(scores);
  const Tensor predictions = argmax(scores, -1);
  const Tensor expected = labels.tensor();
  return located(scores.where(), [&] {
    if (predictions.shape() != expected.shape()) {
      raise<ShapeError>("accuracy",
                        fmt::format("scores for {} samples, labels of shape {}; scores are (batch, classes), "
                                    "labels (batch,)",
                                    to_string(predictions.shape()), to_string(expected.shape())));
    }
    return sum(equal(predictions, expected)).item() / static_cast<double>(predictions.size());
  });
}

ConfusionMatrix::ConfusionMatrix(std::int64_t classes) : classes_(classes) {
  if (classes < 1) {
    raise<ValueError>("confusion_matrix", fmt::format("there must be 1 class or more, got {}", classes));
  }
  counts_.resize(static_cast<std::size_t>(classes * classes));
}

void ConfusionMatrix::add(const Operand& predictions, const Operand& labels) {
  const SourceScope scope(predictions);
  const Array p = cast(predictions, DType::int64).array();
  const Array l = cast(labels, DType::int64).array();
  located(predictions.where(), [&] { require_classes(p, l, classes_); });
  for (std::int64_t i = 0; i < p.size(); ++i) {
    ++counts_[static_cast<std::size_t>(l.data<std::int64_t>()[i] * classes_ + p.data<std::int64_t>()[i])];
  }
}

std::int64_t ConfusionMatrix::count(std::int64_t label, std::int64_t prediction) const {
  for (const std::int64_t c : {label, prediction}) {
    if (c < 0 || c >= classes_) {
      raise<ValueError>("confusion_matrix", fmt::format("class {} is outside [0, {})", c, classes_));
    }
  }
  return counts_.at(static_cast<std::size_t>(label * classes_ + prediction));
}

std::int64_t ConfusionMatrix::total() const { return std::accumulate(counts_.begin(), counts_.end(), std::int64_t{0}); }

std::int64_t ConfusionMatrix::support(std::int64_t label) const {
  std::int64_t samples = 0;
  for (std::int64_t prediction = 0; prediction < classes_; ++prediction) {
    samples += count(label, prediction);
  }
  return samples;
}

double ConfusionMatrix::accuracy() const {
  std::int64_t right = 0;
  for (std::int64_t c = 0; c < classes_; ++c) {
    right += count(c, c);
  }
  return ratio(right, total());
}

double ConfusionMatrix::precision(std::int64_t label) const {
  std::int64_t predicted = 0;
  for (std::int64_t other = 0; other < classes_; ++other) {
    predicted += count(other, label);
  }
  return ratio(count(label, label), predicted);
}

double ConfusionMatrix::recall(std::int64_t label) const { return ratio(count(label, label), support(label)); }

double ConfusionMatrix::f1(std::int64_t label) const {
  const double p = precision(label);
  const double r = recall(label);
  return p + r == 0 ? 0.0 : 2 * p * r / (p + r);
}

std::vector<std::string> ConfusionMatrix::row_names(std::span<const std::string_view> names) const {
  if (!names.empty() && names.size() != static_cast<std::size_t>(classes_)) {
    raise<ValueError>("confusion_matrix", fmt::format("{} names for {} classes", names.size(), classes_));
  }
  std::vector<std::string> rows(names.begin(), names.end());
  for (std::int64_t c = 0; names.empty() && c < classes_; ++c) {
    rows.push_back(std::to_string(c));
  }
  return rows;
}

std::string ConfusionMatrix::report(std::span<const std::string_view> names) const {
  std::string text = fmt::format("{:<14}{:>10}{:>10}{:>10}{:>10}\n", "class", "precision", "recall", "f1", "support");
  const std::vector<std::string> rows = row_names(names);
  for (std::int64_t c = 0; c < classes_; ++c) {
    text += fmt::format("{:<14}{:>10.3f}{:>10.3f}{:>10.3f}{:>10}\n", rows[static_cast<std::size_t>(c)], precision(c),
                        recall(c), f1(c), support(c));
  }
  return text;
}

std::string ConfusionMatrix::table(std::span<const std::string_view> names) const {
  std::string text = fmt::format("{:<14}", "label");
  for (std::int64_t c = 0; c < classes_; ++c) {
    text += fmt::format("{:>7}", c);
  }
  text += "   predicted\n";
  const std::vector<std::string> rows = row_names(names);
  for (std::int64_t label = 0; label < classes_; ++label) {
    text += fmt::format("{:<14}", rows[static_cast<std::size_t>(label)]);
    for (std::int64_t prediction = 0; prediction < classes_; ++prediction) {
      text += fmt::format("{:>7}", count(label, prediction));
    }
    text += "\n";
  }
  return text;
}

}  // namespace xgrad::nn
