#include "autograd/runtime/phrase.hpp"

#include <fmt/args.h>
#include <fmt/format.h>

namespace xgrad::detail {

std::string fill_in(std::string_view pattern, std::span<const PhraseValue> values) {
  fmt::dynamic_format_arg_store<fmt::format_context> arguments;
  for (const PhraseValue& value : values) {
    value.visit([&](const auto& v) { arguments.push_back(v); });
  }
  return fmt::vformat(pattern, arguments);
}

}  // namespace xgrad::detail
