#include "nn/progress.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "autograd/runtime/phrase.hpp"

namespace xgrad::nn {

namespace {

using ProgressClock = std::chrono::steady_clock;

std::string fraction_of_epochs(const TrainingState& training) {
  return phrase("{:{}}/{}", training.epoch, std::to_string(training.epochs).size(), training.epochs);
}

std::string epoch_of(const TrainingState& training) { return "epoch " + fraction_of_epochs(training); }

using Named = std::pair<std::string, std::string>;  // a score and its text

// Those that are known.
std::vector<Named> numbers_of(const TrainingState& training) {
  std::vector<Named> numbers;
  for (const auto& [name, value] : training.scores) {
    if (std::isnan(value)) {
      continue;
    }
    numbers.emplace_back(name, name == "learning_rate" ? phrase("  {} {:.3g}", name, value)
                               : name == "seconds"     ? phrase("  {:.1f} s", value)
                                                       : phrase("  {} {:.4f}", name, value));
  }
  return numbers;
}

std::string joined(const std::string& title, const std::vector<Named>& numbers) {
  std::string line = title;
  for (const Named& number : numbers) {
    line += number.second;
  }
  return line;
}

void shorten(std::string& text) {
  constexpr std::pair<std::string_view, std::string_view> words[] = {
      {"validation_", "val_"}, {"learning_rate", "lr"}, {"accuracy", "acc"}};
  for (const auto& [word, shorter] : words) {
    if (const std::size_t at = text.find(word); at != std::string::npos) {
      text.replace(at, word.size(), shorter);
    }
  }
}

// How much a score matters where there is no room for all: the losses most, then what is of validation data.
int weight_of(const std::string& name) {
  const bool is_of_validation = name.starts_with("validation_");
  return name == "learning_rate"                       ? 0
         : name == "seconds"                           ? 1
         : name == "loss" || name == "validation_loss" ? 4
         : is_of_validation                            ? 3
                                                       : 2;
}

// Fits where it can be made to fit.
std::string epoch_line(const TrainingState& training, std::size_t columns) {
  std::vector<Named> numbers = numbers_of(training);
  std::string line = joined(epoch_of(training), numbers);
  const auto fits = [&] { return runtime::cut_line(line, columns) == line; };
  if (fits()) {
    return line;
  }
  for (Named& number : numbers) {
    shorten(number.second);
  }
  for (const std::string& title : {epoch_of(training), fraction_of_epochs(training)}) {
    for (std::vector<Named> left = numbers; line = joined(title, left), !fits() && left.size() > 2;) {
      const auto lightest = std::min_element(left.rbegin(), left.rend(), [](const Named& a, const Named& b) {
        return weight_of(a.first) < weight_of(b.first);
      });
      left.erase(std::next(lightest).base());
    }
    if (fits()) {
      return line;
    }
  }
  return runtime::cut_line(line, columns);
}

struct Bar {
  Write write;
  Columns columns;
  ProgressClock::time_point epoch_start = {};
  std::int64_t batches_before = 0;  // of this epoch, by a run that is resumed
  ProgressClock::time_point shown = {};

  void show(const TrainingState& training) {
    const ProgressClock::time_point now = ProgressClock::now();
    if (now - shown < std::chrono::milliseconds(100)) {
      return;
    }
    shown = now;
    if (epoch_start == ProgressClock::time_point()) {
      epoch_start = now;
      batches_before = training.batch;
    }
    const double per_batch = std::chrono::duration<double>(now - epoch_start).count() /
                             static_cast<double>(std::max<std::int64_t>(1, training.batch - batches_before));
    const std::string all = std::to_string(training.batches);
    write(runtime::line_start +
          runtime::progress_text(
              {epoch_of(training), static_cast<double>(training.batch) / static_cast<double>(training.batches),
               phrase("{:{}}/{}", training.batch, all.size(), all),
               per_batch * static_cast<double>(training.batches - training.batch), joined("", numbers_of(training))},
              columns()));
  }
};

std::string last_line(const TrainingState& training) {
  return training.stopped.empty() ? "" : "stopped: " + training.stopped + "\n";
}

}  // namespace

Callback progress_lines(const Write& write) {
  return {
      .on_epoch_end = [=](TrainingState& training) { write(joined(epoch_of(training), numbers_of(training)) + "\n"); },
      .on_end = [=](TrainingState& training) { write(last_line(training)); }};
}

Callback progress_bar(const Write& write, const Columns& columns) {
  const auto bar = std::make_shared<Bar>(Bar{write, columns});
  const std::string start = runtime::line_start;
  return {
      .on_epoch_start =
          [=](TrainingState&) {
            bar->epoch_start = ProgressClock::now();
            bar->batches_before = 0;
          },
      .on_batch_end = [=](TrainingState& training) { bar->show(training); },
      .on_epoch_end = [=](TrainingState& training) { write(start + epoch_line(training, bar->columns()) + "\n"); },
      .on_end = [=](TrainingState& training) { write(training.stopped.empty() ? "" : start + last_line(training)); }};
}

bool shows_bar(Progress progress) {
  return progress == Progress::bar || (progress == Progress::automatic && runtime::has_terminal());
}

Callback progress_of_fit(Progress progress) {
  if (progress == Progress::quiet) {
    return {};
  }
  return shows_bar(progress) ? progress_bar(runtime::write_now, runtime::terminal_columns)
                             : progress_lines(runtime::write_now);
}

runtime::ProgressLine::Shown shown_by(Progress progress) {
  using Shown = runtime::ProgressLine::Shown;
  return progress == Progress::automatic ? Shown::on_terminals
         : progress == Progress::bar     ? Shown::always
                                         : Shown::never;
}

}  // namespace xgrad::nn
