#include "autograd/graph/name_scope.hpp"

#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "autograd/graph/node.hpp"

namespace xgrad {

namespace {

// From the last bit on: what nodes do, an operation, and a name.
constexpr std::uint32_t part_bits = 2;
constexpr std::uint32_t operation_bits = 13;
constexpr std::uint32_t name_shift = part_bits + operation_bits;
constexpr std::uint32_t part_mask = (1U << part_bits) - 1;
constexpr std::uint32_t below_name = (1U << name_shift) - 1;
constexpr std::size_t most_operations = (1U << operation_bits) - 1;
constexpr std::size_t most_names = 65536;

// Every node that is made asks for it, so it lies where the compiler can tell, not where a function of the loader finds it.
[[gnu::tls_model("initial-exec")]] constinit thread_local detail::LabelId label_of_thread = 0;

detail::LabelId with_part(detail::LabelId label, detail::Part part) {
  return (label & ~part_mask) | static_cast<std::uint32_t>(part);
}

/// All names of one kind that there were, each once, numbered from 1 on.
class Names {
 public:
  // Never destroyed: threads may outlive main.
  static Names& of_parts() {
    static auto* names = new Names(most_names);
    return *names;
  }
  static Names& of_operations() {
    static auto* names = new Names(most_operations);
    return *names;
  }

  /// \param most of them; those that come later are forgotten.
  explicit Names(std::size_t most) : most_(most) {}

  /// A name inside another, and its number; the texts are kept for good.
  using Key = std::tuple<std::uint32_t, std::string_view, std::string_view>;
  using Known = std::pair<Key, std::uint32_t>;

  Known find_or_add(const Key& key) {
    const std::lock_guard lock(mutex_);
    if (const auto known = numbers_.find(key); known != numbers_.end()) {
      return *known;
    }
    const auto& [outer, name, kind] = key;
    if (names_.size() == most_) {
      return {Key(~0U, "", ""), outer};  // a key that nobody looks for
    }
    const Name& added = names_.emplace_back(Name{outer, std::string(name), std::string(kind)});
    const auto number = static_cast<std::uint32_t>(names_.size());
    return *numbers_.emplace(Key(outer, added.name, added.kind), number).first;
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

  std::size_t most_;
  std::mutex mutex_;
  std::deque<Name> names_;  // which stay where they are
  std::map<Key, std::uint32_t> numbers_;
};

/// What a thread has looked up lately: a model is called again and again, and a call of a small layer takes little time.
struct LatelyFound {
  static constexpr std::size_t size = 64;
  Names::Known found[size] = {};

  std::uint32_t number(const Names::Key& key, Names& (*names)()) {
    const auto& [outer, name, kind] = key;
    const auto mix = static_cast<unsigned char>(name.empty() ? 0 : name.back()) + 7 * name.size() + kind.size();
    Names::Known& slot = found[(11 * outer + mix) % size];
    if (slot.second == 0 || slot.first != key) {
      slot = names().find_or_add(key);
    }
    return slot.second;
  }
};

constinit thread_local LatelyFound parts_of_thread;
constinit thread_local LatelyFound operations_of_thread;

detail::LabelId inside(detail::LabelId label, std::string_view name, std::string_view kind) {
  return parts_of_thread.number({label >> name_shift, name, kind}, Names::of_parts) << name_shift |
         (label & below_name);
}

detail::LabelId derivative_of(const Node& node, detail::Part part) {
  const std::uint32_t operation = operations_of_thread.number({0, node.name(), ""}, Names::of_operations);
  return (node.label() & ~below_name) | operation << part_bits | static_cast<std::uint32_t>(part);
}

}  // namespace

NameScope::NameScope(std::string_view name, std::string_view kind)
    : before_(std::exchange(label_of_thread, inside(label_of_thread, name, kind))) {}

NameScope::~NameScope() { label_of_thread = before_; }

namespace detail {

LabelId current_label() { return label_of_thread; }
Part part_of(LabelId label) { return static_cast<Part>(label & part_mask); }
LabelId without_part(LabelId label) { return label & ~below_name; }
LabelId without_operation(LabelId label) { return label & (~below_name | part_mask); }
std::string path_of(LabelId label) { return Names::of_parts().path(label >> name_shift); }
std::string_view kind_of(LabelId label) { return Names::of_parts().kind(label >> name_shift); }
std::string operation_of(LabelId label) { return Names::of_operations().path((label & below_name) >> part_bits); }

std::string_view name_of(Part part) {
  constexpr std::string_view names[] = {"forward", "tangents", "backward", "update"};
  return names[static_cast<std::size_t>(part)];
}

LabelOf::LabelOf(const Node& node) : before_(std::exchange(label_of_thread, node.label())) {}
LabelOf::LabelOf(const Node& node, Part part) : before_(std::exchange(label_of_thread, derivative_of(node, part))) {}
LabelOf::LabelOf(Part part) : before_(std::exchange(label_of_thread, with_part(label_of_thread, part))) {}
LabelOf::~LabelOf() { label_of_thread = before_; }

}  // namespace detail

}  // namespace xgrad
