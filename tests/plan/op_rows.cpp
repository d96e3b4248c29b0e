#include <algorithm>
#include <cmath>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "random_graphs.hpp"
#include "tests/ops/op_table.hpp"
#include "tests/testing.hpp"

/// \file
/// Every op of the table, compiled: values, cotangents and tangents are those of the ops computed one by one.

namespace xgrad::op_table {

BOOST_AUTO_TEST_SUITE(plan_op_rows)

namespace {

using testing::elements;
using testing::every_dtype;

double tolerance_of(DType dtype) { return dtype == DType::float64 ? 1e-12 : dtype == DType::float32 ? 1e-5 : 0; }

/// Compiled functions have a fixed number of arguments: none here, the operands are variables.
Tensors run_compiled(const std::function<Tensors(const Tensors&)>& f, const Tensors& operands) {
  std::vector<Variable> variables;
  for (const Tensor& operand : operands) {
    variables.emplace_back(operand);
  }
  const auto step = compile([&] { return f(Tensors(variables.begin(), variables.end())); }, {.plan = {.verify = true}});
  step();
  return step();
}

void check_same(const Tensors& actual, const Tensors& expected) {
  BOOST_TEST(actual.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    BOOST_TEST(actual[i].dtype() == expected[i].dtype());
    const std::vector<double> numbers = elements(expected[i]);
    double scale = 1;
    for (const double number : numbers) {
      scale = std::isfinite(number) ? std::max(scale, std::abs(number)) : scale;
    }
    testing::check_elements(actual[i], expected[i].shape(), numbers, tolerance_of(expected[i].dtype()) * scale);
  }
}

// The value, and for floating results the cotangents of the floating operands and the tangent of the result.
Tensors all_of(const Row& row, const Tensors& operands, const Tensors& floating, const Tensors& directions) {
  const Tensor value = row.call(operands);
  Tensors results = {value};
  if (!is_floating(value.dtype()) || floating.empty()) {
    return results;
  }
  const Tensor cotangent = cast(value * 0.5, value.dtype()) + 1.0;
  for (const Tensor& each : vjp(value, floating, cotangent, Unreached::zeros)) {
    results.push_back(each);
  }
  results.push_back(jvp(value, floating, directions));
  return results;
}

Tensors floating_of(const Tensors& operands) {
  Tensors floating;
  std::copy_if(operands.begin(), operands.end(), std::back_inserter(floating),
               [](const Tensor& x) { return is_floating(x.dtype()); });
  return floating;
}

void check_row(const Row& row, DType dtype, const std::vector<Input>& inputs) {
  const Tensors operands = make_inputs(inputs, dtype);
  const auto everything = [&](const Tensors& x) {
    const Tensors floating = floating_of(x);
    Tensors directions;
    for (const Tensor& each : floating) {
      directions.push_back(cos(each));
    }
    return all_of(row, x, floating, directions);
  };
  const Tensors expected = everything(operands);
  testing::evaluate_node_by_node(expected);
  check_same(run_compiled(everything, operands), expected);
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_op_computes_the_same_compiled_with_its_derivatives) {
  for (const Row& row : tensor_rows()) {
    for (const DType dtype : every_dtype) {
      for (std::size_t i = 0; takes(row, dtype) && i < row.cases.size(); ++i) {
        BOOST_TEST_CONTEXT(row.name() << " of " << to_string(dtype) << ", case " << i) {
          check_row(row, dtype, row.cases[i]);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad::op_table
