#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "autograd/graph/operation.hpp"
#include "autograd/runtime/phrase.hpp"
#include "datasets/input_file.hpp"
#include "datasets/quoted.hpp"
#include "nn/report/json_scores.hpp"
#include "nn/report/run_record.hpp"
#include "nn/safetensors_file.hpp"
#include "nn/saved_file.hpp"
#include "nn/saved_scores.hpp"

/// \file
/// Runs from the files that programs write of them.

namespace xgrad::nn {

namespace {

constexpr std::string_view read_runs_op = "read_runs";
constexpr std::string_view page_start = "<!DOCTYPE html>";
constexpr std::string_view data_start = "<script type=\"application/json\" id=\"xgrad-run\">";

std::string whole_text(const std::filesystem::path& path) {
  datasets::InputFile file(read_runs_op, path);
  std::string text;
  std::string part(1 << 16, '\0');
  for (;;) {
    const std::size_t count = file.read(reinterpret_cast<std::byte*>(part.data()), part.size());
    text.append(part, 0, count);
    if (count < part.size()) {
      return text;
    }
  }
}

[[noreturn]] void fail_file(const std::filesystem::path& path, std::string_view found) {
  datasets::raise_file_error(read_runs_op, path, "a log of json_log, a checkpoint, or a report", found,
                             "give another file");
}

// One line of a log: the scores of an epoch, beside which the first one has the run, or why it ended. A line that a
// program is just writing is none yet.
void add_line(const std::filesystem::path& path, std::string_view line, bool is_last, RunRecord& run) {
  using LineJson = nlohmann::ordered_json;
  const LineJson json = LineJson::parse(line, nullptr, false);
  if (!json.is_object()) {
    if (is_last && !run.epochs.empty()) {
      return;
    }
    fail_file(path, phrase("the line {}", datasets::backticked(line)));
  }
  if (const auto head = json.find("run"); head != json.end() && head->is_object()) {
    std::vector<Scores> before = std::move(run.epochs);
    run = RunRecord::from_json(head->dump());
    run.epochs = std::move(before);
  }
  if (const auto why = json.find("stopped"); why != json.end() && why->is_string()) {
    run.stopped = why->get<std::string>();
  }
  if (json.contains("epoch")) {
    run.epochs.push_back(detail::scores_of_json(json));
  }
}

RunRecord read_log(const std::filesystem::path& path, std::string_view text) {
  RunRecord run;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const bool is_last = end == std::string_view::npos;
    const std::string_view line = text.substr(0, end);
    if (line.find_first_not_of(" \r\t") != std::string_view::npos) {
      add_line(path, line, is_last, run);
    }
    text.remove_prefix(is_last ? text.size() : end + 1);
  }
  return run;
}

RunRecord read_checkpoint(const std::filesystem::path& path) {
  const Saved saved = detail::read_saved_file(read_runs_op, path);
  RunRecord run;
  if (saved.texts().contains("callback/report/record")) {
    run = RunRecord::from_json(saved.text("callback/report/record"));
  } else if (saved.texts().contains("record")) {
    run = RunRecord::from_json(saved.text("record"));
  } else if (!saved.contains("fit/history")) {
    fail_file(path, "a checkpoint of a program's own, without a text `record`");
  }
  if (saved.contains("fit/history")) {
    run.epochs = detail::loaded_scores(saved.part("fit/history"));
    run.stopped = saved.text("fit/stopped");
  }
  run.running = false;
  return run;
}

std::vector<RunRecord> read_page(const std::filesystem::path& path, std::string_view text) {
  const std::size_t at = text.find(data_start);
  const std::size_t end = text.find("</script>", at);
  if (at == std::string_view::npos || end == std::string_view::npos) {
    fail_file(path, "a page without the numbers of a run");
  }
  return detail::runs_of_page(text.substr(at + data_start.size(), end - at - data_start.size()));
}

// What RunRecord::json writes begins like this, and no line of a log does.
bool is_record(std::string_view text) { return text.starts_with("{\"schema\":\"xgrad-run\""); }

std::vector<RunRecord> read_any(const std::filesystem::path& path) {
  const std::string text = whole_text(path);
  if (text.starts_with(page_start)) {
    return read_page(path, text);
  }
  RunRecord run;
  if (is_record(text)) {
    run = RunRecord::from_json(text);
  } else if (text.starts_with("{")) {
    run = read_log(path, text);
  } else if (text.size() > 8 && text[8] == '{') {
    run = read_checkpoint(path);
  } else {
    fail_file(path, phrase("one that begins with {}", datasets::backticked(text.substr(0, 16))));
  }
  run.title = run.title.empty() ? path.stem().string() : run.title;
  return {run};
}

}  // namespace

std::vector<RunRecord> read_runs(const std::filesystem::path& path, std::source_location where) {
  return located(where, [&] {
    try {
      return read_any(path);
    } catch (const ValueError& error) {
      raise<FileError>(read_runs_op, phrase("{}: {}", path.string(), error.what()));
    }
  });
}

}  // namespace xgrad::nn
