#include "autograd/ops/debug.hpp"

#include <iostream>
#include <sstream>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "autograd/array/print_elements.hpp"
#include "autograd/graph/operation.hpp"
#include "autograd/ops/ops.hpp"

namespace xgrad::debug {

namespace {

/// A text before a tensor, and the format of the tensor's numbers.
struct Part {
  std::string text;
  std::string format;  // `{:.3f}`; empty for text behind the last tensor
};

[[noreturn]] void raise_brace(const std::string& text) {
  raise<ValueError>("print", fmt::format("a brace of \"{}\" stands alone; write {{{{ for {{ and }}}} for }}", text));
}

std::vector<Part> parts_of(const std::string& text) {
  std::vector<Part> parts(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool doubled = i + 1 < text.size() && text[i + 1] == text[i];
    if ((text[i] == '{' || text[i] == '}') && doubled) {
      parts.back().text += text[i++];
    } else if (text[i] == '{') {
      const std::size_t end = text.find('}', i);
      if (end == std::string::npos) {
        raise_brace(text);
      }
      parts.back().format = text.substr(i, end - i + 1);
      parts.emplace_back();
      i = end;
    } else if (text[i] == '}') {
      raise_brace(text);
    } else {
      parts.back().text += text[i];
    }
  }
  return parts;
}

std::string number_text(const std::string& format, DType dtype, const void* element) {
  return dispatch(dtype, [&](auto zero) {
    const auto value = *static_cast<const decltype(zero)*>(element);
    return fmt::format(fmt::runtime(format), value);
  });
}

// Nested braces, as tensors are written in source.
std::string elements_text(const std::string& format, const Array& array, std::size_t axis, std::size_t& next) {
  if (axis == array.shape().ndim()) {
    const auto* first = static_cast<const std::byte*>(array.data());
    return number_text(format, array.dtype(), first + size_of(array.dtype()) * next++);
  }
  std::string text = "{";
  for (std::int64_t i = 0; i < array.shape()[axis]; ++i) {
    text += (i == 0 ? "" : ", ") + elements_text(format, array, axis + 1, next);
  }
  return text + "}";
}

std::string array_text(const std::string& format, const Array& array) {
  std::size_t next = 0;
  if (format != "{}" || array.shape().empty()) {
    return elements_text(format, array, 0, next);
  }
  std::ostringstream out;
  detail::print_elements(out, array);
  return out.str();
}

/// Prints its inputs and gives the first one on.
struct Print {
  static constexpr std::string_view name = "print";
  static constexpr std::string_view effect = "print";
  static constexpr bool alias = true;
  std::string format;
  static constexpr auto attributes = fields("format", &Print::format);

  Spec infer(Inputs in) const { return {in[0].shape(), in[0].dtype()}; }
  void eval(ConstViews in, Views) const {
    std::string line;
    std::size_t next = 0;
    for (const Part& part : parts_of(format)) {
      line += part.text;
      if (!part.format.empty()) {
        const ConstView& view = in[next++];
        const Array array = borrow(view.as<std::byte>(), view);
        line += array_text(part.format, array);
      }
    }
    std::cout << line + "\n" << std::flush;
  }
  Tensors vjp(const Node& node, const Cotangents& ct) const {
    Tensors gradients(node.inputs().size());
    gradients[0] = ct[0];
    return gradients;
  }
  Tensors jvp(const Node&, const Tangents& t) const { return {t[0]}; }
  Tensors vmap(const Node& node, const BatchedInputs& in) const {
    Tensors inputs = in.tensors;
    Shape samples = node.spec(0).shape;
    samples.insert(0, in.size);
    inputs[0] = broadcast_to(inputs[0], samples);  // what is given on has an axis of samples
    return {apply_op(*this, inputs)};
  }

 private:
  static Array borrow(const std::byte* data, const ConstView& view) {
    const auto bytes = static_cast<std::size_t>(view.size()) * size_of(view.dtype());
    return Array(Buffer::adopt(const_cast<std::byte*>(data), bytes, nullptr, [](void*) {}), view.shape(), view.dtype());
  }
};

void require_fitting(const Format& format, std::span<const Operand> operands) {
  std::size_t named = 0;
  for (const Part& part : parts_of(format.text)) {
    if (part.format.empty()) {
      continue;
    }
    if (named < operands.size()) {
      const Tensor tensor = operands[named].tensor();
      try {
        const std::uint64_t zero = 0;
        number_text(part.format, tensor.dtype(), &zero);
      } catch (const fmt::format_error& error) {
        raise<ValueError>("print", fmt::format("\"{}\" is no format for {}: {}", part.format, to_string(tensor.dtype()),
                                               error.what()));
      }
    }
    ++named;
  }
  if (named != operands.size()) {
    raise<ValueError>("print", fmt::format("\"{}\" has {} places for {} tensors; write a {{}} for each", format.text,
                                           named, operands.size()));
  }
}

}  // namespace

Tensor print_all(const Format& format, std::span<const Operand> operands) {
  const SourceScope scope(format.where);
  return located(format.where, [&] {
    require_fitting(format, operands);
    Tensors inputs;
    for (const Operand& operand : operands) {
      inputs.push_back(operand.tensor());
    }
    if (!inputs.empty()) {
      return apply_op(Print{format.text}, inputs, format.where);
    }
    apply_op(Print{format.text}, {Tensor(0)}, format.where);  // an operation needs something to give on
    return Tensor();
  });
}

}  // namespace xgrad::debug
