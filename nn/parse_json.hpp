#pragma once

#include <string_view>

#include <nlohmann/json.hpp>

namespace xgrad::nn::detail {

/// Gives what \p text consists of to \p sax, piece by piece, until it wants no more. \return whether it took everything.
inline bool parse_json(std::string_view text, nlohmann::json_sax<nlohmann::json>& sax) {
  return nlohmann::json::sax_parse(text, &sax);  // by its base: sources that are compiled together share a parser
}

}  // namespace xgrad::nn::detail
