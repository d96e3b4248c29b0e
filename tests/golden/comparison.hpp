#pragma once

#include <filesystem>
#include <string>
#include <vector>

/// \file
/// Holds xgrad against files of reference values; README.md beside this file has their format.

namespace xgrad::golden {

/// What came out of one case. A file that cannot be read is one case, too, and disagrees.
struct Verdict {
  std::string subject;       ///< `unary.json[3] gelu {"approximate":"tanh"}`: file, position, op and attributes
  std::string disagreement;  ///< empty when the case agrees

  bool agrees() const { return disagreement.empty(); }
};

/// The verdicts on all cases of a file, in their order.
std::vector<Verdict> compare_file(const std::filesystem::path& file);

}  // namespace xgrad::golden
