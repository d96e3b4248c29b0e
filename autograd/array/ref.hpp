#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

/// \file
/// Reference counting inside the object: handles are one pointer wide and need no second allocation.

namespace xgrad {

/// Base of objects owned by Ref handles.
class RefCounted {
 public:
  RefCounted() = default;
  RefCounted(const RefCounted&) = delete;
  RefCounted& operator=(const RefCounted&) = delete;

  /// Counts one more reference.
  void retain() const { count_.fetch_add(1, std::memory_order_relaxed); }
  /// Counts one reference less. \return true when this was the last reference.
  bool release() const { return count_.fetch_sub(1, std::memory_order_acq_rel) == 1; }
  /// Number of handles at this moment.
  std::uint32_t use_count() const { return count_.load(std::memory_order_acquire); }

 protected:
  ~RefCounted() = default;

 private:
  mutable std::atomic<std::uint32_t> count_{0};
};

/// A handle that shares ownership of a RefCounted object. Beside T stand `void add_reference(const T*)` and
/// `void drop_reference(const T*)`, which destroys the object with its last handle; T itself may be incomplete here.
template <class T>
class Ref {
 public:
  Ref() = default;
  /// Shares \p object; null makes an empty handle.
  explicit Ref(T* object) : object_(object) {
    if (object_ != nullptr) {
      add_reference(object_);
    }
  }
  /// One more handle to the same object.
  Ref(const Ref& other) : Ref(other.object_) {}
  /// Takes the object over from \p other, which becomes empty.
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  /// Gives up the object for the one of \p other.
  Ref& operator=(Ref other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Ref() {
    if (object_ != nullptr) {
      drop_reference(object_);
    }
  }

  T* get() const { return object_; }                             ///< the object, or null
  T* operator->() const { return object_; }                      ///< requires an object
  T& operator*() const { return *object_; }                      ///< requires an object
  explicit operator bool() const { return object_ != nullptr; }  ///< whether there is an object
  /// Whether both share one object.
  friend bool operator==(const Ref& a, const Ref& b) { return a.object_ == b.object_; }

  /// Gives up the object without counting it down; the caller takes over the reference.
  T* detach() { return std::exchange(object_, nullptr); }

 private:
  T* object_ = nullptr;
};

}  // namespace xgrad
