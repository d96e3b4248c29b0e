#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "autograd/runtime/error.hpp"
#include "onnx/load.hpp"
#include "onnx/save.hpp"
#include "tests/onnx/cases.hpp"
#include "tests/onnx/row_models.hpp"
#include "tests/plan/random_graphs.hpp"
#include "tests/testing.hpp"

/// \file
/// What is written and read again gives what it gave: every op of the table that can be written, and its derivatives.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(onnx_round_trips)

namespace {

/// How far results may lie apart, relative to the largest of them or 1: operators that opset 17 lacks are written as formulas
/// of others, which round more often.
double tolerance_of(DType dtype) { return dtype == DType::float32 ? 4e-6 : dtype == DType::float64 ? 1e-12 : 0; }

void check_same(const Tensor& found, const Tensor& expected, double tolerance) {
  BOOST_REQUIRE(found.shape() == expected.shape());
  BOOST_REQUIRE(found.dtype() == expected.dtype());
  const std::vector<double> a = testing::elements(found);
  const std::vector<double> b = testing::elements(expected);
  double largest = 1;
  for (const double element : b) {
    largest = std::isfinite(element) ? std::max(largest, std::abs(element)) : largest;
  }
  for (std::size_t i = 0; i < a.size(); ++i) {
    const bool same = a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]));
    BOOST_TEST((same || std::abs(a[i] - b[i]) <= tolerance * largest), a[i] << " is not " << b[i]);
  }
}

/// \return whether it could be written.
bool goes_there_and_back(const std::filesystem::path& path, const testing::TensorFunction& function,
                         const Tensors& operands) {
  std::vector<Spec> specs;
  for (const Tensor& operand : operands) {
    specs.push_back({operand.shape(), operand.dtype()});
  }
  try {
    onnx::save(path, function, specs);
  } catch (const ValueError&) {
    return false;  // tests/onnx/op_rows.cpp has the list of these
  }
  const Tensors found = onnx::load(path).run(operands);
  const Tensors expected = function(operands);
  BOOST_REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    check_same(found[i], expected[i], tolerance_of(expected[i].dtype()));
  }
  return true;
}

}  // namespace

BOOST_AUTO_TEST_CASE(ops_and_their_derivatives) {
  const testing::FolderInMemory folder;
  const std::filesystem::path path = folder.path() / "model.onnx";
  std::size_t count = 0;
  for (const DType dtype : testing::every_dtype) {
    for (const testing::RowModel& model : testing::row_models(dtype)) {
      BOOST_TEST_CONTEXT(model.name) {
        count += goes_there_and_back(path, model.value, model.operands) ? 1 : 0;
        if (model.derivatives) {
          BOOST_TEST_CONTEXT("derivatives") {
            count += goes_there_and_back(path, model.derivatives, model.operands) ? 1 : 0;
          }
        }
      }
    }
  }
  BOOST_TEST(count > 500U);
}

namespace {

/// One call of a random graph, with all that it assigns; results, then the new contents.
bool random_graph_goes_there_and_back(const std::filesystem::path& path, unsigned seed) {
  const testing::RandomGraph graph(seed, testing::RandomGraph::Size::small);
  const testing::GraphArguments arguments = graph.arguments();
  const std::vector<Variable> variables = graph.make_variables();
  std::vector<Spec> specs;
  for (const Tensor& argument : arguments) {
    specs.push_back({argument.shape(), argument.dtype()});
  }
  onnx::Signature signature;
  try {
    signature = onnx::save(
        path,
        [&](const Tensors& x) {
          return graph({x[0], x[1], x[2]}, variables);
        },
        specs);
  } catch (const ValueError&) {
    return false;
  }
  Tensors inputs(arguments.begin(), arguments.end());
  for (const onnx::Updated& updated : signature.updated) {
    inputs.push_back(updated.variable.read());
  }
  const Tensors found = onnx::load(path).run(inputs);
  Tensors expected = graph(arguments, variables);
  for (const onnx::Updated& updated : signature.updated) {
    expected.push_back(updated.variable.read());
  }
  BOOST_REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    check_same(found[i], expected[i], is_floating(expected[i].dtype()) ? graph.tolerance() : 0);
  }
  return true;
}

}  // namespace

BOOST_AUTO_TEST_CASE(random_graphs) {
  const testing::FolderInMemory folder;
  constexpr unsigned graphs = 200;
  unsigned count = 0;
  for (unsigned seed = 0; seed < graphs; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      count += random_graph_goes_there_and_back(folder.path() / "model.onnx", seed) ? 1U : 0U;
    }
  }
  BOOST_TEST(count > graphs / 4);
  BOOST_TEST_MESSAGE(count << " of " << graphs << " graphs can be written");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
