#include <atomic>
#include <memory>

#include "autograd/graph/operation.hpp"
#include "autograd/graph/recognize.hpp"
#include "autograd/transforms/grad.hpp"

/// \file
/// New names for arguments, so that nested transformations cannot confuse their variables.

namespace xgrad {

namespace {

/// The same value under another name.
struct Alias {
  static constexpr std::string_view name = "alias";
  static constexpr bool alias = true;
  static constexpr bool linear = true;
  static constexpr bool maps_leading_axes = true;
  std::shared_ptr<const std::atomic<bool>> open = nullptr;  // none: for ever

  friend bool operator==(const Alias&, const Alias&) { return true; }

  Spec infer(Inputs in) const { return {in[0].shape(), in[0].dtype()}; }
  Tensors vjp(const Node&, const Cotangents& ct) const { return {ct[0]}; }
};

}  // namespace

Tensor alias(const Operand& x) { return apply_op(Alias(), {x.tensor()}, x.where()); }

bool detail::is_open_alias(const Node& node) {
  const auto* alias = node.as<Alias>();
  return alias != nullptr && (alias->open == nullptr || *alias->open);
}

detail::FreshAliases::FreshAliases(std::span<const Operand> arguments)
    : open_(std::make_shared<std::atomic<bool>>(true)) {
  for (const Operand& argument : arguments) {
    tensors_.push_back(apply_op(Alias{open_}, {argument.tensor()}, argument.where()));
  }
}

detail::FreshAliases::~FreshAliases() { *open_ = false; }

}  // namespace xgrad
