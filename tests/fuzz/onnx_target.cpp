#include <array>

#include "autograd/runtime/error.hpp"
#include "onnx/load.hpp"
#include "tests/fuzz/targets.hpp"

namespace xgrad::fuzz {

namespace {

void read_onnx(const std::filesystem::path& path) {
  try {
    onnx::load(path);
  } catch (const Error&) {  // of a file that is no model, or of an array of more axes than there can be
  }
}

// A node of a few bytes is an object of hundreds, and functions are written out wherever they are called: at most a hundred
// times the nodes of the file.
constexpr std::array onnx_targets = {Target{"onnx", read_onnx, 10'000}};

}  // namespace

std::span<const Target> optional_targets() { return onnx_targets; }

}  // namespace xgrad::fuzz
