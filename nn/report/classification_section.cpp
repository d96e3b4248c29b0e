#include <algorithm>
#include <cstddef>

#include "autograd/runtime/phrase.hpp"
#include "nn/report/html.hpp"
#include "nn/report/sections.hpp"

namespace xgrad::nn::detail {

namespace {

constexpr std::size_t most_classes_in_table = 20;
constexpr std::size_t most_confusions = 30;

// Of a matrix of counts: sums of rows and columns, and what follows.
struct Counts {
  explicit Counts(const Classification& c) : n(c.classes.size()), counts(c.counts), samples(n), predicted(n) {
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        samples[i] += at(i, j);
        predicted[j] += at(i, j);
      }
      right += at(i, i);
      total += samples[i];
    }
  }
  double at(std::size_t label, std::size_t prediction) const {
    return static_cast<double>(counts[label * n + prediction]);
  }
  static double share(double part, double whole) { return whole > 0 ? part / whole : 0; }
  double precision(std::size_t i) const { return share(at(i, i), predicted[i]); }
  double recall(std::size_t i) const { return share(at(i, i), samples[i]); }
  double f1(std::size_t i) const { return share(2 * at(i, i), samples[i] + predicted[i]); }

  std::size_t n;
  const std::vector<std::int64_t>& counts;
  std::vector<double> samples, predicted;
  double right = 0, total = 0;
};

std::string class_table(const Classification& c, const Counts& counts) {
  HtmlTable table{.heads = {"class", "precision", "recall", "F1", "samples"}, .rows = {}};
  for (std::size_t i = 0; i < counts.n; ++i) {
    table.rows.push_back({escaped_html(c.classes[i]), phrase("{:.3f}", counts.precision(i)),
                          phrase("{:.3f}", counts.recall(i)), phrase("{:.3f}", counts.f1(i)),
                          phrase("{:.0f}", counts.samples[i])});
  }
  return table.html();
}

std::string matrix_table(const Classification& c, const Counts& counts) {
  HtmlTable table{.heads = {"label, taken for"}, .rows = {}};
  for (const std::string& name : c.classes) {
    table.heads.push_back(escaped_html(name));
  }
  for (std::size_t i = 0; i < counts.n; ++i) {
    std::vector<std::string> row = {escaped_html(c.classes[i])};
    for (std::size_t j = 0; j < counts.n; ++j) {
      row.push_back(phrase("{:.0f}", counts.at(i, j)));
    }
    table.rows.push_back(std::move(row));
  }
  return table.html();
}

// Of many classes: what is confused most often.
std::string confusion_table(const Classification& c, const Counts& counts) {
  std::vector<std::size_t> pairs;
  for (std::size_t at = 0; at < c.counts.size(); ++at) {
    if (at / counts.n != at % counts.n && c.counts[at] > 0) {
      pairs.push_back(at);
    }
  }
  std::stable_sort(pairs.begin(), pairs.end(), [&](std::size_t a, std::size_t b) { return c.counts[a] > c.counts[b]; });
  pairs.resize(std::min(pairs.size(), most_confusions));
  HtmlTable table{.heads = {"label", "taken for", "how often"}, .rows = {}};
  for (const std::size_t at : pairs) {
    table.rows.push_back(
        {escaped_html(c.classes[at / counts.n]), escaped_html(c.classes[at % counts.n]), std::to_string(c.counts[at])});
  }
  return "<p class=\"note\">The confusions that are most frequent:</p>" + table.html();
}

std::string bin_table(const Classification& c) {
  HtmlTable table{.heads = {"confidence", "samples", "mean confidence", "accuracy"}, .rows = {}};
  for (std::size_t i = 0; i < c.bins.size(); ++i) {
    const CalibrationBin& bin = c.bins[i];
    const double width = 1 / static_cast<double>(c.bins.size());
    table.rows.push_back(
        {phrase("{:.1f} to {:.1f}", width * static_cast<double>(i), width * static_cast<double>(i + 1)),
         std::to_string(bin.count), bin.count > 0 ? phrase("{:.3f}", bin.confidence) : "–",
         bin.count > 0 ? phrase("{:.3f}", bin.accuracy) : "–"});
  }
  return details_html("table", table.html());
}

