#include <set>
#include <string>

#include <boost/test/unit_test.hpp>

#include "autograd/runtime/error.hpp"
#include "tests/onnx/cases.hpp"
#include "tests/onnx/row_models.hpp"
#include "tests/onnx/validity.hpp"
#include "tests/testing.hpp"

/// \file
/// Every op of the table, written: ONNX's own checker and shape inference accept the files.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(onnx_op_rows)

namespace {

/// The ops of which some call was refused.
std::set<std::string> refused_ops(const std::function<testing::TensorFunction(const testing::RowModel&)>& function_of) {
  const testing::FolderInMemory folder;
  std::set<std::string> refused;
  for (const DType dtype : testing::every_dtype) {
    for (const testing::RowModel& model : testing::row_models(dtype)) {
      const testing::TensorFunction function = function_of(model);
      if (!function) {
        continue;
      }
      BOOST_TEST_CONTEXT(model.name) {
        try {
          std::vector<Spec> specs;
          for (const Tensor& operand : model.operands) {
            specs.push_back({operand.shape(), operand.dtype()});
          }
          onnx::save(folder.path() / "model.onnx", function, specs);
          testing::check_valid(folder.path() / "model.onnx");
        } catch (const ValueError& error) {
          BOOST_TEST_MESSAGE(error.what());
          refused.insert(model.op);
        }
      }
    }
  }
  return refused;
}

void check_refused(const std::set<std::string>& refused, const std::set<std::string>& expected) {
  BOOST_CHECK_EQUAL_COLLECTIONS(refused.begin(), refused.end(), expected.begin(), expected.end());
}

}  // namespace

BOOST_AUTO_TEST_CASE(values_are_valid_but_of_ops_that_are_refused) {
  check_refused(refused_ops([](const testing::RowModel& model) { return model.value; }),
                {"argsort", "bincount", "cummax", "cummin", "cumprod", "digamma", "erfinv", "lgamma", "median",
                 "polygamma", "quantile", "scatter", "scatter_nd", "searchsorted", "sort", "topk"});
}

BOOST_AUTO_TEST_CASE(derivatives_are_valid_but_of_ops_that_are_refused) {
  check_refused(refused_ops([](const testing::RowModel& model) { return model.derivatives; }),
                {"cummax", "cummin", "cumprod", "digamma", "erfinv", "lgamma", "median", "polygamma", "prod",
                 "quantile", "scatter", "scatter_nd", "sort", "topk"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
