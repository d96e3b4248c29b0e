#include "autograd/graph/structure.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "autograd/graph/variable_cell.hpp"
#include "autograd/graph/visitors.hpp"
#include "autograd/runtime/hash.hpp"

namespace xgrad {

using runtime::combine_hashes;
using runtime::hash_text;

namespace {

bool same_elements(const Array& a, const Array& b) {
  return a.buffer() == b.buffer() || (a && b && std::memcmp(a.data(), b.data(), a.bytes()) == 0);
}

std::uint64_t hash_of(const Spec& spec) {
  std::uint64_t hash = hash_text(to_string(spec.dtype));
  for (const std::int64_t size : spec.shape) {
    hash = combine_hashes(hash, static_cast<std::uint64_t>(size));
  }
  return hash;
}

}  // namespace

Structure::Structure(const Description& description, std::span<const Description::Value> outputs, Known known) {
  add_words(description, outputs);
  add_leaves(description, known);
}

void Structure::add_words(const Description& description, std::span<const Description::Value> outputs) {
  operations_.reserve(description.nodes().size());
  words_.reserve(3 * description.nodes().size() + outputs.size());
  for (std::size_t i = 0; i < description.nodes().size(); ++i) {
    const Node& node = *description.nodes()[i];
    const auto reads = description.reads(i);
    operations_.push_back(&node.operation());
    words_.push_back(static_cast<std::uint32_t>(reads.size()));
    words_.insert(words_.end(), reads.begin(), reads.end());
    hash_ = combine_hashes(hash_, node.operation().hash());
    rough_hash_ = combine_hashes(rough_hash_, hash_text(node.name()));
  }
  words_.insert(words_.end(), outputs.begin(), outputs.end());
  for (const std::uint32_t word : words_) {
    hash_ = combine_hashes(hash_, word);
    rough_hash_ = combine_hashes(rough_hash_, word);
  }
}

void Structure::add_leaves(const Description& description, Known known) {
  leaves_.reserve(description.leaves().size());
  for (const Description::Leaf& leaf : description.leaves()) {
    const LeafKind kind{{leaf.tensor.shape(), leaf.tensor.dtype()}, detail::variable_of(leaf.tensor.node()) != nullptr};
    leaves_.push_back(kind);
    const std::uint64_t of_leaf = combine_hashes(hash_of(kind.spec), kind.variable);
    hash_ = combine_hashes(hash_, of_leaf);
    rough_hash_ = combine_hashes(rough_hash_, of_leaf);
    if (known == Known::as_constants) {
      constants_.push_back(leaf.elements);
      const auto* bytes = leaf.elements ? static_cast<const char*>(leaf.elements.data()) : nullptr;
      hash_ = combine_hashes(hash_, hash_text(std::string_view(bytes, leaf.elements ? leaf.elements.bytes() : 0)));
    }
  }
}

bool Structure::same_as(const Structure& other) const {
  return hash_ == other.hash_ && words_ == other.words_ && leaves_ == other.leaves_ &&
         std::equal(constants_.begin(), constants_.end(), other.constants_.begin(), other.constants_.end(),
                    same_elements) &&
         std::equal(operations_.begin(), operations_.end(), other.operations_.begin(), other.operations_.end(),
                    [](const AnyOperation* a, const AnyOperation* b) { return same_operation(*a, *b); });
}

bool Structure::is_comparable() const {
  return std::all_of(operations_.begin(), operations_.end(),
                     [](const AnyOperation* operation) { return detail::is_comparable(*operation); });
}

Structure Structure::kept() const {
  Structure copy = *this;
  for (const AnyOperation* operation : operations_) {
    copy.held_.emplace_back(operation);
  }
  return copy;
}

std::uint64_t structure_hash(std::span<const Tensor> outputs, std::span<const Tensor> given) {
  const Description description(outputs, given);
  std::vector<Description::Value> values;
  for (const Tensor& output : outputs) {
    values.push_back(description.value_of(output));
  }
  return Structure(description, values, Structure::Known::as_constants).hash();
}

}  // namespace xgrad
