#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// \file
/// Internal: what the fields of a table say.

namespace xgrad::datasets {

/// Without the spaces, tabs and line ends around it.
std::string_view trimmed(std::string_view field);

/// A finite number, as C writes it; \p thousands may stand between digits before the point, unless it is '\0'.
std::optional<double> number_in(std::string_view field, char thousands);

/// A whole number.
std::optional<std::int64_t> whole_number_in(std::string_view field);

/// Puts categories in order: by value when all are whole numbers, otherwise by name.
void sort_categories(std::vector<std::string>& categories);

/// 1 for true, yes, t, y, 1 and 0 for their opposites, in any case.
std::optional<double> boolean_in(std::string_view field);

/// Days since 1970-01-01T00:00Z, of a date, or a date and a time, as ISO 8601 writes them: `2024-03-31`,
/// `2024-03-31 18:05`, `2024-03-31T18:05:09.5+02:00`. Without a zone it is UTC.
std::optional<double> time_in(std::string_view field);

}  // namespace xgrad::datasets
