// A program that writes an ONNX file, as a user's that has nothing but what is installed.
#include <cstdio>
#include <filesystem>

#include <autograd/autograd.hpp>
#include <nn/nn.hpp>
#include <onnx/onnx.hpp>

int main() {
  using namespace xgrad;
  const std::filesystem::path file = std::filesystem::temp_directory_path() / "xgrad_check_install.onnx";
  const onnx::Signature written = onnx::save(file, nn::Dense(3, 2), {.input = {{onnx::any_size, 3}}});
  const bool right = written.inputs.size() == 1 && std::filesystem::file_size(file) > 100;
  std::filesystem::remove(file);
  std::puts(right ? "an ONNX file is written" : "there is no ONNX file");
  return right ? 0 : 1;
}
