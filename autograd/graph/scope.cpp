#include "autograd/graph/scope.hpp"

#include <algorithm>
#include <utility>

#include "autograd/graph/node.hpp"

namespace xgrad::detail {

namespace {

std::uint64_t next_number() {
  static std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

}  // namespace

Scope::Scope(Elements elements) : number_(next_number()), elements_(elements) {}

void drop_reference(const Scope* scope) {
  if (scope->release()) {
    delete scope;
  }
}

// Older scopes never lead back to younger ones, so this ends.
template <class F>
const Scope* Scope::first_of_older(const F& fits) const {
  const std::lock_guard lock(mutex_);
  for (const Ref<const Scope>& scope : older_) {
    if (const Scope* found = fits(*scope)) {
      return found;
    }
  }
  return nullptr;
}

bool Scope::is_open() const {
  return open_.load(std::memory_order_acquire) ||
         first_of_older([](const Scope& scope) { return scope.is_open() ? &scope : nullptr; }) != nullptr;
}

const Scope* Scope::without_elements() const {
  if (elements_ == Elements::later && open_.load(std::memory_order_acquire)) {
    return this;
  }
  return first_of_older([](const Scope& scope) { return scope.without_elements(); });
}

// Of a closed scope only the open ones behind it count, for it does not open again: chains of scopes that follow each other
// do not grow.
void Scope::learn(const Scope& older) const {
  if (!older.open_.load(std::memory_order_acquire)) {
    std::vector<Ref<const Scope>> behind;
    {
      const std::lock_guard lock(older.mutex_);
      behind = older.older_;
    }
    for (const Ref<const Scope>& scope : behind) {
      learn(*scope);
    }
    return;
  }
  const std::lock_guard lock(mutex_);
  if (std::none_of(older_.begin(), older_.end(),
                   [&](const Ref<const Scope>& scope) { return scope.get() == &older; })) {
    older_.emplace_back(&older);
  }
}

void Scope::add_effect(const Tensor& effect) const {
  const std::lock_guard lock(mutex_);
  effects_.push_back(effect);
}

Tensors Scope::take_effects() const {
  const std::lock_guard lock(mutex_);
  return std::exchange(effects_, {});
}

const Scope* Scope::join(const Scope* a, const Scope* b) {
  const Scope* younger = a->number_ > b->number_ ? a : b;
  younger->learn(younger == a ? *b : *a);
  return younger;
}

const Scope* youngest_open_scope(std::span<const Tensor> inputs, const Scope* own) {
  const Scope* youngest = own;
  for (const Tensor& input : inputs) {
    static_cast<void>(input.shape());  // throws when the handle is empty
    if (const Scope* scope = input.node().scope(); scope != nullptr && scope != youngest) {
      youngest = youngest == nullptr ? scope : Scope::join(youngest, scope);
    }
  }
  return youngest == nullptr || youngest->is_open() ? youngest : nullptr;
}

bool belongs_to_open_scope(const Tensor& tensor) {
  const Scope* scope = tensor.node().scope();
  return scope != nullptr && scope->is_open();
}

}  // namespace xgrad::detail
