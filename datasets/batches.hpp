#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>

#include "autograd/array.hpp"
#include "datasets/labelled_images.hpp"

/// \file
/// Mini-batches: the images of one training step, shuffled, flattened and scaled.

namespace xgrad::datasets {

/// How Batches cuts a data set.
struct BatchOptions {
  std::int64_t batch_size = 32;  ///< samples per step
  std::uint64_t seed = 0;        ///< of the shuffling
  bool shuffle = true;           ///< false keeps the order of the data set, as for evaluation
  bool drop_last = false;        ///< leave out the last batch when it is smaller than the others
};

/// One step's data.
struct Batch {
  Array images;  ///< float32 (b, rows * columns) in [0, 1]: grey levels / 255
  Array labels;  ///< int64 (b,)
};

/// The batches of one pass over the data: a forward range. Each is gathered into fresh arrays when an iterator to it is
/// dereferenced, so keeping a batch is safe and copying the range is cheap.
class Epoch {
 public:
  /// A batch's position; dereferencing it gathers the batch.
  class Iterator {
   public:
    using iterator_concept = std::forward_iterator_tag;
    using iterator_category = std::input_iterator_tag;  // C++17 wants references of forward iterators
    using value_type = Batch;
    using difference_type = std::ptrdiff_t;
    using reference = Batch;
    using pointer = void;

    Iterator() = default;
    Batch operator*() const { return (*epoch_)[index_]; }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    Iterator operator++(int) {
      Iterator before = *this;
      ++index_;
      return before;
    }
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    friend class Epoch;
    Iterator(const Epoch* epoch, std::int64_t index) : epoch_(epoch), index_(index) {}

    const Epoch* epoch_ = nullptr;
    std::int64_t index_ = 0;
  };

  Iterator begin() const { return {this, 0}; }     ///< the first batch
  Iterator end() const { return {this, count_}; }  ///< after the last batch

  /// Number of batches.
  std::int64_t count() const { return count_; }

  /// Gathers batch number \p index. \throws ValueError when there is no such batch.
  Batch operator[](std::int64_t index) const;

  /// The positions in the data set in the order of this epoch: int64 (n,).
  const Array& order() const { return order_; }

 private:
  friend class Batches;
  Epoch(Array images, Array labels, Array order, std::int64_t batch_size, std::int64_t count);

  Array images_;  // uint8 (n, features)
  Array labels_;  // int64 (n,)
  Array order_;
  std::int64_t batch_size_;
  std::int64_t count_;
};

/// A data set cut into batches:
/// ```
/// Batches batches(data.train, {.batch_size = 64});
/// for (int epoch = 0; epoch < 10; ++epoch)
///   for (const auto& [images, labels] : batches.epoch(epoch)) step(images, labels);
/// ```
/// The images stay shared with the data set, as bytes.
class Batches {
 public:
  /// \param data uint8 images (n, ...), flattened to (b, features) in the batches; labels uint8, int32 or int64 (n,).
  /// \throws ValueError for other element types or shapes, unequal counts, or a batch size below 1.
  explicit Batches(const LabelledImages& data, const BatchOptions& options = {});

  /// Number of batches in an epoch; 0 for an empty data set.
  std::int64_t count() const;
  /// Number of samples in the data set.
  std::int64_t samples() const { return labels_.size(); }

  /// One pass over the data. When shuffling, its order is a permutation that is a pure function of (seed, \p number,
  /// samples()), the same on every machine: all orders are equally likely up to a relative bias of samples() / 2^53
  /// (Fisher and Yates, in Durstenfeld's form, on counter-based random numbers).
  Epoch epoch(std::int64_t number) const;

 private:
  Array images_;  // uint8 (n, features)
  Array labels_;  // int64 (n,)
  BatchOptions options_;
};

}  // namespace xgrad::datasets
