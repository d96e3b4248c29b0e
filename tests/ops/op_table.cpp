#include "op_table.hpp"

#include <algorithm>
#include <cmath>
#include <random>

#include "tests/testing.hpp"

namespace xgrad::op_table {

namespace {

using testing::make_tensor;

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
    case DType::bfloat16: return static_cast<double>(BFloat16(x));
    case DType::float32: return static_cast<double>(static_cast<float>(x));
    case DType::float64: return x;
  }
  __builtin_unreachable();
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
    case Takes::real: return is_real(dtype);
    case Takes::signed_ones: return is_real(dtype) || is_integer(dtype);
    case Takes::summed: return dtype != DType::bfloat16;
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
