#include "autograd/ops/integer_power.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "autograd/graph/operation.hpp"
#include "autograd/kernels/pieces.hpp"
#include "autograd/ops/composed.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad {

namespace {

constexpr std::string_view power_name = "pow";

/// By squaring: as many products as the exponent has bits.
template <class T>
T power_of(T base, T exponent) {
  using Wrapped = std::make_unsigned_t<T>;
  if (exponent < 0) {
    raise<ValueError>(power_name,
                      phrase("{} to the power of {}: negative powers of integers are not computed; cast the base "
                             "first, as in cast(x, DType::float64)",
                             base, exponent));
  }
  auto square = static_cast<Wrapped>(base);
  Wrapped result = 1;
  for (; exponent > 0; exponent /= 2, square *= square) {
    result *= exponent % 2 == 1 ? square : Wrapped{1};
  }
  return static_cast<T>(result);
}

/// Inputs of one shape and one integer dtype.
struct IntegerPower {
  static constexpr std::string_view name = power_name;
  static constexpr bool stops_gradient = true;

  Spec infer(Inputs in) const { return {in[0].shape(), in[0].dtype()}; }
  void eval(ConstViews in, Views out) const {
    const auto run = [&](auto zero) {
      using T = decltype(zero);
      const T* base = in[0].as<T>();
      const T* exponent = in[1].as<T>();
      T* result = out[0].as<T>();
      constexpr std::int64_t grain = 4096;
      kernels::for_each_piece(out[0].size(), grain, [&](std::int64_t first, std::int64_t last) {
        std::transform(base + first, base + last, exponent + first, result + first, power_of<T>);
      });
    };
    dispatch_numbers(
        in[0].dtype(),
        [&](auto zero) {
          if constexpr (is_integer(dtype_of<decltype(zero)>())) {
            run(zero);
          } else {
            detail::raise_no_arithmetic(in[0].dtype(), name);
          }
        },
        name);
  }
  Tensors vmap(const Node& node, const BatchedInputs& in) const { return {apply_op(*this, all_batched(node, in))}; }
};

}  // namespace

Tensor integer_power(const Operand& a, const Operand& b) {
  const SourceScope scope(a);
  return located(a.where(), [&] {
    // A C++ number takes the type of the other one.
    const Tensor base = a.weak() ? a.tensor(b.tensor().dtype(), power_name) : a.tensor();
    const Tensor exponent = b.tensor();
    require_countable(power_name, base.dtype());
    require_countable(power_name, exponent.dtype());
    const DType dtype = *promoted(base.dtype(), exponent.dtype());  // both are integers
    const Shape shape = broadcast_shapes(power_name, base.shape(), exponent.shape());
    return apply_op(IntegerPower(),
                    {broadcast_to(cast(base, dtype), shape), broadcast_to(cast(exponent, dtype), shape)});
  });
}

}  // namespace xgrad
