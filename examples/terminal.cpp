#include "terminal.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <sys/ioctl.h>
#include <unistd.h>

#include <autograd/runtime/launch.hpp>

namespace {

// Characters that a line of the terminal may have so that it stays one; 0 where standard output is none, or one that
// calls itself dumb, or that of mpirun, which passes on what is printed to wherever that goes.
int terminal_columns() {
  const char* kind = std::getenv("TERM");
  if (!xgrad::runtime::find_launch().is_alone() || isatty(STDOUT_FILENO) == 0 || kind == nullptr ||
      std::string_view(kind) == "dumb") {
    return 0;
  }
  winsize size = {};
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1 : 79;
}

// The first of \p lines, the longest in front, that fits the terminal; where there is none, the first.
std::string fitting_line(const std::vector<std::string>& lines) {
  const int columns = terminal_columns();
  const auto fits = [&](const std::string& line) { return columns == 0 || static_cast<int>(line.size()) <= columns; };
  const auto found = std::find_if(lines.begin(), lines.end(), fits);
  return found == lines.end() ? lines.back().substr(0, static_cast<std::size_t>(columns)) : *found;
}

}  // namespace

void print_epoch(int epochs, std::int64_t epoch, double loss, double train, double test, double speed) {
  const auto number = static_cast<int>(epoch);
  char lines[3][160];
  std::snprintf(lines[0], sizeof lines[0],
                "epoch %d/%d  loss %.4f  train_accuracy %.4f  test_accuracy %.4f  %.0f samples/s", number, epochs, loss,
                train, test, speed);
  std::snprintf(lines[1], sizeof lines[1], "epoch %d/%d  loss %.4f  train %.4f  test %.4f  %.0f samples/s", number,
                epochs, loss, train, test, speed);
  std::snprintf(lines[2], sizeof lines[2], "%d/%d  loss %.4f  test %.4f", number, epochs, loss, test);
  std::printf("%s\n", fitting_line({lines[0], lines[1], lines[2]}).c_str());
  std::fflush(stdout);
}

void show_progress(int epoch, std::int64_t step, std::int64_t steps, double loss) {
  if (step % 32 != 0 && step != steps) {
    return;
  }
  const int columns = terminal_columns();
  if (columns == 0) {
    return;
  }
  const int width = std::clamp(columns - 32, 1, 30);
  const std::string bar(static_cast<std::size_t>(width * step / steps), '#');
  char line[128];
  std::snprintf(line, sizeof line, "epoch %2d [%-*s] %3d%%  loss %.4f", epoch, width, bar.c_str(),
                static_cast<int>(100 * step / steps), loss);
  std::printf("\r%.*s%s", columns, line, step == steps ? "\r\033[K" : "");
  std::fflush(stdout);
}
