#include "nn/rank_talk.hpp"

#include "autograd/runtime/phrase.hpp"
#include "nn/packed.hpp"

namespace xgrad::nn::detail {

namespace {

std::string rank_message(bool failed, const std::string& what, const std::string& content) {
  Packer message;
  message.integer(failed ? 1 : 0);
  message.text(what);
  message.text(content);
  return message.bytes();
}

}  // namespace

std::vector<std::string> RankTalk::exchange(const std::string& what, const std::string& own) {
  if (size_ == 1) {
    return {own};
  }
  told_ = true;  // what is thrown here is thrown on all ranks, or there is no way to tell them
  const std::vector<std::string> messages = world_->exchange(rank_message(false, what, own));
  std::vector<std::string> contents;
  std::vector<std::string> places;
  for (std::size_t rank = 0; rank < messages.size(); ++rank) {
    Unpacker message(messages[rank]);
    const bool failed = message.integer() != 0;
    places.push_back(message.text());
    contents.push_back(message.text());
    if (failed) {
      all_have_thrown_ = true;
      raise<RankError>(op_, phrase("rank {} cannot go on, and so no rank can; it says:\n  {}", rank, contents.back()));
    }
  }
  for (std::size_t rank = 1; rank < places.size(); ++rank) {
    if (places[rank] != places[0]) {
      all_have_thrown_ = true;
      raise<RankError>(op_, phrase("rank 0 is at {}, rank {} at {}; all ranks have to do the same, in the same order: "
                                   "fit, evaluate, save, load, and what callbacks call",
                                   places[0], rank, places[rank]));
    }
  }
  told_ = false;
  return contents;
}

void RankTalk::tell(Error& error) {
  if (size_ > 1 && !told_) {
    tell_text(error.what());
    error.add_note(phrase("on rank {}", rank_));
  }
}

void RankTalk::tell_text(const std::string& text) {
  if (size_ == 1 || told_) {
    return;
  }
  told_ = true;
  try {
    world_->exchange(rank_message(true, op_, text));
    all_have_thrown_ = true;
  } catch (...) {  // the others are not there to hear it, and what has been thrown first is what counts
  }
}

}  // namespace xgrad::nn::detail
