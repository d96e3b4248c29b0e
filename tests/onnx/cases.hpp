#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "onnx/save.hpp"

/// \file
/// Models with inputs and what they should give, as ONNX's own conformance cases are laid out: `model.onnx`, and a folder
/// `test_data_set_N` of each set of inputs, with `input_I.pb` and `output_I.pb`.

namespace xgrad::testing {

using TensorFunction = std::function<Tensors(const Tensors&)>;

/// Writes tensors as `KIND_0.pb`, `KIND_1.pb`, ... into \p folder, which is made.
void write_tensors(const std::filesystem::path& folder, const std::string& kind, const Tensors& tensors,
                   const std::vector<std::string>& names);

/// Writes \p function as a case into \p folder, with what it gives for each set of \p inputs: computed here, operation by
/// operation.
/// \param specs of the arguments; none: those of the first set.
/// \throws ValueError when the function cannot be written.
onnx::Signature write_case(const std::filesystem::path& folder, const TensorFunction& function,
                           const std::vector<Tensors>& inputs, const std::vector<Spec>& specs = {},
                           const onnx::SaveOptions& options = {});

/// Reproducible float32 numbers, normally distributed.
Tensor random_floats(const Shape& shape, unsigned seed);

/// A folder that is removed at the end, in memory where there is such a place: every file is flushed to its disk.
class FolderInMemory {
 public:
  FolderInMemory();
  FolderInMemory(const FolderInMemory&) = delete;
  FolderInMemory& operator=(const FolderInMemory&) = delete;
  ~FolderInMemory();
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace xgrad::testing
