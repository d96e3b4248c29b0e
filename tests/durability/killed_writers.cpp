#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

#include "autograd/autograd.hpp"
#include "datasets/datasets.hpp"
#include "nn/nn.hpp"
#include "tests/datasets/temporary_folder.hpp"

/// \file
/// Kills writers at random moments:  killed_writers KIND [COUNT]. What they were to replace, or what replaces it, must be
/// there as a whole, and the next save must leave nothing else. It ends with code 0 when all went well.

namespace {

using namespace xgrad;
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

void require(bool holds, const std::string& what) {
  if (!holds) {
    std::fprintf(stderr, "%s\n", what.c_str());
    std::exit(1);
  }
}

struct Kind {
  const char* name;  // of the file or folder
  void (*save)(const fs::path& path, double version);
  double (*load)(const fs::path& path);  // the version, of which all of it must be
};

constexpr std::int64_t length = 50'000;  // several writes

Array version_array(double version) { return full({length}, version, DType::float64).array(); }

double version_in(const Array& array) {
  const auto* elements = array.data<double>();
  require(
      array.size() == length && std::all_of(elements, elements + length, [&](double x) { return x == elements[0]; }),
      "a part of the file is of another version");
  return elements[0];
}

void save_file(const fs::path& path, double version) { datasets::write_npy(path, version_array(version)); }
double load_file(const fs::path& path) { return version_in(datasets::read_npy(path)); }

void save_state(const fs::path& path, double version) {
  nn::write_state(path, {{"a", version_array(version)}, {"b", version_array(version)}});
}
double load_state(const fs::path& path) {
  const nn::State state = nn::read_state(path);
  require(state.size() == 2 && version_in(state.at("a")) == version_in(state.at("b")), "the files are of two versions");
  return version_in(state.at("a"));
}

const std::map<std::string, Kind> kinds = {
    {"file", {"numbers.npy", save_file, load_file}},
    {"compressed", {"numbers.npy.gz", save_file, load_file}},
    {"state", {"state", save_state, load_state}},
};

/// Until it is killed, if it is not done before.
[[noreturn]] void save_versions(const Kind& kind, const fs::path& path, double first) {
  for (double version = first;; ++version) {
    kind.save(path, version);
  }
}

void run(const Kind& kind, int count) {
  const testing::TemporaryFolder around;
  const fs::path path = around.folder / kind.name;
  const auto start = Clock::now();
  kind.save(path, 0);
  const double microseconds = std::chrono::duration<double, std::micro>(Clock::now() - start).count();
  std::mt19937 random(1);
  std::uniform_real_distribution<double> moment(0, 3 * microseconds);
  double version = 0;
  int with_leftovers = 0;
  for (int i = 0; i < count; ++i) {
    const pid_t writer = fork();
    if (writer == 0) {
      save_versions(kind, path, version + 1);
    }
    usleep(static_cast<useconds_t>(moment(random)));
    int status = 0;
    require(kill(writer, SIGKILL) == 0 && waitpid(writer, &status, 0) == writer && WIFSIGNALED(status),
            "the writer ended by itself");
    const double found = kind.load(path);
    require(found >= version, "a version that had been saved is gone");
    const auto entries = [&] { return std::distance(fs::directory_iterator(around.folder), fs::directory_iterator()); };
    with_leftovers += entries() > 1 ? 1 : 0;
    version = found + 1;
    kind.save(path, version);
    require(kind.load(path) == version && entries() == 1, "something is left after the next save");
  }
  std::printf("%d writers killed, of which %d left something\n", count, with_leftovers);
  require(with_leftovers > count / 20, "hardly one was killed while it wrote");
}

}  // namespace

int main(int argc, char** arguments) {
  run(kinds.at(arguments[1]), argc > 2 ? std::atoi(arguments[2]) : 70);
  return 0;
}
