#include "nn/watched_variables.hpp"

#include <algorithm>

#include "autograd/graph/operation.hpp"
#include "autograd/graph/variable_cell.hpp"
#include "autograd/runtime/phrase.hpp"
#include "nn/packed.hpp"

namespace xgrad::nn::detail {

namespace {

std::uint64_t content_number(const Variable& variable) {
  return xgrad::detail::CellAccess::leaf(variable).node().sequence();
}

}  // namespace

void WatchedVariables::note() {
  contents_.clear();
  for (const NamedVariable& each : variables_) {
    contents_.push_back(content_number(each.variable));
  }
}

Facts WatchedVariables::assigned() const {
  Facts names;
  for (std::size_t i = 0; i < contents_.size(); ++i) {
    if (content_number(variables_[i].variable) != contents_[i]) {
      names[variables_[i].name] = "";
    }
  }
  return names;
}

std::string WatchedVariables::packed(const Facts& assigned) const {
  Packer message;
  for (const NamedVariable& number : numbers_) {
    message.number(number.variable.item());
  }
  message.text(detail::packed(assigned));
  return message.bytes();
}

Facts WatchedVariables::with_hashes(Facts own, const Facts& names) const {
  for (const NamedVariable& each : variables_) {
    if (names.contains(each.name)) {
      own[each.name] = hash_text_of(each.variable.read().array());
    }
  }
  return own;
}

void WatchedVariables::require_alike(RankTalk& talk, const Facts& own, const std::vector<std::string>& all) const {
  static const std::string advice =
      "callbacks have not assigned the same on all ranks; let them decide by scores, which all ranks have alike, "
      "or as the root says (TrainingState::as_root_says)";
  const auto is_first = [&](const std::string& one) { return one == all.front(); };
  if (own.empty() && std::all_of(all.begin(), all.end(), is_first)) {
    return;  // and so it is on all ranks
  }
  std::vector<Facts> numbers_of_all;
  Facts names;
  for (const std::string& bytes : all) {
    Unpacker message(bytes);
    Facts& numbers = numbers_of_all.emplace_back();
    for (const NamedVariable& number : numbers_) {
      numbers[number.name] = phrase("{}", message.number());
    }
    names.merge(unpacked_facts(message.text()));
  }
  if (const std::string lines = differences_of_ranks(numbers_of_all); !lines.empty()) {
    raise<ValueError>("fit", phrase("{}:{}", advice, lines));
  }
  if (!names.empty()) {
    require_equal_facts(talk, "fit", "what callbacks have assigned", with_hashes(own, names), advice);
  }
}

}  // namespace xgrad::nn::detail
