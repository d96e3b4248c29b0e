#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>

/// \file
/// Short lists whose length is known when they are made.

namespace xgrad::detail {

/// A fixed number of items; the first N need no allocation.
template <class T, std::size_t N>
class FixedVector {
 public:
  template <class MakeItem>
  FixedVector(std::size_t size, MakeItem&& make) : size_(0) {
    if (size > N) {
      data_ = static_cast<T*>(::operator new(size * sizeof(T)));
    }
    try {
      for (; size_ < size; ++size_) {
        new (data_ + size_) T(make(std::size_t{size_}));
      }
    } catch (...) {
      clear();
      throw;
    }
  }
  FixedVector(const FixedVector&) = delete;
  FixedVector& operator=(const FixedVector&) = delete;
  ~FixedVector() { clear(); }

  std::size_t size() const { return size_; }
  T& operator[](std::size_t i) { return data_[i]; }
  const T& operator[](std::size_t i) const { return data_[i]; }
  std::span<T> span() { return {data_, size_}; }
  std::span<const T> span() const { return {data_, size_}; }

 private:
  void clear() {
    std::destroy_n(data_, size_);
    if (data_ != reinterpret_cast<T*>(storage_)) {
      ::operator delete(data_);
    }
  }

  alignas(T) std::byte storage_[N * sizeof(T)];
  T* data_ = reinterpret_cast<T*>(storage_);
  std::uint32_t size_;
};

}  // namespace xgrad::detail
