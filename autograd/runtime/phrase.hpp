#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

/// \file
/// Text with values in it, as errors need it. fmt does the work, in one file, so that the others need not compile it.

namespace xgrad {

namespace detail {

/// A value of any type that text is made of.
class PhraseValue {
 public:
  enum class Kind : std::uint8_t { integer, natural, number, single, boolean, letter, text };

  template <std::same_as<bool> T>  // nothing that merely converts to it, such as a pointer
  PhraseValue(T value) : natural_(value), kind_(Kind::boolean) {}
  PhraseValue(char value) : letter_(value), kind_(Kind::letter) {}
  template <std::signed_integral T>
  PhraseValue(T value) : integer_(value), kind_(Kind::integer) {}
  template <std::unsigned_integral T>
    requires(!std::same_as<T, bool>)
  PhraseValue(T value) : natural_(value), kind_(Kind::natural) {}
  PhraseValue(double value) : number_(value), kind_(Kind::number) {}
  PhraseValue(float value) : single_(value), kind_(Kind::single) {}
  PhraseValue(std::string_view value) : text_(value), kind_(Kind::text) {}
  PhraseValue(const std::string& value) : text_(value), kind_(Kind::text) {}
  PhraseValue(const char* value) : text_(value), kind_(Kind::text) {}

  /// Calls \p f with the value.
  template <class F>
  void visit(F&& f) const {
    switch (kind_) {
      case Kind::integer: return f(integer_);
      case Kind::natural: return f(natural_);
      case Kind::number: return f(number_);
      case Kind::single: return f(single_);
      case Kind::boolean: return f(natural_ != 0);
      case Kind::letter: return f(letter_);
      case Kind::text: return f(text_);
    }
  }

 private:
  union {
    std::int64_t integer_;
    std::uint64_t natural_;
    double number_;
    float single_;
    char letter_;
    std::string_view text_;
  };
  Kind kind_;
};

/// How many values a pattern of fmt takes, those for widths included.
consteval std::size_t count_values(std::string_view pattern) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const bool opens = pattern[i] == '{';
    if (opens && i + 1 < pattern.size() && pattern[i + 1] == '{') {
      ++i;
    } else {
      count += opens ? 1 : 0;
    }
  }
  return count;
}

/// A pattern for \p Count values: any other number does not compile.
template <std::size_t Count>
struct Pattern {
  template <std::size_t Size>
  consteval Pattern(const char (&pattern)[Size]) : text(pattern, Size - 1) {
    if (count_values(text) != Count) {
      throw "there are more or fewer values than the pattern has places for";
    }
  }
  std::string_view text;
};

std::string fill_in(std::string_view pattern, std::span<const PhraseValue> values);

}  // namespace detail

/// The pattern with the values in the places of its braces, as fmt's format gives it: `phrase("got {}", 3)`.
template <class... Values>
std::string phrase(detail::Pattern<sizeof...(Values)> pattern, const Values&... values) {
  const std::array<detail::PhraseValue, sizeof...(Values)> list{detail::PhraseValue(values)...};
  return detail::fill_in(pattern.text, list);
}

}  // namespace xgrad
