#include "autograd/transforms/aliases.hpp"

#include "autograd/graph/operation.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad {

namespace {

/// The same value under another name.
struct Alias {
  static constexpr std::string_view name = "alias";
  static constexpr bool alias = true;
  static constexpr bool linear = true;
  static constexpr bool maps_leading_axes = true;

  Spec infer(Inputs in) const { return {in[0].shape(), in[0].dtype()}; }
  Tensors vjp(const Node&, const Cotangents& ct) const { return {ct[0]}; }
};

Tensor alias_in(const detail::Scope* scope, const Operand& x) {
  const Tensor tensor = x.tensor();
  return Tensor(make_node(detail::make_operation(Alias()), Inputs(&tensor, 1), x.where(), scope));
}

}  // namespace

Tensor alias(const Operand& x) {
  const Ref<const detail::Scope> scope(new detail::Scope(detail::Scope::Elements::known));  // never closed
  return alias_in(scope.get(), x);
}

detail::FreshAliases::FreshAliases(std::span<const Operand> arguments) : scope_(Scope::Elements::known), begin_(0) {
  for (const Operand& argument : arguments) {
    tensors_.push_back(alias_in(scope_.get().get(), argument));
  }
  begin_ = Node::next();
}

const Tensor& detail::numbered_argument(std::string_view op, const Tensors& arguments, std::size_t number,
                                        const std::source_location& where) {
  return located(where, [&]() -> const Tensor& {
    if (number >= arguments.size()) {
      raise<ValueError>(op, phrase("there is no argument number {}, the function was called with {}; numbers "
                                   "begin at 0",
                                   number, arguments.size()));
    }
    return arguments[number];
  });
}

}  // namespace xgrad
