#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "autograd/formula/text.hpp"
#include "autograd/graph/dot_text.hpp"
#include "autograd/plan/report/report.hpp"
#include "autograd/runtime/phrase.hpp"

/// \file
/// Plans as drawings.

namespace xgrad::plan {

namespace {

constexpr std::size_t line_width = 52;  // characters
constexpr std::size_t most_lines = 4;   // of a formula

std::string short_value_spec(const Spec& spec) {
  return spec.dtype == DType::float32 ? to_string(spec.shape) : to_string(spec);
}

/// A plan, and what its arguments are called.
class PlanDrawing {
 public:
  PlanDrawing(const Executable& plan, std::span<const std::string> arguments, std::string prefix)
      : plan_(plan), draft_(plan.draft()), arguments_(arguments), prefix_(std::move(prefix)) {
    producers_ = find_producers(draft_);
  }

  std::string text() const {
    std::string text;
    for (std::size_t phase = 0; phase < plan_.schedule().phases.size(); ++phase) {
      for (const std::uint32_t group : plan_.schedule().phases[phase].groups) {
        text += group_frame(phase, group);
      }
    }
    return text + nested_text() + results_text() + arrows_text();
  }

 private:
  // The value whose elements these are, in whatever shape.
  ValueId whole(ValueId id) const { return draft_.values[id].whole; }
  std::uint32_t producer(ValueId id) const {
    return producers_[id] != Draft::none ? producers_[id] : producers_[whole(id)];
  }

  std::string group_frame(std::size_t phase, std::uint32_t number) const {
    const Group& group = plan_.schedule().groups[number];
    std::string text =
        phrase("  subgraph cluster_{}{} {{\n    label=\"phase {}, {}\"; color=\"#888888\"; style=rounded;\n", prefix_,
               number, phase, group_text(group));
    for (const std::uint32_t step : group.steps) {
      text += phrase("    {}{} [label=\"{}\", fillcolor=\"{}\"];\n", prefix_, step, label(step), fill(step));
    }
    return text + "  }\n";
  }

  std::string_view fill(std::uint32_t step) const {
    constexpr std::string_view colors[] = {"#e3eefb", "#efe6fa", "#fdebd8", "#e2f3de"};  // as of graphs
    return colors[static_cast<std::size_t>(detail::part_of(draft_.steps[step].label))];
  }

  // `3  add+relu`, what it computes, where it comes from, what it reads and writes of what outlasts the run.
  std::string label(std::uint32_t step) const {
    const Step& each = draft_.steps[step];
    std::string computed = step_text(plan_, step);
    std::string text;
    if (computed.starts_with(each.name)) {
      computed = phrase("{}  {}", step, computed);  // the name once
    } else {
      text = detail::dot_lines(phrase("{}  {}", step, each.name), line_width, 2);
    }
    for (std::size_t bar = computed.find(" | "); bar != std::string::npos; bar = computed.find(" | ")) {
      text += detail::dot_lines(computed.substr(0, bar), line_width, most_lines);
      computed.erase(0, bar + 3);
    }
    text += detail::dot_lines(computed, line_width, most_lines);
    text += detail::dot_lines(place(step), line_width, 2);
    text += detail::dot_lines(given(each), line_width, most_lines);
    return text + detail::dot_lines(written(each), line_width, most_lines);
  }

  std::string place(std::uint32_t step) const {
    const Step& each = draft_.steps[step];
    const std::string path = detail::path_of(each.label);
    if (path.empty()) {
      const std::string title = step_title(plan_, step);
      return title == each.name ? "" : title.substr(each.name.size() + 1);
    }
    const std::string_view kind = detail::kind_of(each.label);
    const detail::Part part = detail::part_of(each.label);
    return phrase("in {}{}{}{}", path, kind.empty() ? "" : " ", kind,
                  part == detail::Part::forward ? "" : phrase(", {}", detail::name_of(part)));
  }

  std::string given(const Step& step) const {
    std::string text;
    for (std::size_t i = 0; i < step.inputs.size(); ++i) {
      const Value& value = draft_.values[whole(step.inputs[i])];
      if (value.source == Value::Source::argument) {
        text += phrase("{}{}{}", text.empty() ? "reads " : ", ", input_prefix(step, i), arguments_[value.number]);
      }
    }
    return text;
  }

