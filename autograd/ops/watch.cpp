#include "autograd/ops/watch.hpp"

#include <algorithm>
#include <iostream>
#include <string>

#include "autograd/array/shape.hpp"
#include "autograd/graph/operation.hpp"
#include "autograd/ops/composed.hpp"
#include "autograd/ops/debug_text.hpp"
#include "autograd/ops/element_range.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad::debug {

namespace {

/// Prints a line about its input and gives it on.
struct Watch {
  static constexpr std::string_view name = "watch";
  static constexpr bool alias = true;
  std::string label;
  Show show;
  bool gradient;
  bool silent = false;  // where it is computed again; the cotangent is shown all the same
  static constexpr auto attributes =
      fields("name", &Watch::label, "show", &Watch::show, "gradient", &Watch::gradient, "silent", &Watch::silent);

  std::string_view effect() const { return silent ? "" : "print"; }  // in order with the lines of print
  Watch without_effect() const { return {label, show, gradient, true}; }
  Spec infer(Inputs in) const { return {in[0].shape(), in[0].dtype()}; }
  void eval(ConstViews in, Views) const { std::cout << line(in[0]) + "\n" << std::flush; }
  Tensors vjp(const Node& node, const Cotangents& ct) const {
    if (!gradient) {
      return {ct[0]};
    }
    return {apply_op(Watch{"gradient of " + label, show, false}, {ct[0]}, node.location())};
  }
  Tensors jvp(const Node&, const Tangents& t) const { return {t[0]}; }
  Tensors vmap(const Node& node, const BatchedInputs& in) const {
    return {apply_op(*this, in.tensors, node.location())};
  }

 private:
  std::string line(const ConstView& view) const {
    if (show == Show::values) {
      return label + " = " + text_of("{}", std::span(&view, 1));
    }
    const ElementRange range = range_of(view);
    std::string text = phrase("{}: {} {}", label, to_string(*view.spec), text_of(range));
    if (show == Show::statistics && range.finite > 1) {
      text += phrase(", mean {:.6g}, deviation {:.6g}", range.mean, range.deviation);
    }
    return text;
  }
};

/// Throws where input 0 has an element that is true; gives it on.
struct BreakIf {
  static constexpr std::string_view name = "break_if";
  static constexpr std::string_view effect = "print";  // what was printed before stands there when it throws
  static constexpr bool alias = true;
  static constexpr bool total = false;  // plans write variables only after it
  static constexpr bool stops_gradient = true;
  std::string format;
  static constexpr auto attributes = fields("format", &BreakIf::format);

  Spec infer(Inputs in) const { return {in[0].shape(), in[0].dtype()}; }
  void eval(ConstViews in, Views) const {
    const bool* first = in[0].as<bool>();
    const bool* last = first + in[0].size();
    const bool* found = std::find(first, last, true);
    if (found == last) {
      return;
    }
    const std::string element =
        in[0].shape().empty() ? ""
                              : phrase(" (element {} of {})", to_string(position_of(found - first, in[0].shape())),
                                       to_string(*in[0].spec));
    raise<BreakError>(
        name, phrase("{}{}; look at what leads here, or remove the break", text_of(format, in.subspan(1)), element));
  }
  Tensors vmap(const Node& node, const BatchedInputs& in) const {
    return {apply_op(*this, first_batched(node, in), node.location())};
  }
};

}  // namespace

Tensor watch(const Operand& tensor, std::string_view name, WatchOptions options) {
  const SourceScope scope(tensor);
  return apply_op(Watch{std::string(name), options.show, options.gradient}, {tensor.tensor()}, tensor.where());
}

void break_if_any(const Operand& predicate, const Format& format, std::span<const Operand> operands) {
  const SourceScope scope(format.where);
  located(format.where, [&] {
    Tensors inputs{predicate.tensor()};
    if (inputs[0].dtype() != DType::boolean) {
      raise<DTypeError>("break_if", phrase("the predicate is {}; it must be boolean: compare it, as in x > 0",
                                           to_string(Spec{inputs[0].shape(), inputs[0].dtype()})));
    }
    require_fitting("break_if", format, operands);
    for (const Operand& operand : operands) {
      inputs.push_back(operand.tensor());
    }
    apply_op(BreakIf{format.text}, inputs, format.where);
  });
}

}  // namespace xgrad::debug
