#include "nn/rank_agreement.hpp"

#include <algorithm>
#include <set>

#include "autograd/graph/operation.hpp"
#include "autograd/runtime/phrase.hpp"
#include "nn/packed.hpp"
#include "nn/trainer_core.hpp"

namespace xgrad::nn::detail {

namespace {

std::string type_text(const Array& array) { return phrase("{}{}", to_string(array.dtype()), to_string(array.shape())); }

// What ranks have in common, whatever they are going to do.
Facts facts_of(const TrainerCore& core) {
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
  facts["option check"] = core.options.check == Check::gradients ? "gradients" : "loss";
  for (const NamedVariable& each : core.named_variables()) {
    facts[each.name] = phrase("{}{}", to_string(each.variable.dtype()), to_string(each.variable.shape()));
  }
  facts["training step"] = phrase("{:016x}", core.step_hash);
  facts["epochs begun before"] = phrase("{}", core.epochs);
  return facts;
}

Facts hashes_of(const std::vector<NamedVariable>& variables) {
  Facts hashes;
  std::set<const void*> seen;  // as a variable may have several names
  for (const NamedVariable& each : variables) {
    if (seen.insert(each.variable.id()).second) {
      hashes["elements of " + each.name] = hash_text_of(each.variable.read().array());
    }
  }
  return hashes;
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

void add_dataset(Facts& facts, const std::string& name, const datasets::Dataset& data) {
  facts[name + " features"] = type_text(data.features());
  facts[name + " targets"] = type_text(data.targets());
  facts[name + " contents"] = phrase("{:016x}", data.content_hash());
}

void agree_at_start(std::string_view op, TrainerCore& core, const Facts& facts) {
  RankTalk& talk = core.talk;
  if (talk.size() == 1) {
    return;
  }
  Facts all = facts_of(core);
  all.insert(facts.begin(), facts.end());
  require_equal_facts(talk, op, phrase("the beginning of {}", op), all,
                      "ranks are not alike; have them run the same program on the same data");
  const std::vector<NamedVariable> variables = core.named_variables();
  const std::vector<std::string> hashes = talk.exchange("hashes of variables", packed(hashes_of(variables)));
  if (std::any_of(hashes.begin(), hashes.end(), [&](const std::string& hash) { return hash != hashes.front(); })) {
    Packer own;
    own.state(talk.is_root() ? numbered_contents(variables) : State());
    const std::string contents = talk.from_root("contents of variables", own.bytes());
    take_contents(variables, Unpacker(contents).state());
  }
}

void require_equal_variables(TrainerCore& core) {
  if (core.talk.size() == 1) {
    return;
  }
  std::vector<NamedVariable> variables = core.named_variables();
  std::erase_if(variables, [&](const NamedVariable& each) { return core.sharded->is_in_parts(each.variable); });
  require_equal_facts(
      core.talk, "fit", "hashes of variables", hashes_of(variables),
      "the model is not the same on all ranks any more; a callback that assigns a variable has to do so on "
      "all of them, and processors with and without fused multiply-adds do not go together; go on from a checkpoint");
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
