#include "autograd/graph/drawn_graph.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "autograd/graph/dot_text.hpp"
#include "autograd/graph/name_scope.hpp"
#include "autograd/graph/node_text.hpp"
#include "autograd/graph/operation.hpp"
#include "autograd/graph/recognize.hpp"
#include "autograd/graph/variable_cell.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad {

namespace detail {

namespace {

constexpr std::size_t label_width = 44;  // characters
constexpr std::size_t most_listed = 4;   // variables of a box, tensors of an arrow
constexpr std::size_t none = ~std::size_t{0};

/// Some nodes as one; or something at the edge of the drawing, which has a title and no nodes.
struct GraphBox {
  std::string title;
  std::vector<const Node*> nodes = {};    // its operations, the oldest first
  std::vector<const Node*> leaves = {};   // variables and constants that it is the first to read
  std::vector<std::string> written = {};  // variables whose new content it computes
  Part part = Part::forward;
  bool is_end = false;
};

std::string short_spec(const Spec& spec) {
  return spec.dtype == DType::float32 ? to_string(spec.shape) : to_string(spec);
}

// At most a few of a list.
std::string listed(const std::vector<std::string>& texts) {
  std::string result;
  const std::size_t shown = texts.size() > most_listed + 1 ? most_listed : texts.size();
  for (std::size_t i = 0; i < shown; ++i) {
    result += (i == 0 ? "" : ", ") + texts[i];
  }
  return shown == texts.size() ? result : phrase("{} and {} more", result, texts.size() - shown);
}

bool is_leaf_of_others(const Node& node) {
  return node.inputs().empty() && (variable_of(node) != nullptr || is_constant(node));
}

/// A graph in boxes.
class BoxedGraph {
 public:
  BoxedGraph(const Drawing& drawing, Fold fold, std::string prefix)
      : fold_(fold), prefix_(std::move(prefix)), order_(topological_order(roots_of(drawing))) {
    numbers_ = shown_numbers(order_);
    box_of_.resize(numbers_.size(), none);
    for (const Node* node : order_.nodes) {
      if (!is_number(*node)) {
        by_age_.push_back(node);
      }
    }
    std::sort(by_age_.begin(), by_age_.end(), [](auto* a, auto* b) { return a->sequence() < b->sequence(); });
    add_inputs(drawing.inputs);
    add_nodes();
    add_leaves();
    add_arrows();
    add_results(drawing.outputs);
    add_updates(drawing.updates);
  }

  std::string text() const;

 private:
  static Tensors roots_of(const Drawing& drawing) {
    Tensors roots = drawing.effects;
    for (const auto* ends : {&drawing.outputs, &drawing.updates}) {
      for (const DrawnEnd& end : *ends) {
        roots.push_back(end.tensor);
      }
    }
    return roots;
  }

  std::size_t& box_of(const Node& node) { return box_of_[numbers_.find(&node)]; }

  std::size_t add_box(GraphBox box) {
    boxes_.push_back(std::move(box));
    return boxes_.size() - 1;
  }

  void add_inputs(const std::vector<DrawnEnd>& inputs) {
    for (const DrawnEnd& input : inputs) {
      if (numbers_.find(&input.tensor.node()) != NodeNumbers::none && box_of(input.tensor.node()) == none) {
        const Spec spec{input.tensor.shape(), input.tensor.dtype()};
        box_of(input.tensor.node()) = add_box({phrase("{} {}", input.title, to_string(spec)), {}, {}, {}, {}, true});
      }
    }
  }

  void add_nodes() {
    for (const Node* node : by_age_) {
      if (box_of(*node) == none && (fold_ == Fold::none || !is_leaf_of_others(*node))) {
        const std::size_t box = fold_ == Fold::none ? add_box({}) : shared_box(*node);
        box_of(*node) = box;
        boxes_[box].nodes.push_back(node);
        boxes_[box].part = part_of(node->label());
      }
    }
  }

