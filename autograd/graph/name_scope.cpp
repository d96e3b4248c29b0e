#include "autograd/graph/name_scope.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "autograd/graph/node.hpp"

namespace xgrad {

namespace {

// From the last bit on: what nodes do, an operation, and a name.
constexpr std::uint32_t part_bits = 2;
constexpr std::uint32_t operation_bits = 13;
constexpr std::uint32_t name_shift = part_bits + operation_bits;
constexpr std::uint32_t part_mask = (1U << part_bits) - 1;
constexpr std::uint32_t below_name = (1U << name_shift) - 1;
constexpr std::size_t most_operations = 1U << operation_bits;
constexpr std::size_t most_names = 65536;

constinit thread_local detail::LabelId label_of_thread = 0;

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

/// The names of operations, numbered in the order in which they come; of very many, those that came first.
class OperationNames {
 public:
  static OperationNames& all() {
    static auto* names = new OperationNames;  // never destroyed: threads may outlive main
    return *names;
  }

  std::uint32_t number_of(std::string_view name) {
    const std::lock_guard lock(mutex_);
    const auto known = std::find(names_.begin(), names_.end(), name);
    if (known == names_.end() && names_.size() == most_operations) {
      return 0;
    }
    const auto number = static_cast<std::uint32_t>(known - names_.begin());
    if (known == names_.end()) {
      names_.emplace_back(name);
    }
    return number;
  }

  std::string name(std::uint32_t number) {
    const std::lock_guard lock(mutex_);
    return names_[number];
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> names_{""};
};

/// An operation that this thread has asked for lately: rules are called too often for a lock.
struct KnownOperation {
  static constexpr std::size_t longest = 23;
  std::array<char, longest> text;
  std::uint8_t size;
  std::uint32_t number;
};
constexpr std::size_t known_operations = 64;
constinit thread_local std::array<KnownOperation, known_operations> operations_of_thread{};

std::uint32_t operation_number(std::string_view name) {
  if (name.size() > KnownOperation::longest) {
    return OperationNames::all().number_of(name);
  }
  const std::uintptr_t place = reinterpret_cast<std::uintptr_t>(name.data()) / 8 + name.size();
  KnownOperation& known = operations_of_thread[place % known_operations];
  if (std::string_view(known.text.data(), known.size) != name) {
    known.number = OperationNames::all().number_of(name);
    known.size = static_cast<std::uint8_t>(name.size());
    std::copy(name.begin(), name.end(), known.text.begin());
  }
  return known.number;
}

detail::LabelId inside(detail::LabelId label, std::string_view name, std::string_view kind) {
  return Names::all().find_or_add(label >> name_shift, name, kind) << name_shift | (label & below_name);
}

detail::LabelId derivative_of(const Node& node, detail::Part part) {
  return (node.label() & ~below_name) | operation_number(node.name()) << part_bits | static_cast<std::uint32_t>(part);
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
std::string path_of(LabelId label) { return Names::all().path(label >> name_shift); }
std::string_view kind_of(LabelId label) { return Names::all().kind(label >> name_shift); }
std::string operation_of(LabelId label) { return OperationNames::all().name((label & below_name) >> part_bits); }

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
