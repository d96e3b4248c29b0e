#pragma once

#include <atomic>

#include "autograd/autograd.hpp"

/// \file
/// Operations of a user's own, as the tests define them.

namespace xgrad::testing {

/// x / (1 + |x|), with rules in terms of other ops; counts how often it is computed.
struct Softsign {
  static constexpr std::string_view name = "softsign";
  std::atomic<int>* computed = nullptr;

  Spec infer(Inputs in) const { return {in[0].shape(), in[0].dtype()}; }
  void eval(ConstViews in, Views out) const {
    if (computed != nullptr) {
      ++*computed;
    }
    dispatch(in[0].dtype(), [&](auto zero) {
      using T = decltype(zero);
      for (std::int64_t i = 0; i < in[0].size(); ++i) {
        const T x = in[0].as<T>()[i];
        out[0].as<T>()[i] = static_cast<T>(x / (T{1} + (x < T{0} ? -x : x)));
      }
    });
  }
  Tensors vjp(const Node& node, const Cotangents& ct) const { return {ct[0] / square(1.0 + abs(node.input(0)))}; }
};

inline Tensor own_softsign(const Operand& x, std::atomic<int>* computed = nullptr) {
  return apply_op(Softsign{computed}, {x.tensor()}, x.where());
}

}  // namespace xgrad::testing
