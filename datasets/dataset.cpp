#include "datasets/dataset.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "autograd/kernels/kernels.hpp"
#include "autograd/runtime/error.hpp"
#include "autograd/runtime/hash.hpp"
#include "autograd/runtime/phrase.hpp"
#include "datasets/gather.hpp"
#include "datasets/permutation.hpp"

namespace xgrad::datasets {

namespace {

// Keeps the choice apart from other random numbers that a program draws from the same seed.
constexpr std::uint64_t split_stream = 0x73706c6974;  // "split"

Array class_labels(std::string_view op, const Array& targets) {
  if (!is_whole(targets.dtype())) {
    raise<DTypeError>(op, phrase("a stratified choice needs integer targets, got {}; set stratified to false",
                                 to_string(targets.dtype())));
  }
  if (targets.shape().ndim() != 1) {
    raise<ShapeError>(op, phrase("a stratified choice needs targets of shape (n,), got {}; set stratified to false",
                                 to_string(targets.shape())));
  }
  return cast(targets, DType::int64);
}

// A random order; when stratified, class by class: every k-th sample of it then takes from each class its share.
Array drawing_order(std::string_view op, const Dataset& data, std::uint64_t seed, bool stratified) {
  Array order = permutation(data.size(), kernels::random_fold(seed, split_stream));
  if (stratified) {
    const Array labels = class_labels(op, data.targets());
    const std::int64_t* label = labels.data<std::int64_t>();
    std::int64_t* first = order.data<std::int64_t>();
    std::stable_sort(first, first + order.size(), [label](auto a, auto b) { return label[a] < label[b]; });
  }
  return order;
}

// `is_test` tells by the place in the drawing order.
template <class F>
Split divide(const Dataset& data, const Array& order, const F& is_test) {
  std::vector<bool> test(static_cast<std::size_t>(data.size()));
  for (std::int64_t i = 0; i < order.size(); ++i) {
    test[static_cast<std::size_t>(order.data<std::int64_t>()[i])] = is_test(i);
  }
  std::vector<std::int64_t> parts[2];
  for (std::int64_t i = 0; i < data.size(); ++i) {
    parts[test[static_cast<std::size_t>(i)] ? 1 : 0].push_back(i);
  }
  return {data.take(parts[0]), data.take(parts[1])};
}

}  // namespace

Dataset::Dataset() : features_({0, 0}, DType::float32), targets_({0}, DType::int64) {}

void Dataset::check(const std::source_location& where) const {
  located_at(where, [&] {
    if (!features_ || !targets_) {
      raise<ValueError>("Dataset", phrase("the {} hold no memory; give an Array made from a shape",
                                          features_ ? "targets" : "features"));
    }
    const Shape& features = features_.shape();
    const Shape& targets = targets_.shape();
    if (features.empty() || targets.empty() || features[0] != targets[0]) {
      raise<ShapeError>("Dataset", phrase("features of shape {} and targets of shape {}; give one row of each for "
                                          "every sample",
                                          to_string(features), to_string(targets)));
    }
  });
}

std::uint64_t Dataset::content_hash() const {
  std::uint64_t hash = 0;
  for (const Array* array : {&features_, &targets_}) {
    hash = runtime::combine_hashes(hash, runtime::hash_text(to_string(array->dtype())));
    for (const std::int64_t size : array->shape()) {
      hash = runtime::combine_hashes(hash, static_cast<std::uint64_t>(size));
    }
    hash = runtime::combine_hashes(
        hash, runtime::hash_bytes(std::span(static_cast<const std::byte*>(array->data()), array->bytes())));
  }
  return hash;
}

const std::vector<std::string>& Dataset::feature_names() const {
  static const std::vector<std::string> none;
  return names_ ? *names_ : none;
}

Dataset Dataset::named(std::vector<std::string> names, std::source_location where) const {
  const Shape& shape = features_.shape();
  const std::int64_t count = Shape(shape.begin() + 1, shape.end()).element_count();
  if (static_cast<std::int64_t>(names.size()) != count) {
    located_at(where, [&] {
      raise<ValueError>("Dataset", phrase("{} names for {} features; give one for each", names.size(), count));
    });
  }
  Dataset result = *this;
  result.names_ = std::make_shared<const std::vector<std::string>>(std::move(names));
  return result;
}

Dataset Dataset::with_features(const Array& features, std::source_location where) const {
  Dataset result(features, targets_, where);
  result.names_ = names_;
  return result;
}

Dataset Dataset::take(std::span<const std::int64_t> positions) const {
  constexpr const char* op = "Dataset::take";
  const auto negative = std::find_if(positions.begin(), positions.end(), [](std::int64_t p) { return p < 0; });
  if (negative != positions.end()) {
    raise<ValueError>(op, phrase("index {} at position {} is outside [0, {}); give indices within it", *negative,
                                 negative - positions.begin(), size()));
  }
  Dataset taken(take_rows(op, features_, positions), take_rows(op, targets_, positions));
  taken.names_ = names_;
  return taken;
}

namespace {

Split split_at_random(const Dataset& data, const SplitOptions& options) {
  const double fraction = options.fraction;
  if (!(fraction > 0 && fraction < 1)) {
    raise<ValueError>("split", phrase("the fraction for testing is {}; give one between 0 and 1", fraction));
  }
  const Array order = drawing_order("split", data, options.seed, options.stratified);
  const auto share = [fraction](std::int64_t count) { return std::llround(static_cast<double>(count) * fraction); };
  return divide(data, order, [&](std::int64_t i) { return share(i + 1) > share(i); });
}

Split one_fold(const Dataset& data, std::int64_t index, const FoldOptions& options) {
  if (options.folds < 2 || options.folds > data.size()) {
    raise<ValueError>("fold", phrase("{} folds of {} samples; give a number of folds in [2, {}]", options.folds,
                                     data.size(), data.size()));
  }
  if (index < 0 || index >= options.folds) {
    raise<ValueError>("fold", phrase("fold {} of {}; give one in [0, {})", index, options.folds, options.folds));
  }
  const Array order = drawing_order("fold", data, options.seed, options.stratified);
  return divide(data, order, [&](std::int64_t i) { return i % options.folds == index; });
}

}  // namespace

Split split(const Dataset& data, const SplitOptions& options, std::source_location where) {
  return located_at(where, [&] { return split_at_random(data, options); });
}

Split fold(const Dataset& data, std::int64_t index, const FoldOptions& options, std::source_location where) {
  return located_at(where, [&] { return one_fold(data, index, options); });
}

}  // namespace xgrad::datasets
