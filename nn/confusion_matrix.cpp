#include "nn/confusion_matrix.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <ostream>
#include <utility>

#include "autograd/graph/operation.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
#include "nn/labels.hpp"
#include "nn/saved.hpp"

namespace xgrad::nn {

namespace {

double ratio(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

// Of NaN no class is predicted.
void require_numbers(const Tensor& scores) {
  const Array row_has_nan = cast(any(isnan(scores), -1), DType::int64).array();
  const auto* begin = row_has_nan.data<std::int64_t>();
  const auto* end = begin + row_has_nan.size();
  const auto* bad = std::find(begin, end, 1);
  if (bad != end) {
    raise<ValueError>("confusion_matrix",
                      phrase("there is NaN among the scores of row {}, of {} rows in all; look at what the model gives",
                             bad - begin, std::count(begin, end, 1)));
  }
}

void require_classes(const Array& predictions, const Array& labels, std::int64_t classes) {
  if (predictions.shape() != labels.shape()) {
    raise<ShapeError>("confusion_matrix", phrase("predictions of shape {} and labels of shape {} must be alike",
                                                 to_string(predictions.shape()), to_string(labels.shape())));
  }
  const auto in_range = [classes](std::int64_t c) { return c >= 0 && c < classes; };
  for (const auto& [array, what] : {std::pair(&predictions, "prediction"), std::pair(&labels, "label")}) {
    const auto* begin = array->data<std::int64_t>();
    const auto* bad = std::find_if_not(begin, begin + array->size(), in_range);
    if (bad != begin + array->size()) {
      raise<ValueError>("confusion_matrix",
                        phrase("the {} of row {} is class {}, outside [0, {})", what, bad - begin, *bad, classes));
    }
  }
}

}  // namespace

ConfusionMatrix::ConfusionMatrix(std::int64_t classes, std::source_location where) : classes_(classes) {
  located(where, [&] {
    if (classes < 1) {
      raise<ValueError>("confusion_matrix", phrase("there must be 1 class or more, got {}", classes));
    }
  });
  counts_.resize(static_cast<std::size_t>(classes * classes));
}

void ConfusionMatrix::update(const Operand& predictions, const Operand& labels) {
  const SourceScope scope(predictions);
  const Tensor given = predictions.tensor();
  const auto [p, l] = located(predictions.where(), [&] {
    const bool is_scores = is_real(given.dtype());
    if (is_scores) {
      require_numbers(given);
    }
    const Array classes = cast(is_scores ? argmax(given, -1) : given, DType::int64).array();
    const Array expected = cast(detail::as_labels("confusion_matrix", given, labels.tensor()), DType::int64).array();
    require_classes(classes, expected, classes_);
    return std::pair(classes, expected);
  });
  for (std::int64_t i = 0; i < p.size(); ++i) {
    ++counts_[static_cast<std::size_t>(l.data<std::int64_t>()[i] * classes_ + p.data<std::int64_t>()[i])];
  }
}

void ConfusionMatrix::reset() { std::fill(counts_.begin(), counts_.end(), 0); }

void ConfusionMatrix::save(Saved& saved) const {
  Array counts({classes_, classes_}, DType::int64);
  std::copy(counts_.begin(), counts_.end(), counts.data<std::int64_t>());
  saved.put("counts", counts);
}

void ConfusionMatrix::load(const Saved& saved) {
  const Array& counts = saved.array("counts");
  if (counts.shape() != Shape{classes_, classes_}) {
    raise<ValueError>("confusion_matrix",
                      phrase("what was saved are counts of shape {}, for {} classes; make it for as "
                             "many as it was",
                             to_string(counts.shape()), classes_));
  }
  const auto* first = counts.data<std::int64_t>();
  counts_.assign(first, first + counts.size());
}

void ConfusionMatrix::merge(const ConfusionMatrix& other) {
  if (other.classes_ != classes_) {
    raise<ValueError>("confusion_matrix", phrase("counts of {} classes cannot be added to those of {}; give one of as "
                                                 "many classes",
                                                 other.classes_, classes_));
  }
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    counts_[i] += other.counts_[i];
  }
}

std::int64_t ConfusionMatrix::count(std::int64_t label, std::int64_t prediction) const {
  for (const std::int64_t c : {label, prediction}) {
    if (c < 0 || c >= classes_) {
      raise<ValueError>("confusion_matrix", phrase("class {} is outside [0, {})", c, classes_));
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

std::int64_t ConfusionMatrix::predicted(std::int64_t prediction) const {
  std::int64_t samples = 0;
  for (std::int64_t label = 0; label < classes_; ++label) {
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

double ConfusionMatrix::precision(std::int64_t label) const { return ratio(count(label, label), predicted(label)); }

double ConfusionMatrix::recall(std::int64_t label) const { return ratio(count(label, label), support(label)); }

double ConfusionMatrix::f1(std::int64_t label) const {
  const double p = precision(label);
  const double r = recall(label);
  return p + r == 0 ? 0.0 : 2 * p * r / (p + r);
}

std::vector<std::string> ConfusionMatrix::row_names(std::span<const std::string_view> names) const {
  if (!names.empty() && names.size() != static_cast<std::size_t>(classes_)) {
    raise<ValueError>("confusion_matrix", phrase("{} names for {} classes", names.size(), classes_));
  }
  std::vector<std::string> rows(names.begin(), names.end());
  for (std::int64_t c = 0; names.empty() && c < classes_; ++c) {
    rows.push_back(std::to_string(c));
  }
  return rows;
}

std::string ConfusionMatrix::report(std::span<const std::string_view> names) const {
  std::string text = phrase("{:<14}{:>10}{:>10}{:>10}{:>10}\n", "class", "precision", "recall", "f1", "support");
  const std::vector<std::string> rows = row_names(names);
  for (std::int64_t c = 0; c < classes_; ++c) {
    text += phrase("{:<14}{:>10.3f}{:>10.3f}{:>10.3f}{:>10}\n", rows[static_cast<std::size_t>(c)], precision(c),
                   recall(c), f1(c), support(c));
  }
  return text;
}

std::string ConfusionMatrix::table(std::span<const std::string_view> names) const {
  std::string text = phrase("{:<14}", "label");
  for (std::int64_t c = 0; c < classes_; ++c) {
    text += phrase("{:>7}", c);
  }
  text += "   predicted\n";
  const std::vector<std::string> rows = row_names(names);
  for (std::int64_t label = 0; label < classes_; ++label) {
    text += phrase("{:<14}", rows[static_cast<std::size_t>(label)]);
    for (std::int64_t prediction = 0; prediction < classes_; ++prediction) {
      text += phrase("{:>7}", count(label, prediction));
    }
    text += "\n";
  }
  return text;
}

std::ostream& operator<<(std::ostream& out, const ConfusionMatrix& matrix) { return out << matrix.table(); }

ClassMetric::ClassMetric(std::string_view name, PerClass number, std::int64_t classes, Average average,
                         const std::source_location& where)
    : number_(number), matrix_(classes, where), average_(average) {
  constexpr std::array<std::string_view, 3> averages = {"macro", "weighted", "micro"};
  name_ = phrase("{}_{}", name, averages[static_cast<std::size_t>(average)]);
}

ClassMetric::ClassMetric(std::string_view name, PerClass number, std::int64_t classes, std::int64_t label,
                         const std::source_location& where)
    : name_(phrase("{}_of_{}", name, label)), number_(number), matrix_(classes, where), label_(label) {
  located(where, [&] { matrix_.count(label, label); });  // throws for a label out of range
}

double ClassMetric::value() const {
  if (label_ >= 0) {
    return per_class(label_);
  }
  if (average_ == Average::micro) {
    return matrix_.accuracy();  // with one label and one prediction per sample, both fp and fn are all that is wrong
  }
  double sum = 0;
  double weights = 0;
  for (std::int64_t c = 0; c < matrix_.classes(); ++c) {
    const std::int64_t support = matrix_.support(c);
    const bool occurs = support + matrix_.predicted(c) > 0;
    const double weight = average_ == Average::weighted ? static_cast<double>(support) : occurs ? 1.0 : 0.0;
    sum += weight * per_class(c);
    weights += weight;
  }
  return weights == 0 ? 0.0 : sum / weights;
}

Precision::Precision(std::int64_t classes, Average average, std::source_location where)
    : ClassMetric("precision", &ConfusionMatrix::precision, classes, average, where) {}
Precision Precision::of_class(std::int64_t classes, std::int64_t label, std::source_location where) {
  return Precision("precision", &ConfusionMatrix::precision, classes, label, where);
}

Recall::Recall(std::int64_t classes, Average average, std::source_location where)
    : ClassMetric("recall", &ConfusionMatrix::recall, classes, average, where) {}
Recall Recall::of_class(std::int64_t classes, std::int64_t label, std::source_location where) {
  return Recall("recall", &ConfusionMatrix::recall, classes, label, where);
}

F1::F1(std::int64_t classes, Average average, std::source_location where)
    : ClassMetric("f1", &ConfusionMatrix::f1, classes, average, where) {}
F1 F1::of_class(std::int64_t classes, std::int64_t label, std::source_location where) {
  return F1("f1", &ConfusionMatrix::f1, classes, label, where);
}

}  // namespace xgrad::nn
