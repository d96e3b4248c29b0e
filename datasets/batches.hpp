#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <source_location>
#include <vector>

#include "datasets/augmentation.hpp"
#include "datasets/dataset.hpp"

/// \file
/// Mini-batches: the samples of one training step, shuffled, augmented and of the dtypes that models compute with.

namespace xgrad::datasets {

/// How Batches cuts a data set.
struct BatchOptions {
  std::int64_t batch_size = 32;            ///< samples per step
  std::uint64_t seed = 0;                  ///< of the shuffling and the augmentation
  bool shuffle = true;                     ///< false keeps the order of the data set, as for evaluation
  bool drop_last = false;                  ///< leave out the last batch when it is smaller than the others
  bool flatten = true;                     ///< features become (b, elements of a sample); false keeps their axes
  DType dtype = DType::float32;            ///< of floating features and targets, and of images: or float64
  std::vector<Augmentation> augment = {};  ///< applied to every batch in this order
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

  /// Gathers batch number \p index. \throws ValueError when there is no such batch; and what its augmentation throws.
  Batch operator[](std::int64_t index) const;

  /// Number of samples of batch number \p index. \throws ValueError when there is no such batch.
  std::int64_t samples(std::int64_t index) const;
  /// Gathers part number \p part of \p parts of batch number \p index, as a batch of its own. Parts follow each other;
  /// each has ⌈batch_size / parts⌉ samples, but for the last ones, which have fewer, or none. Augmentation is a pure
  /// function of (seed, epoch, batch, part) and the part.
  /// \throws ValueError when there is no such batch or part; and what its augmentation throws.
  Batch part(std::int64_t index, std::int64_t part, std::int64_t parts) const;

  /// The positions in the data set in the order of this epoch: int64 (n,).
  const Array& order() const { return order_; }

 private:
  friend class Batches;
  Epoch(Dataset data, BatchOptions options, std::int64_t number, std::int64_t count);
  Batch gather(std::int64_t first, std::int64_t size, std::uint64_t key) const;

  Dataset data_;
  BatchOptions options_;
  std::uint64_t key_;  // of the augmentation
  Array order_;
  std::int64_t count_;
};

/// A data set cut into batches:
/// ```
/// Batches batches(data.train, {.batch_size = 64});
/// for (int epoch = 0; epoch < 10; ++epoch)
///   for (const auto& [images, labels] : batches.epoch(epoch)) step(images, labels);
/// ```
/// | dtype in the data set       | features in a batch                     | targets in a batch |
/// | --------------------------- | --------------------------------------- | ------------------ |
/// | uint8                       | float32 in [0, 1]: grey levels / 255    | int64              |
/// | float32, float64            | float32                                 | float32            |
/// | int32, int64, boolean       | as they are                             | int64              |
///
/// (or float64, as BatchOptions::dtype says). Images stay shared with the data set, as bytes: they are gathered,
/// widened and scaled in one pass.
class Batches {
 public:
  /// \throws ValueError for a batch size below 1.
  /// \throws DTypeError for a BatchOptions::dtype that is not floating.
  /// \throws ShapeError when images are to be augmented and features are not (n, rows, columns) or (n, channels, rows,
  ///         columns).
  explicit Batches(const Dataset& data, const BatchOptions& options = {},
                   std::source_location where = std::source_location::current());

  /// Number of batches in an epoch; 0 for an empty data set.
  std::int64_t count() const;
  /// Number of samples in the data set.
  std::int64_t samples() const { return data_.size(); }

  /// One pass over the data. When shuffling, its order is a permutation that is a pure function of (seed, \p number,
  /// samples()), the same on every machine: all orders are equally likely up to a relative bias of samples() / 2^53
  /// (Fisher and Yates, in Durstenfeld's form, on counter-based random numbers). Augmentation is a pure function of
  /// (seed, \p number, the batch's number) and the batch.
  Epoch epoch(std::int64_t number) const;

 private:
  Dataset data_;  // targets and floating features in the dtype of the batches
  BatchOptions options_;
};

}  // namespace xgrad::datasets
