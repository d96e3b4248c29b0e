// Compares xgrad with reference values:  golden FOLDER_OR_FILE
// Prints each case that disagrees on a line of its own, and a last line that counts. README.md has the format.

#include <algorithm>
#include <exception>
#include <filesystem>
#include <iostream>
#include <vector>

#include "tests/golden/comparison.hpp"

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> json_files(const fs::path& folder_or_file) {
  if (fs::is_regular_file(folder_or_file)) {
    return {folder_or_file};
  }
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_or_file)) {
    if (entry.is_regular_file() && entry.path().extension() == ".json") {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

int compare_all(const fs::path& folder_or_file) {
  std::size_t cases = 0;
  std::size_t agree = 0;
  for (const fs::path& file : json_files(folder_or_file)) {
    for (const xgrad::golden::Verdict& verdict : xgrad::golden::compare_file(file)) {
      ++cases;
      if (verdict.agrees()) {
        ++agree;
      } else {
        std::cout << verdict.subject << ": " << verdict.disagreement << '\n';
      }
    }
  }
  std::cout << cases << " cases, " << agree << " agree\n";
  return cases > 0 && agree == cases ? 0 : 1;
}

}  // namespace

int main(int argc, char* argv[]) {
  try {
    if (argc != 2) {
      std::cerr << "usage: golden FOLDER_OR_FILE\n";
      return 2;
    }
    return compare_all(argv[1]);
  } catch (const std::exception& error) {
    std::cout << error.what() << "\n0 cases, 0 agree\n";
    return 1;
  }
}
