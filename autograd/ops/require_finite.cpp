#include "autograd/ops/require_finite.hpp"

#include <algorithm>

#include "autograd/kernels/kernels.hpp"
#include "autograd/ops/composed.hpp"
#include "autograd/ops/element_range.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad {

void NotFiniteError::explain(const std::vector<std::string>& lines, std::optional<std::int64_t> row) {
  for (const std::string& line : lines) {
    add_note(line);
  }
  story_ = lines;
  row_ = row;
}

namespace detail {

namespace {

// `nan`, or `not finite: float32(3,) from 0 to 1, 1 NaN`
std::string what_is_wrong(const ConstView& view) {
  if (view.size() == 1) {
    return debug::number_text(debug::element_of(view, 0));
  }
  return phrase("not finite: {} {}", to_string(*view.spec), debug::text_of(debug::range_of(view)));
}

}  // namespace

void RequireFinite::eval(ConstViews in, Views out) const {
  const std::size_t first = first_checked(in.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    const ConstView& checked = in[first + i];
    if (is_real(checked.dtype()) && !kernels::all_finite(checked.dtype(), checked.data, checked.size())) {
      NotFiniteError error(phrase("[{}] {} is {}{}", op, names[i], what_is_wrong(checked), advice));
      if (plain) {
        error.make_plain();
      }
      throw error;
    }
  }
  const std::byte* from = in[0].as<std::byte>();
  std::copy_n(from, static_cast<std::size_t>(in[0].size()) * size_of(in[0].dtype()), out[0].as<std::byte>());
}

Tensors RequireFinite::vjp(const Node& node, const Cotangents& ct) const {
  Tensors gradients(node.inputs().size());
  gradients[0] = ct[0];
  return gradients;
}

Tensors RequireFinite::jvp(const Node&, const Tangents& t) const { return {t[0]}; }

Tensors RequireFinite::vmap(const Node& node, const BatchedInputs& in) const {
  return {apply_op(*this, first_batched(node, in), node.location())};
}

}  // namespace detail

Tensor debug::require_finite(const Operand& tensor, std::string_view name) {
  const SourceScope scope(tensor);
  return apply_op(detail::RequireFinite{"require_finite", {std::string(name)}, "; look at what it is computed from"},
                  {tensor.tensor()}, tensor.where());
}

}  // namespace xgrad
