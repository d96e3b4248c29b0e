#include "autograd/provenance/story.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "autograd/graph/effects.hpp"
#include "autograd/provenance/search.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad::provenance {

namespace {

// How strange a range is: too large, or too near to zero.
double strangeness(const debug::ElementRange& range, bool large) {
  return large ? std::max(std::fabs(range.least), std::fabs(range.most)) : -range.nearest_zero;
}

std::optional<Description::Value> strangest_input(const Level& level, std::size_t node, bool large) {
  std::optional<Description::Value> worst;
  for (const Description::Value read : level.graph().reads(node)) {
    const debug::ElementRange& range = level.range(read);
    if (is_real(level.spec(read).dtype) && range.finite > 0 &&
        (!worst || strangeness(range, large) > strangeness(level.range(*worst), large))) {
      worst = read;
    }
  }
  return worst;
}

}  // namespace

void extend_chain(Birth& birth, const Level& level, Description::Value value) {
  constexpr std::size_t longest = 5;
  while (birth.chain.size() < longest) {
    if (is_leaf(value)) {
      const std::size_t leaf = value & ~Description::leaf_bit;
      if (level.is_inside() && leaf < level.given().size()) {
        birth.open = value;
      } else {
        birth.chain.push_back(phrase("{}, {}", level.name_of_leaf(leaf), debug::text_of(level.range(value))));
      }
      return;
    }
    const std::size_t number = level.node_of(value);
    const Node& node = *level.graph().nodes()[number];
    if (!node.operation().traits().alias) {
      birth.chain.push_back(
          phrase("[{}]{}, {}", node.name(), place_text(node.location()), debug::text_of(level.range(value))));
    }
    const auto next = strangest_input(level, number, birth.is_large);
    if (!next) {
      return;
    }
    value = *next;
  }
}

namespace {

/// Goes on behind tensors that were known when the graph was taken down, and puts what was found into words.
class Telling {
 public:
  Telling(const Question& question, Search& search) : question_(question), search_(search) {}

  Story tell(const Level& level, Found found) {
    const std::optional<Place> place = search_.outermost();
    std::optional<std::int64_t> row;
    std::optional<Birth> birth = go_on_behind(level, std::move(found), row);
    Story story;
    std::string constant;
    if (birth->is_given && !is_argument_ && search_.turn_birth()) {  // an infinity that is meant: what made NaN of it?
      constant = phrase("the infinity: {}, {}", birth->op, birth->element);
      birth = search_.turn_birth();
      birth->cause =
          "infinite numbers met here: write the infinity as a large finite number, or choose by where() behind it";
    }
    story.op = birth->is_given ? "" : birth->op;
    story.where = birth->where;
    story.headline = phrase("{}, {}", birth->what, birth->element);
    story.lines.push_back(first_line(*birth));
    story.lines.insert(story.lines.end(), birth->inputs.begin(), birth->inputs.end());
    for (std::size_t i = 0; i < birth->chain.size(); ++i) {
      story.lines.push_back(phrase("{}: {}", i == 0 ? "behind it" : "behind that", birth->chain[i]));
    }
    story.lines.insert(story.lines.end(), birth->context.rbegin(), birth->context.rend());
    add(story, constant);
    if (constant.empty() && search_.turn() != first_words(*birth)) {
      add(story, search_.turn());
    }
    tell_row(story, row, place);
    if (birth->is_given && birth->cause.empty()) {
      birth->cause = "it was not finite before: look at where it comes from";
    }
    add(story, birth->cause.empty() ? "" : "likely cause: " + birth->cause);
    return story;
  }

 private:
  static void add(Story& story, const std::string& line) {
    if (!line.empty()) {
      story.lines.push_back(line);
    }
  }
  static std::string first_words(const Birth& birth) {
    return phrase("it is NaN since [{}]{}{}: {}", birth.op, birth.derivative_of, place_text(birth.where), birth.what);
  }

  static std::string first_line(const Birth& birth) {
    if (birth.is_given) {
      return phrase("not finite to begin with: {} {}, {}", birth.op, birth.what, birth.element);
    }
    return phrase("born in [{}]{}{}: {}, {}", birth.op, birth.derivative_of, place_text(birth.where), birth.what,
                  birth.element);
  }

