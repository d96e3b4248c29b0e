#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "autograd/runtime/error.hpp"
#include "tests/onnx/cases.hpp"
#include "tests/onnx/loop_cases.hpp"
#include "tests/onnx/network_cases.hpp"
#include "tests/onnx/row_models.hpp"
#include "tests/onnx/special_values.hpp"

/// \file
/// Writes models with what they should give, for other programs to run:  write_cases FOLDER
///
/// FOLDER/rows has every op of the table that can be written, FOLDER/special_values functions of numbers at the ends of the
/// ranges, FOLDER/loops loops and branches, FOLDER/networks trained networks and steps of training.

namespace xgrad::testing {

namespace {

/// Several functions of operands of their own as one.
struct Joined {
  std::vector<std::pair<TensorFunction, std::size_t>> parts;  // with the number of their operands
  Tensors operands;

  void add(const TensorFunction& function, const Tensors& own) {
    parts.emplace_back(function, own.size());
    operands.insert(operands.end(), own.begin(), own.end());
  }
  Tensors operator()(const Tensors& all) const {
    Tensors results;
    auto next = all.begin();
    for (const auto& [function, count] : parts) {
      const Tensors of_part = function(Tensors(next, next + static_cast<std::ptrdiff_t>(count)));
      results.insert(results.end(), of_part.begin(), of_part.end());
      next += static_cast<std::ptrdiff_t>(count);
    }
    return results;
  }
};

void write_joined(const std::filesystem::path& folder, const Joined& joined) {
  if (joined.parts.empty()) {
    return;
  }
  try {
    write_case(folder, joined, {joined.operands});
  } catch (const ValueError&) {  // which ops are refused, another test says
    std::filesystem::remove_all(folder);
  }
}

/// All calls of a row with elements of one dtype are one model, and their derivatives another one.
void write_rows(const std::filesystem::path& folder) {
  for (const DType dtype : {DType::boolean, DType::int32, DType::int64, DType::float32}) {
    const std::vector<RowModel> models = row_models(dtype);
    for (std::size_t i = 0; i < models.size();) {
      const std::string& name = models[i].name;
      Joined values, derivatives;
      for (; i < models.size() && models[i].name == name; ++i) {
        values.add(models[i].value, models[i].operands);
        if (models[i].derivatives) {
          derivatives.add(models[i].derivatives, models[i].operands);
        }
      }
      write_joined(folder / name, values);
      write_joined(folder / (name + ".derivatives"), derivatives);
    }
  }
}

}  // namespace

}  // namespace xgrad::testing

int main(int argc, char* argv[]) {
  if (argc != 2) {
    std::cerr << "usage: write_cases FOLDER\n";
    return 1;
  }
  const std::filesystem::path folder = argv[1];
  std::filesystem::remove_all(folder);
  xgrad::testing::write_rows(folder / "rows");
  xgrad::testing::write_special_values(folder / "special_values");
  for (const auto& loop : xgrad::testing::loop_cases()) {
    xgrad::testing::write_case(folder / "loops" / loop.name, loop.function, loop.inputs);
  }
  xgrad::testing::write_networks(folder / "networks");
  return 0;
}
