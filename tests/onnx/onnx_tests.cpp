#include <exception>
#include <filesystem>
#include <iostream>
#include <span>
#include <string>

#include "tests/onnx/conformance.hpp"

/// \file
/// script/onnx_tests: how many of ONNX's conformance cases agree, and what is wrong with the others.

int main(int argc, char** argv) {
  const std::span arguments(argv, static_cast<std::size_t>(argc));
  if (arguments.size() != 2) {
    std::cerr
        << "usage: onnx_tests FOLDER: runs the cases in FOLDER, each a folder of model.onnx and test_data_set_0\n";
    return 2;
  }
  try {
    std::size_t count = 0;
    std::size_t agree = 0;
    for (const std::filesystem::path& folder : xgrad::onnx::tests::cases_in(arguments[1])) {
      const std::string found = xgrad::onnx::tests::disagreement(folder);
      ++count;
      agree += found.empty() ? 1 : 0;
      if (!found.empty()) {
        std::cout << folder.filename().string() << ": " << found << '\n';
      }
    }
    std::cout << count << " cases, " << agree << " agree\n";
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