  // A tensor that was known may have a history: its node is computed once more.
  Birth go_on_behind(const Level& first, Found found, std::optional<std::int64_t>& row) {
    const Level* level = &first;
    while (!found.birth) {
      const Tensor& leaf = level->graph().leaves()[found.leaf].tensor;
      const bool is_given = found.leaf < level->given().size();
      if (is_given || leaf.node().inputs().empty()) {
        is_argument_ = is_given || detail::variable_of(leaf.node()) != nullptr;
        if (found.leaf < question_.argument_count && is_given && leaf.ndim() > 0) {
          row = found.element / std::max<std::int64_t>(1, leaf.size() / std::max<std::int64_t>(1, leaf.shape()[0]));
        }
        return birth_of_leaf(*level, found.leaf, found.element);
      }
      const Node& node = leaf.node();
      const Ref<const Node> again = detail::make_silent_node(node.operation_ref(), node.inputs(), node.location());
      const Tensor copy(again, leaf.output_index());
      graphs_.push_back(std::make_unique<Description>(std::span(&copy, 1)));
      const Description::Value value = graphs_.back()->value_of(copy);
      levels_.push_back(
          std::make_unique<Level>(*graphs_.back(), std::vector<Array>(), std::span(&value, 1), &question_.names));
      roots_.push_back(copy);
      level = levels_.back().get();
      levels_.back()->run(Stop::never);
      if (!is_known(level->elements(value)) || std::isfinite(level->number({value, found.element}))) {
        return birth_of_leaf(*level, found.leaf, found.element);
      }
      found = search_.walk(*level, {value, found.element});
    }
    return std::move(*found.birth);
  }

  void tell_row(Story& story, std::optional<std::int64_t> row, const std::optional<Place>& place) {
    if (row) {
      story.row = row;
      story.lines.push_back(phrase("it is in row {}", *row));
      return;
    }
    if (!place || is_leaf(place->value)) {
      return;
    }
    try {
      if (const auto found = find_row(question_, *place)) {
        story.row = found->row;
        std::string names;
        for (std::size_t i = 0; i < found->arguments.size(); ++i) {
          const std::size_t argument = found->arguments[i];
          const bool is_named = argument < question_.names.size() && !question_.names[argument].empty();
          names += (i == 0                             ? ""
                    : i + 1 == found->arguments.size() ? " and "
                                                       : ", ") +
                   (is_named ? question_.names[argument] : phrase("argument {}", argument));
        }
        story.lines.push_back(phrase("row {} of {} brings it about: with row {} in its place it is finite", found->row,
                                     names, found->other));
      }
    } catch (const Error&) {  // it cannot be tried
    }
  }

  const Question& question_;
  Search& search_;
  bool is_argument_ = false;  // or a variable
  std::vector<std::unique_ptr<Description>> graphs_;
  std::vector<std::unique_ptr<Level>> levels_;
  Tensors roots_;
};

}  // namespace

std::optional<Story> story_of_failure(const Question& question, Stop stop) {
  try {
    Search search(stop);
    Level level(question.graph, question.given, question.outputs, &question.names);
    std::optional<Found> found = search.find_failure(level);
    return found ? std::optional(Telling(question, search).tell(level, std::move(*found))) : std::nullopt;
  } catch (const Error&) {  // what is computed again fails elsewhere
    return std::nullopt;
  }
}

std::optional<Story> story_of_output(const Question& question, Description::Value output) {
  Search search(Stop::never);
  Level level(question.graph, question.given, question.outputs, &question.names);
  level.run(Stop::never);
  const std::int64_t element = is_known(level.elements(output)) ? first_not_finite(level.elements(output)) : -1;
  if (element < 0) {
    return std::nullopt;
  }
  return Telling(question, search).tell(level, search.walk(level, {output, element}));
}

void raise_with_story(const NotFiniteError& error, const Question& question, Stop stop) {
  const std::optional<Story> story = story_of_failure(question, stop);
  const bool is_check = stop == Stop::at_checks;
  NotFiniteError explained = error;
  if (story && is_check && !story->op.empty()) {
    explained = NotFiniteError(
        phrase("[{}] NaN or infinite: {}; what follows says where it comes from", story->op, story->headline));
    explained.locate(story->where);
  }
  if (story) {
    explained.explain(story->lines, story->row);
  }
  if (is_check || error.is_plain()) {
    throw ValueError(explained);  // that, and no more
  }
  throw explained;
}

}  // namespace xgrad::provenance
