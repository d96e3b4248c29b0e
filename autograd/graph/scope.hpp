#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

#include "autograd/array/ref.hpp"
#include "autograd/graph/tensor.hpp"

/// \file
/// Scopes: which tensors belong to a function that is being traced or transformed.

namespace xgrad {

namespace detail {

/// A function that is being traced, mapped over samples or differentiated. What stands for its arguments belongs to its
/// scope, and so does everything that is computed from them: a node holds the youngest open scope of its inputs. So whether
/// a tensor belongs to a function that is going on is known at once, however long its history is.
///
/// Tensors outlive scopes, and a tensor whose own scope is closed may belong to an older one that is open: a scope knows the
/// older ones of which something was used in it.
class Scope final : public RefCounted {
 public:
  /// Whether what belongs to a scope has elements while it is open.
  enum class Elements : std::uint8_t {
    known,  ///< an argument is another name for a tensor
    later,  ///< an argument stands for elements that are given later
  };

  explicit Scope(Elements elements);

  /// Whether the function, or one outside of it whose tensors were used in it, is going on.
  bool is_open() const;
  /// This scope or the next older one that is open and whose tensors have no elements yet; null when there is none.
  const Scope* without_elements() const;
  /// Keeps a node whose effect happens when the elements are there.
  void add_effect(const Tensor& effect) const;
  /// What was kept, in the order in which it was made; nothing is left.
  Tensors take_effects() const;
  /// The function has returned.
  void close() const { open_.store(false, std::memory_order_release); }

  /// Whether this scope is younger than \p other: what happens in both happens in this one.
  bool is_younger_than(const Scope& other) const { return number_ > other.number_; }

  /// The younger one of two scopes whose tensors meet in a node; it learns of the other one.
  static const Scope* join(const Scope* a, const Scope* b);

 private:
  ~Scope() = default;
  friend void drop_reference(const Scope* scope);

  void learn(const Scope& older) const;
  template <class F>
  const Scope* first_of_older(const F& fits) const;

  const std::uint64_t number_;  // grows with every scope
  const Elements elements_;
  mutable std::atomic<bool> open_{true};
  mutable std::mutex mutex_;
  mutable std::vector<Ref<const Scope>> older_;  // of which something was used in this one
  mutable Tensors effects_;
};

inline void add_reference(const Scope* scope) { scope->retain(); }
void drop_reference(const Scope* scope);

/// A scope that is open while this object lives.
class OpenScope {
 public:
  explicit OpenScope(Scope::Elements elements) : scope_(new Scope(elements)) {}
  OpenScope(const OpenScope&) = delete;
  OpenScope& operator=(const OpenScope&) = delete;
  ~OpenScope() {
    scope_->close();
    scope_->take_effects();  // a function that failed had none
  }

  const Ref<const Scope>& get() const { return scope_; }

 private:
  Ref<const Scope> scope_;
};

/// The scope of a node with these inputs: the youngest of theirs and \p own, or null when that is not open.
const Scope* youngest_open_scope(std::span<const Tensor> inputs, const Scope* own);

/// Whether a function that \p tensor belongs to is going on.
bool belongs_to_open_scope(const Tensor& tensor);

}  // namespace detail

}  // namespace xgrad
