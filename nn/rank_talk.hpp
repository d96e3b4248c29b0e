#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "autograd/runtime/error.hpp"
#include "nn/ranks.hpp"

/// \file
/// Internal: how ranks talk to each other while they train.

namespace xgrad::nn::detail {

/// All ranks exchange the same messages in the same order. A rank that throws says so in place of its next message: so the
/// others do not wait for it, and throw, too. One process alone talks to itself.
///
/// Calls that all ranks are in may be inside of each other, as where a callback of fit calls evaluate. What leaves an inner
/// one can be caught, and training goes on if all ranks catch it. A rank that what was thrown takes out of the outermost one
/// says that it leaves; then all have to, whatever their callbacks catch.
class RankTalk {
 public:
  explicit RankTalk(std::shared_ptr<const Ranks> world)
      : world_(std::move(world)), size_(world_ ? world_->size() : 1), rank_(world_ ? world_->rank() : 0) {}

  const std::shared_ptr<const Ranks>& world() const { return world_; }  ///< all ranks; null of one process alone
  std::int64_t size() const { return size_; }                           ///< how many ranks there are, 1 or more
  std::int64_t rank() const { return rank_; }                           ///< which one this is, from 0
  bool is_root() const { return rank_ == 0; }                           ///< whether it is rank 0

  /// What all ranks say, in their order. \p what they are at, such as `step 17`, has to be the same on all.
  /// Throws RankError when one of them has thrown, or they are not at the same place.
  std::vector<std::string> exchange(const std::string& what, const std::string& own);
  /// The same, to the root alone: others are told nothing.
  std::vector<std::string> to_root(const std::string& what, const std::string& own);
  /// What the root says.
  std::string from_root(const std::string& what, const std::string& own) { return exchange(what, own).front(); }
  /// What the root has decided, \p own on it; what others would decide does not count.
  bool as_root_says(bool own) { return from_root("a decision", own ? "1" : "0") == "1"; }

  /// Whether all ranks have been told that they leave the outermost call by an exception: they can still talk then.
  bool all_leave() const { return !leaving_.empty(); }
  /// To be called where callbacks may have caught something. Throws RankError when a rank leaves all the same.
  void go_on();

  /// f(), a part of \p op, which all ranks are in. What it throws is told to the others.
  template <class F>
  decltype(auto) together(std::string_view op, F&& f) {
    const Inside inside(*this, op);
    try {
      return f();
    } catch (Error& error) {
      tell(error);
      throw;
    } catch (const std::exception& error) {
      tell_text(error.what());
      throw;
    } catch (...) {
      tell_text("an exception of a type that is no std::exception");
      throw;
    }
  }
  /// The same. Ranks wait for each other in the end: so it is left in the same way on all of them.
  template <class F>
  auto together_to_the_end(std::string_view op, F&& f) {
    return together(op, [&] {
      auto result = f();
      exchange("the end of " + std::string(op), "");
      return result;
    });
  }

 private:
  enum class Says : std::uint8_t { result, failed, leaves };
  struct Message {
    Says says;
    std::string what;
    std::string content;
  };

  class Inside {
   public:
    Inside(RankTalk& talk, std::string_view op) : talk_(talk) {
      if (talk_.depth_++ == 0) {
        talk_.op_ = op;
        talk_.leaving_.clear();
      }
      talk_.told_ = false;  // what was thrown before has been caught
    }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;
    ~Inside() { --talk_.depth_; }

   private:
    RankTalk& talk_;
  };

  std::vector<Message> hear(Says says, const std::string& what, const std::string& content);
  void require_nobody_leaves() const;
  void tell(Error& error);
  void tell_text(const std::string& text);

  std::shared_ptr<const Ranks> world_;
  std::int64_t size_;
  std::int64_t rank_;
  int depth_ = 0;        // of calls of together
  std::string op_;       // of the outermost
  bool told_ = false;    // whether others know what is thrown now
  std::string leaving_;  // why all ranks leave the outermost call; empty while they do not
};

}  // namespace xgrad::nn::detail
