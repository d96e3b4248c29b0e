#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// \file
/// Drawings in DOT, read back.

namespace xgrad::testing {

/// What a drawing has. Names are those in the file, labels are as Graphviz shows them: lines end in a newline.
struct ReadDot {
  struct Arrow {
    std::string from, to, label;
  };

  std::map<std::string, std::string> boxes;                ///< labels by name
  std::map<std::string, std::string> frames;               ///< labels of subgraphs by name
  std::map<std::string, std::vector<std::string>> inside;  ///< names of boxes by the frame that is next around them
  std::vector<Arrow> arrows;

  /// The name of the only box whose label has \p text; an error when there is none, or another.
  std::string box(std::string_view text) const;
  /// The labels of the arrows from one box to the other; no arrow: nothing.
  std::optional<std::string> arrow(const std::string& from, const std::string& to) const;
};

/// Reads the part of the language that drawings use. An error says where the text leaves it: std::runtime_error.
ReadDot read_dot(const std::string& text);

/// What Graphviz's `dot` says against the drawing, which should be nothing; no value where there is no `dot`.
std::optional<std::string> complaints_of_graphviz(const std::string& text);

}  // namespace xgrad::testing
