// Says what a file of arrays holds, or what is different in two.

#include <cstdio>
#include <exception>
#include <string>

#include <CLI/CLI.hpp>

#include "nn/inspect/report.hpp"

using namespace xgrad;

namespace {

constexpr int equal = 0;
constexpr int different = 1;
constexpr int trouble = 2;

int describe(const std::string& file) {
  std::fputs(inspect::describe(file, inspect::open(file)).c_str(), stdout);
  return equal;
}

int compare(const std::string& file, const std::string& other) {
  const std::string found = inspect::differences(inspect::open(file), inspect::open(other));
  std::fputs(found.empty() ? "equal\n" : found.c_str(), stdout);
  return found.empty() ? equal : different;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Says what a file holds: names, shapes and dtypes of its arrays, what their elements are like, and metadata.\n"
      "With a second one, says what is different. Of NaN and infinite elements it tells the number; minimum, maximum "
      "and\n"
      "mean are of the others. A NaN equals another.\n\n"
      "Files are safetensors, checkpoints among them, NPZ, NPY or IDX, the last two also compressed by gzip, or "
      "folders\n"
      "of NPY files that write_state wrote. Their contents tell what they are, not their names.\n\n"
      "Ends with code 0; with 1 when there is a difference; with 2 and a message when something is wrong.",
      "xgrad-inspect");
  std::string file;
  std::string other;
  app.add_option("file", file, "what to look at")->required();
  const CLI::Option* second = app.add_option("other", other, "what to compare it with");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {
      return app.exit(error);
    }
    std::fprintf(stderr, "xgrad-inspect: %s; --help tells more\n", error.what());
    return trouble;
  }
  try {
    const int code = second->count() > 0 ? compare(file, other) : describe(file);
    if (std::fflush(stdout) == 0) {
      return code;
    }
    std::perror("xgrad-inspect: the report cannot be written");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
  }
  return trouble;
}
