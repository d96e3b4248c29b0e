#include "tests/onnx/cases.hpp"

#include <fstream>
#include <stdexcept>

#include <stdlib.h>

#include "autograd/ops/random.hpp"
#include "onnx/elements.hpp"

namespace xgrad::testing {

void write_tensors(const std::filesystem::path& folder, const std::string& kind, const Tensors& tensors,
                   const std::vector<std::string>& names) {
  std::filesystem::create_directories(folder);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    std::ofstream file(folder / (kind + "_" + std::to_string(i) + ".pb"), std::ios::binary);
    if (!onnx::to_tensor(tensors[i].array(), names.at(i)).SerializeToOstream(&file)) {
      throw std::runtime_error("cannot write into " + folder.string());
    }
  }
}

onnx::Signature write_case(const std::filesystem::path& folder, const TensorFunction& function,
                           const std::vector<Tensors>& inputs, const std::vector<Spec>& specs,
                           const onnx::SaveOptions& options) {
  std::filesystem::create_directories(folder);
  std::vector<Spec> kinds = specs;
  for (std::size_t i = 0; specs.empty() && i < inputs.at(0).size(); ++i) {
    kinds.push_back({inputs[0][i].shape(), inputs[0][i].dtype()});
  }
  const onnx::Signature signature = onnx::save(folder / "model.onnx", function, kinds, options);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::filesystem::path data = folder / ("test_data_set_" + std::to_string(i));
    write_tensors(data, "input", inputs[i], signature.inputs);
    write_tensors(data, "output", function(inputs[i]), signature.outputs);
  }
  return signature;
}

Tensor random_floats(const Shape& shape, unsigned seed) { return random::normal(random::Key(seed), shape); }

FolderInMemory::FolderInMemory() {
  const std::filesystem::path memory = "/dev/shm";
  const auto place = std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path();
  std::string pattern = (place / "xgrad_onnx_XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) {
    throw std::runtime_error("cannot make a folder like " + pattern);
  }
  path_ = pattern;
}

FolderInMemory::~FolderInMemory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace xgrad::testing
