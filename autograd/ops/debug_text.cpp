#include "autograd/ops/debug_text.hpp"

#include <sstream>
#include <type_traits>
#include <vector>

#include <fmt/format.h>

#include "autograd/array/print_elements.hpp"
#include "autograd/runtime/error.hpp"

namespace xgrad::debug {

namespace {

/// A text before a tensor, and the format of the tensor's numbers.
struct Part {
  std::string text;
  std::string format;  // `{:.3f}`; empty for text behind the last tensor
};

[[noreturn]] void raise_brace(std::string_view op, const std::string& text) {
  raise<ValueError>(op, fmt::format("a brace of \"{}\" stands alone; write {{{{ for {{ and }}}} for }}", text));
}

std::vector<Part> parts_of(std::string_view op, const std::string& text) {
  std::vector<Part> parts(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool doubled = i + 1 < text.size() && text[i + 1] == text[i];
    if ((text[i] == '{' || text[i] == '}') && doubled) {
      parts.back().text += text[i++];
    } else if (text[i] == '{') {
      const std::size_t end = text.find('}', i);
      if (end == std::string::npos) {
        raise_brace(op, text);
      }
      parts.back().format = text.substr(i, end - i + 1);
      parts.emplace_back();
      i = end;
    } else if (text[i] == '}') {
      raise_brace(op, text);
    } else {
      parts.back().text += text[i];
    }
  }
  return parts;
}

std::string number_text(const std::string& format, DType dtype, const void* element) {
  return dispatch(dtype, [&](auto zero) {
    using T = decltype(zero);
    using Shown = std::conditional_t<std::is_same_v<T, BFloat16>, float, T>;
    return fmt::format(fmt::runtime(format), static_cast<Shown>(*static_cast<const T*>(element)));
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
  xgrad::detail::print_elements(out, array);
  return out.str();
}

}  // namespace

Array borrowed(const ConstView& view) {
  const auto bytes = static_cast<std::size_t>(view.size()) * size_of(view.dtype());
  return Array(Buffer::adopt(const_cast<void*>(view.data), bytes, nullptr, [](void*) {}), view.shape(), view.dtype());
}

std::string text_of(const std::string& format, ConstViews tensors) {
  std::string text;
  std::size_t next = 0;
  for (const Part& part : parts_of("print", format)) {
    text += part.text;
    if (!part.format.empty()) {
      text += array_text(part.format, borrowed(tensors[next++]));
    }
  }
  return text;
}

void require_fitting(std::string_view op, const Format& format, std::span<const Operand> operands) {
  std::size_t named = 0;
  for (const Part& part : parts_of(op, format.text)) {
    if (part.format.empty()) {
      continue;
    }
    if (named < operands.size()) {
      const Tensor tensor = operands[named].tensor();
      try {
        const std::uint64_t zero = 0;
        number_text(part.format, tensor.dtype(), &zero);
      } catch (const fmt::format_error& error) {
        raise<ValueError>(
            op, fmt::format("\"{}\" is no format for {}: {}", part.format, to_string(tensor.dtype()), error.what()));
      }
    }
    ++named;
  }
  if (named != operands.size()) {
    raise<ValueError>(op, fmt::format("\"{}\" has {} places for {} tensors; write a {{}} for each", format.text, named,
                                      operands.size()));
  }
}

}  // namespace xgrad::debug
