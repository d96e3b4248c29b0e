#include "op_table.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <random>
#include <set>

#include <boost/test/unit_test.hpp>

#include "autograd/graph/operation.hpp"
#include "autograd/transforms/check_grads.hpp"
#include "autograd/transforms/grad.hpp"
#include "tests/testing.hpp"

namespace xgrad::op_table {

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

double draw(const Domain& domain, std::mt19937& engine) {
  std::uniform_real_distribution<double> number(domain.low, domain.high);
  while (true) {
    const double x = number(engine);
    if (std::none_of(domain.kinks.begin(), domain.kinks.end(),
                     [x](double kink) { return std::abs(x - kink) < 0.05; })) {
      return x;
    }
  }
}

// A number of the domain as the dtype holds it; integers are ten times as large, so that they differ.
double as_element(double x, DType dtype) {
  switch (dtype) {
    case DType::boolean: return x > 0;
    case DType::uint8: return std::abs(std::round(10 * x));
    case DType::int32:
    case DType::int64: return std::round(10 * x);
    case DType::float32: return static_cast<double>(static_cast<float>(x));
    case DType::float64: break;
  }
  return x;
}

}  // namespace

const Rows& all_rows() {
  static const Rows rows = [] {
    Rows result;
    for (const Rows& family :
         {unary_ops::rows(), binary_ops::rows(), reduction_ops::rows(), layout_ops::rows(), contraction_ops::rows(),
          rearrangement_ops::rows(), scan_ops::rows(), search_ops::rows(), statistics_ops::rows()}) {
      result.insert(result.end(), family.begin(), family.end());
    }
    return result;
  }();
  return rows;
}

const Rows& tensor_rows() {
  static const Rows rows = [] {
    Rows all = all_rows();
    std::erase_if(all, [](const Row& row) { return row.op == "allclose"; });
    return all;
  }();
  return rows;
}

bool takes(const Row& row, DType dtype) {
  switch (row.takes) {
    case Takes::floating: return is_floating(dtype);
    case Takes::numbers: return is_floating(dtype) || is_integer(dtype);
    case Takes::booleans: return dtype == DType::boolean;
    case Takes::not_boolean: return dtype != DType::boolean;
    case Takes::everything: break;
  }
  return true;
}

Tensors make_inputs(const std::vector<Input>& inputs, DType dtype) {
  std::mt19937 engine(7);
  Tensors result;
  for (const Input& input : inputs) {
    const DType own = input.role == Role::value ? dtype : input.role == Role::condition ? DType::boolean : DType::int64;
    std::vector<double> values(static_cast<std::size_t>(input.shape.element_count()));
    for (double& x : values) {
      x = draw(input.domain, engine);
      x = input.role == Role::index ? std::floor(x) : as_element(x, own);
    }
    result.push_back(make_tensor(values, input.shape, own));
  }
  return result;
}

BOOST_AUTO_TEST_SUITE(ops_table)

namespace {

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
    for (const std::string start : {"Tensor ", "Tensors ", "TopK ", "CumulativeExtreme ", "bool "}) {
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

std::vector<std::vector<Input>> unary_cases(const Domain& domain) {
  std::vector<std::vector<Input>> cases;
  for (const Shape& shape : {Shape{3, 4}, Shape{}, Shape{1}, Shape{0, 3}, Shape{2, 1, 19}}) {
    cases.push_back({{shape, domain}});
  }
  return cases;
}

std::vector<std::vector<Input>> binary_cases(const Domain& a, const Domain& b) {
  const std::vector<std::pair<Shape, Shape>> shapes = {
      {{3, 4}, {3, 4}}, {{3, 4}, {4}}, {{2, 3, 4}, {3, 1}}, {{4, 1}, {1, 5}}, {{}, {3}},    {{2, 1, 3}, {4, 1}},
      {{37}, {37}},     {{}, {}},      {{0, 3}, {3}},       {{2, 0}, {2, 1}}, {{1, 1}, {1}}};
  std::vector<std::vector<Input>> cases;
  for (const auto& [left, right] : shapes) {
    cases.push_back({{left, a}, {right, b}});
  }
  return cases;
}

namespace {

// Calls visit with every index of the shape, in row-major order.
template <class Visit>
void for_each_index(const Shape& shape, Visit&& visit) {
  std::vector<std::int64_t> index(shape.ndim());
  for (std::int64_t flat = 0; flat < shape.element_count(); ++flat) {
    std::int64_t rest = flat;
    for (std::size_t axis = shape.ndim(); axis-- > 0;) {
      index[axis] = rest % shape[axis];
      rest /= shape[axis];
    }
    visit(index);
  }
}

// The element at an index, which may have more axes in front and be anything along axes of size 1.
double at(const Numbers& x, const std::vector<std::int64_t>& index) {
  const std::size_t offset = index.size() - x.shape.ndim();
  std::int64_t flat = 0;
  for (std::size_t i = 0; i < x.shape.ndim(); ++i) {
    flat = flat * x.shape[i] + (x.shape[i] == 1 ? 0 : index[offset + i]);
  }
  return x.data[static_cast<std::size_t>(flat)];
}

}  // namespace

Reference elementwise(std::function<double(const std::vector<double>&)> f) {
  return [f](const std::vector<Numbers>& operands) {
    Numbers result;
    for (const Numbers& x : operands) {
      for (std::size_t from_end = 1; from_end <= x.shape.ndim(); ++from_end) {
        if (from_end > result.shape.ndim()) {
          result.shape.insert(0, 1);
        }
        std::int64_t& size = result.shape[result.shape.ndim() - from_end];
        size = size == 1 ? x.shape[x.shape.ndim() - from_end] : size;
      }
    }
    std::vector<double> arguments(operands.size());
    for_each_index(result.shape, [&](const std::vector<std::int64_t>& index) {
      std::transform(operands.begin(), operands.end(), arguments.begin(),
                     [&](const Numbers& x) { return at(x, index); });
      result.data.push_back(f(arguments));
    });
    return result;
  };
}

Numbers reduce(const Numbers& x, std::vector<std::int64_t> axes, bool keepdims,
               const std::function<double(const std::vector<double>&)>& f) {
  Shape kept = x.shape;
  Shape shape;
  for (std::size_t i = 0; i < x.shape.ndim(); ++i) {
    const auto axis = static_cast<std::int64_t>(i);
    const bool reduced = std::any_of(axes.begin(), axes.end(), [&](std::int64_t a) {
      return a == axis || a == axis - static_cast<std::int64_t>(x.shape.ndim());
    });
    kept[i] = reduced ? 1 : x.shape[i];
    if (!reduced || keepdims) {
      shape.push_back(kept[i]);
    }
  }
  std::vector<std::vector<double>> groups(static_cast<std::size_t>(kept.element_count()));
  for_each_index(x.shape, [&](const std::vector<std::int64_t>& index) {
    std::int64_t group = 0;
    for (std::size_t i = 0; i < kept.ndim(); ++i) {
      group = group * kept[i] + (kept[i] == 1 ? 0 : index[i]);
    }
    groups[static_cast<std::size_t>(group)].push_back(at(x, index));
  });
  Numbers result{shape, {}};
  std::transform(groups.begin(), groups.end(), std::back_inserter(result.data), f);
  return result;
}

Numbers gather(const Numbers& x, const Shape& shape,
               const std::function<std::vector<std::int64_t>(const std::vector<std::int64_t>&)>& source) {
  Numbers result{shape, {}};
  for_each_index(shape, [&](const std::vector<std::int64_t>& index) { result.data.push_back(at(x, source(index))); });
  return result;
}

}  // namespace xgrad::op_table
