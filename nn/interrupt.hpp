#pragma once

/// \file
/// Internal: Ctrl-C as a question.

namespace xgrad::nn {

/// While one of these lives, the first SIGINT is noted instead of ending the program; another one ends it, unless it comes
/// within half a second, as some programs send the signal twice. What the program did with SIGINT before holds again
/// afterwards (after an interruption, from the next signal on). Of several that live at once, the first takes care of that.
/// A program that ignores SIGINT goes on ignoring it.
class Interrupt {
 public:
  Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;
  ~Interrupt();

  /// Whether there was a SIGINT since the first of these was made.
  bool requested() const;
};

}  // namespace xgrad::nn
