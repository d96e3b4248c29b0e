#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "autograd/graph/operation.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"
#include "nn/ranks.hpp"

/// \file
/// Ranks that are threads of one process, for tests: they meet in memory, and add up in the order that nn::Ranks says.

namespace xgrad::testing {

/// Where threads meet: each brings some bytes, and gets those of all. All have to be there for the same thing.
class MeetingPlace {
 public:
  struct Parcel {
    std::string kind;
    std::string bytes;
  };
  using Parcels = std::vector<Parcel>;

  explicit MeetingPlace(std::int64_t size) : brought_(static_cast<std::size_t>(size)) {}

  std::int64_t size() const { return static_cast<std::int64_t>(brought_.size()); }

  std::shared_ptr<const Parcels> meet(std::int64_t rank, const std::string& kind, std::string bytes) {
    std::unique_lock lock(mutex_);
    brought_[static_cast<std::size_t>(rank)] = {kind, std::move(bytes)};
    const std::int64_t round = round_;
    if (++arrived_ == size()) {
      all_ = std::make_shared<const Parcels>(brought_);
      arrived_ = 0;
      ++round_;
      changed_.notify_all();
    } else if (!changed_.wait_for(lock, std::chrono::seconds(60),
                                  [&] { return round_ != round || !reason_.empty(); })) {
      reason_ = phrase("rank {} waits in vain, at {}", rank, kind);
      changed_.notify_all();
    }
    if (!reason_.empty() && round_ == round) {
      throw std::runtime_error(reason_);
    }
    const std::shared_ptr<const Parcels> all = all_;
    for (const Parcel& parcel : *all) {
      if (parcel.kind != all->front().kind) {
        throw std::runtime_error("ranks meet for different things: " + parcel.kind + ", " + all->front().kind);
      }
    }
    return all;
  }

  void abort(const std::string& reason) {
    const std::lock_guard lock(mutex_);
    reason_ = reason;
    changed_.notify_all();
  }

  /// How often all have met.
  std::int64_t meetings() {
    const std::lock_guard lock(mutex_);
    return round_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  Parcels brought_;
  std::shared_ptr<const Parcels> all_;
  std::int64_t arrived_ = 0;
  std::int64_t round_ = 0;
  std::string reason_;
};

/// What ranks do together with a tensor.
struct Collective {
  static constexpr std::string_view name = "collective";
  static constexpr std::string_view effect = "ranks";
  enum class Kind : std::uint8_t { all_reduce, reduce_scatter, all_gather, broadcast };

  Kind kind;
  std::shared_ptr<MeetingPlace> place;
  std::int64_t rank;
  std::int64_t root;

  Spec infer(Inputs in) const {
    Shape shape = in[0].shape();
    if (kind == Kind::reduce_scatter) {
      shape[0] /= place->size();
    } else if (kind == Kind::all_gather) {
      shape[0] *= place->size();
    }
    return {shape, in[0].dtype()};
  }
  void eval(ConstViews in, Views out) const {
    const auto bytes = static_cast<std::size_t>(in[0].size()) * size_of(in[0].dtype());
    const auto all =
        place->meet(rank, phrase("{}{}{}", static_cast<int>(kind), to_string(in[0].dtype()), to_string(in[0].shape())),
                    std::string(reinterpret_cast<const char*>(in[0].as<std::byte>()), bytes));
    auto* result = reinterpret_cast<char*>(out[0].as<std::byte>());
    if (kind == Kind::all_gather) {
      for (std::size_t i = 0; i < all->size(); ++i) {
        std::memcpy(result + i * bytes, (*all)[i].bytes.data(), bytes);
      }
    } else if (kind == Kind::broadcast) {
      std::memcpy(result, (*all)[static_cast<std::size_t>(root)].bytes.data(), bytes);
    } else {
      dispatch_numbers(in[0].dtype(), [&](auto zero) { add_up<decltype(zero)>(*all, in[0].size(), result); });
    }
  }
  Tensors vjp(const Node&, const Cotangents& ct) const {
    if (kind != Kind::all_reduce) {
      raise<GradientError>("collective", "only all_reduce has a derivative here; use that");
    }
    return {apply_op(*this, {ct[0]})};
  }

