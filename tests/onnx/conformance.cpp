#include "tests/onnx/conformance.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "autograd/autograd.hpp"
#include "autograd/runtime/phrase.hpp"
#include "model.pb.h"
#include "onnx/elements.hpp"
#include "onnx/load.hpp"

namespace xgrad::onnx::tests {

namespace {

Array read_tensor(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  proto::TensorProto tensor;
  if (!tensor.ParseFromString(bytes)) {
    throw std::runtime_error(path.filename().string() + " is no tensor");
  }
  return to_array("onnx_tests", tensor);
}

/// PREFIX_0.pb, PREFIX_1.pb, ...
Tensors read_tensors(const std::filesystem::path& folder, const std::string& prefix) {
  Tensors tensors;
  for (int i = 0;; ++i) {
    const std::filesystem::path path = folder / (prefix + "_" + std::to_string(i) + ".pb");
    if (!std::filesystem::exists(path)) {
      return tensors;
    }
    tensors.emplace_back(read_tensor(path));
  }
}

/// To the tolerances of ONNX's own runner.
std::string difference(const Array& given, const Array& expected) {
  constexpr double relative = 1e-3;
  constexpr double absolute = 1e-7;
  if (given.dtype() != expected.dtype() || given.shape() != expected.shape()) {
    return phrase("is {} {}, not {} {}", to_string(given.dtype()), to_string(given.shape()),
                  to_string(expected.dtype()), to_string(expected.shape()));
  }
  return dispatch(given.dtype(), [&](auto zero) -> std::string {
    using T = decltype(zero);
    for (std::int64_t i = 0; i < given.size(); ++i) {
      const auto a = static_cast<double>(given.data<T>()[i]);
      const auto b = static_cast<double>(expected.data<T>()[i]);
      const bool same = a == b || (std::isnan(a) && std::isnan(b));
      if (!same && !(std::fabs(a - b) <= absolute + relative * std::fabs(b))) {
        return phrase("has {} in place {}, not {}", a, i, b);
      }
    }
    return "";
  });
}

std::string disagreement(const Model& model, const std::filesystem::path& data) {
  const Tensors expected = read_tensors(data, "output");
  const Tensors given = model.run(read_tensors(data, "input"), nn::Training(random::Key(0)));
  if (given.size() != expected.size() || expected.empty()) {
    return phrase("gives {} outputs, not {}", given.size(), expected.size());
  }
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const std::string found = difference(given[i].array(), expected[i].array());
    if (!found.empty()) {
      return phrase("output {} {}", i, found);
    }
  }
  return "";
}

}  // namespace

std::vector<std::filesystem::path> cases_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> cases;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().filename() == "model.onnx") {
      cases.push_back(entry.path().parent_path());
    }
  }
  std::sort(cases.begin(), cases.end());
  return cases;
}

std::string disagreement(const std::filesystem::path& folder) {
  try {
    LoadOptions options;
    options.training_as_in_file = true;
    const Model model(folder / "model.onnx", options);
    std::size_t sets = 0;
    for (; std::filesystem::exists(folder / ("test_data_set_" + std::to_string(sets))); ++sets) {
      const std::string found = disagreement(model, folder / ("test_data_set_" + std::to_string(sets)));
      if (!found.empty()) {
        return found;
      }
    }
    return sets == 0 ? "has no data" : "";
  } catch (const std::exception& error) {
    return error.what();
  }
}

}  // namespace xgrad::onnx::tests
