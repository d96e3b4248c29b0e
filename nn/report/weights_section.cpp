#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "autograd/runtime/phrase.hpp"
#include "nn/report/chart.hpp"
#include "nn/report/html.hpp"
#include "nn/report/sections.hpp"

namespace xgrad::nn::detail {

namespace {

// Of ‖Δw‖ / ‖w‖ in a step: about one thousandth is usual.
constexpr double small_update = 1e-4;
constexpr double large_update = 1e-2;
constexpr double many_dead_units = 0.4;

double last_finite(const std::vector<double>& values) {
  const auto last = std::find_if(values.rbegin(), values.rend(), [](double value) { return std::isfinite(value); });
  return last == values.rend() ? std::nan("") : *last;
}

// Of a course, NaN says that the number is not known.
EpochValues known_values(const std::vector<double>& course) {
  EpochValues values;
  for (const double value : course) {
    values.push_back(std::isnan(value) ? std::nullopt : std::optional(value));
  }
  return values;
}

template <class Course>
LineChart chart_of_courses(const std::string& title, const std::vector<Course>& courses,
                           std::vector<double> Course::*values, std::string Course::*name) {
  LineChart chart{.title = title, .series = {}};
  for (const Course& course : courses) {
    const std::size_t number = chart.series.size();
    chart.series.push_back({course.*name, known_values(course.*values), number, number >= 6});
  }
  return chart;
}

// In which state updates are in the end, by the names of parameters.
std::string words_on_updates(const std::vector<WeightCourse>& weights) {
  std::string small, large;
  for (const WeightCourse& each : weights) {
    const double update = last_finite(each.updates);
    if (update < small_update || update > large_update) {
      std::string& list = update < small_update ? small : large;
      list += (list.empty() ? "" : ", ") + escaped_html(each.name);
    }
  }
  std::string text = "Healthy is about 0.001, and between 0.0001 and 0.01 (shaded) still usual. ";
  if (small.empty() && large.empty()) {
    return text + "All of them are.";
  }
  text += large.empty() ? "" : "Above: " + large + "; a lower learning rate would be calmer. ";
  return text + (small.empty() ? ""
                               : "Below: " + small +
                                     "; they hardly change any more, as is right towards the end "
                                     "of a schedule, and too slow at its beginning.");
}

std::string words_on_dead(const std::vector<UnitCourse>& units) {
  std::string many;
  for (const UnitCourse& each : units) {
    if (last_finite(each.dead) > many_dead_units) {
      many += (many.empty() ? "" : ", ") + escaped_html(each.layer);
    }
  }
  const std::string text =
      "A dead unit gives the same number for every sample that was tried: it tells the next layer nothing, and behind "
      "ReLU it learns nothing. Some are usual. ";
  return many.empty() ? text + "Here they are few."
                      : text + "Here they are many in " + many +
                            ": lower the learning rate, take another initializer, or LeakyReLU.";
}

bool has_finite(const std::vector<UnitCourse>& units) {
  return std::any_of(units.begin(), units.end(), [](const UnitCourse& each) {
    return std::any_of(each.dead.begin(), each.dead.end(), [](double share) { return std::isfinite(share); });
  });
}

}  // namespace

std::string weights_section(const RunRecord& run, const std::string& ending) {
  LineChart updates = chart_of_courses("update / weight, in the last step of the epoch", run.weights,
                                       &WeightCourse::updates, &WeightCourse::name);
  updates.logarithmic = true;
  updates.band = {small_update, large_update};
  updates.note = words_on_updates(run.weights);
  LineChart norms = chart_of_courses("norm of the weights", run.weights, &WeightCourse::norms, &WeightCourse::name);
  norms.note =
      "The root of the sum of squares. It should grow slowly or come to rest; where it keeps growing, weight "
      "decay holds it.";
  std::string charts = norms.html() + updates.html();
  if (has_finite(run.units)) {
    LineChart dead = chart_of_courses("share of dead units", run.units, &UnitCourse::dead, &UnitCourse::layer);
    dead.note = words_on_dead(run.units);
    charts += dead.html();
  }
  return section_html("weights" + ending, "Weights and units",
                      charts.empty() ? "" : "<div class=\"charts\">\n" + charts + "</div>\n");
}

}  // namespace xgrad::nn::detail
