#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string_view>

#include "autograd/runtime/phrase.hpp"
#include "nn/report/chart.hpp"
#include "nn/report/html.hpp"
#include "nn/report/sections.hpp"

namespace xgrad::nn::detail {

namespace {

// What scores measure on the training data, and where the same of other data stands.
constexpr std::string_view score_parts[] = {"", "train_", "validation_", "test_"};

// The name of a score without the part of the data.
std::string quantity_of(std::string_view score) {
  for (const std::string_view part : score_parts) {
    if (!part.empty() && score.starts_with(part) && score.size() > part.size()) {
      return std::string(score.substr(part.size()));
    }
  }
  return std::string(score);
}

std::string part_name(std::string_view part) {
  return part.empty() ? "training" : part == "train_" ? "training" : std::string(part.substr(0, part.size() - 1));
}

std::vector<std::string> quantities_of(const std::vector<RunRecord>& runs) {
  std::vector<std::string> quantities;
  for (const RunRecord& run : runs) {
    for (const Scores& scores : run.epochs) {
      for (const auto& [name, value] : scores) {
        const std::string quantity = quantity_of(name);
        if (quantity != "seconds" && std::find(quantities.begin(), quantities.end(), quantity) == quantities.end()) {
          quantities.push_back(quantity);
        }
      }
    }
  }
  return quantities;
}

std::vector<double> scores_called(const RunRecord& run, const std::string& score) {
  std::vector<double> values;
  bool is_there = false;
  for (const Scores& scores : run.epochs) {
    is_there = is_there || scores.contains(score);
    values.push_back(scores.contains(score) ? scores[score] : std::numeric_limits<double>::quiet_NaN());
  }
  return is_there ? values : std::vector<double>();
}

// One run: a colour for each part of the data. Several: one for each run, training dashed where there is more.
void add_series(const RunRecord& run, std::size_t number, bool is_alone, const std::string& quantity,
                LineChart& chart) {
  const std::size_t before = chart.series.size();
  std::size_t part_number = 0;
  for (const std::string_view part : score_parts) {
    std::vector<double> values = scores_called(run, std::string(part) + quantity);
    if (values.empty()) {
      continue;
    }
    const bool is_plain = quantity == "learning_rate";
    const std::string name = is_plain ? quantity : part_name(part);
    chart.series.push_back({.name = is_alone   ? name
                                    : is_plain ? run.title
                                               : run.title + ", " + name,
                            .values = std::move(values),
                            .colour = is_alone ? part_number : number,
                            .dashed = false});
    ++part_number;
  }
  for (std::size_t i = before; !is_alone && i + 1 < chart.series.size(); ++i) {
    chart.series[i].dashed = true;
  }
}

std::string chart_of(const std::vector<RunRecord>& runs, const std::string& quantity) {
  LineChart chart{.title = quantity, .series = {}};
  std::replace(chart.title.begin(), chart.title.end(), '_', ' ');
  for (std::size_t i = 0; i < runs.size(); ++i) {
    add_series(runs[i], i, runs.size() == 1, quantity, chart);
  }
  const std::int64_t best = runs.size() == 1 ? runs.front().best_epoch() : -1;
  if (best >= 0 && quantity != "learning_rate" && runs.front().epochs.size() > 1) {
    chart.mark = {best + 1, phrase("best: epoch {}", best + 1)};
  }
  return chart.html();
}

// What the two losses say together.
std::string words_on_losses(const RunRecord& run) {
  const std::vector<double> train = scores_called(run, "loss");
  const std::vector<double> validation = scores_called(run, "validation_loss");
  for (std::size_t i = 0; i < train.size(); ++i) {
    if (!std::isfinite(train[i])) {
      return phrase(
          "The loss is not a finite number from epoch {} on: training has diverged. Lower the learning rate, or "
          "clip gradients.",
          i + 1);
    }
  }
  if (validation.size() < 2 || train.size() != validation.size()) {
    return "";
  }
  const auto least = std::min_element(validation.begin(), validation.end());
  const auto at = static_cast<std::size_t>(least - validation.begin());
  constexpr double clear_rise = 1.03;
  if (at + 2 < validation.size() && validation.back() > clear_rise * *least && train.back() < train[at]) {
    return phrase(
        "The validation loss was least in epoch {} and has risen by {} since, while the training loss goes on "
        "falling: the model learns its training data by heart. Stop there (early_stopping), or use dropout, "
        "weight decay or more data.",
        at + 1, percent_text(validation.back() / *least - 1));
  }
  if (at + 1 == validation.size() && validation.size() > 3) {
    return "The validation loss is least in the last epoch: more epochs may make it better.";
  }
  return "";
}

}  // namespace

std::string curves_section(const std::vector<RunRecord>& runs) {
  std::string charts;
  for (const std::string& quantity : quantities_of(runs)) {
    charts += chart_of(runs, quantity);
  }
  if (charts.empty()) {
    return "";
  }
  const std::string words = runs.size() == 1 ? words_on_losses(runs.front()) : "";
  return section_html(
      "curves", "Curves",
      (words.empty() ? "" : "<p>" + words + "</p>\n") + "<div class=\"charts\">\n" + charts + "</div>\n");
}

}  // namespace xgrad::nn::detail
