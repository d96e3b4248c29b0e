#include "nn/embedding.hpp"

#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad::nn {

namespace {

Tensor initial_vectors(std::int64_t count, std::int64_t features, const EmbeddingOptions& options,
                       const std::source_location& where) {
  const SourceScope scope(where);
  if (count < 1 || features < 1) {
    raise<ValueError>("embedding", phrase("sizes are 1 or more, got {} vectors of {} features", count, features));
  }
  return options.initializer(options.key.value_or(random::Key(0)), {count, features}, options.dtype);
}

}  // namespace

Embedding::Embedding(std::int64_t count, std::int64_t features, EmbeddingOptions options, std::source_location where)
    : initializer_(options.initializer),
      weight_(located(where, [&] { return initial_vectors(count, features, options, where); }), "weight"),
      has_key_(options.key.has_value()) {}

Tensor Embedding::operator()(const Operand& indices) const {
  const SourceScope scope(indices);
  return take(weight_, indices, 0);
}

void Embedding::draw(random::Key key) { weight_.assign(initializer_(key, weight_.shape(), weight_.dtype())); }

void Embedding::place(random::Key key) {
  if (!has_key_) {
    detail::draw_if_fresh(weight_, initializer_, key);
  }
}

}  // namespace xgrad::nn
