#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "tests/fuzz/targets.hpp"

/// \file
/// Gives every file of the corpus to its reader, in a build without a fuzzer:  replay CORPUS TARGET

int main(int, char** arguments) {
  using namespace xgrad;
  const fuzz::Target& target = fuzz::target_named(arguments[2]);
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(arguments[1]) / arguments[2])) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
    try {
      fuzz::run(target, {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s: %s\n", entry.path().c_str(), error.what());
      return 1;
    }
    ++count;
  }
  return count > 0 ? 0 : 1;
}
