#include "datasets/fields.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <string>

namespace xgrad::datasets {

std::string_view trimmed(std::string_view field) {
  constexpr std::string_view spaces = " \t\r\n\v\f";
  const std::size_t first = field.find_first_not_of(spaces);
  return first == std::string_view::npos ? std::string_view()
                                         : field.substr(first, field.find_last_not_of(spaces) - first + 1);
}

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Groups of three digits, after a first one of up to three: 1,23 is no number, and neither is 1,2345.
std::optional<std::string> without_thousands(std::string_view field, char thousands) {
  std::string plain;
  std::size_t digits = 0;  // since the last separator, before the point
  bool grouped = false;
  bool whole = true;
  for (const char c : field) {
    if (c == thousands && whole) {
      if (digits == 0 || digits > 3 || (grouped && digits != 3)) {
        return std::nullopt;
      }
      grouped = true;
      digits = 0;
      continue;
    }
    if (whole && !is_digit(c) && !plain.empty() && is_digit(plain.back())) {
      if (grouped && digits != 3) {
        return std::nullopt;
      }
      whole = false;
    }
    digits += is_digit(c);
    plain += c;
  }
  return whole && grouped && digits != 3 ? std::nullopt : std::optional(plain);
}

template <class Number>
std::optional<Number> all_of(std::string_view field) {
  if (field.starts_with('+') && field.size() > 1 && field[1] != '-') {
    field.remove_prefix(1);
  }
  Number number{};
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), number);
  return error == std::errc() && end == field.data() + field.size() ? std::optional(number) : std::nullopt;
}

std::optional<double> plain_number_in(std::string_view field) {
  const std::optional<double> number = all_of<double>(field);
  return number && std::isfinite(*number) ? number : std::nullopt;
}

}  // namespace

std::optional<double> number_in(std::string_view field, char thousands) {
  if (thousands == '\0' || field.find(thousands) == std::string_view::npos) {
    return plain_number_in(field);
  }
  const std::optional<std::string> plain = without_thousands(field, thousands);
  return plain ? plain_number_in(*plain) : std::nullopt;
}

std::optional<std::int64_t> whole_number_in(std::string_view field) { return all_of<std::int64_t>(trimmed(field)); }

void sort_categories(std::vector<std::string>& categories) {
  std::sort(categories.begin(), categories.end());
  if (std::all_of(categories.begin(), categories.end(), whole_number_in)) {
    std::stable_sort(categories.begin(), categories.end(), [](const std::string& a, const std::string& b) {
      return *whole_number_in(a) < *whole_number_in(b);
    });
  }
}

std::optional<double> boolean_in(std::string_view field) {
  std::string lower(field.substr(0, 6));
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  const auto is_one_of = [&](const auto& words) { return std::find(words.begin(), words.end(), lower) != words.end(); };
  constexpr std::array<std::string_view, 5> yes = {"true", "yes", "t", "y", "1"};
  constexpr std::array<std::string_view, 5> no = {"false", "no", "f", "n", "0"};
  return is_one_of(yes) ? std::optional(1.0) : is_one_of(no) ? std::optional(0.0) : std::nullopt;
}

namespace {

/// Takes a text apart from its beginning.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  bool at_end() const { return text_.empty(); }
  /// Exactly \p count digits.
  std::optional<int> digits(std::size_t count) {
    if (text_.size() < count ||
        !std::all_of(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(count), is_digit)) {
      return std::nullopt;
    }
    int number = 0;
    std::from_chars(text_.data(), text_.data() + count, number);
    text_.remove_prefix(count);
    return number;
  }
  bool take(std::string_view any_of) {
    if (text_.empty() || any_of.find(text_[0]) == std::string_view::npos) {
      return false;
    }
    text_.remove_prefix(1);
    return true;
  }
  bool next_is(char c) const { return !text_.empty() && text_[0] == c; }
  /// The digits after a point, as a fraction.
  double fraction() {
    double sum = 0;
    for (double unit = 0.1; !text_.empty() && is_digit(text_[0]); unit /= 10) {
      sum += unit * (text_[0] - '0');
      text_.remove_prefix(1);
    }
    return sum;
  }

 private:
  std::string_view text_;
};

std::optional<double> seconds_of_clock(Cursor& cursor) {
  const auto hour = cursor.digits(2);
  const auto minute = cursor.take(":") ? cursor.digits(2) : std::nullopt;
  if (!hour || !minute || *hour > 24 || *minute > 59) {
    return std::nullopt;
  }
  double seconds = *hour * 3600.0 + *minute * 60.0;
  if (cursor.take(":")) {
    const auto second = cursor.digits(2);
    if (!second || *second > 60) {
      return std::nullopt;
    }
    seconds += *second + (cursor.take(".,") ? cursor.fraction() : 0);
  }
  return seconds <= 86400 ? std::optional(seconds) : std::nullopt;
}

// What a zone is ahead of UTC.
std::optional<double> seconds_of_zone(Cursor& cursor) {
  if (cursor.at_end() || cursor.take("Zz")) {
    return 0;
  }
  const int sign = cursor.next_is('-') ? -1 : 1;
  if (!cursor.take("+-")) {
    return std::nullopt;
  }
  const auto hours = cursor.digits(2);
  const bool more = cursor.take(":") || !cursor.at_end();
  const auto minutes = more ? cursor.digits(2) : std::optional(0);
  return hours && minutes && *hours < 24 && *minutes < 60 ? std::optional(sign * (*hours * 3600.0 + *minutes * 60.0))
                                                          : std::nullopt;
}

}  // namespace

std::optional<double> time_in(std::string_view field) {
  Cursor cursor(field);
  const auto year = cursor.digits(4);
  const auto month = year && cursor.take("-") ? cursor.digits(2) : std::nullopt;
  const auto day = month && cursor.take("-") ? cursor.digits(2) : std::nullopt;
  if (!day) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date(std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok()) {
    return std::nullopt;
  }
  const auto days = static_cast<double>(std::chrono::sys_days(date).time_since_epoch().count());
  if (cursor.at_end()) {
    return days;
  }
  const auto clock = cursor.take("Tt ") ? seconds_of_clock(cursor) : std::nullopt;
  const auto zone = clock ? seconds_of_zone(cursor) : std::nullopt;
  return zone && cursor.at_end() ? std::optional(days + (*clock - *zone) / 86400) : std::nullopt;
}

}  // namespace xgrad::datasets
