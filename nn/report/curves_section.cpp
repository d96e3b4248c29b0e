#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

// Empty where no epoch has the score.
EpochValues scores_called(const RunRecord& run, const std::string& score) {
  EpochValues values;
  bool is_there = false;
  for (const Scores& scores : run.epochs) {
    is_there = is_there || scores.contains(score);
    values.push_back(scores.contains(score) ? std::optional(scores[score]) : std::nullopt);
  }
  return is_there ? values : EpochValues();
}

// One run: a colour for each part of the data. Several: one for each run, training dashed where there is more.
void add_series(const RunRecord& run, std::size_t number, bool is_alone, const std::string& quantity,
                LineChart& chart) {
  const std::size_t before = chart.series.size();
  std::size_t part_number = 0;
  for (const std::string_view part : score_parts) {
    EpochValues values = scores_called(run, std::string(part) + quantity);
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

struct EpochScore {
  std::size_t epoch;  // from 1 on
  double value;
};

// Without the epochs that have none.
std::vector<EpochScore> known_scores(const RunRecord& run, const std::string& score) {
  const EpochValues values = scores_called(run, score);
  std::vector<EpochScore> known;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i]) {
      known.push_back({i + 1, *values[i]});
    }
  }
  return known;
}

// Empty where all are finite.
std::string words_on_not_finite(const std::vector<EpochScore>& losses) {
  constexpr std::string_view advice = "Lower the learning rate, or clip gradients.";
  const auto is_bad = [](const EpochScore& each) { return !std::isfinite(each.value); };
  const auto first = std::find_if(losses.begin(), losses.end(), is_bad);
  if (first == losses.end()) {
    return "";
  }
  if (is_bad(losses.back())) {
    const auto behind_last_finite = std::find_if_not(losses.rbegin(), losses.rend(), is_bad).base();
    return phrase("The loss is not a finite number from epoch {} on: training has diverged. {}",
                  behind_last_finite->epoch, advice);
  }
  const auto others = std::count_if(first + 1, losses.end(), is_bad);
  return phrase("The loss is not a finite number in epoch {}{}, and is one again in the end: training is unstable. {}",
                first->epoch, others == 0 ? std::string() : phrase(" and {} more", others), advice);
}

// The last one up to an epoch.
std::optional<double> score_until(const std::vector<EpochScore>& scores, std::size_t epoch) {
  const auto behind =
      std::find_if(scores.begin(), scores.end(), [&](const EpochScore& each) { return each.epoch > epoch; });
  return behind == scores.begin() ? std::nullopt : std::optional((behind - 1)->value);
}

std::string words_on_validation(const std::vector<EpochScore>& train, const std::vector<EpochScore>& validation,
                                std::size_t epochs) {
  const bool is_finite = std::all_of(validation.begin(), validation.end(),
                                     [](const EpochScore& each) { return std::isfinite(each.value); });
  if (train.empty() || validation.size() < 2 || !is_finite) {
    return "";
  }
  const auto least = std::min_element(validation.begin(), validation.end(),
                                      [](const EpochScore& a, const EpochScore& b) { return a.value < b.value; });
  const EpochScore& last = validation.back();
  const std::optional<double> train_then = score_until(train, least->epoch);
  constexpr double clear_rise = 1.03;
  if (validation.end() - least > 2 && least->value > 0 && last.value > clear_rise * least->value && train_then &&
      train.back().value < *train_then) {
    return phrase(
        "The validation loss was least in epoch {} and has risen by {} since, while the training loss goes on "
        "falling: the model learns its training data by heart. Stop there (early_stopping), or use dropout, "
        "weight decay or more data.",
        least->epoch, percent_text(last.value / least->value - 1));
  }
  if (least->epoch == last.epoch && validation.size() > 3) {
    return phrase("The validation loss is least in the last epoch{}: more epochs may make it better.",
                  last.epoch == epochs ? "" : " that has one");
  }
  return "";
}

// What the two losses say together.
std::string words_on_losses(const RunRecord& run) {
  const std::vector<EpochScore> train = known_scores(run, "loss");
  const std::string trouble = words_on_not_finite(train);
  return trouble.empty() ? words_on_validation(train, known_scores(run, "validation_loss"), run.epochs.size())
                         : trouble;
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