  std::string written(const Step& step) const {
    std::string text;
    for (const ValueId id : step.outputs) {
      for (std::size_t i = 0; i < draft_.outputs.size(); ++i) {
        const bool is_new_content = !draft_.replaces.empty() && draft_.replaces[i] != Draft::none;
        if (is_new_content && whole(draft_.outputs[i]) == whole(id)) {
          text += (text.empty() ? "writes " : ", ") + arguments_[draft_.replaces[i]];
        }
      }
    }
    return text;
  }

  // What a formula calls its input number i.
  static std::string input_prefix(const Step& step, std::size_t i) {
    return step.kind == map_step ? detail::input_name(i) + ": " : "";
  }

  std::string results_text() const {
    std::string text;
    for (std::size_t i = 0; i < draft_.outputs.size(); ++i) {
      const ValueId id = draft_.outputs[i];
      const bool is_result = draft_.replaces.empty() || draft_.replaces[i] == Draft::none;
      if (producer(id) == Draft::none) {  // an argument, or a constant, as it is
        const Value& value = draft_.values[whole(id)];
        const std::string what =
            is_result ? phrase("result {}", i) : phrase("new content of {}", arguments_[draft_.replaces[i]]);
        const std::string from = value.source == Value::Source::argument ? arguments_[value.number] : "a constant";
        text += phrase("  {}result{} [label=\"{} = {}\", shape=ellipse, fillcolor=\"#ffffff\"];\n", prefix_, i,
                       detail::dot_escaped(what), detail::dot_escaped(from));
      } else if (is_result) {
        text += phrase("  {}result{} [label=\"result {}\", shape=ellipse, fillcolor=\"#ffffff\"];\n", prefix_, i, i);
        text += phrase("  {}{} -> {}result{} [label=\"{}\"];\n", prefix_, producer(id), prefix_, i,
                       short_value_spec(draft_.spec(id)));
      }
    }
    return text;
  }

  std::string arrows_text() const {
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::string> arrows;  // from one step to another
    for (std::uint32_t step = 0; step < draft_.steps.size(); ++step) {
      const Step& each = draft_.steps[step];
      for (std::size_t i = 0; i < each.inputs.size(); ++i) {
        if (const std::uint32_t from = producer(each.inputs[i]); from != Draft::none) {
          std::string& along = arrows[{from, step}];
          along +=
              (along.empty() ? " " : "\\n ") + input_prefix(each, i) + short_value_spec(draft_.spec(each.inputs[i]));
        }
      }
    }
    std::string text;
    for (const auto& [ends, along] : arrows) {
      text += phrase("  {}{} -> {}{} [label=\"{}\"];\n", prefix_, ends.first, prefix_, ends.second, along);
    }
    return text;
  }

  // The plans that steps run, each in a frame of its own.
  std::string nested_text() const {
    std::string text;
    for (std::uint32_t step = 0; step < draft_.steps.size(); ++step) {
      for (std::size_t i = 0; i < draft_.steps[step].nested.size(); ++i) {
        const auto& nested = static_cast<const Executable&>(*draft_.steps[step].nested[i]);
        const std::string prefix = phrase("{}{}_{}_", prefix_, step, i);
        std::vector<std::string> inputs;
        for (std::uint32_t k = 0; k < nested.draft().argument_count; ++k) {
          inputs.push_back(phrase("input {}", k));
        }
        text += phrase(
            "  subgraph cluster_in_{} {{\n  label=\"what {} {} runs\"; color=\"#888888\"; style=dashed;\n{}  }}\n",
            prefix, step, detail::dot_escaped(draft_.steps[step].name), PlanDrawing(nested, inputs, prefix).text());
      }
    }
    return text;
  }

  const Executable& plan_;
  const Draft& draft_;
  std::span<const std::string> arguments_;
  std::string prefix_;  // of the names that kernels have in DOT
  std::vector<std::uint32_t> producers_;
};

}  // namespace

std::string dot_text(const Executable& plan, std::span<const std::string> arguments) {
  return phrase(
      "digraph plan {{\n{}{}}}\n",
      "  graph [fontname=\"Helvetica\", fontsize=11, bgcolor=\"#ffffff\", labeljust=l, nodesep=0.3, ranksep=0.35];\n"
      "  node [shape=box, style=filled, fillcolor=\"#f4f4f4\", color=\"#555555\", fontname=\"Helvetica\", "
      "fontsize=11];\n"
      "  edge [fontname=\"Helvetica\", fontsize=9, color=\"#555555\"];\n",
      PlanDrawing(plan, arguments, "k").text());
}

}  // namespace xgrad::plan