  // Of the nodes that belong together.
  std::size_t shared_box(const Node& node) {
    const LabelId label =
        fold_ == Fold::by_layer ? without_operation(node.label()) : static_cast<LabelId>(part_of(node.label()));
    const std::string path = path_of(label);
    const std::string line = path.empty() ? source_text(node) : "";
    const bool belongs_nowhere = path.empty() && line.empty();
    const auto [known, is_new] = shared_.try_emplace(
        {label, path.empty() ? node.location().file_name() : "", line, belongs_nowhere ? &node : nullptr}, 0);
    if (is_new) {
      const std::string_view kind = kind_of(label);
      known->second = add_box({path.empty() ? line : phrase("{}{}{}", path, kind.empty() ? "" : " ", kind)});
    }
    return known->second;
  }

  // Variables and constants stand where they are read first.
  void add_leaves() {
    for (const Node* node : by_age_) {
      for (const Tensor& input : node->inputs()) {
        if (!is_number(input.node()) && box_of(input.node()) == none) {
          box_of(input.node()) = box_of(*node);
          boxes_[box_of(*node)].leaves.push_back(&input.node());
        }
      }
    }
    for (const Node* node : by_age_) {
      if (box_of(*node) == none) {  // read by nothing
        box_of(*node) = add_box({"", {}, {node}, {}, {}, false});
      }
    }
  }

  void add_arrows() {
    for (const Node* node : by_age_) {
      for (const Tensor& input : node->inputs()) {
        add_arrow(input, box_of(*node));
      }
    }
  }

  void add_arrow(const Tensor& tensor, std::size_t to) {
    if (!is_number(tensor.node()) && box_of(tensor.node()) != to) {
      Tensors& along = arrows_[{box_of(tensor.node()), to}];
      const auto is_same = [&](const Tensor& other) { return other.same_as(tensor); };
      if (std::none_of(along.begin(), along.end(), is_same)) {
        along.push_back(tensor);
      }
    }
  }

  void add_end(const std::string& title, const Tensor& tensor, Part part) {
    const std::string value = is_number(tensor.node()) ? " = " + operand_text(tensor, numbers_) : "";
    add_arrow(tensor, add_box({title + value, {}, {}, {}, part, true}));
  }

  void add_results(const std::vector<DrawnEnd>& results) {
    for (const DrawnEnd& result : results) {
      add_end(result.title, result.tensor, Part::forward);
    }
  }

  void add_updates(const std::vector<DrawnEnd>& updates) {
    for (const DrawnEnd& update : updates) {
      const Tensor& tensor = update.tensor;
      const bool has_box = !is_number(tensor.node()) && !boxes_[box_of(tensor.node())].is_end;
      if (fold_ == Fold::none || !has_box) {
        add_end("new content of " + path_before(update.before) + update.title, tensor, Part::update);
      } else {
        boxes_[box_of(tensor.node())].written.push_back(path_before(update.before) + update.title);
      }
    }
  }

  // `0.` for a parameter that layer 0 reads; nothing for what no layer does.
  std::string path_before(const Tensor& leaf) const {
    for (const Node* node : by_age_) {
      const std::string path = path_of(node->label());
      if (!path.empty() && part_of(node->label()) == Part::forward && reads(*node, leaf)) {
        return path + ".";
      }
    }
    return "";
  }
  static bool reads(const Node& node, const Tensor& tensor) {
    const Inputs inputs = node.inputs();
    return std::any_of(inputs.begin(), inputs.end(), [&](const Tensor& input) { return input.same_as(tensor); });
  }

  std::string call_label(const Node& node) const;
  std::string folded_label(const GraphBox& box) const;
  std::string box_text(std::size_t number) const;
  std::string part_text(Part part, bool framed) const;
  std::string arrows_text() const;
  std::string programs_text() const;

