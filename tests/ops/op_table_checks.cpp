#include <algorithm>
#include <cmath>
#include <fstream>
#include <set>

#include <boost/test/unit_test.hpp>

#include "autograd/graph/operation.hpp"
#include "autograd/transforms/check_grads.hpp"
#include "autograd/transforms/grad.hpp"
#include "op_table.hpp"
#include "tests/testing.hpp"

/// \file
/// What every op of the table gives, refuses and has as derivatives.

namespace xgrad::op_table {

BOOST_AUTO_TEST_SUITE(ops_table)

namespace {

using testing::check_elements;
using testing::elements;
using testing::every_dtype;
using testing::make_tensor;

DType result_dtype(const Row& row, DType dtype) {
  switch (row.result) {
    case Result::boolean: return DType::boolean;
    case Result::int64: return DType::int64;
    case Result::wide: return is_floating(dtype) ? dtype : DType::int64;
    case Result::same: break;
  }
  return row.op == "one_hot" ? DType::float32 : dtype;
}

double tolerance_of(DType dtype) { return dtype == DType::float64 ? 1e-13 : dtype == DType::float32 ? 2e-6 : 0; }

void check_values(const Row& row) {
  for (const DType dtype : every_dtype) {
    for (const std::vector<Input>& inputs : row.cases) {
      if (!takes(row, dtype)) {
        continue;
      }
      BOOST_TEST_CONTEXT(row.name() << " of " << to_string(dtype) << to_string(inputs[0].shape)) {
        const Tensors x = make_inputs(inputs, dtype);
        std::vector<Numbers> numbers;
        for (const Tensor& each : x) {
          numbers.push_back({each.shape(), elements(each)});
        }
        const bool integers = !is_floating(dtype) && row.integer_reference;
        const Numbers expected = (integers ? row.integer_reference : row.reference)(numbers);
        const Tensor result = row.call(x);
        BOOST_TEST(result.dtype() == result_dtype(row, dtype));
        check_elements(result, expected.shape, expected.data, tolerance_of(dtype));
      }
    }
  }
}

void check_refusals(const Row& row) {
  for (const DType dtype : every_dtype) {
    if (!takes(row, dtype)) {
      BOOST_TEST_CONTEXT(row.name() << " of " << to_string(dtype)) {
        testing::check_throws<DTypeError>([&] { row.call(make_inputs(row.cases[0], dtype)); },
                                          {"[" + row.op + "] ", to_string(dtype), "tests/ops/op_"});
      }
    }
  }
}

// Every node that the call makes belongs to the source of the caller, not to that of the library.
void check_locations(const Row& row) {
  const DType dtype = row.takes == Takes::booleans ? DType::boolean : DType::float64;
  std::vector<Tensor> pending = {row.call(make_inputs(row.cases[0], dtype))};
  while (!pending.empty()) {
    const Node& node = pending.back().node();
    const std::string_view file = node.location().file_name();
    if (file.find("/tests/") == std::string_view::npos) {
      BOOST_ERROR("a node of " << row.name() << ", " << node.name() << ", is said to be made at " << file << ":"
                               << node.location().line());
    }
    const Tensors inputs(node.inputs().begin(), node.inputs().end());
    pending.pop_back();
    pending.insert(pending.end(), inputs.begin(), inputs.end());
  }
}

// The op as a function of its floating operands only.
struct Differentiable {
  std::function<Tensor(const Tensors&)> f;
  Tensors inputs;

