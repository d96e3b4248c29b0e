#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "autograd/ops/ops.hpp"

/// \file
/// One row per public op: how to call it, on what, and what it should give. The tests in op_table_checks.cpp go through it.

namespace xgrad::op_table {

/// An array in the hands of a reference function.
struct Numbers {
  Shape shape;
  std::vector<double> data;
};
using Reference = std::function<Numbers(const std::vector<Numbers>&)>;

/// Where random elements come from.
struct Domain {
  double low = -2;
  double high = 2;
  std::vector<double> kinks = {};  ///< points to keep away from
};

enum class Role : std::uint8_t {
  value,      ///< of the dtype that is being tested
  condition,  ///< boolean
  index,      ///< int64, whole numbers of the domain
};

struct Input {
  Shape shape;
  Domain domain = {};
  Role role = Role::value;
};

/// Which dtypes the op takes; others must be refused.
enum class Takes : std::uint8_t {
  floating,
  numbers,  ///< int32, int64 and floating ones
  booleans,
  real,         ///< floating ones and bfloat16
  signed_ones,  ///< numbers and bfloat16
  summed,       ///< all but bfloat16
  not_boolean,
  everything,
};

enum class Derivative : std::uint8_t {
  smooth,  ///< compared with differences, to second order
  zero,    ///< exactly zero, or an error when not asked for zeros
};

enum class Result : std::uint8_t { same, boolean, int64, wide };  ///< wide: int64 unless floating, as sums are

struct Row {
  std::string op;       ///< its name in ops.hpp
  std::string variant;  ///< which attributes, where there are several rows
  std::function<Tensor(const Tensors&)> call;
  Reference reference;
  std::vector<std::vector<Input>> cases;  ///< the operands of each call
  Takes takes = Takes::floating;
  Derivative derivative = Derivative::smooth;
  Result result = Result::same;
  Reference integer_reference = nullptr;  ///< where integers differ

  std::string name() const { return variant.empty() ? op : op + "_" + variant; }
};

using Rows = std::vector<Row>;

namespace unary_ops {
Rows rows();
}
namespace binary_ops {
Rows rows();
}
namespace reduction_ops {
Rows rows();
}
namespace layout_ops {
Rows rows();
}
namespace contraction_ops {
Rows rows();
}
namespace rearrangement_ops {
Rows rows();
}
namespace scan_ops {
Rows rows();
}
namespace search_ops {
Rows rows();
}
namespace statistics_ops {
Rows rows();
}

/// The rows of all families.
const Rows& all_rows();
/// Those of ops that give a tensor: without allclose, which reads its operands.
const Rows& tensor_rows();

/// Whether the op of a row takes operands of this dtype.
bool takes(const Row& row, DType dtype);

/// Reproducible operands for a call.
Tensors make_inputs(const std::vector<Input>& inputs, DType dtype);

/// What the tests of elementwise ops go through: no axes, no elements, one element, sizes that are no multiple of a
/// vector's.
std::vector<std::vector<Input>> unary_cases(const Domain& domain);
/// Shapes that broadcast in every way.
std::vector<std::vector<Input>> binary_cases(const Domain& a, const Domain& b);

/// \p f for every element of the broadcast arguments.
Reference elementwise(std::function<double(const std::vector<double>&)> f);

/// \p f on the elements along \p axes, for every position of the others.
Numbers reduce(const Numbers& x, std::vector<std::int64_t> axes, bool keepdims,
               const std::function<double(const std::vector<double>&)>& f);

/// The array whose element at each index is `x` at `source(index)`.
Numbers gather(const Numbers& x, const Shape& shape,
               const std::function<std::vector<std::int64_t>(const std::vector<std::int64_t>&)>& source);

}  // namespace xgrad::op_table
