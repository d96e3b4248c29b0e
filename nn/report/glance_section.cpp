#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>

#include "autograd/runtime/phrase.hpp"
#include "nn/report/html.hpp"
#include "nn/report/sections.hpp"

namespace xgrad::nn::detail {

namespace {

std::string score_text(const RunRecord& run, std::int64_t epoch, const std::string& name) {
  const Scores& scores = run.epochs[static_cast<std::size_t>(epoch)];
  return scores.contains(name) ? number_text(scores[name]) : "–";
}

std::string best_text(const RunRecord& run) {
  const std::int64_t best = run.best_epoch();
  return best < 0 ? "–" : score_text(run, best, run.best_by());
}

std::string best_epoch_text(const RunRecord& run) {
  const std::int64_t best = run.best_epoch();
  return best < 0 ? "–" : std::to_string(best + 1);
}

std::string epochs_text(const RunRecord& run) {
  return run.planned_epochs > 0 ? phrase("{} of {}", run.epochs.size(), run.planned_epochs)
                                : std::to_string(run.epochs.size());
}

std::string time_text(const RunRecord& run) {
  const double seconds = seconds_of(run);
  return seconds > 0 ? duration_text(seconds) : std::string();
}

std::string speed_text(const RunRecord& run) {
  const double seconds = seconds_of(run);
  const double samples = static_cast<double>(run.samples) * static_cast<double>(run.epochs.size());
  return seconds > 0 && samples > 0 ? grouped_text(std::llround(samples / seconds)) : std::string();
}

std::string end_text(const RunRecord& run) {
  if (run.running) {
    return "it goes on";
  }
  if (!run.stopped.empty()) {
    return "<div class=\"lines\">" + escaped_html(run.stopped) + "</div>";
  }
  const bool is_short = run.planned_epochs > static_cast<std::int64_t>(run.epochs.size());
  return is_short ? "it is not complete" : "it ran to its last epoch";
}

std::string machine_text(const Machine& machine) {
  std::string text = escaped_html(machine.cpu);
  const auto add = [&](const std::string& more) { text += (text.empty() ? "" : "; ") + more; };
  if (machine.processors > 0) {
    add(phrase("{} processor{}", machine.processors, machine.processors == 1 ? "" : "s"));
  }
  if (machine.threads > 0) {
    add(phrase("{} thread{}", machine.threads, machine.threads == 1 ? "" : "s"));
  }
  return text;
}

std::string code_of(const std::string& text) {
  return text.empty() ? std::string() : "<code>" + escaped_html(text) + "</code>";
}

void add_tile(std::string& html, const std::string& value, const std::string& name) {
  if (!value.empty()) {
    html += phrase("<div class=\"tile\"><b>{}</b><span>{}</span></div>\n", value, name);
  }
}

std::string tiles_of(const RunRecord& run) {
  std::string html = "<div class=\"tiles\">\n";
  const std::int64_t best = run.best_epoch();
  if (!run.epochs.empty()) {
    add_tile(html, best_text(run), "best " + escaped_html(run.best_by()));
    add_tile(html, best_epoch_text(run), "best epoch");
  }
  if (best >= 0) {
    for (const auto& [name, value] : run.epochs[static_cast<std::size_t>(best)]) {
      const bool is_result = name != run.best_by() && (name.starts_with("validation_") || name.starts_with("test_"));
      if (is_result && std::isfinite(value)) {
        add_tile(html, number_text(value), escaped_html(name) + " then");
      }
    }
  }
  add_tile(html, epochs_text(run), "epochs");
  add_tile(html, time_text(run), "time");
  add_tile(html, speed_text(run), "samples per second");
  return html + "</div>\n";
}

// What is told of every run: a name, and what it is for a run, as HTML.
struct Fact {
  const char* name;
  std::function<std::string(const RunRecord&)> text;
};

const std::vector<Fact>& run_facts() {
  static const std::vector<Fact> all = {
      {"what stopped it", end_text},
      {"machine", [](const RunRecord& run) { return machine_text(run.machine); }},
      {"instructions", [](const RunRecord& run) { return escaped_html(run.machine.kernels); }},
      {"BLAS", [](const RunRecord& run) { return escaped_html(run.machine.blas); }},
      {"command line", [](const RunRecord& run) { return code_of(run.command); }},
      {"seed", [](const RunRecord& run) { return escaped_html(run.seed); }},
  };
  return all;
}

const std::vector<Fact>& run_results() {
  static const std::vector<Fact> all = {
      {"best", [](const RunRecord& run) { return best_text(run) + " " + escaped_html(run.best_by()); }},
      {"best epoch", best_epoch_text},
      {"epochs", epochs_text},
      {"time", time_text},
      {"samples per second", speed_text},
  };
  return all;
}

// Where it says the same of all runs, once if that is wanted.
void add_fact(const Fact& fact, const std::vector<RunRecord>& runs, bool once, HtmlTable& table) {
  std::vector<std::string> row = {fact.name};
  bool is_there = false;
  for (const RunRecord& run : runs) {
    row.push_back(fact.text(run));
    is_there = is_there || !row.back().empty();
  }
  const bool is_common = std::adjacent_find(row.begin() + 1, row.end(), std::not_equal_to<>()) == row.end();
  if (once && is_common) {
    row.resize(2);
  }
  if (is_there) {
    table.rows.push_back(std::move(row));
  }
}

std::vector<std::string> run_heads(const std::vector<RunRecord>& runs) {
  std::vector<std::string> heads = {""};
  for (const RunRecord& run : runs) {
    heads.push_back(escaped_html(run.title));
  }
  return heads;
}

std::string option_of(const RunRecord& run, const std::string& name) {
  for (const auto& [each, value] : run.options) {
    if (each == name) {
      return value;
    }
  }
  return "";
}

// Of several runs what differs alone.
std::string options_of_runs(const std::vector<RunRecord>& runs) {
  std::vector<std::string> names;
  for (const RunRecord& run : runs) {
    for (const auto& [name, value] : run.options) {
      if (std::find(names.begin(), names.end(), name) == names.end()) {
        names.push_back(name);
      }
    }
  }
  HtmlTable table{.heads = run_heads(runs), .rows = {}, .numbers = false};
  table.heads.front() = "option";
  if (runs.size() == 1) {
    table.heads = {"option", "value"};
  }
  for (const std::string& name : names) {
    std::vector<std::string> row = {escaped_html(name)};
    bool differs = runs.size() == 1;
    for (const RunRecord& run : runs) {
      row.push_back(escaped_html(option_of(run, name)));
      differs = differs || option_of(run, name) != option_of(runs.front(), name);
    }
    if (differs) {
      table.rows.push_back(std::move(row));
    }
  }
  const char* title = runs.size() == 1 ? "Options that are not the default" : "Options that differ";
  return table.rows.empty() ? std::string() : phrase("<h3>{}</h3>\n", title) + table.html();
}

}  // namespace

double seconds_of(const RunRecord& run) {
  double seconds = 0;
  for (const Scores& scores : run.epochs) {
    const double epoch = scores.contains("seconds") ? scores["seconds"] : 0;
    seconds += std::isfinite(epoch) ? epoch : 0;
  }
  return seconds;
}

std::string glance_section(const std::vector<RunRecord>& runs) {
  HtmlTable table{.heads = run_heads(runs), .rows = {}, .numbers = false};
  std::string html;
  if (runs.size() == 1) {
    html = tiles_of(runs.front());
    table.heads = {"", ""};
  } else {
    for (const Fact& fact : run_results()) {
      add_fact(fact, runs, false, table);
    }
  }
  for (const Fact& fact : run_facts()) {
    add_fact(fact, runs, true, table);
  }
  return section_html("glance", "At a glance", html + table.html() + options_of_runs(runs));
}

}  // namespace xgrad::nn::detail
