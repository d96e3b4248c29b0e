#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "autograd/graph/operation.hpp"
#include "autograd/runtime/phrase.hpp"
#include "datasets/output_file.hpp"
#include "nn/report/html.hpp"
#include "nn/report/report.hpp"
#include "nn/report/sections.hpp"

namespace xgrad::nn {

namespace {

constexpr std::string_view write_report_op = "write_report";

// While something goes on, the page is loaded anew: about as often as it is written.
std::string refresh_of(const std::vector<RunRecord>& runs) {
  double seconds = 0;
  bool is_running = false;
  for (const RunRecord& run : runs) {
    is_running = is_running || run.running;
    if (run.running && !run.epochs.empty() && run.epochs.back().contains("seconds")) {
      const double epoch = run.epochs.back()["seconds"];
      seconds = std::isfinite(epoch) ? epoch : 0;
    }
  }
  return is_running ? phrase("<meta http-equiv=\"refresh\" content=\"{:.0f}\">\n", std::clamp(seconds, 5.0, 60.0))
                    : std::string();
}

// The one that is on; behind the last one there is none, though the run may not have ended yet.
std::string epoch_of_run(const RunRecord& run) {
  const auto next = static_cast<std::int64_t>(run.epochs.size()) + 1;
  return run.planned_epochs > 0 ? phrase("epoch {} of {}", std::min(next, run.planned_epochs), run.planned_epochs)
                                : phrase("epoch {}", next);
}

std::string state_of_run(const RunRecord& run) {
  if (run.running) {
    return phrase("<span class=\"state runs\">runs: {}</span>", epoch_of_run(run));
  }
  if (!run.stopped.empty()) {
    return phrase("<span class=\"state ended\">stopped after {} epoch{}</span>", run.epochs.size(),
                  run.epochs.size() == 1 ? "" : "s");
  }
  return phrase("<span class=\"state done\">{} epoch{}</span>", run.epochs.size(), run.epochs.size() == 1 ? "" : "s");
}

std::string title_of_page(const std::vector<RunRecord>& runs) {
  std::string title;
  for (const RunRecord& run : runs) {
    title += (title.empty() ? "" : ", ") + (run.title.empty() ? std::string("run") : run.title);
  }
  constexpr std::size_t longest = 120;
  return detail::shortened_html(title, longest);
}

// What is told of each run by itself.
std::string own_sections(const RunRecord& run, const std::string& ending) {
  return detail::classification_section(run, ending) + detail::weights_section(run, ending) +
         detail::network_section(run, ending) + detail::time_section(run, ending);
}

// Links to the sections that there are.
std::string navigation_of(const std::string& sections) {
  std::string html = "<nav>";
  constexpr std::string_view start = "<section id=\"";
  for (std::size_t at = sections.find(start); at != std::string::npos; at = sections.find(start, at + 1)) {
    const std::size_t begin = at + start.size();
    const std::size_t title = sections.find("<h2>", begin) + 4;
    const std::string id = sections.substr(begin, sections.find('"', begin) - begin);
    const std::size_t number = id.find('-');  // of one of several runs
    html += phrase("<a href=\"#{}\">{}{}</a>", id, sections.substr(title, sections.find("</h2>", title) - title),
                   number == std::string::npos ? std::string() : phrase(" {}", id.substr(number + 1)));
  }
  return html + "</nav>\n";
}

}  // namespace

std::string report_page(const std::vector<RunRecord>& runs) {
  std::string sections = detail::glance_section(runs) + detail::curves_section(runs);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const bool is_alone = runs.size() == 1;
    const std::string own = own_sections(runs[i], is_alone ? "" : phrase("-{}", i + 1));
    if (!own.empty() && !is_alone) {
      sections += phrase("<h2>{}. {}</h2>\n", i + 1, detail::escaped_html(runs[i].title));
    }
    sections += own;
  }
  std::string states;
  for (const RunRecord& run : runs) {
    states += state_of_run(run);
  }
  return phrase(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n{}<meta name=\"viewport\" "
      "content=\"width=device-width,initial-scale=1\">\n<title>{}</title>\n<style>{}</style></head>\n<body><header>"
      "<h1>{}</h1>\n{}\n{}</header>\n<main>\n{}</main>\n<footer>Written by xgrad. The numbers are in this page as "
      "JSON: "
      "<code>xgrad-report</code> reads it.</footer>\n<script type=\"application/json\" id=\"xgrad-run\">{}</script>\n"
      "</body></html>\n",
      refresh_of(runs), title_of_page(runs), detail::page_style(), title_of_page(runs), states, navigation_of(sections),
      sections, detail::page_json(runs));
}

void write_report(const std::filesystem::path& path, const std::vector<RunRecord>& runs, std::source_location where) {
  located(where, [&] {
    if (runs.empty()) {
      raise<ValueError>(write_report_op, "there are no runs; give at least one");
    }
    const std::string page = report_page(runs);
    datasets::OutputFile file(write_report_op, path);
    file.write(page);
    file.publish();
  });
}

void write_report(const std::filesystem::path& path, const RunRecord& run, std::source_location where) {
  write_report(path, std::vector<RunRecord>{run}, where);
}

}  // namespace xgrad::nn