  Fold fold_;
  std::string prefix_;  // of the names that boxes have in DOT
  TopologicalOrder order_;
  NodeNumbers numbers_;
  std::vector<const Node*> by_age_;
  std::vector<std::size_t> box_of_;  // per number
  std::vector<GraphBox> boxes_;
  std::map<std::tuple<LabelId, std::string, std::string, const Node*>, std::size_t> shared_;
  std::map<std::pair<std::size_t, std::size_t>, Tensors> arrows_;
};

std::string BoxedGraph::call_label(const Node& node) const {
  std::string call = phrase("%{} = {}", numbers_.find(&node), call_text(node, numbers_));
  std::string label;
  if (const std::size_t end = call.find(") "); call.size() > label_width && end != std::string::npos) {
    label = dot_lines(call.substr(0, end + 1), label_width, 4);
    call.erase(0, end + 2);  // attributes stand in lines of their own
  }
  label += dot_lines(call, label_width, 6);
  const std::string path = path_of(node.label());
  const std::string place = path + (path.empty() ? "" : " ") + std::string(kind_of(node.label()));
  const std::string line = source_text(node);
  const std::string where = place.empty() || line.empty() ? place + line : phrase("{}, {}", place, line);
  return label + dot_lines(where, label_width, 2);
}

// What it is, its operations, the variables it reads and those that it writes.
std::string BoxedGraph::folded_label(const GraphBox& box) const {
  std::vector<std::pair<std::string, int>> operations;  // with how often they are there
  for (const Node* node : box.nodes) {
    const std::string name(node->name());
    const auto known = std::find_if(operations.begin(), operations.end(), [&](auto& o) { return o.first == name; });
    known == operations.end() ? static_cast<void>(operations.emplace_back(name, 1))
                              : static_cast<void>(++known->second);
  }
  std::string names;
  for (const auto& [name, count] : operations) {
    names += (names.empty() ? "" : ", ") + name + (count == 1 ? "" : phrase(" x{}", count));
  }
  std::vector<std::string> variables;
  std::vector<std::string> constants;
  for (const Node* leaf : box.leaves) {
    const VariableRead* variable = variable_of(*leaf);
    const std::string spec = short_spec(leaf->spec(0));
    variable == nullptr ? constants.push_back(spec) : variables.push_back(variable->variable + " " + spec);
  }
  std::string label = dot_lines(box.title, label_width, 2) + dot_lines(names, label_width, 5);
  for (const auto& [what, list] : {std::pair<std::string, const std::vector<std::string>&>("reads ", variables),
                                   std::pair<std::string, const std::vector<std::string>&>("constants ", constants),
                                   std::pair<std::string, const std::vector<std::string>&>("writes ", box.written)}) {
    label += list.empty() ? "" : dot_lines(what + listed(list), label_width, 4);
  }
  return label;
}

struct Colors {
  std::string_view fill, line;
};

Colors colors_of(Part part) {
  constexpr std::array<Colors, 4> colors{{
      {"#e3eefb", "#3b6fb5"},  // forward
      {"#efe6fa", "#7a55b0"},  // tangents
      {"#fdebd8", "#c26a1b"},  // backward
      {"#e2f3de", "#44883c"},  // update
  }};
  return colors[static_cast<std::size_t>(part)];
}

std::string BoxedGraph::box_text(std::size_t number) const {
  const GraphBox& box = boxes_[number];
  if (box.is_end) {
    return phrase("  {}{} [label=\"{}\", shape=ellipse, style=filled, fillcolor=\"#ffffff\"];\n", prefix_, number,
                  dot_escaped(box.title));
  }
  const auto [fill, line] = colors_of(box.part);
  const bool is_leaf = fold_ == Fold::none && !box.nodes.empty() && box.nodes.front()->inputs().empty();
  const std::string label =
      fold_ == Fold::none && !box.nodes.empty() ? call_label(*box.nodes.front()) : folded_label(box);
  return phrase("  {}{} [label=\"{}\", fillcolor=\"{}\", color=\"{}\"{}];\n", prefix_, number, label, fill, line,
                is_leaf ? ", style=\"rounded,filled\"" : "");
}

std::string BoxedGraph::part_text(Part part, bool framed) const {
  std::string text;
  for (std::size_t i = 0; i < boxes_.size(); ++i) {
    if (boxes_[i].part == part && (!boxes_[i].is_end || part != Part::forward)) {
      text += box_text(i);
    }
  }
  return !framed || text.empty()
             ? text
             : phrase(
                   "  subgraph cluster_{}{} {{\n  label=\"{}\"; fontcolor=\"{}\"; color=\"{}\"; style=rounded;\n{}  "
                   "}}\n",
                   prefix_, name_of(part), name_of(part), colors_of(part).line, colors_of(part).line, text);
}

std::string BoxedGraph::arrows_text() const {
  std::string text;
  for (const auto& [ends, tensors] : arrows_) {
    std::vector<std::string> specs;
    for (const Tensor& tensor : tensors) {
      specs.push_back(short_spec({tensor.shape(), tensor.dtype()}));
    }
    text += phrase("  {}{} -> {}{} [label=\"{}\"];\n", prefix_, ends.first, prefix_, ends.second,
                   dot_escaped(listed(specs)));
  }
  return text;
}

// The programs of operations stand in frames of their own.
std::string BoxedGraph::programs_text() const {
  std::string text;
  for (const Node* node : by_age_) {
    for (const auto& [title, program] : shown_programs(node->operation())) {
      const std::string name = phrase("{}{}_{}", prefix_, numbers_.find(node), title);
      Drawing inside;
      for (std::size_t i = 0; i < program->inputs().size(); ++i) {
        inside.inputs.push_back({phrase("input {}", i), program->inputs()[i]});
      }
      for (std::size_t i = 0; i < program->outputs().size(); ++i) {
        inside.outputs.push_back({phrase("output {}", i), program->outputs()[i]});
      }
      inside.effects = program->effects();
      text += phrase("  subgraph \"cluster_{}\" {{\n  label=\"{}\"; color=\"#888888\"; style=rounded;\n{}  }}\n", name,
                     dot_escaped(phrase("{} of %{} = {}", title, numbers_.find(node), node->name())),
                     BoxedGraph(inside, fold_, phrase("p{}_", name)).text());
    }
  }
  return text;
}

std::string BoxedGraph::text() const {
  std::vector<bool> there(4);
  for (const GraphBox& box : boxes_) {
    there[static_cast<std::size_t>(box.part)] = there[static_cast<std::size_t>(box.part)] || !box.nodes.empty();
  }
  const bool framed = std::count(there.begin(), there.end(), true) > 1;
  std::string text;
  for (std::size_t i = 0; i < boxes_.size(); ++i) {
    text += boxes_[i].is_end && boxes_[i].part == Part::forward ? box_text(i) : "";
  }
  for (const Part part : {Part::forward, Part::tangent, Part::backward, Part::update}) {
    text += part_text(part, framed);
  }
  return text + programs_text() + arrows_text();
}

}  // namespace

std::string dot_of(const Drawing& drawing, const DotOptions& options) {
  return phrase(
      "digraph xgrad {{\n{}{}}}\n",
      "  graph [fontname=\"Helvetica\", fontsize=12, bgcolor=\"#ffffff\", labeljust=l, nodesep=0.3, ranksep=0.35];\n"
      "  node [shape=box, style=filled, fillcolor=\"#f4f4f4\", fontname=\"Helvetica\", fontsize=11];\n"
      "  edge [fontname=\"Helvetica\", fontsize=9, color=\"#555555\"];\n",
      BoxedGraph(drawing, options.fold, "n").text());
}

}  // namespace detail

std::string to_dot(std::span<const Tensor> outputs, const DotOptions& options) {
  detail::Drawing drawing;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    drawing.outputs.push_back({outputs.size() == 1 ? "result" : phrase("result {}", i), outputs[i]});
  }
  return detail::dot_of(drawing, options);
}

std::string to_dot(const Tensor& output, const DotOptions& options) { return to_dot(std::span(&output, 1), options); }

}  // namespace xgrad
