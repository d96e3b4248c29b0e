#include "autograd/transforms/derivatives.hpp"

#include <string_view>

#include "autograd/graph/recognize.hpp"
#include "autograd/graph/substitute.hpp"
#include "autograd/graph/variable_cell.hpp"
#include "autograd/graph/walks.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"
#include "autograd/transforms/vmap.hpp"

namespace xgrad {

namespace {

Spec spec_of(const Tensor& tensor) { return {tensor.shape(), tensor.dtype()}; }

// All tensors of one shape with a single 1, one after the other on axis 0.
Tensor standard_basis(const Spec& spec) {
  const std::int64_t size = spec.shape.element_count();
  Shape shape = spec.shape;
  shape.insert(0, size);
  return reshape(one_hot(arange(static_cast<double>(size), DType::int64), size, spec.dtype), shape);
}

// `derivative`, written for one placeholder, at all standard basis vectors in its place.
Tensor along_basis(const Tensor& derivative, const Tensor& direction, std::int64_t out_axis) {
  detail::MappedArguments mapped;
  mapped.placeholders = {direction};
  mapped.samples = {standard_basis(spec_of(direction))};
  mapped.size = direction.size();
  return detail::map_samples({derivative}, mapped, out_axis)[0];
}

}  // namespace

Tensor jacobian(const Tensor& output, const Tensor& input, JacobianMode mode, std::source_location where) {
  const auto require_floating = [](std::string_view role, const Tensor& tensor) {
    if (!is_floating(tensor.dtype())) {
      raise<DTypeError>("jacobian", phrase("the {} is {}, not floating; cast to float32 or float64 before it is used",
                                           role, to_string(spec_of(tensor))));
    }
  };
  located(where, [&] {
    require_floating("output", output);
    require_floating("input", input);
    if (mode == JacobianMode::symmetric && output.shape() != input.shape()) {
      raise<ShapeError>("jacobian",
                        phrase("the output {} and the input {} are not of one shape, so the Jacobian is not "
                               "symmetric; take another mode",
                               to_string(output.shape()), to_string(input.shape())));
    }
  });
  const bool reverse =
      mode == JacobianMode::reverse || (mode == JacobianMode::by_shape && output.size() < input.size());
  Shape shape = output.shape();
  for (std::int64_t size : input.shape()) {
    shape.push_back(size);
  }
  if (shape.element_count() == 0) {
    return zeros(shape, output.dtype(), where);
  }
  if (reverse) {
    const Tensor ct = placeholder(spec_of(output), "jacobian");
    return cast(reshape(along_basis(vjp(output, {input}, ct, Unreached::zeros, where)[0], ct, 0), shape),
                output.dtype());
  }
  const Tensor tangent = placeholder(spec_of(input), "jacobian");
  // One sample per element of the input: as it comes, row i is column i of the Jacobian.
  const std::int64_t samples = mode == JacobianMode::symmetric ? 0 : -1;
  return reshape(along_basis(jvp(output, {input}, {tangent}, where), tangent, samples), shape);
}

LinearMap::LinearMap(const Tensor& value, const Tensors& inputs, std::source_location where) {
  for (const Tensor& input : inputs) {
    placeholders_.push_back(placeholder(spec_of(input), "linearize"));
  }
  derivative_ = jvp(value, inputs, placeholders_, where);
  // The coefficients: nodes that the tangents do not reach, kept because the derivative holds on to them.
  const TopologicalOrder order = topological_order(std::span(&derivative_, 1));
  std::vector<bool> depends(order.nodes.size());
  Tensors coefficients;
  for (std::size_t i = 0; i < order.nodes.size(); ++i) {
    const Node& node = *order.nodes[i];
    depends[i] = detail::is_placeholder(node);
    for (const Tensor& input : node.inputs()) {
      depends[i] = depends[i] || depends[order.numbers.find(&input.node())];
    }
    for (const Tensor& input : node.inputs()) {
      if (depends[i] && !depends[order.numbers.find(&input.node())]) {
        coefficients.push_back(input);
      }
    }
  }
  if (detail::current_recorder() == nullptr) {  // traced tensors have no value; a plan computes each node once anyway
    evaluate(coefficients);
  }
}

Tensor LinearMap::operator()(const Tensors& tangents, std::source_location where) const {
  return located(where, [&] {
    if (tangents.size() != placeholders_.size()) {
      raise<ValueError>("linearize", phrase("{} tangents for {} arguments; give one for each", tangents.size(),
                                            placeholders_.size()));
    }
    for (std::size_t i = 0; i < tangents.size(); ++i) {
      if (spec_of(tangents[i]) != spec_of(placeholders_[i])) {
        const std::string message = phrase("tangent {} is {}, its argument {}; they must be alike", i,
                                           to_string(spec_of(tangents[i])), to_string(spec_of(placeholders_[i])));
        tangents[i].shape() != placeholders_[i].shape() ? raise<ShapeError>("linearize", message)
                                                        : raise<DTypeError>("linearize", message);
      }
    }
    return substitute({derivative_}, placeholders_, tangents)[0];
  });
}

}  // namespace xgrad
