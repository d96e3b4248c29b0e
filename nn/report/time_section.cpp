#include <algorithm>
#include <cstddef>
#include <map>

#include "autograd/runtime/phrase.hpp"
#include "nn/report/chart.hpp"
#include "nn/report/html.hpp"
#include "nn/report/sections.hpp"

namespace xgrad::nn::detail {

namespace {

constexpr std::size_t most_bars = 12;

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
    chart.bars.push_back({kernel->name, kernel->share,
                          phrase("{}  {}", percent_text(kernel->share), duration_text(kernel->seconds)),
                          phrase("{} of {}: {}", kernel->name, kernel->layer, kernel->computes)});
  }
  return chart.html();
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

std::string time_section(const RunRecord& run, const std::string& suffix) {
  const StepCost& step = run.step;
  if (step.kernels.empty()) {
    return "";
  }
  std::string html = phrase(
      "<p>A training step takes {} on {} thread{}, mean of {}. It needs {:.1f} MB beside the weights and the "
      "batch. Forward, backward and update are one plan: what a layer does in all three is counted together, and "
      "layers without parameters are part of their neighbours.</p>\n",
      duration_text(step.seconds), step.threads, step.threads == 1 ? "" : "s", step.repetitions,
      static_cast<double>(step.bytes) / 1e6);
  html += "<div class=\"charts\">\n" + layer_bars(step) + kernel_bars(step) + "</div>\n" + kernel_table(step);
  if (!step.memory_map.empty()) {
    html += details_html("memory map", "<pre>" + escaped_html(step.memory_map) + "</pre>");
  }
  return section_html("time" + suffix, "Where the time goes", html);
}

}  // namespace xgrad::nn::detail
