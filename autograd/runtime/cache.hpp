#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

/// \file
/// A bounded cache that forgets first what has not been used for longest.

namespace xgrad::runtime {

namespace detail {

/// What release_cached_memory() empties: every cache, from the end of its construction on.
class Emptied {
 public:
  Emptied(const Emptied&) = delete;
  Emptied& operator=(const Emptied&) = delete;

  /// Gives up everything that is cached. Called from any thread.
  virtual void clear() noexcept = 0;
  /// Its lock, for the time of a fork.
  virtual std::mutex& mutex() noexcept = 0;

 protected:
  Emptied() = default;
  ~Emptied() = default;
  /// To be called at the end of the constructor: from now on, other threads empty this cache.
  void enter();
  /// To be called at the beginning of the destructor: waits while another thread empties this cache.
  void leave() noexcept;

 private:
  friend void empty_caches() noexcept;
  friend void lock_caches();
  friend void unlock_caches();
  Emptied* previous_ = nullptr;
  Emptied* next_ = nullptr;
  int visitors_ = 0;  // threads that are emptying it
};

/// Empties all caches there are.
void empty_caches() noexcept;

}  // namespace detail

/// Values by their keys, as many as fit, those used last. Safe to use from several threads: the lock is held while entries
/// are looked up and linked, never while values are made or destroyed, so that both may use the cache, too. Values are
/// given by copy: a handle, such as a shared_ptr, keeps what is thrown out meanwhile.
///
/// \tparam Hash, Equal of keys; find() takes whatever they take beside a key.
template <class Key, class Value, class Hash = std::hash<Key>, class Equal = std::equal_to<>>
class Cache final : private detail::Emptied {
 public:
  static constexpr std::size_t unlimited = ~std::size_t{0};  ///< no bound

  /// \param most_entries and \param most_bytes bound what is kept, the latter the sum of the prices of the entries.
  explicit Cache(std::size_t most_entries, std::size_t most_bytes = unlimited)
      : most_entries_(most_entries), most_bytes_(most_bytes) {
    enter();
  }
  ~Cache() { leave(); }

  /// The value of \p key, which counts as used.
  template <class Query>
  std::optional<Value> find(const Query& key) {
    const std::size_t hash = Hash()(key);
    const std::lock_guard lock(mutex_);
    const auto place = locate(hash, key);
    return place == entries_.end() ? std::nullopt : std::optional<Value>(place->value);
  }

  /// Keeps \p value, unless there is one for \p key already: the first that was inserted wins. \return the one that won.
  /// \param bytes the price of the entry; one that is dearer than all may be together is not kept.
  Value insert(Key key, Value value, std::size_t bytes = 0) {
    const std::size_t hash = Hash()(key);
    std::list<Entry> fresh;
    fresh.push_back({std::move(key), value, hash, bytes});
    std::list<Entry> gone;  // destroyed when the lock is open again
    const std::lock_guard lock(mutex_);
    if (const auto first = locate(hash, fresh.front().key); first != entries_.end()) {
      return first->value;
    }
    places_.emplace(hash, fresh.begin());
    entries_.splice(entries_.begin(), fresh);
    bytes_ += bytes;
    while (entries_.size() > most_entries_ || bytes_ > most_bytes_) {
      remove_last(gone);
    }
    return value;
  }

  /// The value of \p key, made by \p make() when there is none.
  template <class Make>
  Value find_or_make(const Key& key, Make&& make, std::size_t bytes = 0) {
    const std::optional<Value> known = find(key);
    return known ? *known : insert(key, make(), bytes);
  }

  /// Gives up all entries.
  void clear() noexcept override {
    std::list<Entry> gone;
    const std::lock_guard lock(mutex_);
    gone.swap(entries_);
    places_.clear();
    bytes_ = 0;
  }

  /// How many entries there are.
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return entries_.size();
  }
  /// The sum of their prices.
  std::size_t bytes() const {
    const std::lock_guard lock(mutex_);
    return bytes_;
  }

 private:
  struct Entry {
    Key key;
    Value value;
    std::size_t hash;
    std::size_t bytes;
  };
  using Place = typename std::list<Entry>::iterator;

  std::mutex& mutex() noexcept override { return mutex_; }

  // The entry, which becomes the one used last; the end when there is none.
  template <class Query>
  Place locate(std::size_t hash, const Query& key) {
    const auto [first, last] = places_.equal_range(hash);
    for (auto each = first; each != last; ++each) {
      if (Equal()(each->second->key, key)) {
        entries_.splice(entries_.begin(), entries_, each->second);
        return each->second;
      }
    }
    return entries_.end();
  }

  void remove_last(std::list<Entry>& gone) {
    const Place last = std::prev(entries_.end());
    auto [each, end] = places_.equal_range(last->hash);
    while (each->second != last) {
      ++each;
    }
    places_.erase(each);
    bytes_ -= last->bytes;
    gone.splice(gone.begin(), entries_, last);
  }

  std::size_t most_entries_;
  std::size_t most_bytes_;
  mutable std::mutex mutex_;
  std::list<Entry> entries_;  // the one used last in front
  std::unordered_multimap<std::size_t, Place> places_;
  std::size_t bytes_ = 0;
};

}  // namespace xgrad::runtime
