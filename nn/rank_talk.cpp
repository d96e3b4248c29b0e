#include "nn/rank_talk.hpp"

#include "autograd/runtime/phrase.hpp"
#include "nn/packed.hpp"

namespace xgrad::nn::detail {

namespace {

std::string no_rank_can(std::size_t rank, const std::string& why) {
  return phrase("rank {} cannot go on, and so no rank can; it says:\n  {}", rank, why);
}

}  // namespace

// What all ranks say; notes when one of them leaves.
std::vector<RankTalk::Message> RankTalk::hear(Says says, const std::string& what, const std::string& content) {
  Packer own;
  own.integer(static_cast<std::int64_t>(says));
  own.text(what);
  own.text(content);
  std::vector<Message> messages;
  for (const std::string& bytes : world_->exchange(own.bytes())) {
    Unpacker message(bytes);
    const auto said = static_cast<Says>(message.integer());
    std::string place = message.text();
    messages.push_back({said, std::move(place), message.text()});
    if (said == Says::leaves && leaving_.empty()) {
      leaving_ = no_rank_can(messages.size() - 1, messages.back().content);
    }
  }
  return messages;
}

std::vector<std::string> RankTalk::exchange(const std::string& what, const std::string& own) {
  if (size_ == 1) {
    return {own};
  }
  require_nobody_leaves();
  told_ = true;  // what is thrown here is thrown on all ranks
  const std::vector<Message> messages = hear(Says::result, what, own);
  require_nobody_leaves();
  for (std::size_t rank = 0; rank < messages.size(); ++rank) {
    if (messages[rank].says == Says::failed) {
      raise<RankError>(op_, no_rank_can(rank, messages[rank].content));
    }
  }
  std::vector<std::string> contents;
  for (std::size_t rank = 0; rank < messages.size(); ++rank) {
    if (messages[rank].what != messages[0].what) {
      raise<RankError>(op_, phrase("rank 0 is at {}, rank {} at {}; all ranks have to do the same, in the same order: "
                                   "fit, evaluate, save, load, and what callbacks call",
                                   messages[0].what, rank, messages[rank].what));
    }
    contents.push_back(messages[rank].content);
  }
  told_ = false;
  return contents;
}

std::vector<std::string> RankTalk::to_root(const std::string& what, const std::string& own) {
  if (size_ == 1) {
    return {own};
  }
  exchange(what, "");  // by which all know that nobody has failed
  return world_->gather(own);
}

void RankTalk::require_nobody_leaves() const {
  if (all_leave()) {
    raise<RankError>(op_, leaving_);
  }
}

void RankTalk::go_on() {
  require_nobody_leaves();
  told_ = false;
}

void RankTalk::tell(Error& error) {
  const bool is_new = size_ > 1 && !told_ && !all_leave();
  tell_text(error.what());
  if (is_new) {
    error.add_note(phrase("on rank {}", rank_));
  }
}

// The first message may meet others in the middle of a collective: these throw then, and say so in their turn.
void RankTalk::tell_text(const std::string& text) {
  constexpr int attempts = 2;
  const bool leaves = depth_ == 1;
  if (size_ == 1 || all_leave() || (told_ && !leaves)) {
    return;
  }
  told_ = true;
  for (int i = 0; i < attempts; ++i) {
    try {
      hear(leaves ? Says::leaves : Says::failed, op_, text);
      return;
    } catch (...) {  // what has been thrown first is what counts
    }
  }
}

}  // namespace xgrad::nn::detail
