// Writes the figures of docs/nn.md as SVG files. `script/figures` writes those in docs/figures anew.

#include <cmath>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>

#include "examples/flags.hpp"
#include "figures.hpp"

namespace {

bool check(const char* what, bool holds) {
  std::printf("%-60s %s\n", what, holds ? "yes" : "NO");
  return holds;
}

// What the text beside the figures says of them.
bool run(const std::filesystem::path& folder, const std::string& data_folder, const figures::Settings& settings) {
  std::filesystem::create_directories(folder);
  svg::write(folder / "activations.svg", figures::activations());
  svg::write(folder / "losses.svg", figures::losses());
  svg::write(folder / "schedules.svg", figures::schedules());
  const auto initialization = figures::initialization();
  svg::write(folder / "initialization.svg", initialization);
  const auto paths = figures::paths();
  svg::write(folder / "paths.svg", paths);

  const auto data = xgrad::datasets::FashionMnist::load(data_folder);
  const auto optimizers = figures::optimizers(data, settings);
  svg::write(folder / "optimizers.svg", optimizers);
  const auto training = figures::training_curves(data, settings);
  svg::write(folder / "training_curves.svg", training);

  const auto deviation = [&](std::size_t curve) { return initialization[1].curves[curve].points.back().y; };
  bool good = check("He's weights keep the size of activations", deviation(2) > 0.3 && deviation(2) < 3);
  good &= check("smaller and larger ones do not", deviation(1) < 0.01 && deviation(3) > 100);
  for (const svg::Curve& path : paths[0].curves) {
    const svg::Point end = path.points.back();
    good &= check(("at the bottom of the valley: " + path.name).c_str(), std::hypot(end.x, end.y) < 1);
  }
  for (const svg::Panel& panel : optimizers) {
    for (const svg::Curve& curve : panel.curves) {
      good &= check(("lowers the loss: " + curve.name).c_str(), curve.points.back().y < curve.points.front().y);
    }
  }
  const auto& validation = training[1].curves;
  good &= check("regularisation lowers the loss on validation images",
                validation[3].points.back().y < validation[1].points.back().y);
  std::printf("checks: %s\n", good ? "all passed" : "FAILED");
  return good;
}

}  // namespace

int main(int argc, char** argv) {
  std::string folder = "docs/figures", data;
  figures::Settings settings{30000, 2};
  Flags flags("Writes the figures of docs/nn.md.");
  flags.add("folder", folder, "Where to write them");
  flags.add("--data", data, "Folder of the four IDX files [XGRAD_DATA, or the Debian package's]");
  flags.add("--images", settings.images, "To train networks with").range(640, 60000);
  flags.add("--epochs", settings.epochs, "Passes over them").range(1, 100);
  if (const auto code = flags.parse(argc, argv)) {
    return *code;
  }
  try {
    return run(folder, data, settings) ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
