#include "nn/progress.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>

#include "autograd/runtime/phrase.hpp"

namespace xgrad::nn {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

std::string epoch_of(const TrainingState& training) {
  const auto width = std::to_string(training.epochs).size();
  return phrase("epoch {:{}}/{}", training.epoch, width, training.epochs);
}

// Those that are known.
std::string numbers_of(const TrainingState& training) {
  std::string text;
  for (const auto& [name, value] : training.scores) {
    if (name == "learning_rate") {
      text += std::isnan(value) ? "" : phrase("  {} {:.3g}", name, value);
    } else if (name == "seconds") {
      text += std::isnan(value) ? "" : phrase("  {:.1f} s", value);
    } else if (!std::isnan(value)) {
      text += phrase("  {} {:.4f}", name, value);
    }
  }
  return text;
}

std::string time_text(double seconds) {
  const auto whole = static_cast<long long>(std::ceil(seconds));
  return whole < 3600 ? phrase("{}:{:02}", whole / 60, whole % 60)
                      : phrase("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string bar(std::int64_t done, std::int64_t all) {
  constexpr std::int64_t width = 24;
  const auto filled = static_cast<std::size_t>(width * done / all);
  std::string text = std::string(filled, '=') + (done < all ? ">" : "");
  text.resize(width, ' ');
  return text;
}

struct Bar {
  Write write;
  std::size_t columns;
  Clock::time_point epoch_start = {};
  Clock::time_point shown = {};

  void show(const TrainingState& training) {
    const Clock::time_point now = Clock::now();
    if (now - shown < std::chrono::milliseconds(100)) {
      return;
    }
    shown = now;
    const double per_batch = seconds_since(epoch_start) / static_cast<double>(training.batch);
    const auto batches_left = static_cast<double>(training.batches - training.batch);
    std::string line = phrase("{} [{}] {:{}}/{}  {} left{}", epoch_of(training), bar(training.batch, training.batches),
                              training.batch, std::to_string(training.batches).size(), training.batches,
                              time_text(per_batch * batches_left), numbers_of(training));
    line.resize(std::min(line.size(), columns));
    write("\r\033[K" + line);
  }
};

std::string epoch_line(const TrainingState& training) { return epoch_of(training) + numbers_of(training) + "\n"; }

std::string last_line(const TrainingState& training) {
  return training.stopped.empty() ? "" : "stopped: " + training.stopped + "\n";
}

}  // namespace

Callback progress_lines(const Write& write) {
  return {.on_epoch_end = [=](TrainingState& training) { write(epoch_line(training)); },
          .on_end = [=](TrainingState& training) { write(last_line(training)); }};
}

Callback progress_bar(const Write& write, std::size_t columns) {
  const auto bar = std::make_shared<Bar>(Bar{write, columns});
  return {
      .on_epoch_start = [=](TrainingState&) { bar->epoch_start = Clock::now(); },
      .on_batch_end = [=](TrainingState& training) { bar->show(training); },
      .on_epoch_end = [=](TrainingState& training) { write("\r\033[K" + epoch_line(training)); },
      .on_end =
          [=](TrainingState& training) { write(training.stopped.empty() ? "" : "\r\033[K" + last_line(training)); }};
}

}  // namespace xgrad::nn
