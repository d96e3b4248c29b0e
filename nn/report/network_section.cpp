#include <algorithm>
#include <cstddef>

#include "autograd/runtime/phrase.hpp"
#include "nn/report/html.hpp"
#include "nn/report/sections.hpp"

namespace xgrad::nn::detail {

namespace {

constexpr double drawing_width = 460, box_height = 44, flow_gap = 40;

std::string flow_of(double y, const std::string& shape) {
  const double x = drawing_width / 2;
  return phrase(
      "<path class=\"flow\" d=\"M{:.0f} {:.0f}v{:.0f}\"/><path class=\"head\" d=\"M{:.0f} {:.0f}l-4.5 -8h9z\"/>"
      "<text x=\"{:.0f}\" y=\"{:.0f}\">{}</text>\n",
      x, y, flow_gap - 6, x, y + flow_gap, x + 12, y + flow_gap / 2 + 4, shortened_html(shape, 34));
}

std::string title_of(const LayerRow& row) { return row.path.empty() ? row.type : row.path + " " + row.type; }

// A box, of which the strip at its foot is as long as its share of the parameters.
std::string box_of(const LayerRow& row, std::int64_t parameters, double y) {
  constexpr double left = 70, width = 320;
  const double share = parameters > 0 ? static_cast<double>(row.parameters) / static_cast<double>(parameters) : 0;
  std::string svg = phrase(
      "<g><title>{}: output {}, {} parameters, {} multiply-adds</title><rect class=\"box\" "
      "x=\"{:.0f}\" y=\"{:.0f}\" width=\"{:.0f}\" height=\"{:.0f}\" rx=\"6\"/><text class=\"in\" "
      "x=\"{:.0f}\" y=\"{:.0f}\">{}</text>",
      escaped_html(title_of(row)), escaped_html(row.output), grouped_text(row.parameters),
      grouped_text(row.multiply_adds), left, y, width, box_height, left + 13, y + 26,
      shortened_html(title_of(row), 24));
  if (row.parameters > 0) {
    svg += phrase(
        "<text class=\"end\" x=\"{:.0f}\" y=\"{:.0f}\">{} parameters</text><rect class=\"bar k0\" "
        "x=\"{:.0f}\" y=\"{:.0f}\" width=\"{:.1f}\" height=\"3\"/>",
        left + width - 13, y + 26, grouped_text(row.parameters), left + 6, y + box_height - 6,
        std::max(1.0, (width - 12) * share));
  }
  return svg + "</g>\n";
}

std::string drawing_of(const Network& network) {
  constexpr std::size_t most_layers = 40;
  std::int64_t parameters = 0;
  for (const LayerRow& row : network.layers) {
    parameters += row.parameters;
  }
  double y = 0;
  std::string svg = flow_of(y, network.input);
  std::string words = "input " + network.input;
  for (std::size_t i = 0; i < std::min(network.layers.size(), most_layers); ++i) {
    const LayerRow& row = network.layers[i];
    y += flow_gap;
    svg += box_of(row, parameters, y);
    y += box_height;
    svg += flow_of(y, row.output);
    words += phrase(", {} to {}", title_of(row), row.output);
  }
  y += flow_gap;
  if (network.layers.size() > most_layers) {
    svg += phrase("<text class=\"mid\" x=\"{:.0f}\" y=\"{:.0f}\">and {} more layers</text>\n", drawing_width / 2,
                  y + 18, network.layers.size() - most_layers);
    y += 24;
  }
  return phrase(
      "<figure class=\"wide\"><svg viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-label=\"the network: {}\">\n{}"
      "</svg></figure>\n",
      drawing_width, y + 4, escaped_html(words), svg);
}

std::string layer_table(const Network& network) {
  HtmlTable table{.heads = {"layer", "output", "parameters", "multiply-adds"}, .rows = {}};
  std::int64_t parameters = 0, multiply_adds = 0;
  for (const LayerRow& row : network.layers) {
    table.rows.push_back({escaped_html(title_of(row)), escaped_html(row.output), grouped_text(row.parameters),
                          grouped_text(row.multiply_adds)});
    parameters += row.parameters;
    multiply_adds += row.multiply_adds;
  }
  table.rows.push_back({"total", "", grouped_text(parameters), grouped_text(multiply_adds)});
  table.rows.push_back({"trainable", "", grouped_text(network.trainable), ""});
  return table.html();
}

}  // namespace

std::string network_section(const RunRecord& run, const std::string& ending) {
  if (run.network.layers.empty()) {
    return "";
  }
  return section_html("network" + ending, "Network",
                      "<div class=\"charts\">\n" + drawing_of(run.network) + "<div>" + layer_table(run.network) +
                          "<p class=\"note\">Shapes are those of one batch of training.</p></div></div>\n");
}

}  // namespace xgrad::nn::detail
