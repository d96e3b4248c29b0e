#include <algorithm>
#include <cstddef>
#include <sstream>

#include "autograd/runtime/phrase.hpp"
#include "nn/report/chart.hpp"
#include "nn/report/html.hpp"
#include "nn/report/sections.hpp"

namespace xgrad::nn::detail {

namespace {

constexpr std::size_t most_bars = 12;

std::string bytes_text_of(std::int64_t bytes) {
  const auto size = static_cast<double>(bytes);
  return size < 1e6 ? phrase("{:.1f} kB", size / 1e3) : phrase("{:.1f} MB", size / 1e6);
}

// Layers in the order in which the step comes to them.
std::string layer_bars(const StepCost& step) {
  BarChart chart{.title = "by layer", .bars = {}, .colour = 0};
  for (const KernelCost& kernel : step.kernels) {
    const auto is_it = [&](const BarChart::Bar& bar) { return bar.name == kernel.layer; };
    auto at = std::find_if(chart.bars.begin(), chart.bars.end(), is_it);
    if (at == chart.bars.end()) {
      chart.bars.push_back({kernel.layer, 0, "", ""});
      at = chart.bars.end() - 1;
    }
    at->share += kernel.share;
  }
  for (BarChart::Bar& bar : chart.bars) {
    bar.value = percent_text(bar.share);
    bar.hover = phrase("{}: {} of the kernels' time, forward, backward and update", bar.name, bar.value);
  }
  return chart.html();
}

std::vector<const KernelCost*> slowest_first(const StepCost& step) {
  std::vector<const KernelCost*> kernels;
  for (const KernelCost& kernel : step.kernels) {
    kernels.push_back(&kernel);
  }
  std::stable_sort(kernels.begin(), kernels.end(),
                   [](const KernelCost* a, const KernelCost* b) { return a->share > b->share; });
  return kernels;
}

std::string kernel_bars(const StepCost& step) {
  BarChart chart{.title = "by kernel", .bars = {}, .colour = 1};
  for (const KernelCost* kernel : slowest_first(step)) {
    if (chart.bars.size() == most_bars) {
      break;
    }
    chart.bars.push_back({kernel->layer + ": " + kernel->name, kernel->share,
                          phrase("{}  {}", percent_text(kernel->share), duration_text(kernel->seconds)),
                          phrase("{} of {}: {}", kernel->name, kernel->layer, kernel->computes)});
  }
  return chart.html();
}

// A line of Plan::memory_map: which bytes of the arena a value has, from phase to phase.
struct Placed {
  double offset = 0, bytes = 0;
  double first = 0, last = 0;
  std::string value;
};

std::vector<Placed> placed_values(const std::string& memory_map) {
  std::vector<Placed> values;
  std::istringstream lines(memory_map);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    Placed each;
    std::string to;
    if (words >> each.offset >> each.bytes >> each.first >> to >> each.last &&
        std::getline(words >> std::ws, each.value)) {
      values.push_back(each);
    }
  }
  return values;
}

// Time goes to the right, addresses go down.
std::string memory_drawing(const std::string& memory_map) {
  constexpr double left = 58, top = 8, width = 390, height = 260;
  const std::vector<Placed> values = placed_values(memory_map);
  double bytes = 0, phases = 0;
  for (const Placed& each : values) {
    bytes = std::max(bytes, each.offset + each.bytes);
    phases = std::max(phases, each.last + 1);
  }
  if (bytes == 0) {
    return "";
  }
  std::string svg;
  for (const double at : linear_ticks(0, bytes / 1e3).at) {
    const double y = top + height * at * 1e3 / bytes;
    svg += y > top + height + 1 ? ""
                                : phrase("<text class=\"end\" x=\"{:.0f}\" y=\"{:.1f}\">{} kB</text>\n", left - 7,
                                         y + 4, number_text(at));
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Placed& each = values[i];
    svg += phrase(
        "<g><title>{}, {:.0f} bytes, phases {:.0f} to {:.0f}</title><rect class=\"bar {}\" fill-opacity=\".75\" "
        "x=\"{:.1f}\" y=\"{:.2f}\" width=\"{:.1f}\" height=\"{:.2f}\"/></g>\n",
        escaped_html(each.value), each.bytes, each.first, each.last, colour_class(i),
        left + width * each.first / phases + 1, top + height * each.offset / bytes,
        width * (each.last - each.first + 1) / phases - 2, std::max(height * each.bytes / bytes - 1, 0.5));
  }
  for (double phase = 0; phase < phases; ++phase) {
    svg += phrase("<text class=\"mid\" x=\"{:.1f}\" y=\"{:.0f}\">{:.0f}</text>\n",
                  left + width * (phase + 0.5) / phases, top + height + 18, phase);
  }
  return phrase(
      "<figure class=\"wide\"><figcaption>memory map</figcaption>\n<svg viewBox=\"0 0 460 310\" role=\"img\" "
      "aria-label=\"memory map: {} values in {:.0f} kB over {:.0f} phases\">\n{}<rect class=\"frame\" "
      "x=\"{:.0f}\" y=\"{:.0f}\" width=\"{:.0f}\" height=\"{:.0f}\"/><text class=\"mid\" x=\"{:.0f}\" "
      "y=\"{:.0f}\">phase of the step</text></svg></figure>\n",
      values.size(), bytes / 1e3, phases, svg, left, top, width, height, left + width / 2, top + height + 37);
}

std::string kernel_table(const StepCost& step) {
  HtmlTable table{.heads = {"kernel", "layer", "time", "share", "GFLOP/s", "GB/s"}, .rows = {}};
  for (const KernelCost* kernel : slowest_first(step)) {
    table.rows.push_back({phrase("<code>{}</code><br><code class=\"note\">{}</code>", escaped_html(kernel->name),
                                 shortened_html(kernel->computes, 120)),
                          escaped_html(kernel->layer), duration_text(kernel->seconds), percent_text(kernel->share),
                          phrase("{:.1f}", kernel->gflops), phrase("{:.1f}", kernel->gigabytes)});
  }
  return details_html("all kernels", table.html());
}

}  // namespace

std::string time_section(const RunRecord& run, const std::string& ending) {
  const StepCost& step = run.step;
  if (step.kernels.empty()) {
    return "";
  }
  std::string html = phrase(
      "<p>A training step takes {} on {} thread{}, mean of {}. It needs {} beside the weights and the "
      "batch. Forward, backward and update are one plan: what a layer does in all three is counted together, and "
      "layers without parameters are part of their neighbours.</p>\n",
      duration_text(step.seconds), step.threads, step.threads == 1 ? "" : "s", step.repetitions,
      bytes_text_of(step.bytes));
  html += "<div class=\"charts\">\n<div>\n" + layer_bars(step) + memory_drawing(step.memory_map) + "</div>\n" +
          kernel_bars(step) + "</div>\n" + kernel_table(step);
  if (!step.memory_map.empty()) {
    html += details_html("memory map as a table", "<pre>" + escaped_html(step.memory_map) + "</pre>");
  }
  return section_html("time" + ending, "Where the time goes", html);
}

}  // namespace xgrad::nn::detail
