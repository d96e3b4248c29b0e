#pragma once

#include <optional>
#include <source_location>

#include "nn/initializers.hpp"
#include "nn/layer.hpp"

/// \file
/// Vectors for integers.

namespace xgrad::nn {

/// Options of an Embedding.
struct EmbeddingOptions {
  Initializer initializer = init::normal();  ///< of the vectors
  std::optional<random::Key> key = {};       ///< of the vectors; left out, the layer's place in a Sequential tells it
  DType dtype = DType::float32;              ///< of the vectors
};

/// A trainable vector for each of `count` integers: indices of shape (..) become (.., features).
class Embedding : public Layer<Embedding> {
 public:
  /// \throws ValueError when a size is less than 1.
  Embedding(std::int64_t count, std::int64_t features, EmbeddingOptions options = {},
            std::source_location where = std::source_location::current());

  /// The vectors of \p indices, of any integer dtype.
  /// \throws DTypeError for indices that are not integers.
  /// \throws ValueError, when the result is computed, for an index out of [-count, count); negative ones count from the
  /// end.
  Tensor operator()(const Operand& indices) const;

  /// Draws the vectors anew from their initialiser.
  void draw(random::Key key);
  /// For Sequential: draws the vectors by the layer's place, unless a key was given, or somebody may have seen them.
  void place(random::Key key);

  const Variable& weight() const { return weight_; }  ///< a row for each integer, (count, features)

 private:
  Initializer initializer_;
  Variable weight_;
  bool has_key_;

 public:
  /// The parameter's path, `weight`.
  static constexpr auto members = fields("weight", &Embedding::weight_);
};

}  // namespace xgrad::nn
