#pragma once

#include <cstdint>
#include <string_view>

/// \file
/// How PyTorch keeps what a layer keeps: a table beside the layer's table of members.

namespace xgrad::nn {

/// How PyTorch's elements lie, beside those of a variable.
enum class TorchLayout : std::uint8_t {
  same,        ///< as here
  transposed,  ///< the axes in reverse order: (out, in) for (in, out)
};

/// A row of the table `torch_names` of a layer, for a member that PyTorch names otherwise or lays out otherwise:
///
///     static constexpr std::array torch_names = {nn::TorchName{"weight", "weight", nn::TorchLayout::transposed}};
///
/// Members without a row have the same name and layout there. Members that are layers may be renamed.
struct TorchName {
  std::string_view member;                 ///< in the table `members`
  std::string_view name;                   ///< in PyTorch's `state_dict`
  TorchLayout layout = TorchLayout::same;  ///< of a variable
};

}  // namespace xgrad::nn
