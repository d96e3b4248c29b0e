#include <cstdio>
#include <filesystem>
#include <map>
#include <string>

#include "autograd/autograd.hpp"
#include "datasets/datasets.hpp"
#include "nn/nn.hpp"

/// \file
/// Saves once:  saver KIND PATH NUMBER. What is saved differs with the number. It ends with code 0; or with 1 and a message.

namespace {

using namespace xgrad;

Array numbers(double number) { return full({5}, number, DType::float64).array(); }

void save_csv(const std::filesystem::path& path, double number) {
  datasets::CsvWriter file(path, {"a", "b"});
  file.record(number, "text");
  file.publish();
}

}  // namespace

int main(int, char** arguments) {
  const std::map<std::string, void (*)(const std::filesystem::path& path, double number)> kinds = {
      {"npy", [](const auto& path, double number) { datasets::write_npy(path, numbers(number)); }},
      {"csv", save_csv},
      {"state",
       [](const auto& path, double number) {
         nn::write_state(path, {{"a", numbers(number)}, {"b", numbers(-number)}, {"c", numbers(number / 2)}});
       }},
  };
  try {
    kinds.at(arguments[1])(arguments[2], std::stod(arguments[3]));
  } catch (const FileError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
