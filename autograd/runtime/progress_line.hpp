#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

/// \file
/// Internal: lines that say how far something is, and change in place.

namespace xgrad::runtime {

/// Whether standard output is a terminal that can change a line in place: not one that calls itself dumb.
bool has_terminal();
/// How many characters a line of it may have now, so that the cursor stays in it; 79 where that is not known.
std::size_t terminal_columns();
/// Writes to standard output at once.
void write_now(const std::string& text);
/// In front of a line that takes the place of the one where the cursor is: no colours, so NO_COLOR changes nothing.
inline constexpr const char* line_start = "\r\033[K";

/// \p text of at most \p columns characters.
std::string cut_line(const std::string& text, std::size_t columns);
/// `0:07`, `1:02:03`
std::string time_text(double seconds);

/// What a line says of how far something is.
struct HowFar {
  std::string title;         ///< `epoch 3/12`
  double fraction = -1;      ///< of all, in [0, 1]; below 0 where that is not known: then there is no bar, and no time
  std::string counts;        ///< `512/938`
  double left = 0;           ///< seconds, as a guess
  std::string further = {};  ///< scores
};

/// `epoch 3/12 [=====>    ] 512/938  0:12 left  loss 0.4123`, of at most \p columns characters: where that is too long, the
/// bar is shorter or goes, then the further text, then the time.
std::string progress_text(const HowFar& far, std::size_t columns);

/// A line on standard output that says how far something is: from the second second on, ten times a second, where there is a
/// terminal. It goes when this does. For the thread that made it.
class ProgressLine {
 public:
  enum class Shown : std::uint8_t { never, on_terminals, always };

  /// \param title what is done: `predicting`.
  ProgressLine(std::string title, Shown shown) : title_(std::move(title)), shown_(shown) {}
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine();

  /// So many of so many are done.
  void update(std::int64_t done, std::int64_t all, const std::string& further = "");
  /// So many bytes of \p all, or of nobody knows how many: 0.
  void update_bytes(std::uint64_t done, std::uint64_t all);

 private:
  using Clock = std::chrono::steady_clock;

  bool is_due();
  void show(double fraction, const std::string& counts, const std::string& further);

  std::string title_;
  Shown shown_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point next_ = start_ + std::chrono::seconds(1);
  bool is_there_ = false;
};

}  // namespace xgrad::runtime
