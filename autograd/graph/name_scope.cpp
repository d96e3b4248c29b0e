#include "autograd/graph/name_scope.hpp"

#include <deque>
#include <map>
#include <mutex>
#include <tuple>
#include <utility>

#include "autograd/graph/node.hpp"

namespace xgrad {

namespace {

constexpr std::uint32_t part_bits = 2;
constexpr std::uint32_t part_mask = (1U << part_bits) - 1;
constexpr std::size_t most_names = 65536;

thread_local detail::LabelId label_of_thread = 0;

detail::LabelId with_part(detail::LabelId label, detail::Part part) {
  return (label & ~part_mask) | static_cast<std::uint32_t>(part);
}

/// All names that there were, each once, numbered from 1 on.
class Names {
 public:
  static Names& all() {
    static auto* names = new Names;  // never destroyed: threads may outlive main
    return *names;
  }

  std::uint32_t find_or_add(std::uint32_t outer, std::string_view name, std::string_view kind) {
    const std::lock_guard lock(mutex_);
    const auto key = std::tuple(outer, name, kind);
    if (const auto known = numbers_.find(key); known != numbers_.end()) {
      return known->second;
    }
    if (names_.size() == most_names) {
      return outer;
    }
    const Name& added = names_.emplace_back(Name{outer, std::string(name), std::string(kind)});
    const auto number = static_cast<std::uint32_t>(names_.size());
    numbers_.emplace(std::tuple(outer, std::string_view(added.name), std::string_view(added.kind)), number);
    return number;
  }

  std::string path(std::uint32_t number) {
    const std::lock_guard lock(mutex_);
    std::string path;
    for (; number != 0; number = names_[number - 1].outer) {
      path = names_[number - 1].name + (path.empty() ? "" : "." + path);
    }
    return path;
  }

  std::string_view kind(std::uint32_t number) {
    const std::lock_guard lock(mutex_);
    return number == 0 ? std::string_view() : names_[number - 1].kind;
  }

 private:
  struct Name {
    std::uint32_t outer;  // the name around it, or 0
    std::string name;
    std::string kind;
  };

  std::mutex mutex_;
  std::deque<Name> names_;  // which stay where they are
  std::map<std::tuple<std::uint32_t, std::string_view, std::string_view>, std::uint32_t> numbers_;
};

detail::LabelId inside(detail::LabelId label, std::string_view name, std::string_view kind) {
  return Names::all().find_or_add(label >> part_bits, name, kind) << part_bits | (label & part_mask);
}

}  // namespace

NameScope::NameScope(std::string_view name, std::string_view kind)
    : before_(std::exchange(label_of_thread, inside(label_of_thread, name, kind))) {}

NameScope::~NameScope() { label_of_thread = before_; }

namespace detail {

LabelId current_label() { return label_of_thread; }
Part part_of(LabelId label) { return static_cast<Part>(label & part_mask); }
LabelId without_part(LabelId label) { return label & ~part_mask; }
std::string path_of(LabelId label) { return Names::all().path(label >> part_bits); }
std::string_view kind_of(LabelId label) { return Names::all().kind(label >> part_bits); }

std::string_view name_of(Part part) {
  constexpr std::string_view names[] = {"forward", "tangents", "backward", "update"};
  return names[static_cast<std::size_t>(part)];
}

LabelOf::LabelOf(const Node& node) : before_(std::exchange(label_of_thread, node.label())) {}
LabelOf::LabelOf(const Node& node, Part part)
    : before_(std::exchange(label_of_thread, with_part(node.label(), part))) {}
LabelOf::LabelOf(Part part) : before_(std::exchange(label_of_thread, with_part(label_of_thread, part))) {}
LabelOf::~LabelOf() { label_of_thread = before_; }

}  // namespace detail

}  // namespace xgrad
