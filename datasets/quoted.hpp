#pragma once

#include <string>
#include <string_view>
#include <vector>

/// \file
/// Internal: text from files in messages.

namespace xgrad::datasets {

/// \p text as it can be shown: cut where it is long, with `\x1b` for bytes that are no printable UTF-8, which a terminal
/// could take for commands.
std::string shown(std::string_view text);

/// The same between backticks.
std::string backticked(std::string_view text);

/// Names one after the other, as many as fit into a line or two.
std::string listed(const std::vector<std::string>& names);

}  // namespace xgrad::datasets
