#include "autograd/graph/visitors.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <string_view>
#include <vector>

#include "autograd/graph/operation.hpp"
#include "autograd/graph/subprogram.hpp"
#include "autograd/runtime/hash.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad {

namespace {

class Hash final : public AttributeVisitor {
 public:
  explicit Hash(std::string_view key) : hash_(runtime::hash_text(key)) {}

  std::uint64_t result() const { return hash_; }

  void boolean(std::string_view, bool value) override { add(value ? 1 : 0); }
  void integer(std::string_view, std::int64_t value) override { add(static_cast<std::uint64_t>(value)); }
  void number(std::string_view, double value) override { add(std::bit_cast<std::uint64_t>(value)); }
  void dtype(std::string_view, DType value) override { add(runtime::hash_text(to_string(value))); }
  void shape(std::string_view, const Ints& value) override {
    add(value.ndim());
    for (const std::int64_t size : value) {
      add(static_cast<std::uint64_t>(size));
    }
  }
  void text(std::string_view, std::string_view value) override {
    if (!value.empty()) {
      add(runtime::hash_text(value));
    }
  }
  void formula(std::string_view, const Formula& value) override { add(value.hash()); }
  void program(std::string_view, const SubProgram& value) override { add(value.structure().hash()); }
  void opaque(std::string_view, const OpaqueAttribute& value) override {
    if (value.text != nullptr) {
      add(runtime::hash_text(value.text(value.value)));
    }
  }

 private:
  void add(std::uint64_t part) { hash_ = runtime::combine_hashes(hash_, part); }

  std::uint64_t hash_;
};

// Of one operation, where each attribute is and how it compares with that of another.
class Comparable final : public AttributeVisitor {
 public:
  void boolean(std::string_view, bool value) override { add_bits(value ? 1 : 0); }
  void integer(std::string_view, std::int64_t value) override { add_bits(static_cast<std::uint64_t>(value)); }
  void number(std::string_view, double value) override { add_bits(std::bit_cast<std::uint64_t>(value)); }
  void dtype(std::string_view, DType value) override { add_bits(static_cast<std::uint64_t>(value)); }
  void shape(std::string_view, const Ints& value) override {
    add_bits(value.ndim());
    for (const std::int64_t size : value) {
      add_bits(static_cast<std::uint64_t>(size));
    }
  }
  void text(std::string_view, std::string_view value) override { texts_.emplace_back(value); }
  void formula(std::string_view, const Formula& value) override { formulas_.push_back(value); }
  void program(std::string_view, const SubProgram& value) override { programs_.push_back(&value.structure()); }
  void opaque(std::string_view, const OpaqueAttribute& value) override { opaque_.push_back(value); }

  bool is_possible() const {
    return std::all_of(opaque_.begin(), opaque_.end(),
                       [](const OpaqueAttribute& attribute) { return attribute.equal != nullptr; }) &&
           std::all_of(programs_.begin(), programs_.end(), [](const Structure* each) { return each->is_comparable(); });
  }
  bool equals(const Comparable& other) const {
    if (bits_ != other.bits_ || texts_ != other.texts_ || formulas_ != other.formulas_ ||
        opaque_.size() != other.opaque_.size() ||
        !std::equal(programs_.begin(), programs_.end(), other.programs_.begin(), other.programs_.end(),
                    [](const Structure* a, const Structure* b) { return a->same_as(*b); })) {
      return false;
    }
    for (std::size_t i = 0; i < opaque_.size(); ++i) {
      const OpaqueAttribute& mine = opaque_[i];
      if (mine.type != other.opaque_[i].type || mine.equal == nullptr ||
          !mine.equal(mine.value, other.opaque_[i].value)) {
        return false;
      }
    }
    return true;
  }

 private:
  void add_bits(std::uint64_t bits) { bits_.push_back(bits); }

  std::vector<std::uint64_t> bits_;
  std::vector<std::string> texts_;
  std::vector<Formula> formulas_;
  std::vector<const Structure*> programs_;
  std::vector<OpaqueAttribute> opaque_;
};

class Text final : public AttributeVisitor {
 public:
  std::string take() { return std::move(text_); }

  void boolean(std::string_view name, bool value) override { add(name, value ? "true" : "false"); }
  void integer(std::string_view name, std::int64_t value) override { add(name, std::to_string(value)); }
  void number(std::string_view name, double value) override { add(name, phrase("{}", value)); }
  void dtype(std::string_view name, DType value) override { add(name, to_string(value)); }
  void shape(std::string_view name, const Ints& value) override { add(name, to_string(value)); }
  void text(std::string_view name, std::string_view value) override {
    if (!value.empty()) {
      add(name, value);
    }
  }
  void formula(std::string_view name, const Formula& value) override { add(name, to_string(value)); }
  void program(std::string_view name, const SubProgram& value) override {
    add(name, phrase("({} operations)", value.description().nodes().size()));
  }
  void opaque(std::string_view name, const OpaqueAttribute& value) override {
    if (value.text != nullptr) {
      add(name, value.text(value.value));
    }
  }
  // Stands behind the colon of a printed node anyway.
  void spec(std::string_view, const Spec&) override {}

 private:
  void add(std::string_view name, std::string_view value) {
    text_.append(text_.empty() ? "" : ", ").append(name).append("=").append(value);
  }

  std::string text_;
};

class Programs final : public SelectiveVisitor {
 public:
  std::vector<NamedProgram> take() { return std::move(programs_); }

  void program(std::string_view name, const SubProgram& value) override {
    programs_.push_back({std::string(name), &value});
  }

 private:
  std::vector<NamedProgram> programs_;
};

}  // namespace

std::vector<NamedProgram> programs_of(const AnyOperation& operation) {
  Programs programs;
  operation.visit_attributes(programs);
  return programs.take();
}

std::uint64_t detail::hash_of_attributes(const AnyOperation& operation) {
  Hash hash(operation.key());
  operation.visit_attributes(hash);
  return hash.result();
}

bool detail::is_comparable(const AnyOperation& operation) {
  Comparable attributes;
  operation.visit_attributes(attributes);
  return attributes.is_possible();
}

bool detail::same_attributes(const AnyOperation& a, const AnyOperation& b) {
  Comparable of_a;
  Comparable of_b;
  a.visit_attributes(of_a);
  b.visit_attributes(of_b);
  return of_a.equals(of_b);
}

std::string attributes_text(const AnyOperation& operation) {
  Text text;
  operation.visit_attributes(text);
  return text.take();
}

}  // namespace xgrad
