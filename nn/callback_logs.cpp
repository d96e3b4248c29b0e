#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <system_error>

#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
#include "datasets/input_file.hpp"
#include "datasets/unpublished.hpp"
#include "nn/callbacks.hpp"
#include "nn/report/describe_fit.hpp"

namespace xgrad::nn::callbacks {

namespace {

// A file of lines, each of which is in the file before training goes on.
class Log {
 public:
  Log(std::string_view op, std::filesystem::path path) : op_(op), path_(std::move(path)) {}

  void open() {
    datasets::require_name(op_, path_);
    file_ = std::ofstream(path_, std::ios::trunc);
    bytes_ = 0;
    require_good();
  }
  void write(const std::string& line) {
    file_ << line << std::endl;
    bytes_ += static_cast<std::int64_t>(line.size()) + 1;
    require_good();
  }

  // As well as it can be: behind it comes the error that it is about.
  void write_last(const std::string& line) {
    if (file_.is_open()) {
      file_ << line << std::endl;
    }
  }

  // Lines that a checkpoint counts must not be lost where it is not. (What is no file has no disk: hence no error.)
  void save(Saved& saved) const {
    datasets::sync_file(path_);
    saved.put("bytes", bytes_);
  }
  // Goes on behind what was written then: lines of epochs that are trained again are cut off.
  void load(const Saved& saved) {
    const std::int64_t bytes = saved.integer("bytes");
    datasets::require_name(op_, path_);
    std::error_code error;
    const bool is_file = std::filesystem::is_regular_file(path_, error);
    if (is_file && std::filesystem::file_size(path_, error) > static_cast<std::uintmax_t>(bytes) && !error) {
      std::filesystem::resize_file(path_, static_cast<std::uintmax_t>(bytes), error);
    }
    if (!is_file || std::filesystem::file_size(path_, error) < static_cast<std::uintmax_t>(bytes)) {
      std::fprintf(stderr, "xgrad: %s lacks lines that were there when the checkpoint was made\n", path_.c_str());
    }
    file_ = std::ofstream(path_, std::ios::app);
    bytes_ = bytes;
    require_good();
  }

 private:
  void require_good() const {
    if (!file_) {
      raise<FileError>(op_, phrase("{}: it cannot be written; check the folder, its permissions and the free space",
                                   path_.string()));
    }
  }

  std::string op_;
  std::filesystem::path path_;
  std::ofstream file_;
  std::int64_t bytes_ = 0;
};

// Names of metrics may be any text.
std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) {
    return text;
  }
  std::string quoted = "\"";
  for (const char letter : text) {
    quoted += letter == '"' ? "\"\"" : std::string(1, letter);
  }
  return quoted + '"';
}

// JSON has no infinities and no NaN.
std::string json_number(double value) { return std::isfinite(value) ? phrase("{}", value) : "null"; }

}  // namespace

Callback csv_log(const std::filesystem::path& path) {
  const auto log = std::make_shared<Log>("csv_log", path);
  return {.on_start =
              [=](TrainingState& training) {
                std::string names = "epoch";
                for (const auto& [name, value] : training.scores) {
                  names += ',' + csv_field(name);
                }
                log->open();
                log->write(names);
              },
          .on_epoch_end =
              [=](TrainingState& training) {
                std::string numbers = std::to_string(training.epoch);
                for (const auto& [name, value] : training.scores) {
                  numbers += phrase(",{}", value);
                }
                log->write(numbers);
              },
          .name = "csv_log",
          .save = [=](Saved& saved) { log->save(saved); },
          .load = [=](const Saved& saved) { log->load(saved); },
          .root_only = true};
}

Callback json_log(const std::filesystem::path& path) {
  const auto log = std::make_shared<Log>("json_log", path);
  return {.on_start = [=](TrainingState&) { log->open(); },
          .on_epoch_end =
              [=](TrainingState& training) {
                std::string line = phrase("{{\"epoch\":{}", training.epoch);
                for (const auto& [name, value] : training.scores) {
                  line += phrase(",{}:{}", detail::json_text(name), json_number(value));
                }
                if (training.epoch == 1 && !training.scores.contains("run")) {
                  line += ",\"run\":" + detail::head_json(detail::describe_fit(training));
                }
                log->write(line + "}");
              },
          .on_end =
              [=](TrainingState& training) {
                if (!training.stopped.empty()) {
                  log->write(phrase("{{\"stopped\":{}}}", detail::json_text(training.stopped)));
                }
              },
          .name = "json_log",
          .save = [=](Saved& saved) { log->save(saved); },
          .load = [=](const Saved& saved) { log->load(saved); },
          .on_error =
              [=](TrainingState&, const std::exception& error) {
                log->write_last(phrase("{{\"stopped\":{}}}", detail::json_text(error.what())));
              },
          .root_only = true};
}

}  // namespace xgrad::nn::callbacks
