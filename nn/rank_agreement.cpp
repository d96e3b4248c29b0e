#include "nn/rank_agreement.hpp"

#include <algorithm>
#include <map>

#include "autograd/graph/operation.hpp"
#include "autograd/runtime/hash.hpp"
#include "autograd/runtime/phrase.hpp"
#include "nn/differences.hpp"
#include "nn/packed.hpp"
#include "nn/trainer_core.hpp"

namespace xgrad::nn::detail {

namespace {

// By names, so that it can be said what differs.
using Facts = std::map<std::string, std::string>;

std::string type_text(const Array& array) { return phrase("{}{}", to_string(array.dtype()), to_string(array.shape())); }

void add_dataset(Facts& facts, const std::string& name, const datasets::Dataset& data) {
  facts[name + " features"] = type_text(data.features());
  facts[name + " targets"] = type_text(data.targets());
  facts[name + " contents"] = phrase("{:016x}", data.content_hash());
}

Facts facts_of(const TrainerCore& core, const FitData& data, const FitOptions& options,
               const std::vector<std::string>& callbacks) {
  Facts facts;
  const Saved saved = core.saved_options();
  for (const auto& [name, value] : saved.texts()) {
    facts["option " + name] = value;
  }
  for (const auto& [name, value] : saved.integers()) {
    facts["option " + name] = phrase("{}", value);
  }
  for (const auto& [name, value] : saved.numbers()) {
    facts["option " + name] = phrase("{}", value);
  }
  for (const NamedVariable& each : core.named_variables()) {
    facts[each.name] = phrase("{}{}", to_string(each.variable.dtype()), to_string(each.variable.shape()));
  }
  facts["training step"] = phrase("{:016x}", core.step_hash);
  facts["epochs begun before"] = phrase("{}", core.epochs);
  facts["epochs"] = phrase("{}", options.epochs);
  facts["validation_fraction"] = phrase("{}", options.validation_fraction);
  facts["resume"] = options.resume ? "a checkpoint" : "none";
  add_dataset(facts, "data", data.given);
  if (options.validation) {
    add_dataset(facts, "validation", *options.validation);
  }
  for (std::size_t i = 0; i < callbacks.size(); ++i) {
    facts[phrase("callback {}", i)] = callbacks[i];
  }
  return facts;
}

std::string packed_facts(const Facts& facts) {
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

void add_different_facts(std::size_t rank, const Facts& there, const Facts& root, Differences& found) {
  const auto value_in = [](const Facts& facts, const std::string& name) {
    const auto at = facts.find(name);
    return at == facts.end() ? std::string("none") : at->second;
  };
  Facts all = there;
  all.insert(root.begin(), root.end());
  for (const auto& [name, unused] : all) {
    if (value_in(there, name) != value_in(root, name)) {
      found.push_back(
          phrase("{} on rank {}: {}, on rank 0: {}", name, rank, value_in(there, name), value_in(root, name)));
    }
  }
}

std::string hash_of_contents(const std::vector<NamedVariable>& variables) {
  std::uint64_t hash = 0;
  for (const NamedVariable& each : variables) {
    const Array content = each.variable.read().array();
    hash = runtime::combine_hashes(
        hash, runtime::hash_bytes({static_cast<const std::byte*>(content.data()), content.bytes()}));
  }
  return phrase("{:016x}", hash);
}

// As all ranks have the same variables, each under its place.
State numbered_contents(const std::vector<NamedVariable>& variables) {
  State contents;
  for (std::size_t i = 0; i < variables.size(); ++i) {
    contents.emplace(phrase("{}", i), variables[i].variable.read().array());
  }
  return contents;
}

void take_contents(const std::vector<NamedVariable>& variables, const State& contents) {
  std::vector<Assignment> updates;
  std::vector<const void*> seen;
  for (std::size_t i = 0; i < variables.size(); ++i) {
    const Variable& variable = variables[i].variable;
    if (std::find(seen.begin(), seen.end(), variable.id()) == seen.end()) {
      seen.push_back(variable.id());
      updates.emplace_back(variable, Tensor(contents.at(phrase("{}", i))));
    }
  }
  assign(updates);
}

}  // namespace

void agree_at_start(TrainerCore& core, const FitData& data, const FitOptions& options,
                    const std::vector<std::string>& callbacks) {
  RankTalk& talk = core.talk;
  if (talk.size() == 1) {
    return;
  }
  const std::vector<std::string> all =
      talk.exchange("the beginning of fit", packed_facts(facts_of(core, data, options, callbacks)));
  Differences found;
  const Facts root = unpacked_facts(all.front());
  for (std::size_t rank = 1; rank < all.size(); ++rank) {
    add_different_facts(rank, unpacked_facts(all[rank]), root, found);
  }
  if (!found.empty()) {
    std::string text = "ranks are not alike; have them run the same program on the same data:";
    for (const std::string& line : found) {
      text += "\n  " + line;
    }
    raise<ValueError>("fit", text);
  }
  const std::vector<NamedVariable> variables = core.named_variables();
  const std::vector<std::string> hashes = talk.exchange("hashes of variables", hash_of_contents(variables));
  if (std::any_of(hashes.begin(), hashes.end(), [&](const std::string& hash) { return hash != hashes.front(); })) {
    Packer own;
    own.state(talk.is_root() ? numbered_contents(variables) : State());
    const std::string contents = talk.from_root("contents of variables", own.bytes());
    take_contents(variables, Unpacker(contents).state());
  }
}

StopRequest first_wish(RankTalk& talk, const StopRequest& own) {
  Packer message;
  message.text(own.reason);
  message.integer(own.interrupted ? 1 : 0);
  for (const std::string& bytes : talk.exchange("whether training goes on", message.bytes())) {
    Unpacker one(bytes);
    const std::string reason = one.text();
    const bool interrupted = one.integer() != 0;
    if (!reason.empty()) {
      return {reason, interrupted};
    }
  }
  return {};
}

double as_on_root(RankTalk& talk, double own) {
  Packer message;
  message.number(own);
  const std::string root = talk.from_root("the end of an epoch", message.bytes());
  return Unpacker(root).number();
}

Saved read_on_root(RankTalk& talk, const std::function<Saved()>& read) {
  if (talk.size() == 1) {
    return read();
  }
  Packer message;
  message.saved(talk.is_root() ? read() : Saved());
  const std::string root = talk.from_root("what a file holds", message.bytes());
  return Unpacker(root).saved();
}

}  // namespace xgrad::nn::detail
