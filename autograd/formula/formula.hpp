#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "autograd/formula/program.hpp"
#include "autograd/formula/scalar.hpp"

/// \file
/// Elementwise mathematics as data.
///
/// A formula is ordinary code over Scalar, called once; what it computed is kept as a small program. Derivatives of
/// formulas are formulas, so they exist to any order.

namespace xgrad {

namespace detail {
struct FormulaDerivative;
struct FormulaKinds;
struct MapCode;
struct FormulaPiece;
}  // namespace detail

struct Partial;

/// A formula of one or more inputs, kept as a program. Cheap to copy; equal formulas are shared.
///
///     const Formula softplus([](Scalar x) { return log1p(exp(-abs(x))) + relu(x); }, "softplus");
class Formula {
 public:
  /// Traces \p f, a callable on one to eight Scalars.
  /// \param name shown in printed graphs and in error messages.
  /// \throws ValueError when truth values and numbers are mixed up.
  template <class F>
    requires(!std::same_as<std::remove_cvref_t<F>, Formula> && !std::same_as<std::remove_cvref_t<F>, Program>)
  explicit Formula(F&& f, std::string_view name = "map") {
    trace<1>(f, name);
  }

  /// A formula from its program.
  /// \throws ValueError when truth values and numbers are mixed up.
  explicit Formula(Program program, std::string_view name = "map");

  const std::string& name() const;  ///< shown in printed graphs and in error messages
  const Program& program() const;   ///< what was traced
  std::uint64_t hash() const;       ///< of name and program; the same in every process and on every machine

  /// `ct * d result / d input`, for a formula with one result; nothing where it is zero everywhere. It is remembered, and
  /// found again when so many other formulas have been made that it is not. Thread-safe.
  std::optional<Partial> partial(std::size_t input) const;

  /// \name For operations
  /// \{

  const detail::FormulaKinds& kinds() const;  ///< what operands it takes and what it gives
  const detail::MapCode& code() const;        ///< what kernels run; nothing when the program is too long for one map
  const std::vector<detail::FormulaPiece>& pieces() const;  ///< the program as several short ones
  /// In reverse mode, the cotangents of the \p wanted inputs together, from those of the results that are \p given.
  std::shared_ptr<const detail::FormulaDerivative> pullback(const std::vector<bool>& given,
                                                            const std::vector<bool>& wanted) const;
  /// In forward mode, the tangents of the results together, from those of the inputs that are \p given.
  std::shared_ptr<const detail::FormulaDerivative> pushforward(const std::vector<bool>& given) const;
  /// \}

  /// Whether name and program are equal.
  friend bool operator==(const Formula& a, const Formula& b) { return a.shared_ == b.shared_ || same(a, b); }

 private:
  struct Shared;
  explicit Formula(std::shared_ptr<const Shared> shared) : shared_(std::move(shared)) {}
  static std::shared_ptr<const Shared> share(Program program, std::string_view name);
  static bool same(const Formula& a, const Formula& b);

  /// Calls \p f once on \p input_count Scalars that record; keeps what it computed.
  using Call = Scalar (*)(const void* f, const Scalar* inputs);
  void record(Call call, const void* f, std::size_t input_count, std::string_view name);

  template <std::size_t N, class F>
  void trace(const F& f, std::string_view name) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      if constexpr (requires { f((static_cast<void>(I), Scalar(0))...); }) {
        record([](const void* g, const Scalar* x) -> Scalar { return (*static_cast<const F*>(g))(x[I]...); }, &f, N,
               name);
      } else {
        static_assert(sizeof...(I) < 8, "a formula is a callable on one to eight Scalars that gives a Scalar");
        trace<N + 1>(f, name);
      }
    }(std::make_index_sequence<N>());
  }

  std::shared_ptr<const Shared> shared_;
};

/// `(a, b) -> a * (1 - b * b)`; values used more than once are named first.
std::string to_string(const Formula& formula);

/// One derivative of a formula: `ct * d result / d input`, as a formula of some of its inputs, its result, and ct.
struct Partial {
  Formula formula;  ///< computes the derivative
  /// What to call the formula with: i < n is the i-th input, n is the result, n + 1 is ct. They live as long as the formula
  /// that was differentiated.
  std::span<const std::uint32_t> arguments;
  bool simplified;  ///< is as short as algebra makes it; else it would have taken too long
};

}  // namespace xgrad
