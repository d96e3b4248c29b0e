#include "autograd/runtime/progress_line.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include <sys/ioctl.h>
#include <unistd.h>

#include "autograd/runtime/launch.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad::runtime {

namespace {

bool begins_character(char byte) { return (static_cast<unsigned char>(byte) & 0xc0U) != 0x80; }

std::size_t character_count(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_character));
}

// ` [=====>    ]`, or nothing for a width of 0.
std::string bar_of(double fraction, std::size_t width) {
  if (width == 0) {
    return "";
  }
  const auto filled = static_cast<std::size_t>(fraction * static_cast<double>(width));
  std::string bar = std::string(filled, '=') + (filled < width ? ">" : "");
  bar.resize(width, ' ');
  return phrase(" [{}]", bar);
}

}  // namespace

// OpenMPI gives the processes that it starts pseudo-terminals, and passes on what they print, to wherever that goes.
bool has_terminal() {
  const char* kind = std::getenv("TERM");
  return find_launch().is_alone() && ::isatty(STDOUT_FILENO) != 0 && kind != nullptr && *kind != '\0' &&
         std::string_view(kind) != "dumb";
}

std::size_t terminal_columns() {
  winsize size = {};
  const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
  return known ? size.ws_col - 1U : 79U;
}

void write_now(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

std::string cut_line(const std::string& text, std::size_t columns) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (begins_character(text[i]) && ++count > columns) {
      return text.substr(0, i);
    }
  }
  return text;
}

std::string time_text(double seconds) {
  constexpr double longest = 359'999;  // 99:59:59: nobody believes more
  const auto whole = static_cast<long long>(std::ceil(seconds < longest ? std::max(seconds, 0.0) : longest));
  return whole < 3600 ? phrase("{}:{:02}", whole / 60, whole % 60)
                      : phrase("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string progress_text(const HowFar& far, std::size_t columns) {
  const bool is_known = far.fraction >= 0;
  const double fraction = std::min(far.fraction, 1.0);
  const std::string time = is_known ? phrase("  {} left", time_text(far.left)) : "";
  std::string line;
  for (const std::string& further : {far.further, std::string()}) {
    for (const std::size_t width : {std::size_t{24}, std::size_t{12}, std::size_t{6}, std::size_t{0}}) {
      line = phrase("{}{} {}{}{}", far.title, is_known ? bar_of(fraction, width) : "", far.counts, time, further);
      if (character_count(line) <= columns) {
        return line;
      }
    }
  }
  return cut_line(phrase("{} {}", far.title, far.counts), columns);
}

ProgressLine::~ProgressLine() {
  if (is_there_) {
    write_now(line_start);
  }
}

void ProgressLine::update(std::int64_t done, std::int64_t all, const std::string& further) {
  if (is_due()) {
    const std::string last = std::to_string(all);
    show(all == 0 ? 1 : static_cast<double>(done) / static_cast<double>(all),
         phrase("{:{}}/{}", done, last.size(), last), further);
  }
}

void ProgressLine::update_bytes(std::uint64_t done, std::uint64_t all) {
  if (is_due()) {
    const double fraction = all == 0 ? -1 : std::min(1.0, static_cast<double>(done) / static_cast<double>(all));
    show(fraction, all == 0 ? phrase("{:.1f} MB", static_cast<double>(done) / 1e6) : phrase("{:3.0f}%", 100 * fraction),
         "");
  }
}

bool ProgressLine::is_due() {
  if (shown_ == Shown::never || Clock::now() < next_) {
    return false;
  }
  if (shown_ == Shown::on_terminals) {
    shown_ = has_terminal() ? Shown::always : Shown::never;
  }
  return shown_ == Shown::always;
}

void ProgressLine::show(double fraction, const std::string& counts, const std::string& further) {
  const Clock::time_point now = Clock::now();
  const double gone = std::chrono::duration<double>(now - start_).count();
  next_ = now + std::chrono::milliseconds(100);
  is_there_ = true;
  write_now(line_start + progress_text({title_, fraction, counts, fraction > 0 ? gone / fraction - gone : 0, further},
                                       terminal_columns()));
}

}  // namespace xgrad::runtime
