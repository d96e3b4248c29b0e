#include "nn/report/run_record.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <utility>

#include "autograd/kernels/kernels.hpp"
#include "autograd/runtime/blas.hpp"
#include "autograd/runtime/cpu.hpp"
#include "autograd/runtime/phrase.hpp"
#include "autograd/runtime/workers.hpp"

namespace xgrad::nn {

namespace {

constexpr std::size_t longest_command = 4000;

// As a shell takes it: what has other than plain letters stands between single quotes.
std::string shell_word(const std::string& word) {
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
  if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) {
    return word;
  }
  std::string quoted = "'";
  for (const char letter : word) {
    quoted += letter == '\'' ? "'\\''" : std::string(1, letter);
  }
  return quoted + "'";
}

// Of this program; empty where the system does not tell.
std::string command_line() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  const std::string all{std::istreambuf_iterator<char>(file), {}};
  std::string line;
  for (std::size_t begin = 0; begin < all.size() && line.size() < longest_command;) {
    const std::size_t end = std::min(all.find('\0', begin), all.size());
    line += line.empty() ? "" : " ";
    line += shell_word(all.substr(begin, end - begin));
    begin = end + 1;
  }
  return line;
}

std::string first_words(std::string_view text, int count) {
  std::size_t end = 0;
  for (; count > 0 && end != std::string_view::npos; --count) {
    end = text.find(' ', text.find_first_not_of(' ', end));
  }
  return std::string(text.substr(0, end));
}

}  // namespace

Machine this_machine() {
  const runtime::CpuInfo cpu = runtime::cpu_info();
  const runtime::BlasStatus& blas = runtime::prepare_blas();
  return {.cpu = cpu.model,
          .processors = cpu.allowed,
          .threads = runtime::num_threads(),
          .kernels = kernels::instruction_set(),
          .blas = phrase("{}, {} kernels", first_words(blas.config, 2), blas.core)};
}

RunRecord this_run(std::string title) {
  RunRecord run;
  run.title = std::move(title);
  run.command = command_line();
  run.machine = this_machine();
  return run;
}

std::string RunRecord::best_by() const {
  if (!monitor.empty()) {
    return monitor;
  }
  // A loop of one's own may validate every few epochs.
  const bool validated = std::any_of(epochs.begin(), epochs.end(),
                                     [](const Scores& scores) { return scores.contains("validation_loss"); });
  return validated ? "validation_loss" : "loss";
}

std::int64_t RunRecord::best_epoch() const {
  const std::string name = best_by();
  std::int64_t best = -1;
  for (std::size_t i = 0; i < epochs.size(); ++i) {
    if (!epochs[i].contains(name) || !std::isfinite(epochs[i][name])) {
      continue;
    }
    const double score = epochs[i][name];
    const double least = best < 0 ? score : epochs[static_cast<std::size_t>(best)][name];
    if (best < 0 || (maximize ? score > least : score < least)) {
      best = static_cast<std::int64_t>(i);
    }
  }
  return best;
}

}  // namespace xgrad::nn
