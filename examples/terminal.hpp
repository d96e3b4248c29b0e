#pragma once

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include <sys/ioctl.h>
#include <unistd.h>

/// \file
/// What standard output is.

/// Characters that a line of the terminal may have so that it stays one; 0 where standard output is none, or one that
/// calls itself dumb, or that of mpirun, which passes on what is printed to wherever that goes.
inline int terminal_columns() {
  const char* kind = std::getenv("TERM");
  const bool is_launched = std::getenv("OMPI_COMM_WORLD_SIZE") != nullptr;
  if (is_launched || isatty(STDOUT_FILENO) == 0 || kind == nullptr || std::string(kind) == "dumb") {
    return 0;
  }
  winsize size = {};
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1 : 79;
}

/// The first of \p lines, the longest in front, that fits the terminal; where there is none, the first.
inline std::string fitting_line(const std::vector<std::string>& lines) {
  const int columns = terminal_columns();
  const auto fits = [&](const std::string& line) { return columns == 0 || static_cast<int>(line.size()) <= columns; };
  const auto found = std::find_if(lines.begin(), lines.end(), fits);
  return found == lines.end() ? lines.back().substr(0, static_cast<std::size_t>(columns)) : *found;
}
