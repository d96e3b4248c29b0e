#include "datasets/npy.hpp"

#include <span>

#include "autograd/runtime/error.hpp"
#include "datasets/input_file.hpp"
#include "datasets/npy_stream.hpp"
#include "datasets/output_file.hpp"

namespace xgrad::datasets {

Array read_npy(const std::filesystem::path& path) {
  InputFile file("read_npy", path);
  return read_npy_elements(file, read_npy_header(file));
}

void write_npy(const std::filesystem::path& path, const Array& array) {
  if (!array) {
    raise<ValueError>("write_npy", "the array holds no memory; give one made from a shape");
  }
  require_npy_type("write_npy", array);
  OutputFile file("write_npy", path);
  write_npy_to([&](std::span<const std::byte> bytes) { file.write(bytes); }, array);
  file.publish();
}

}  // namespace xgrad::datasets
