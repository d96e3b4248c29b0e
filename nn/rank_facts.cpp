#include "nn/rank_facts.hpp"

#include <cstddef>

#include "autograd/graph/operation.hpp"
#include "autograd/runtime/hash.hpp"
#include "autograd/runtime/phrase.hpp"
#include "nn/packed.hpp"

namespace xgrad::nn::detail {

std::string hash_text_of(const Array& array) {
  return phrase("{:016x}", runtime::hash_bytes({static_cast<const std::byte*>(array.data()), array.bytes()}));
}

std::string packed(const Facts& facts) {
  Packer message;
  message.integer(static_cast<std::int64_t>(facts.size()));
  for (const auto& [name, value] : facts) {
    message.text(name);
    message.text(value);
  }
  return message.bytes();
}

Facts unpacked_facts(const std::string& bytes) {
  Unpacker message(bytes);
  Facts facts;
  for (std::int64_t left = message.integer(); left > 0; --left) {
    const std::string name = message.text();
    facts[name] = message.text();
  }
  return facts;
}

std::string differences_of_ranks(const std::vector<Facts>& all) {
  const auto value_in = [](const Facts& facts, const std::string& name) {
    const auto at = facts.find(name);
    return at == facts.end() ? std::string("none") : at->second;
  };
  const Facts& root = all.front();
  std::string lines;
  for (std::size_t rank = 1; rank < all.size(); ++rank) {
    Facts names = all[rank];
    names.insert(root.begin(), root.end());
    for (const auto& [name, unused] : names) {
      const std::string there = value_in(all[rank], name);
      const std::string here = value_in(root, name);
      if (there != here) {
        lines += phrase("\n  {} on rank {}: {}, on rank 0: {}", name, rank, there, here);
      }
    }
  }
  return lines;
}

void require_equal_facts(RankTalk& talk, std::string_view op, const std::string& what, const Facts& own,
                         const std::string& advice) {
  if (talk.size() == 1) {
    return;
  }
  std::vector<Facts> all;
  for (const std::string& bytes : talk.exchange(what, packed(own))) {
    all.push_back(unpacked_facts(bytes));
  }
  if (const std::string lines = differences_of_ranks(all); !lines.empty()) {
    raise<ValueError>(op, phrase("{}:{}", advice, lines));
  }
}

}  // namespace xgrad::nn::detail
