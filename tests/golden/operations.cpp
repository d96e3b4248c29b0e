#include "tests/golden/operations.hpp"

#include <limits>

#include <fmt/format.h>

#include "autograd/ops/linalg.hpp"
#include "autograd/ops/ops.hpp"

namespace xgrad::golden {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

using X = const Tensors&;
using A = Entries&;

using Table = OpTable;

Op op(Tensor (*f)(const Operand&)) {
  return {1, [f](const Tensors& x, Entries&) { return f(x[0]); }};
}
Op op(Tensor (*f)(const Operand&, const Operand&)) {
  return {2, [f](const Tensors& x, Entries&) { return f(x[0], x[1]); }};
}
Op op(Tensor (*f)(const Operand&, const Operand&, const Operand&)) {
  return {3, [f](const Tensors& x, Entries&) { return f(x[0], x[1], x[2]); }};
}
Op op(Tensor (*f)(const Operand&, const Axes&, bool)) {
  return {1, [f](const Tensors& x, Entries& a) { return f(x[0], a.axes(), a.flag("keepdims", false)); }};
}
/// Along one axis, the last unless told.
Op op(Tensor (*f)(const Operand&, std::int64_t)) {
  return {1, [f](const Tensors& x, Entries& a) { return f(x[0], a.integer("axis", -1)); }};
}
Op op(Tensor (*f)(const Operand&, std::int64_t, bool)) {
  return {1, [f](const Tensors& x, Entries& a) { return f(x[0], a.integer("axis", -1), a.flag("descending", false)); }};
}

Table unary_ops() {
  return {
      {"negative", op(negative)},
      {"abs", op(abs)},
      {"sign", op(sign)},
      {"exp", op(exp)},
      {"expm1", op(expm1)},
      {"log", op(log)},
      {"log1p", op(log1p)},
      {"log2", op(log2)},
      {"sqrt", op(sqrt)},
      {"rsqrt", op(rsqrt)},
      {"square", op(square)},
      {"cbrt", op(cbrt)},
      {"reciprocal", op(reciprocal)},
      {"sin", op(sin)},
      {"cos", op(cos)},
      {"tan", op(tan)},
      {"asin", op(asin)},
      {"acos", op(acos)},
      {"atan", op(atan)},
      {"sinh", op(sinh)},
      {"cosh", op(cosh)},
      {"tanh", op(tanh)},
      {"asinh", op(asinh)},
      {"acosh", op(acosh)},
      {"atanh", op(atanh)},
      {"erf", op(erf)},
      {"sigmoid", op(sigmoid)},
      {"log_sigmoid", op(log_sigmoid)},
      {"softplus", op(softplus)},
      {"relu", op(relu)},
      {"leaky_relu", {1, [](X x, A a) { return leaky_relu(x[0], a.number("negative_slope", 0.01)); }}},
      {"elu", {1, [](X x, A a) { return elu(x[0], a.number("alpha", 1)); }}},
      {"selu", op(selu)},
      {"gelu",
       {1,
        [](X x, A a) {
          return gelu(x[0], a.choice("approximate", {"none", "tanh"}) == "tanh");
        }}},
      {"silu", op(silu)},
      {"mish", op(mish)},
      {"clip", {1, [](X x, A a) { return clip(x[0], a.number("min", -infinity), a.number("max", infinity)); }}},
      {"pow_scalar", {1, [](X x, A a) { return pow(x[0], a.number("exponent")); }}},
      {"floor", op(floor)},
      {"ceil", op(ceil)},
      {"round", op(round)},
      {"trunc", op(trunc)},
      {"isnan", op(isnan)},
      {"isinf", op(isinf)},
      {"isfinite", op(isfinite)},
      {"logical_not", op(logical_not)},
  };
}

Table ops_of_several() {
  return {
      {"add", op(add)},
      {"subtract", op(subtract)},
      {"multiply", op(multiply)},
      {"divide", op(divide)},
      {"pow", op(pow)},
      {"maximum", op(maximum)},
      {"minimum", op(minimum)},
      {"atan2", op(atan2)},
      {"hypot", op(hypot)},
      {"remainder", op(remainder)},
      {"logaddexp", op(logaddexp)},
      {"less", op(less)},
      {"less_equal", op(less_equal)},
      {"greater", op(greater)},
      {"greater_equal", op(greater_equal)},
      {"equal", op(equal)},
      {"not_equal", op(not_equal)},
      {"logical_and", op(logical_and)},
      {"logical_or", op(logical_or)},
      {"where", op(where)},
  };
}

Table ops_along_axes() {
  return {
      {"sum", op(sum)},
      {"mean", op(mean)},
      {"amax", op(amax)},
      {"amin", op(amin)},
      {"prod", op(prod)},
      {"variance", op(variance)},
      {"stddev", op(stddev)},
      {"norm", op(norm)},
      {"logsumexp", op(logsumexp)},
      {"argmax", op(argmax)},
      {"argmin", op(argmin)},
      {"all", op(static_cast<Tensor (*)(const Operand&, const Axes&, bool)>(all))},
      {"any", op(any)},
      {"softmax", op(softmax)},
      {"log_softmax", op(log_softmax)},
      {"cumsum", op(cumsum)},
      {"cumprod", op(cumprod)},
      {"sort", op(sort)},
      {"argsort", op(argsort)},
  };
}

Table layout_ops() {
  return {
      {"reshape", {1, [](X x, A a) { return reshape(x[0], a.integers("shape")); }}},
      {"transpose",
       {1, [](X x, A a) { return a.find("axes") ? transpose(x[0], a.integers("axes")) : transpose(x[0]); }}},
      {"swapaxes", {1, [](X x, A a) { return swapaxes(x[0], a.integer("axis1"), a.integer("axis2")); }}},
      {"broadcast_to", {1, [](X x, A a) { return broadcast_to(x[0], a.integers("shape")); }}},
      {"expand_dims", {1, [](X x, A a) { return expand_dims(x[0], a.integer("axis")); }}},
      {"squeeze", {1, [](X x, A a) { return squeeze(x[0], a.axes()); }}},
      {"concatenate", {any_number, [](X x, A a) { return concatenate(x, a.integer("axis", 0)); }}},
      {"stack", {any_number, [](X x, A a) { return stack(x, a.integer("axis", 0)); }}},
      {"flip", {1, [](X x, A a) { return flip(x[0], a.axes()); }}},
      {"roll", {1, [](X x, A a) { return roll(x[0], a.integer("shift"), a.integer("axis")); }}},
      {"pad", {1, [](X x, A a) { return pad(x[0], a.integers("before"), a.integers("after"), a.number("value", 0)); }}},
      {"tile", {1, [](X x, A a) { return tile(x[0], a.integers("reps")); }}},
      {"repeat", {1, [](X x, A a) { return repeat(x[0], a.integer("repeats"), a.integer("axis")); }}},
  };
}

Table selection_ops() {
  return {
      {"slice",
       {1, [](X x, A a) { return slice(x[0], a.integers("begin"), a.integers("end"), a.integers("strides")); }}},
      {"take", {2, [](X x, A a) { return take(x[0], x[1], a.integer("axis", 0)); }}},
      {"take_along_axis", {2, [](X x, A a) { return take_along_axis(x[0], x[1], a.integer("axis")); }}},
      {"scatter_add", {3, [](X x, A a) { return scatter_add(x[0], x[1], x[2], a.integer("axis", 0)); }}},
      {"tril", {1, [](X x, A a) { return tril(x[0], a.integer("k", 0)); }}},
      {"triu", {1, [](X x, A a) { return triu(x[0], a.integer("k", 0)); }}},
      {"diagonal",
       {1,
        [](X x, A a) { return diagonal(x[0], a.integer("offset", 0), a.integer("axis1", 0), a.integer("axis2", 1)); }}},
  };
}

/// What a case with `symmetrize` applies its op to.
Tensor symmetrized(const Tensor& x, Entries& a) {
  return a.flag("symmetrize", false) ? (x + swapaxes(x, -1, -2)) / 2 : x;
}

Table linalg_ops() {
  return {
      {"matmul", op(matmul)},
      {"outer", op(outer)},
      {"tensordot",
       {2, [](X x, A a) { return tensordot(x[0], x[1], Axes(a.integers("axes_a")), Axes(a.integers("axes_b"))); }}},
      {"einsum", {any_number, [](X x, A a) { return einsum(a.text("subscripts"), x); }}},
      {"trace", op(trace)},
      {"inv", op(linalg::inv)},
      {"det", op(linalg::det)},
      {"logdet", op(linalg::logdet)},
      {"solve", op(linalg::solve)},
      {"solve_triangular", {2, [](X x, A a) { return linalg::solve_triangular(x[0], x[1], a.flag("lower", true)); }}},
      {"cholesky", {1, [](X x, A a) { return linalg::cholesky(symmetrized(x[0], a)); }}},
      {"eigvalsh", {1, [](X x, A a) { return linalg::eigvalsh(symmetrized(x[0], a)); }}},
      {"svdvals", op(linalg::svdvals)},
  };
}

Table join(std::initializer_list<Table> tables) {
  Table all;
  for (Table table : tables) {
    all.merge(table);
  }
  return all;
}

}  // namespace

Tensor call_op(const std::string& name, const Tensors& inputs, Entries& attributes) {
  static const Table table = join(
      {unary_ops(), ops_of_several(), ops_along_axes(), layout_ops(), selection_ops(), linalg_ops(), network_ops()});
  const auto row = table.find(name);
  if (row == table.end()) {
    raise<FileError>(name, "the op is not known");
  }
  const auto& [operands, call, optional] = row->second;
  if (operands != any_number && (inputs.size() < operands || inputs.size() > operands + optional)) {
    raise<FileError>(name, fmt::format("takes {} inputs, the case has {}", operands, inputs.size()));
  }
  Tensor result = call(inputs, attributes);
  attributes.require_all_read();
  return result;
}

}  // namespace xgrad::golden
