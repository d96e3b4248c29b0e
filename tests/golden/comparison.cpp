#include "tests/golden/comparison.hpp"

#include <algorithm>
#include <exception>
#include <fstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "autograd/runtime/error.hpp"
#include "tests/golden/cases.hpp"
#include "tests/golden/entries.hpp"

namespace xgrad::golden {

using nlohmann::json;

namespace {

/// A kind of case: the key that names its subject, the keys of the subject's options, and how it is compared.
struct Kind {
  std::string subject;
  std::vector<std::string> options;
  std::string (*compare)(Entries& entries);
};

const Kind& kind_of(const json& entry) {
  static const std::vector<Kind> kinds = {
      {"op", {"attrs"}, compare_op},
      {"optimizer", {"config"}, compare_optimizer},
      {"schedule", {"config"}, compare_schedule},
      {"layer", {"input_size", "hidden_size", "batch_first", "lengths"}, compare_recurrent}};
  const auto kind = std::find_if(kinds.begin(), kinds.end(), [&](const Kind& k) { return entry.contains(k.subject); });
  if (kind == kinds.end()) {
    raise<FileError>("case", "`op` is missing, and so are `optimizer`, `schedule` and `layer`");
  }
  return *kind;
}

/// What the subject's line says of it: one object of options, or several options as one.
json options_of(const Kind& kind, Entries& entries) {
  if (kind.options.size() == 1) {
    return entries.at(kind.options[0]);
  }
  json options;
  for (const std::string& key : kind.options) {
    options[key] = entries.at(key);
  }
  return options;
}

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

Verdict compare_case(const json& entry, const std::string& place) {
  Verdict verdict{place, ""};
  try {
    Entries entries(entry, "case");
    const Kind& kind = kind_of(entry);
    verdict.subject += " " + entries.text(kind.subject);
    verdict.subject += " " + options_of(kind, entries).dump();
    verdict.disagreement = kind.compare(entries);
    if (verdict.agrees()) {
      entries.require_all_read();
    }
  } catch (const std::exception& error) {
    verdict.disagreement = one_line(error.what());
  }
  return verdict;
}

}  // namespace

std::vector<Verdict> compare_file(const std::filesystem::path& file) {
  const std::string name = file.filename().string();
  json cases;
  try {
    std::ifstream stream(file);
    cases = json::parse(stream);
  } catch (const std::exception& error) {
    return {{name, one_line(error.what())}};
  }
  if (!cases.is_array()) {
    return {{name, "should be a list of cases"}};
  }
  std::vector<Verdict> verdicts;
  for (const json& entry : cases) {
    verdicts.push_back(compare_case(entry, fmt::format("{}[{}]", name, verdicts.size())));
  }
  return verdicts;
}

}  // namespace xgrad::golden
