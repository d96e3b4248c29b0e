// Makes a report of logs, checkpoints and earlier reports: of several, one page with their curves overlaid.

#include <cstdio>
#include <exception>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "nn/report/report.hpp"

using namespace xgrad;

namespace {

constexpr int trouble = 2;

// Runs of one program are called alike: then the names of their files tell them apart.
void tell_apart(std::vector<nn::RunRecord>& runs, const std::vector<std::string>& files) {
  std::map<std::string, int> counts;
  for (const nn::RunRecord& run : runs) {
    ++counts[run.title];
  }
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const std::string file = std::filesystem::path(files[i]).stem().string();
    if (counts[runs[i].title] > 1 && file != runs[i].title) {
      runs[i].title += " (" + file + ")";
    }
  }
}

int make_report(const std::vector<std::string>& logs, const std::string& out, const std::string& monitor,
                bool maximize) {
  std::vector<nn::RunRecord> runs;
  std::vector<std::string> files;
  for (const std::string& log : logs) {
    for (nn::RunRecord& run : nn::read_runs(log)) {
      if (!monitor.empty()) {
        run.monitor = monitor;
        run.maximize = maximize;
      }
      runs.push_back(std::move(run));
      files.push_back(log);
    }
  }
  tell_apart(runs, files);
  nn::write_report(out, runs);
  std::printf("%s: %zu run%s\n", out.c_str(), runs.size(), runs.size() == 1 ? "" : "s");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Makes a page that shows how training went. Of several runs the curves are overlaid, and of their options those\n"
      "are shown that differ.\n\n"
      "A LOG is what callbacks::json_log writes, a checkpoint of callbacks::checkpoint, or another report. A run that\n"
      "goes on is shown as far as it is.\n\n"
      "Ends with code 0, or with 2 and a message when something is wrong.",
      "xgrad-report");
  std::vector<std::string> logs;
  std::string out = "report.html";
  std::string monitor;
  bool maximize = false;
  app.add_option("LOG", logs, "logs, checkpoints and reports")->required();
  app.add_option("-o,--output", out, "where the page goes")->capture_default_str();
  CLI::Option* which = app.add_option("--monitor", monitor, "the score that says which epoch is best");
  app.add_flag("--maximize", maximize, "whether a larger one is better, as of an accuracy")->needs(which);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {
      return app.exit(error);
    }
    std::fprintf(stderr, "xgrad-report: %s; --help tells more\n", error.what());
    return trouble;
  }
  try {
    return make_report(logs, out, monitor, maximize);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return trouble;
  }
}
