#pragma once

#include <source_location>

/// \file
/// Nodes with their own lines inside of a SourceScope. Not installed.

namespace xgrad::detail {

/// While it lives, it is as if no SourceScope of this thread were open.
class SourceBreak {
 public:
  SourceBreak();
  SourceBreak(const SourceBreak&) = delete;
  SourceBreak& operator=(const SourceBreak&) = delete;
  ~SourceBreak();

 private:
  const std::source_location* before_;
};

}  // namespace xgrad::detail
