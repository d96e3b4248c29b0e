#include <algorithm>
#include <cmath>
#include <cstddef>

#include "autograd/runtime/phrase.hpp"
#include "nn/report/html.hpp"
#include "nn/report/sections.hpp"

namespace xgrad::nn::detail {

namespace {

// One cell: how often a label was taken for a class, and which share of the label's samples that is.
std::string cell_of(const Classification& c, std::size_t label, std::size_t prediction, double samples, double x,
                    double y, double size, bool with_number) {
  const std::int64_t count = c.counts[label * c.classes.size() + prediction];
  const double share = samples > 0 ? static_cast<double>(count) / samples : 0;
  const bool is_right = label == prediction;
  // Rare mistakes are to be seen, too.
  const double strength = count == 0 ? 0
                          : is_right ? 0.12 + 0.68 * share
                                     : 0.12 + 0.75 * std::sqrt(std::min(share * 2, 1.0));
  std::string svg = phrase(
      "<g><title>{}{}{}: {} of {:.0f} ({})</title><rect class=\"{}\" fill-opacity=\"{:.2f}\" "
      "x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>",
      shortened_html(c.classes[label], 30), is_right ? "" : " taken for ",
      is_right ? std::string(" recognized") : shortened_html(c.classes[prediction], 30), count, samples,
      percent_text(share), is_right ? "cell" : "miss", strength, x, y, size, size);
  if (with_number) {
    svg += phrase("<text class=\"mid in\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>", x + size / 2, y + size / 2 + 4, count);
  }
  return svg + "</g>\n";
}

}  // namespace

std::string heat_map(const Classification& c) {
  constexpr double left = 104, top = 14, edge = 340;
  constexpr std::size_t most_numbers = 12, most_names = 25, longest_name = 13;
  const std::size_t n = c.classes.size();
  const double size = edge / static_cast<double>(n);
  std::string svg;
  std::int64_t right = 0, total = 0;
  for (std::size_t i = 0; i < n; ++i) {
    double samples = 0;
    for (std::size_t j = 0; j < n; ++j) {
      samples += static_cast<double>(c.counts[i * n + j]);
    }
    right += c.counts[i * n + i];
    total += static_cast<std::int64_t>(samples);
    const double y = top + size * static_cast<double>(i);
    for (std::size_t j = 0; j < n; ++j) {
      const bool is_drawn = n <= most_numbers || c.counts[i * n + j] > 0;
      svg += is_drawn ? cell_of(c, i, j, samples, left + size * static_cast<double>(j), y,
                                size - (n > most_names ? 0 : 1), n <= most_numbers)
                      : std::string();
    }
    const std::size_t every = n <= most_names ? 1 : (n + 9) / 10;
    if (i % every == 0) {
      const std::string name = n <= most_names ? shortened_html(c.classes[i], longest_name) : std::to_string(i);
      const double x = left + size * (static_cast<double>(i) + 0.5);
      svg += phrase(
          "<text class=\"end\" x=\"{:.0f}\" y=\"{:.1f}\">{}</text><text class=\"end\" transform=\"translate({:.1f} "
          "{:.0f}) rotate(-45)\">{}</text>\n",
          left - 7, y + std::min(size, 16.0) / 2 + size / 2 - std::min(size, 16.0) / 2 + 4, name, x + 4,
          top + edge + 14, name);
    }
  }
  return phrase(
      "<svg viewBox=\"0 0 460 445\" role=\"img\" aria-label=\"confusion matrix of {} classes: a row for each "
      "label, a column for each prediction; {} of {} samples are on the diagonal\">\n{}<rect class=\"frame\" "
      "x=\"{:.0f}\" y=\"{:.0f}\" width=\"{:.0f}\" height=\"{:.0f}\"/></svg>\n<p class=\"note\">A row for each "
      "label, a column for what it was taken for. Blue is right, orange is wrong.{}</p>\n",
      n, right, total, svg, left, top, edge, edge,
      n <= most_names ? "" : " Numbers are those of the classes, from 0 on.");
}

std::string reliability_diagram(const Classification& c) {
  constexpr double left = 54, top = 14, width = 392, height = 300;
  const auto across = [&](double x) { return left + width * x; };
  const auto down = [&](double y) { return top + height * (1 - y); };
  std::string svg;
  for (int i = 0; i <= 5; ++i) {
    const double at = i / 5.0;
    svg += phrase(
        "<path class=\"grid\" d=\"M{:.0f} {:.1f}h{:.0f}\"/><text class=\"end\" x=\"{:.0f}\" y=\"{:.1f}\">{:.1f}"
        "</text><text class=\"mid\" x=\"{:.1f}\" y=\"{:.0f}\">{:.1f}</text>\n",
        left, down(at), width, left - 7, down(at) + 4, at, across(at), top + height + 18, at);
  }
  const double bin_width = 1 / static_cast<double>(c.bins.size());
  std::int64_t total = 0;
  for (const CalibrationBin& bin : c.bins) {
    total += bin.count;
  }
  std::string words;
  for (std::size_t i = 0; i < c.bins.size(); ++i) {
    const CalibrationBin& bin = c.bins[i];
    if (bin.count == 0) {
      continue;
    }
    const double share = static_cast<double>(bin.count) / static_cast<double>(total);
    svg += phrase(
        "<g><title>confidence {:.3f}, accuracy {:.3f}, {} samples</title><rect class=\"bar k0\" "
        "fill-opacity=\"{:.2f}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/><circle "
        "class=\"dot k1\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\"/></g>\n",
        bin.confidence, bin.accuracy, bin.count, 0.25 + 0.6 * std::sqrt(share),
        across(bin_width * static_cast<double>(i)) + 1, down(bin.accuracy), width * bin_width - 2,
        height * bin.accuracy, across(bin.confidence), down(bin.accuracy));
    words += phrase("; confidence {:.2f}, accuracy {:.2f}, {} samples", bin.confidence, bin.accuracy, bin.count);
  }
  svg += phrase(
      "<path class=\"ideal\" d=\"M{:.0f} {:.0f}L{:.0f} {:.0f}\"/><path class=\"axis\" d=\"M{:.0f} {:.0f}h{:.0f}\"/>",
      left, down(0), across(1), down(1), left, down(0), width);
  svg += phrase(
      "<text class=\"mid\" x=\"{:.0f}\" y=\"{:.0f}\">probability that the model gives</text><text class=\"mid\" "
      "transform=\"translate(14 {:.0f}) rotate(-90)\">share that is right</text>\n",
      across(0.5), top + height + 37, down(0.5));
  return phrase(
      "<svg viewBox=\"0 0 460 360\" role=\"img\" aria-label=\"reliability diagram: accuracy by confidence{}\">\n"
      "{}</svg>\n<p class=\"note\">On the dashed line probability and accuracy are the same. Bars with more "
      "samples are stronger.</p>\n",
      words, svg);
}

}  // namespace xgrad::nn::detail
