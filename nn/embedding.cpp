#include "nn/embedding.hpp"

#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad::nn {

namespace {

Tensor initial_vectors(std::int64_t count, std::int64_t features, const EmbeddingOptions& options) {
  if (count < 1 || features < 1) {
    raise<ValueError>("embedding", phrase("sizes are 1 or more, got {} vectors of {} features", count, features));
  }
  return options.initializer(options.key, {count, features}, options.dtype);
}

}  // namespace

Embedding::Embedding(std::int64_t count, std::int64_t features, EmbeddingOptions options)
    : initializer_(options.initializer), weight_(initial_vectors(count, features, options), "weight") {}

Tensor Embedding::operator()(const Operand& indices) const {
  const SourceScope scope(indices);
  return take(weight_, indices, 0);
}

void Embedding::draw(random::Key key) { weight_.assign(initializer_(key, weight_.shape(), weight_.dtype())); }

}  // namespace xgrad::nn