// Whether probabilities can be believed, in words.
std::string words_on_calibration(const Classification& c, const Counts& counts) {
  double confidence = 0;
  for (const CalibrationBin& bin : c.bins) {
    confidence += bin.confidence * static_cast<double>(bin.count);
  }
  confidence = Counts::share(confidence, counts.total);
  const double accuracy = Counts::share(counts.right, counts.total);
  constexpr double little = 0.02;
  const std::string is = phrase(
      "The expected calibration error is {}: so far are probability and accuracy apart on "
      "average. ",
      percent_text(c.calibration_error));
  if (c.calibration_error < little) {
    return is + "The probabilities can be taken at their word.";
  }
  return is + phrase("The model gives {} on average and is right in {} of cases: it is {}.", percent_text(confidence),
                     percent_text(accuracy), confidence > accuracy ? "too sure of itself" : "too modest");
}

std::string pictures_of(const Classification& c) {
  std::string html;
  for (const Mistake& each : c.mistakes) {
    const std::string label = escaped_html(c.classes[static_cast<std::size_t>(each.label)]);
    const std::string taken = escaped_html(c.classes[static_cast<std::size_t>(each.prediction)]);
    if (each.png.empty()) {
      continue;
    }
    html += phrase(
        "<figure><img src=\"data:image/png;base64,{}\" alt=\"sample {}, {}, taken for {}\"><figcaption>{}, "
        "taken for <b>{}</b> at {}</figcaption></figure>\n",
        escaped_html(each.png), each.sample, label, taken, label, taken, percent_text(each.confidence));
  }
  return html.empty() ? html : "<div class=\"pictures\">\n" + html + "</div>\n";
}

std::string mistakes_of(const Classification& c) {
  if (c.mistakes.empty()) {
    return "";
  }
  HtmlTable table{.heads = {"sample", "label", "taken for", "probability"}, .rows = {}};
  for (const Mistake& each : c.mistakes) {
    table.rows.push_back({std::to_string(each.sample), escaped_html(c.classes[static_cast<std::size_t>(each.label)]),
                          escaped_html(c.classes[static_cast<std::size_t>(each.prediction)]),
                          phrase("{:.4f}", each.confidence)});
  }
  const std::string pictures = pictures_of(c);
  return "<h3>The most confident mistakes</h3>\n" +
         (pictures.empty() ? table.html() : pictures + details_html("table", table.html()));
}

}  // namespace

std::string classification_section(const RunRecord& run, const std::string& ending) {
  const Classification& c = run.classification;
  if (c.classes.empty()) {
    return "";
  }
  const Counts counts(c);
  std::string html = phrase("<p>{} of {} {} samples are right: {}.</p>\n<div class=\"charts\">\n",
                            grouped_text(static_cast<std::int64_t>(counts.right)),
                            grouped_text(static_cast<std::int64_t>(counts.total)), escaped_html(c.data),
                            percent_text(Counts::share(counts.right, counts.total)));
  html +=
      heat_map(c).insert(0, "<figure><figcaption>confusion matrix</figcaption>\n") +
      details_html("table", counts.n <= most_classes_in_table ? matrix_table(c, counts) : confusion_table(c, counts)) +
      "</figure>\n";
  if (!c.bins.empty()) {
    html += "<figure><figcaption>reliability</figcaption>\n" + reliability_diagram(c) + "<p class=\"note\">" +
            words_on_calibration(c, counts) + "</p>\n" + bin_table(c) + "</figure>\n";
  }
  html += "</div>\n<h3>Precision, recall and F1</h3>\n";
  const std::string classes = class_table(c, counts);
  html += counts.n <= most_classes_in_table ? classes : details_html("table", classes);
  return section_html("classification" + ending, "Classification", html + mistakes_of(c));
}

}  // namespace xgrad::nn::detail