  Differentiable(const Row& row, const std::vector<Input>& operands, DType dtype) {
    const Tensors all = make_inputs(operands, dtype);
    std::vector<std::size_t> positions;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (is_floating(all[i].dtype())) {
        positions.push_back(i);
        inputs.push_back(all[i]);
      }
    }
    f = [&row, all, positions](const Tensors& x) {
      Tensors arguments = all;
      for (std::size_t i = 0; i < positions.size(); ++i) {
        arguments[positions[i]] = x[i];
      }
      return row.call(arguments);
    };
  }
};

void check_float32_gradient(const Row& row, const std::vector<Input>& operands) {
  const Differentiable single(row, operands, DType::float32);
  Tensors inputs;
  for (const Tensor& x : single.inputs) {
    inputs.push_back(cast(x, DType::float64).detach());
  }
  const Tensor in_double = single.f(inputs);
  const Tensor cotangent = testing::random_tensor(in_double.shape()) + 3.0;
  const Tensors expected = vjp(in_double, inputs, cotangent);
  const Tensors actual = vjp(single.f(single.inputs), single.inputs, cast(cotangent, DType::float32));
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    BOOST_TEST(actual[i].dtype() == DType::float32);
    check_elements(actual[i], inputs[i].shape(), elements(expected[i]), 1e-5);
  }
}

void check_derivatives(const Row& row) {
  if (row.takes == Takes::booleans) {
    return;
  }
  for (const std::vector<Input>& operands : row.cases) {
    const Differentiable call(row, operands, DType::float64);
    if (call.inputs.empty()) {
      continue;
    }
    BOOST_TEST_CONTEXT(row.name() << " of " << to_string(operands[0].shape)) {
      if (row.derivative == Derivative::smooth) {
        BOOST_CHECK_NO_THROW(check_grads(call.f, call.inputs));
        check_float32_gradient(row, operands);
      } else {
        const Tensor total = sum(cast(call.f(call.inputs), DType::float64));
        BOOST_CHECK_THROW(grad(total, call.inputs), GradientError);
        const Tensors gradients = grad(total, call.inputs, Unreached::zeros);
        for (std::size_t i = 0; i < gradients.size(); ++i) {
          const Tensor& x = call.inputs[i];
          check_elements(gradients[i], x.shape(), std::vector<double>(static_cast<std::size_t>(x.size()), 0.0));
        }
      }
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(values)
const testing::CasePerRow cases(all_rows(), &Row::name, check_values);
BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(derivatives)
const testing::CasePerRow cases(all_rows(), &Row::name, check_derivatives);
BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(refused_dtypes)
const testing::CasePerRow cases(all_rows(), &Row::name, check_refusals);
BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(locations)
const testing::CasePerRow cases(all_rows(), &Row::name, check_locations);
BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_CASE(every_public_op_has_a_row) {
  std::set<std::string> rows;
  for (const Row& row : all_rows()) {
    rows.insert(row.op);
  }
  std::ifstream header(XGRAD_SOURCE_ROOT "/autograd/ops/ops.hpp");
  std::set<std::string> ops;
  for (std::string line; std::getline(header, line);) {
    for (const std::string start : {"Tensor ", "Tensors ", "TopK ", "bool "}) {
      const std::string name = line.substr(0, start.size()) == start
                                   ? line.substr(start.size(), line.find('(') - start.size())
                                   : std::string();
      if (!name.empty() && name.find("operator") == std::string::npos) {
        ops.insert(name);
      }
    }
  }
  BOOST_TEST(ops.size() > 80u);
  for (const std::string& op : ops) {
    BOOST_TEST(rows.contains(op), op << " is declared in ops.hpp and has no row");
  }
  for (const std::string& row : rows) {
    BOOST_TEST(ops.contains(row), row << " has a row and is not declared in ops.hpp");
  }
}

BOOST_AUTO_TEST_CASE(operands_that_do_not_broadcast_are_refused) {
  for (const Row& row : binary_ops::rows()) {
    if (row.cases[0].size() == 2) {
      const DType dtype = row.takes == Takes::booleans ? DType::boolean : DType::float32;
      const Tensors x = {zeros({2, 3}, dtype), zeros({4}, dtype)};
      testing::check_throws<ShapeError>([&] { row.call(x); }, {"[" + row.op + "] ", "(2, 3)", "(4,)", "axis -1"});
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad::op_table
