#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
#include "nn/report/json_scores.hpp"
#include "nn/report/run_record.hpp"

/// \file
/// Runs as JSON. Numbers that JSON lacks, NaN and the infinities, are null; what is missing has its default.

namespace xgrad::nn {

namespace {

using RunJson = nlohmann::ordered_json;

constexpr std::string_view run_schema = "xgrad-run";

RunJson json_of_number(double value) { return std::isfinite(value) ? RunJson(value) : RunJson(nullptr); }

RunJson json_of_numbers(const std::vector<double>& values) {
  RunJson json = RunJson::array();
  for (const double value : values) {
    json.push_back(json_of_number(value));
  }
  return json;
}

RunJson json_of_scores(const Scores& scores, std::size_t epoch) {
  RunJson json = {{"epoch", epoch}};  // comes first
  for (const auto& [name, value] : scores) {
    json[name] = json_of_number(value);
  }
  json["epoch"] = epoch;  // which a score of that name does not replace
  return json;
}

RunJson json_of_head(const RunRecord& run) {
  const Machine& m = run.machine;
  RunJson options = RunJson::array();  // as there may be two of a name, and their order counts
  for (const auto& [name, value] : run.options) {
    options.push_back({name, value});
  }
  return {{"schema", run_schema},
          {"version", RunRecord::version},
          {"title", run.title},
          {"command", run.command},
          {"machine",
           {{"cpu", m.cpu},
            {"processors", m.processors},
            {"threads", m.threads},
            {"kernels", m.kernels},
            {"blas", m.blas}}},
          {"options", options},
          {"seed", run.seed},
          {"monitor", run.monitor},
          {"maximize", run.maximize},
          {"planned_epochs", run.planned_epochs},
          {"samples", run.samples}};
}

RunJson json_of_classification(const Classification& c) {
  RunJson json = {
      {"data", c.data}, {"classes", c.classes}, {"counts", c.counts}, {"calibration_error", c.calibration_error}};
  json["bins"] = RunJson::array();
  for (const CalibrationBin& bin : c.bins) {
    json["bins"].push_back({{"count", bin.count}, {"confidence", bin.confidence}, {"accuracy", bin.accuracy}});
  }
  json["mistakes"] = RunJson::array();
  for (const Mistake& each : c.mistakes) {
    json["mistakes"].push_back({{"sample", each.sample},
                                {"label", each.label},
                                {"prediction", each.prediction},
                                {"confidence", each.confidence},
                                {"png", each.png}});
  }
  return json;
}

RunJson json_of_network(const Network& network) {
  RunJson json = {{"input", network.input}, {"trainable", network.trainable}, {"layers", RunJson::array()}};
  for (const LayerRow& row : network.layers) {
    json["layers"].push_back({{"path", row.path},
                              {"type", row.type},
                              {"output", row.output},
                              {"parameters", row.parameters},
                              {"multiply_adds", row.multiply_adds}});
  }
  return json;
}

RunJson json_of_step(const StepCost& step) {
  RunJson json = {{"seconds", step.seconds}, {"repetitions", step.repetitions}, {"threads", step.threads},
                  {"bytes", step.bytes},     {"memory_map", step.memory_map},   {"kernels", RunJson::array()}};
  for (const KernelCost& kernel : step.kernels) {
    json["kernels"].push_back({{"layer", kernel.layer},
                               {"name", kernel.name},
                               {"computes", kernel.computes},
                               {"seconds", kernel.seconds},
                               {"share", kernel.share},
                               {"gflops", kernel.gflops},
                               {"gigabytes", kernel.gigabytes}});
  }
  return json;
}

RunJson json_of_run(const RunRecord& run) {
  RunJson json = json_of_head(run);
  json["running"] = run.running;
  json["stopped"] = run.stopped;
  json["epochs"] = RunJson::array();
  for (std::size_t i = 0; i < run.epochs.size(); ++i) {
    json["epochs"].push_back(json_of_scores(run.epochs[i], i + 1));
  }
  json["weights"] = RunJson::array();
  for (const WeightCourse& each : run.weights) {
    json["weights"].push_back(
        {{"name", each.name}, {"norms", json_of_numbers(each.norms)}, {"updates", json_of_numbers(each.updates)}});
  }
  json["units"] = RunJson::array();
  for (const UnitCourse& each : run.units) {
    json["units"].push_back({{"layer", each.layer}, {"dead", json_of_numbers(each.dead)}});
  }
  if (!run.classification.classes.empty()) {
    json["classification"] = json_of_classification(run.classification);
  }
  if (!run.network.layers.empty()) {
    json["network"] = json_of_network(run.network);
  }
  if (!run.step.kernels.empty()) {
    json["step"] = json_of_step(run.step);
  }
  return json;
}

// Texts that are no UTF-8 come out with the replacement character.
std::string dumped(const RunJson& json) { return json.dump(-1, ' ', false, RunJson::error_handler_t::replace); }

[[noreturn]] void fail_run(std::string_view what) {
  raise<ValueError>("read_runs", phrase("this is no run that xgrad has written: {}; give another file", what));
}

// What is under a name, or null.
const RunJson& member(const RunJson& json, const char* name) {
  static const RunJson nothing;
  const auto found = json.find(name);
  return found == json.end() ? nothing : *found;
}

double number_of(const RunJson& json) {
  return json.is_number() ? json.get<double>() : std::numeric_limits<double>::quiet_NaN();
}

void read_value(const RunJson& json, const char* name, std::string& value) { value = json.value(name, std::string()); }
void read_value(const RunJson& json, const char* name, std::int64_t& value) {
  value = json.value(name, std::int64_t{0});
}
void read_value(const RunJson& json, const char* name, bool& value) { value = json.value(name, false); }
void read_value(const RunJson& json, const char* name, double& value) { value = number_of(member(json, name)); }
void read_value(const RunJson& json, const char* name, std::vector<double>& values) {
  for (const RunJson& each : member(json, name)) {
    values.push_back(number_of(each));
  }
}

void read_head(const RunJson& json, RunRecord& run) {
  if (member(json, "schema") != run_schema) {
    fail_run(phrase("its schema is not {}", run_schema));
  }
  if (json.value("version", 0) > RunRecord::version) {
    fail_run(
        phrase("it is of version {}, and this xgrad reads up to {}", json.value("version", 0), RunRecord::version));
  }
  read_value(json, "title", run.title);
  read_value(json, "command", run.command);
  const RunJson& machine = member(json, "machine");
  if (machine.is_object()) {
    read_value(machine, "cpu", run.machine.cpu);
    read_value(machine, "processors", run.machine.processors);
    read_value(machine, "threads", run.machine.threads);
    read_value(machine, "kernels", run.machine.kernels);
    read_value(machine, "blas", run.machine.blas);
  }
  for (const RunJson& each : member(json, "options")) {
    run.options.emplace_back(each.at(0).get<std::string>(), each.at(1).get<std::string>());
  }
  read_value(json, "seed", run.seed);
  read_value(json, "monitor", run.monitor);
  read_value(json, "maximize", run.maximize);
  read_value(json, "planned_epochs", run.planned_epochs);
  read_value(json, "samples", run.samples);
}

void read_classification(const RunJson& json, Classification& c) {
  read_value(json, "data", c.data);
  c.classes = json.at("classes").get<std::vector<std::string>>();
  c.counts = json.at("counts").get<std::vector<std::int64_t>>();
  read_value(json, "calibration_error", c.calibration_error);
  for (const RunJson& each : member(json, "bins")) {
    CalibrationBin& bin = c.bins.emplace_back();
    read_value(each, "count", bin.count);
    read_value(each, "confidence", bin.confidence);
    read_value(each, "accuracy", bin.accuracy);
  }
  const auto classes = static_cast<std::int64_t>(c.classes.size());
  const auto is_class = [&](std::int64_t number) { return number >= 0 && number < classes; };
  for (const RunJson& each : member(json, "mistakes")) {
    Mistake& mistake = c.mistakes.emplace_back();
    read_value(each, "sample", mistake.sample);
    read_value(each, "label", mistake.label);
    read_value(each, "prediction", mistake.prediction);
    read_value(each, "confidence", mistake.confidence);
    read_value(each, "png", mistake.png);
    if (!is_class(mistake.label) || !is_class(mistake.prediction)) {
      fail_run("a mistake is of a class that there is not");
    }
  }
  if (c.counts.size() != c.classes.size() * c.classes.size()) {
    fail_run("the confusion matrix is not square");
  }
}

void read_network(const RunJson& json, Network& network) {
  read_value(json, "input", network.input);
  read_value(json, "trainable", network.trainable);
  for (const RunJson& each : member(json, "layers")) {
    LayerRow& row = network.layers.emplace_back();
    read_value(each, "path", row.path);
    read_value(each, "type", row.type);
    read_value(each, "output", row.output);
    read_value(each, "parameters", row.parameters);
    read_value(each, "multiply_adds", row.multiply_adds);
  }
}

void read_step(const RunJson& json, StepCost& step) {
  read_value(json, "seconds", step.seconds);
  read_value(json, "repetitions", step.repetitions);
  read_value(json, "threads", step.threads);
  read_value(json, "bytes", step.bytes);
  read_value(json, "memory_map", step.memory_map);
  for (const RunJson& each : member(json, "kernels")) {
    KernelCost& kernel = step.kernels.emplace_back();
    read_value(each, "layer", kernel.layer);
    read_value(each, "name", kernel.name);
    read_value(each, "computes", kernel.computes);
    read_value(each, "seconds", kernel.seconds);
    read_value(each, "share", kernel.share);
    read_value(each, "gflops", kernel.gflops);
    read_value(each, "gigabytes", kernel.gigabytes);
  }
}

RunRecord run_of(const RunJson& json) {
  RunRecord run;
  read_head(json, run);
  read_value(json, "running", run.running);
  read_value(json, "stopped", run.stopped);
  for (const RunJson& each : member(json, "epochs")) {
    run.epochs.push_back(detail::scores_of_json(each));
  }
  for (const RunJson& each : member(json, "weights")) {
    WeightCourse& course = run.weights.emplace_back();
    read_value(each, "name", course.name);
    read_value(each, "norms", course.norms);
    read_value(each, "updates", course.updates);
  }
  for (const RunJson& each : member(json, "units")) {
    UnitCourse& course = run.units.emplace_back();
    read_value(each, "layer", course.layer);
    read_value(each, "dead", course.dead);
  }
  if (json.contains("classification")) {
    read_classification(json["classification"], run.classification);
  }
  if (json.contains("network")) {
    read_network(json["network"], run.network);
  }
  if (json.contains("step")) {
    read_step(json["step"], run.step);
  }
  return run;
}

// Whatever is wrong with the text is an error of ours.
template <class Read>
auto reading_json(std::string_view text, const Read& read) {
  try {
    return read(RunJson::parse(text));
  } catch (const nlohmann::json::exception& error) {
    fail_run(error.what());
  }
}

}  // namespace

std::string RunRecord::json() const { return dumped(json_of_run(*this)); }

std::string detail::head_json(const RunRecord& run) { return dumped(json_of_head(run)); }

Scores detail::scores_of_json(const RunJson& json) {
  Scores scores;
  for (const auto& [name, value] : json.items()) {
    if (name != "epoch" && (value.is_number() || value.is_null())) {
      scores.set(name, number_of(value));
    }
  }
  return scores;
}

std::string detail::json_text(std::string_view text) { return dumped(RunJson(text)); }

RunRecord RunRecord::from_json(std::string_view text) { return reading_json(text, run_of); }

// An end tag, or a comment, would end the element in which it stands; between quotes < may be written by its number.
std::string detail::page_json(const std::vector<RunRecord>& runs) {
  RunJson json = {{"schema", run_schema}, {"version", RunRecord::version}, {"runs", RunJson::array()}};
  for (const RunRecord& run : runs) {
    json["runs"].push_back(json_of_run(run));
  }
  std::string text;
  for (const char letter : dumped(json)) {
    text += letter == '<' ? std::string("\\u003c") : std::string(1, letter);
  }
  return text;
}

std::vector<RunRecord> detail::runs_of_page(std::string_view json) {
  return reading_json(json, [](const RunJson& page) {
    RunRecord nothing;
    read_head(page, nothing);
    std::vector<RunRecord> runs;
    for (const RunJson& each : page.at("runs")) {
      runs.push_back(run_of(each));
    }
    return runs;
  });
}

}  // namespace xgrad::nn