 private:
  template <class T>
  void add_up(const MeetingPlace::Parcels& all, std::int64_t size, char* result) const {
    std::vector<std::vector<T>> terms;
    for (const MeetingPlace::Parcel& parcel : all) {
      const auto* first = reinterpret_cast<const T*>(parcel.bytes.data());
      terms.emplace_back(first, first + size);
    }
    while (terms.size() > 1) {  // neighbours; of an odd number the last one waits
      std::vector<std::vector<T>> sums;
      for (std::size_t i = 0; i + 1 < terms.size(); i += 2) {
        std::vector<T> sum(terms[i]);
        for (std::size_t j = 0; j < sum.size(); ++j) {
          sum[j] = static_cast<T>(sum[j] + terms[i + 1][j]);
        }
        sums.push_back(std::move(sum));
      }
      if (terms.size() % 2 != 0) {
        sums.push_back(std::move(terms.back()));
      }
      terms = std::move(sums);
    }
    const std::int64_t count = kind == Kind::reduce_scatter ? size / place->size() : size;
    const std::int64_t first = kind == Kind::reduce_scatter ? rank * count : 0;
    const std::vector<T>& sum = terms.front();
    for (std::int64_t i = 0; i < count; ++i) {
      const T value = sum[static_cast<std::size_t>(first + i)];
      std::memcpy(result + static_cast<std::size_t>(i) * sizeof(T), &value, sizeof(T));
    }
  }
};

/// One of several threads.
class ThreadRank final : public nn::Ranks {
 public:
  ThreadRank(std::shared_ptr<MeetingPlace> place, std::int64_t rank) : place_(std::move(place)), rank_(rank) {}

  std::int64_t size() const override { return place_->size(); }
  std::int64_t rank() const override { return rank_; }
  Tensor all_reduce(const Operand& x) const override { return apply(Collective::Kind::all_reduce, x); }
  Tensor reduce_scatter(const Operand& x) const override { return apply(Collective::Kind::reduce_scatter, x); }
  Tensor all_gather(const Operand& x) const override { return apply(Collective::Kind::all_gather, x); }
  Tensor broadcast(const Operand& x, std::int64_t root) const override {
    return apply(Collective::Kind::broadcast, x, root);
  }
  std::vector<std::string> exchange(const std::string& own) const override {
    std::vector<std::string> texts;
    for (const MeetingPlace::Parcel& parcel : *place_->meet(rank_, "exchange", own)) {
      texts.push_back(parcel.bytes);
    }
    return texts;
  }
  [[noreturn]] void abort(const std::string& reason) const override {
    place_->abort(reason);
    throw std::runtime_error(reason);
  }

 private:
  Tensor apply(Collective::Kind kind, const Operand& x, std::int64_t root = 0) const {
    return apply_op(Collective{kind, place_, rank_, root}, {x.tensor()});
  }

  std::shared_ptr<MeetingPlace> place_;
  std::int64_t rank_;
};

/// Calls \p f(world) on so many threads at once. \return what each has thrown, or null.
inline std::vector<std::exception_ptr> run_ranks(std::int64_t count,
                                                 const std::function<void(const std::shared_ptr<const nn::Ranks>&)>& f,
                                                 const std::shared_ptr<MeetingPlace>& given = nullptr) {
  const auto place = given ? given : std::make_shared<MeetingPlace>(count);
  std::vector<std::exception_ptr> thrown(static_cast<std::size_t>(count));
  std::vector<std::thread> threads;
  for (std::int64_t rank = 0; rank < count; ++rank) {
    threads.emplace_back([&, rank] {
      try {
        f(std::make_shared<ThreadRank>(place, rank));
      } catch (...) {
        thrown[static_cast<std::size_t>(rank)] = std::current_exception();
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  return thrown;
}

/// What an exception says; empty for none.
inline std::string text_of(const std::exception_ptr& thrown) {
  if (!thrown) {
    return "";
  }
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "of a type of its own";
  }
}

}  // namespace xgrad::testing
